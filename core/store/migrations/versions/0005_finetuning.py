"""Base models are records of their own, models carry a note and can be removed, runs hold GPUs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("model", sa.Column("note", sa.Text(), nullable=False, server_default=""))
    op.add_column("model", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "base",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("prompt_template", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=True),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_base_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_base")),
    )
    op.create_index(op.f("ix_base_run_id"), "base", ["run_id"])
    op.create_table(
        "gpu_lease",
        sa.Column("host", sa.String(64), nullable=False),
        sa.Column("gpu", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("host", "gpu", name=op.f("pk_gpu_lease")),
    )
    op.create_index(op.f("ix_gpu_lease_run_id"), "gpu_lease", ["run_id"])
    op.add_column("worker", sa.Column("queues", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "workspace",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_workspace")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("workspace")
    with op.batch_alter_table("worker") as table:
        table.drop_column("queues")
    op.drop_table("gpu_lease")
    op.drop_table("base")
    with op.batch_alter_table("model") as table:
        table.drop_column("removed_at")
        table.drop_column("note")
