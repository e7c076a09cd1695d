"""Which edit of its message a question's words are of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("edition", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("turns", "edition")
