"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("entity_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["undoes"], ["event.id"], name=op.f("fk_event_undoes_event")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_entity_entity_id", ["entity", "entity_id"], unique=False)

    op.create_table(
        "persona",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("book", sa.Text(), nullable=False),
        sa.Column("system_prompt", sa.Text(), nullable=False),
        sa.Column("greeting", sa.Text(), nullable=False),
        sa.Column("portrait", sa.Text(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("cast", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("voice", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persona")),
    )
    op.create_table(
        "worker",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker")),
    )
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_conversation_persona_id_persona")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
    )
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conversation_persona_id"), ["persona_id"], unique=False)

    op.create_table(
        "run",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("queue", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("commands", sa.JSON(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_run_persona_id_persona")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index("ix_run_kind_created_at", ["kind", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_run_persona_id"), ["persona_id"], unique=False)
        batch_op.create_index("ix_run_state", ["state"], unique=False)

    op.create_table(
        "dataset_version",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("system_prompt", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("train_samples", sa.Integer(), nullable=False),
        sa.Column("held_out_samples", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("statistics", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_dataset_version_persona_id_persona")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_dataset_version_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_version")),
    )
    with op.batch_alter_table("dataset_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dataset_version_persona_id"), ["persona_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dataset_version_run_id"), ["run_id"], unique=False)

    op.create_table(
        "recording",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("sample_rate", sa.Integer(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_recording_persona_id_persona")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_recording_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
    )
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recording_persona_id"), ["persona_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_recording_run_id"), ["run_id"], unique=False)

    op.create_table(
        "source",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("encoding", sa.String(length=32), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("chapters", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_source_persona_id_persona")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_source_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
    )
    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_persona_id"), ["persona_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_run_id"), ["run_id"], unique=False)

    op.create_table(
        "clip",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("recording_id", sa.String(length=64), nullable=False),
        sa.Column("start", sa.Float(), nullable=False),
        sa.Column("end", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effects", sa.JSON(), nullable=False),
        sa.Column("utterance_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_clip_recording_id_recording"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clip")),
    )
    with op.batch_alter_table("clip", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clip_recording_id"), ["recording_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_clip_utterance_id"), ["utterance_id"], unique=False)

    op.create_table(
        "model",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("dataset_version_id", sa.String(length=64), nullable=True),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_version_id"], ["dataset_version.id"], name=op.f("fk_model_dataset_version_id_dataset_version")
        ),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_model_persona_id_persona")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_model_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
    )
    with op.batch_alter_table("model", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_model_dataset_version_id"), ["dataset_version_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_model_persona_id"), ["persona_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_model_run_id"), ["run_id"], unique=False)

    op.create_table(
        "passage",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("chapter", sa.Integer(), nullable=False),
        sa.Column("para", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_passage_source_id_source"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passage")),
    )
    with op.batch_alter_table("passage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passage_source_id"), ["source_id"], unique=False)
        batch_op.create_index("ix_passage_source_id_chapter_ordinal", ["source_id", "chapter", "ordinal"], unique=False)

    op.create_table(
        "sample",
        sa.Column("version_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("chapter", sa.Integer(), nullable=False),
        sa.Column("split", sa.String(length=16), nullable=False),
        sa.Column("turns", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["dataset_version.id"],
            name=op.f("fk_sample_version_id_dataset_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", "ordinal", name=op.f("pk_sample")),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("speaker", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("backend", sa.String(length=32), nullable=True),
        sa.Column("model_id", sa.String(length=64), nullable=True),
        sa.Column("voice", sa.String(length=64), nullable=True),
        sa.Column("sound_sha256", sa.String(length=64), nullable=True),
        sa.Column("utterance_id", sa.String(length=64), nullable=True),
        sa.Column("timings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_message_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_message_model_id_model")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("conversation_id", "ordinal", name=op.f("uq_message_conversation_id_ordinal")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_conversation_id"), ["conversation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_model_id"), ["model_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_utterance_id"), ["utterance_id"], unique=False)

    op.create_table(
        "sample_utterance",
        sa.Column("version_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("utterance_id", sa.String(length=64), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id", "ordinal"],
            ["sample.version_id", "sample.ordinal"],
            name=op.f("fk_sample_utterance_version_id_ordinal_sample"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", "ordinal", "utterance_id", name=op.f("pk_sample_utterance")),
    )
    with op.batch_alter_table("sample_utterance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sample_utterance_utterance_id"), ["utterance_id"], unique=False)

    op.create_table(
        "scorecard",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_scorecard_model_id_model")),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_scorecard_persona_id_persona")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scorecard")),
    )
    with op.batch_alter_table("scorecard", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scorecard_model_id"), ["model_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_scorecard_persona_id"), ["persona_id"], unique=False)

    op.create_table(
        "utterance",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("passage_id", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("chapter", sa.Integer(), nullable=False),
        sa.Column("para", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=True),
        sa.Column("extractor", sa.String(length=32), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["passage_id"], ["passage.id"], name=op.f("fk_utterance_passage_id_passage"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_utterance_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utterance")),
    )
    with op.batch_alter_table("utterance", schema=None) as batch_op:
        batch_op.create_index("ix_utterance_chapter", ["source_id", "chapter", "ordinal", "start", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_utterance_passage_id"), ["passage_id"], unique=False)
        batch_op.create_index("ix_utterance_reading", ["source_id", "ordinal", "start", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_utterance_run_id"), ["run_id"], unique=False)
        batch_op.create_index("ix_utterance_who_says_how_much", ["source_id", "speaker", "status"], unique=False)
        batch_op.create_index("ix_utterance_speaker", ["speaker", "source_id", "ordinal", "start", "id"], unique=False)
        batch_op.create_index("ix_utterance_status", ["status", "source_id", "ordinal", "start", "id"], unique=False)

    op.create_table(
        "score",
        sa.Column("scorecard_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["scorecard_id"], ["scorecard.id"], name=op.f("fk_score_scorecard_id_scorecard"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scorecard_id", "ordinal", name=op.f("pk_score")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("score")
    with op.batch_alter_table("utterance", schema=None) as batch_op:
        batch_op.drop_index("ix_utterance_status")
        batch_op.drop_index("ix_utterance_who_says_how_much")
        batch_op.drop_index("ix_utterance_speaker")
        batch_op.drop_index(batch_op.f("ix_utterance_run_id"))
        batch_op.drop_index("ix_utterance_reading")
        batch_op.drop_index(batch_op.f("ix_utterance_passage_id"))
        batch_op.drop_index("ix_utterance_chapter")

    op.drop_table("utterance")
    with op.batch_alter_table("scorecard", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_scorecard_persona_id"))
        batch_op.drop_index(batch_op.f("ix_scorecard_model_id"))

    op.drop_table("scorecard")
    with op.batch_alter_table("sample_utterance", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sample_utterance_utterance_id"))

    op.drop_table("sample_utterance")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_utterance_id"))
        batch_op.drop_index(batch_op.f("ix_message_model_id"))
        batch_op.drop_index(batch_op.f("ix_message_conversation_id"))

    op.drop_table("message")
    op.drop_table("sample")
    with op.batch_alter_table("passage", schema=None) as batch_op:
        batch_op.drop_index("ix_passage_source_id_chapter_ordinal")
        batch_op.drop_index(batch_op.f("ix_passage_source_id"))

    op.drop_table("passage")
    with op.batch_alter_table("model", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_model_run_id"))
        batch_op.drop_index(batch_op.f("ix_model_persona_id"))
        batch_op.drop_index(batch_op.f("ix_model_dataset_version_id"))

    op.drop_table("model")
    with op.batch_alter_table("clip", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clip_utterance_id"))
        batch_op.drop_index(batch_op.f("ix_clip_recording_id"))

    op.drop_table("clip")
    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_run_id"))
        batch_op.drop_index(batch_op.f("ix_source_persona_id"))

    op.drop_table("source")
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recording_run_id"))
        batch_op.drop_index(batch_op.f("ix_recording_persona_id"))

    op.drop_table("recording")
    with op.batch_alter_table("dataset_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dataset_version_run_id"))
        batch_op.drop_index(batch_op.f("ix_dataset_version_persona_id"))

    op.drop_table("dataset_version")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index("ix_run_state")
        batch_op.drop_index(batch_op.f("ix_run_persona_id"))
        batch_op.drop_index("ix_run_kind_created_at")

    op.drop_table("run")
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversation_persona_id"))

    op.drop_table("conversation")
    op.drop_table("worker")
    op.drop_table("persona")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_entity_entity_id")

    op.drop_table("event")
