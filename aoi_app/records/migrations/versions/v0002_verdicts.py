"""Version 2: what a person says of a defect."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the columns of a review."""
    with op.batch_alter_table("defects") as defects:
        for name in ("verdict", "type_code", "type_name", "reviewer"):
            defects.add_column(sa.Column(name, sa.String))
        defects.add_column(sa.Column("reviewed_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE schema SET version = 2")
