"""A defect is found by its number without reading all those of its roll: each verdict and each picture asks so."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Adds the index."""
    op.create_index("ix_defects_roll_id_number", "defects", ["roll_id", "number"])
