"""A roll keeps what became of each of its lines, and of each cell of its cloth."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Adds the column; of rolls before, only the metres are known."""
    with op.batch_alter_table("rolls") as rolls:
        rolls.add_column(sa.Column("account", sa.JSON))
