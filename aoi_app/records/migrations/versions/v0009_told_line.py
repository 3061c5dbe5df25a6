"""A roll keeps how far its defects were told, so that it can go on after a crash."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Adds the columns; a roll of before that was cut off cannot go on."""
    with op.batch_alter_table("rolls") as rolls:
        rolls.add_column(sa.Column("told_line", sa.Integer))
        rolls.add_column(sa.Column("last_number", sa.Integer))
