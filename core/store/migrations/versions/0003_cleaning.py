"""Near-duplicates and doubtful lines, and what was decided about them; synthetic samples."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("sample", sa.Column("synthetic", sa.Boolean(), server_default=sa.false(), nullable=False))
    _create_duplicates()
    _create_suspicions()


def _create_duplicates() -> None:
    op.create_table(
        "duplicate_cluster",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_duplicate_cluster_persona_id_persona")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_duplicate_cluster_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_cluster")),
    )
    for column in ("persona_id", "run_id"):
        op.create_index(op.f(f"ix_duplicate_cluster_{column}"), "duplicate_cluster", [column])
    op.create_index("ix_duplicate_cluster_order", "duplicate_cluster", ["persona_id", "open", "ordinal"])
    op.create_table(
        "duplicate_member",
        sa.Column("cluster_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("utterance_id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("proposed", sa.Boolean(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cluster_id"],
            ["duplicate_cluster.id"],
            name=op.f("fk_duplicate_member_cluster_id_duplicate_cluster"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("cluster_id", "ordinal", name=op.f("pk_duplicate_member")),
    )
    op.create_index(op.f("ix_duplicate_member_utterance_id"), "duplicate_member", ["utterance_id"])
    op.create_table(
        "duplicate_decision",
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("kept_all", sa.Boolean(), nullable=False),
        sa.Column("kept_ids", sa.JSON(), nullable=False),
        sa.Column("instead", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_duplicate_decision_persona_id_persona")),
        sa.PrimaryKeyConstraint("persona_id", "content", name=op.f("pk_duplicate_decision")),
    )


def _create_suspicions() -> None:
    op.create_table(
        "suspicion",
        sa.Column("record_id", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_suspicion_persona_id_persona")),
        sa.PrimaryKeyConstraint("record_id", "rule", name=op.f("pk_suspicion")),
    )
    op.create_index("ix_suspicion_order", "suspicion", ["persona_id", "synthetic", "ordinal"])
    op.create_table(
        "dismissal",
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_dismissal_persona_id_persona")),
        sa.PrimaryKeyConstraint("persona_id", "rule", "content", name=op.f("pk_dismissal")),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("dismissal", "suspicion", "duplicate_decision", "duplicate_member", "duplicate_cluster"):
        op.drop_table(table)
    with op.batch_alter_table("sample") as sample:
        sample.drop_column("synthetic")
