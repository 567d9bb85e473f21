"""Every question a model was examined in, with its reply and how it was judged; why a score is missing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("score", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "answer",
        sa.Column("scorecard_id", sa.String(64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scorecard_id"], ["scorecard.id"], name=op.f("fk_answer_scorecard_id_scorecard"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scorecard_id", "ordinal", name=op.f("pk_answer")),
    )
    op.create_index(op.f("ix_answer_dataset"), "answer", ["scorecard_id", "dataset", "number"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("answer")
    with op.batch_alter_table("score") as score:
        score.drop_column("reason")
