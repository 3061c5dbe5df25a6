"""A roll knows the process that writes it by more than its number, which another process may get."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the column; of rolls before nobody knows."""
    with op.batch_alter_table("rolls") as rolls:
        rolls.add_column(sa.Column("process_identity", sa.String))
