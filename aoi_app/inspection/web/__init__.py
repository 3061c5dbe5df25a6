"""The web of a roll in memory: its bands, segments and pictures, in lines and metres."""
