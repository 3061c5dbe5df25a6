"""From here on alembic keeps the version, in its table ``alembic_version``.

The table ``schema`` stays for programs of version 0.1, which read it: they refuse what they find there now, instead of
writing into tables that they do not know.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Tells older programs that they do not know these tables."""
    op.execute("UPDATE schema SET version = 3")
