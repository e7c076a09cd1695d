"""The language of who set a preset, for what is to be told of it later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("presets", sa.Column("changed_in", sa.String(8), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("presets", "changed_in")
