"""Version 1: rolls with their defects, gaps and remarks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    _make_rolls()
    _make_defects()
    _make_gaps_and_remarks()
    schema = op.create_table("schema", sa.Column("version", sa.Integer, primary_key=True, autoincrement=False))
    op.bulk_insert(schema, [{"version": 1}])


def _make_rolls() -> None:
    op.create_table(
        "rolls",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("process", sa.Integer, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("fabric", sa.String),
        sa.Column("recipe", sa.JSON, nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("length_m", sa.Double, nullable=False),
        sa.Column("inspected_m", sa.Double, nullable=False),
        sa.Column("gap_m", sa.Double, nullable=False),
        sa.Column("width_mm", sa.Double),
        sa.Column("tiles", sa.String),
    )


def _make_defects() -> None:
    op.create_table(
        "defects",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("roll_id", sa.Integer, sa.ForeignKey("rolls.id"), nullable=False, index=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("fabric", sa.String, nullable=False),
        sa.Column("shape", sa.String, nullable=False),
        sa.Column("first_line", sa.Integer, nullable=False),
        sa.Column("end_line", sa.Integer, nullable=False),
        sa.Column("left_px", sa.Integer, nullable=False),
        sa.Column("right_px", sa.Integer, nullable=False),
        sa.Column("position_m", sa.Double, nullable=False),
        sa.Column("position_mm", sa.Double, nullable=False),
        sa.Column("length_mm", sa.Double, nullable=False),
        sa.Column("width_mm", sa.Double, nullable=False),
        sa.Column("area_mm2", sa.Double, nullable=False),
        sa.Column("peak", sa.Double, nullable=False),
        sa.Column("mean", sa.Double, nullable=False),
        sa.Column("raw_peak", sa.Double, nullable=False),
        sa.Column("boxes", sa.JSON, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary),
    )


def _make_gaps_and_remarks() -> None:
    op.create_table(
        "gaps",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("roll_id", sa.Integer, sa.ForeignKey("rolls.id"), nullable=False, index=True),
        sa.Column("first_line", sa.Integer, nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("position_m", sa.Double, nullable=False),
        sa.Column("length_m", sa.Double, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
    )
    op.create_table(
        "remarks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("roll_id", sa.Integer, sa.ForeignKey("rolls.id"), nullable=False, index=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("fabric", sa.String, nullable=False),
        sa.Column("first_line", sa.Integer, nullable=False),
        sa.Column("position_m", sa.Double, nullable=False),
        sa.Column("text", sa.String, nullable=False),
    )
