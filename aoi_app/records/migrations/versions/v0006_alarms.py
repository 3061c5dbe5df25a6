"""Alarms have rows of their own; a roll says what was inspected with reserve, a gap whether somebody wanted it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds the table and the columns; of rolls before nobody knows how much was inspected with reserve."""
    with op.batch_alter_table("rolls") as rolls:
        rolls.add_column(sa.Column("reserve_m", sa.Double))
    with op.batch_alter_table("gaps") as gaps:
        gaps.add_column(sa.Column("is_wanted", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("roll_id", sa.Integer, sa.ForeignKey("rolls.id"), index=True, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("position_m", sa.Double, nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True)),
        sa.Column("acknowledged_by", sa.String, nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True)),
        sa.Column("shelved_until", sa.DateTime(timezone=True)),
        sa.Column("shelved_by", sa.String, nullable=False),
        sa.Column("shelved_why", sa.String, nullable=False),
    )
