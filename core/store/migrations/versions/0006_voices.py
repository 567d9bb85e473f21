"""Where checkouts of tools are, and what people preferred when they heard or read two side by side."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "checkout",
        sa.Column("tool", sa.String(32), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("python", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tool", name=op.f("pk_checkout")),
    )
    op.create_table(
        "vote",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("persona_id", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("first", sa.String(128), nullable=False),
        sa.Column("second", sa.String(128), nullable=False),
        sa.Column("winner", sa.String(128), nullable=True),
        sa.Column("voted_by", sa.Text(), nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_vote_persona_id_persona")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_vote_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote")),
    )
    op.create_index(op.f("ix_vote_persona_id"), "vote", ["persona_id"])
    op.create_index(op.f("ix_vote_run_id"), "vote", ["run_id"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("vote")
    op.drop_table("checkout")
