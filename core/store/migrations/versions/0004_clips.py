"""Clips are reviewed and measured, recordings keep their decoded sound and subtitles, sets of clips are frozen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_RECORDING = (("sound_sha256", sa.String(64)), ("container", sa.String(16)), ("subtitles_name", sa.Text()),
              ("subtitles_sha256", sa.String(64)))  # fmt: skip


def upgrade() -> None:
    """Apply."""
    for name, kind in _RECORDING:
        op.add_column("recording", sa.Column(name, kind, nullable=False, server_default=""))
    for column in _clip_columns():
        op.add_column("clip", column)
    # What was cut until now was cut by hand, words and all.
    op.execute(sa.text("UPDATE clip SET status = 'accepted', text_origin = 'hand', seconds = \"end\" - start"))
    op.create_index("ix_clip_place", "clip", ["recording_id", "start", "id"])
    op.create_index(op.f("ix_clip_run_id"), "clip", ["run_id"])
    _create_sets()


def _clip_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("language", sa.String(8), nullable=False, server_default="zh"),
        sa.Column("text_origin", sa.String(16), nullable=False, server_default="none"),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("status", sa.String(16), nullable=False, server_default="pending"),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False, server_default="0"),
        sa.Column("measures", sa.JSON(), nullable=True),
        sa.Column("oddness", sa.Float(), nullable=True),
        sa.Column("complaints", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("reference", sa.String(16), nullable=False, server_default="open"),
        sa.Column("run_id", sa.String(64), nullable=True),
    )


def _create_sets() -> None:
    op.create_table(
        "clip_set",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("persona_id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clips", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("statistics", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_clip_set_persona_id_persona")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_clip_set_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clip_set")),
    )
    for column in ("persona_id", "run_id"):
        op.create_index(op.f(f"ix_clip_set_{column}"), "clip_set", [column])
    op.create_table(
        "clip_set_member",
        sa.Column("clip_set_id", sa.String(64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("clip_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("recording_id", sa.String(64), nullable=False),
        sa.Column("recording_sha256", sa.String(64), nullable=False),
        sa.Column("start", sa.Float(), nullable=False),
        sa.Column("end", sa.Float(), nullable=False),
        sa.Column("effects", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("utterance_id", sa.String(64), nullable=True),
        sa.Column("reference", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clip_set_id"], ["clip_set.id"], name=op.f("fk_clip_set_member_clip_set_id_clip_set"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("clip_set_id", "ordinal", name=op.f("pk_clip_set_member")),
    )
    op.create_index(op.f("ix_clip_set_member_recording_id"), "clip_set_member", ["recording_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("clip_set_member")
    op.drop_table("clip_set")
    op.drop_index("ix_clip_place", "clip")
    op.drop_index(op.f("ix_clip_run_id"), "clip")
    # One at a time and without a batch: rebuilding a table on SQLite would take what refers to it along.
    for column in reversed(_clip_columns()):
        op.drop_column("clip", column.name)
    for name, _kind in reversed(_RECORDING):
        op.drop_column("recording", name)
