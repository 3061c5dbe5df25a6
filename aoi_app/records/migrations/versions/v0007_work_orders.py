"""A roll knows its work order, and every verdict is kept, not only the one that holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Adds the columns, the table, and an index by which defects are counted. Rolls before have no order, and of their
    verdicts the last one is known.
    """
    with op.batch_alter_table("rolls") as rolls:
        for name in ("roll_number", "order_number", "article", "lot", "loom", "operator"):
            rolls.add_column(sa.Column(name, sa.String))
        rolls.add_column(sa.Column("nominal_width_mm", sa.Double))
        rolls.add_column(sa.Column("gsm", sa.Double))
        rolls.create_index("ix_rolls_roll_number", ["roll_number"])
    op.create_index("ix_defects_roll_id_verdict_type_name", "defects", ["roll_id", "verdict", "type_name"])
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("roll_id", sa.Integer, sa.ForeignKey("rolls.id"), index=True, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("verdict", sa.String),
        sa.Column("type_code", sa.String),
        sa.Column("type_name", sa.String),
        sa.Column("reviewer", sa.String, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute(
        "INSERT INTO verdicts (roll_id, number, verdict, type_code, type_name, reviewer, at) "
        "SELECT roll_id, number, verdict, type_code, type_name, coalesce(reviewer, ''), reviewed_at FROM defects "
        "WHERE reviewed_at IS NOT NULL"
    )
