"""A defect says what kind of darker or lighter place it is, and by how much."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds the columns; what was found before is no shade defect."""
    with op.batch_alter_table("defects") as defects:
        defects.add_column(sa.Column("shade", sa.String))
        defects.add_column(sa.Column("contrast_percent", sa.Double))
