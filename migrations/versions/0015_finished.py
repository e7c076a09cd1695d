"""What people do with a finished answer: feedback, going on where it was cut, branches; and what its details say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("threads", sa.Column("branch_of", sa.String(255)))
    op.add_column("threads", sa.Column("branched_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("turns", sa.Column("cut", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("turns", sa.Column("answered_as", sa.String(255), nullable=False, server_default=""))
    op.add_column("turns", sa.Column("seconds", sa.Float(), nullable=False, server_default="0"))
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "feedback",
        sa.Column("turn", number, nullable=False),
        sa.Column("person", sa.String(255), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False, server_default=""),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["turn"], ["turns.id"], name="fk_feedback_turn", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("turn", "person", name="pk_feedback"),
    )


def downgrade() -> None:
    op.drop_table("feedback")
    for column in ("seconds", "answered_as", "cut"):
        op.drop_column("turns", column)
    for column in ("branched_at", "branch_of"):
        op.drop_column("threads", column)
