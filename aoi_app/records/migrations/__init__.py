"""How the tables came to be what they are, one step a file; ``records/upgrade.py`` takes them.

A step that has been released is never changed: databases have gone through it. It names its columns itself and imports
nothing of the tables of today. To change the tables, change ``records/tables.py`` (or a record of the inspection), add
the next file to ``versions`` and name it in ``records.database.SCHEMA_REVISION``; a test compares the two ways. A
column that may not be empty needs a ``server_default`` in its step: what rolls have that were recorded before it.
"""
