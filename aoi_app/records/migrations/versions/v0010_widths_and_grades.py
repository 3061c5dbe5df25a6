"""A roll keeps its width along its length, and every grade that it was given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Adds the tables; of rolls before, one width is known, and the grade follows from the records."""
    op.create_table(
        "widths",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("roll_id", sa.Integer, sa.ForeignKey("rolls.id"), index=True, nullable=False),
        sa.Column("position_m", sa.Double, nullable=False),
        sa.Column("width_mm", sa.Double, nullable=False),
    )
    op.create_table(
        "grades",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("roll_id", sa.Integer, sa.ForeignKey("rolls.id"), index=True, nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("per", sa.String, nullable=False),
        sa.Column("is_passed", sa.Boolean),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("verdicts", sa.Integer, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
