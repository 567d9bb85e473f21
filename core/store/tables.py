"""The tables, with the origin columns that make the chain of custody a join."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware UTC time; SQLite forgets the zone, so it is put back on reading."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Store UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id() -> Column[str]:
    return Column("id", String(64), primary_key=True)


def _to(table: str, column: str, *, nullable: bool = False, cascade: bool = False) -> Column[str]:
    """Return a foreign key column; origins of deleted records are protected unless `cascade`."""
    link = ForeignKey(f"{table}.id", ondelete="CASCADE" if cascade else None)
    return Column(column, String(64), link, nullable=nullable, index=True)


def _json(name: str) -> Column[Any]:
    return Column(name, sa.JSON, nullable=False)


persona = Table(
    "persona",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("book", Text, nullable=False),
    Column("system_prompt", Text, nullable=False),
    Column("greeting", Text, nullable=False),
    Column("portrait", Text, nullable=False),
    _json("aliases"),
    _json("cast"),
    _json("facts"),
    _json("voice"),
)

run = Table(
    "run",
    metadata,
    _id(),
    Column("kind", String(32), nullable=False),
    _to("persona", "persona_id"),
    Column("queue", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    _json("settings"),
    _json("inputs"),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    _json("progress"),
    _json("commands"),
    _json("versions"),
    _json("result"),
    Column("error", sa.JSON),
    Column("stop_requested", sa.Boolean, nullable=False),
    Column("worker", String(64)),
    Index("ix_run_kind_created_at", "kind", "created_at"),
    Index("ix_run_state", "state"),
)

worker = Table(
    "worker",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("queues", sa.JSON, nullable=False, server_default="{}"),
)

workspace = Table(
    "workspace",
    metadata,
    # One row: the folder that the files of these records lie in.
    Column("only", Integer, primary_key=True, autoincrement=False),
    Column("id", String(64), nullable=False),
)

source = Table(
    "source",
    metadata,
    _id(),
    _to("persona", "persona_id"),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("encoding", String(32), nullable=False),
    Column("characters", Integer, nullable=False),
    Column("chapters", Integer, nullable=False),
    Column("imported_at", Moment, nullable=False),
    _to("run", "run_id", nullable=True),
    Column("format", String(16), nullable=False, server_default="txt"),
    Column("text_sha256", String(64), nullable=False, server_default=""),
)

passage = Table(
    "passage",
    metadata,
    _id(),
    _to("source", "source_id", cascade=True),
    Column("ordinal", Integer, nullable=False),
    Column("chapter", Integer, nullable=False),
    Column("para", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("place", Text, nullable=False, server_default=""),
    Index("ix_passage_source_id_chapter_ordinal", "source_id", "chapter", "ordinal"),
)

utterance = Table(
    "utterance",
    metadata,
    _id(),
    _to("passage", "passage_id", cascade=True),
    Column("source_id", String(64), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("chapter", Integer, nullable=False),
    Column("para", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("speaker", Text),
    Column("extractor", String(32), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    _to("run", "run_id", nullable=True),
    Column("runs_on", Integer, nullable=False, server_default="0"),
    Column("disputed", sa.Boolean, nullable=False, server_default=sa.false()),
    Column("reviewed_by", Text),
    # The order people read in; every filter below ends with it so that paging stays a seek.
    Index("ix_utterance_reading", "source_id", "ordinal", "start", "id"),
    Index("ix_utterance_speaker", "speaker", "source_id", "ordinal", "start", "id"),
    Index("ix_utterance_status", "status", "source_id", "ordinal", "start", "id"),
    Index("ix_utterance_who_says_how_much", "source_id", "speaker", "status"),
    Index("ix_utterance_chapter", "source_id", "chapter", "ordinal", "start", "id"),
    Index("ix_utterance_extractor", "extractor", "source_id", "ordinal", "start", "id"),
    Index("ix_utterance_disputed", "disputed", "source_id", "ordinal", "start", "id"),
    Index("ix_utterance_reviewed_by", "reviewed_by", "source_id", "ordinal", "start", "id"),
    # The order of doubt: the queue of uncertain lines.
    Index("ix_utterance_doubt", "status", "confidence", "id"),
)

reading = Table(
    "reading",
    metadata,
    Column("utterance_id", String(64), ForeignKey("utterance.id", ondelete="CASCADE"), primary_key=True),
    Column("extractor", String(32), primary_key=True),
    Column("end", Integer, nullable=False),
    Column("runs_on", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("speaker", Text),
    Column("confidence", Float, nullable=False),
    Column("reason", Text, nullable=False),
    _to("run", "run_id", nullable=True),
)

expansion = Table(
    "expansion",
    metadata,
    _id(),
    _to("persona", "persona_id"),
    # No foreign key: a quote that goes away does not make what a model wrote for it any less synthetic.
    Column("utterance_id", String(64), nullable=False, index=True),
    Column("ordinal", Integer, nullable=False),
    Column("counterpart", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("status", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    _to("run", "run_id", nullable=True),
    # The order they are shown in, quote by quote.
    Index("ix_expansion_of_quotes", "persona_id", "utterance_id", "ordinal", "id"),
)

model_call = Table(
    "model_call",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("request", String(64), nullable=False, index=True),
    _to("run", "run_id"),
    Column("subject", String(64), nullable=False),
    Column("model", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("answer", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("at", Moment, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("who", Text, nullable=False),
    Column("entity", String(32), nullable=False),
    Column("entity_id", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("before", sa.JSON(none_as_null=True)),
    Column("after", sa.JSON(none_as_null=True)),
    Column("undoes", Integer, ForeignKey("event.id")),
    # Events of one change to several records, which is undone as one.
    Column("batch", String(64), index=True),
    # Only on the first event of a change that can be undone, and stands for all of it: whose, and how many records.
    Column("persona_id", String(64)),
    Column("records", Integer),
    Index("ix_event_entity_entity_id", "entity", "entity_id"),
    Index("ix_event_who_persona_id", "who", "persona_id", "id"),
)

dataset_version = Table(
    "dataset_version",
    metadata,
    _id(),
    _to("persona", "persona_id"),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("system_prompt", Text, nullable=False),
    _json("settings"),
    Column("train_samples", Integer, nullable=False),
    Column("held_out_samples", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    _to("run", "run_id", nullable=True),
    _json("statistics"),
)

sample = Table(
    "sample",
    metadata,
    Column("version_id", String(64), ForeignKey("dataset_version.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("source_id", String(64), nullable=False),
    Column("chapter", Integer, nullable=False),
    Column("split", String(16), nullable=False),
    _json("turns"),
    Column("synthetic", sa.Boolean, nullable=False, server_default=sa.false()),
)

sample_utterance = Table(
    "sample_utterance",
    metadata,
    Column("version_id", String(64), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    # No foreign key: a version is immutable and outlives the lines it was built from.
    Column("utterance_id", String(64), primary_key=True, index=True),
    Column("turn", Integer, nullable=False),
    sa.ForeignKeyConstraint(["version_id", "ordinal"], ["sample.version_id", "sample.ordinal"], ondelete="CASCADE"),
)

duplicate_cluster = Table(
    "duplicate_cluster",
    metadata,
    _id(),
    _to("persona", "persona_id"),
    # The order they are shown in: the largest and surest first.
    Column("ordinal", Integer, nullable=False),
    Column("open", sa.Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Moment),
    _to("run", "run_id", nullable=True),
    Index("ix_duplicate_cluster_order", "persona_id", "open", "ordinal"),
)

duplicate_member = Table(
    "duplicate_member",
    metadata,
    Column("cluster_id", String(64), ForeignKey("duplicate_cluster.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    # No foreign key: a line may go with its source while the cluster waits for the next search.
    Column("utterance_id", String(64), nullable=False, index=True),
    Column("content", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("similarity", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("proposed", sa.Boolean, nullable=False),
    Column("kept", sa.Boolean),
)

duplicate_decision = Table(
    "duplicate_decision",
    metadata,
    Column("persona_id", String(64), ForeignKey("persona.id"), primary_key=True),
    # By content, so that it holds for the same words in another import.
    Column("content", String(64), primary_key=True),
    Column("kept_all", sa.Boolean, nullable=False),
    _json("kept_ids"),
    _json("instead"),
)

suspicion = Table(
    "suspicion",
    metadata,
    # A line's or a synthetic line's; no foreign key, as what is gone is not shown.
    Column("record_id", String(64), primary_key=True),
    Column("rule", String(32), primary_key=True),
    Column("synthetic", sa.Boolean, nullable=False),
    Column("persona_id", String(64), ForeignKey("persona.id"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    _json("values"),
    # What the line said then; a line that says something else by now is not suspected any more.
    Column("text", Text, nullable=False),
    Column("content", String(64), nullable=False),
    Index("ix_suspicion_order", "persona_id", "synthetic", "ordinal"),
)

dismissal = Table(
    "dismissal",
    metadata,
    Column("persona_id", String(64), ForeignKey("persona.id"), primary_key=True),
    Column("rule", String(32), primary_key=True),
    Column("content", String(64), primary_key=True),
)

recording = Table(
    "recording",
    metadata,
    _id(),
    _to("persona", "persona_id"),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("sample_rate", Integer, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("imported_at", Moment, nullable=False),
    _to("run", "run_id", nullable=True),
    Column("sound_sha256", String(64), nullable=False, server_default=""),
    Column("container", String(16), nullable=False, server_default=""),
    Column("subtitles_name", Text, nullable=False, server_default=""),
    Column("subtitles_sha256", String(64), nullable=False, server_default=""),
)

clip = Table(
    "clip",
    metadata,
    _id(),
    _to("recording", "recording_id", cascade=True),
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("speaker", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    _json("effects"),
    Column("utterance_id", String(64), index=True),
    Column("language", String(8), nullable=False, server_default="zh"),
    Column("text_origin", String(16), nullable=False, server_default="none"),
    Column("confidence", Float),
    Column("status", String(16), nullable=False, server_default="pending"),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("reviewed_by", Text),
    Column("seconds", Float, nullable=False, server_default="0"),
    Column("measures", sa.JSON(none_as_null=True)),
    Column("oddness", Float),
    Column("complaints", sa.JSON, nullable=False, server_default="[]"),
    Column("reference", String(16), nullable=False, server_default="open"),
    Column("run_id", String(64), index=True),  # added later, and SQLite adds no foreign key to a table that is there
    Index("ix_clip_place", "recording_id", "start", "id"),
)

clip_set = Table(
    "clip_set",
    metadata,
    _id(),
    _to("persona", "persona_id"),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    _json("settings"),
    Column("created_at", Moment, nullable=False),
    Column("clips", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    _json("statistics"),
    _to("run", "run_id", nullable=True),
)

clip_set_member = Table(
    "clip_set_member",
    metadata,
    Column("clip_set_id", String(64), ForeignKey("clip_set.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    # Whose clip, of which recording: no foreign keys, for both may go while the set stays.
    Column("clip_id", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("recording_id", String(64), nullable=False, index=True),
    Column("recording_sha256", String(64), nullable=False),
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    _json("effects"),
    Column("sha256", String(64), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("speaker", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("utterance_id", String(64)),
    Column("reference", sa.Boolean, nullable=False),
)

model = Table(
    "model",
    metadata,
    _id(),
    _to("persona", "persona_id"),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    _to("run", "run_id", nullable=True),
    _to("dataset_version", "dataset_version_id", nullable=True),
    Column("base", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("in_use", sa.Boolean, nullable=False),
    _json("manifest"),
    Column("note", Text, nullable=False, server_default=""),
    Column("removed_at", Moment),
)

base = Table(
    "base",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("prompt_template", String(32), nullable=False),
    Column("created_at", Moment, nullable=False),
    _to("run", "run_id", nullable=True),
    _json("manifest"),
)

gpu_lease = Table(
    "gpu_lease",
    metadata,
    Column("host", String(64), primary_key=True),
    Column("gpu", String(64), primary_key=True),
    # No foreign key: what a run that is gone held is free.
    Column("run_id", String(64), nullable=False, index=True),
    Column("since", Moment, nullable=False),
)

scorecard = Table(
    "scorecard",
    metadata,
    _id(),
    _to("persona", "persona_id"),
    Column("name", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    _to("model", "model_id", nullable=True),
)

score = Table(
    "score",
    metadata,
    Column("scorecard_id", String(64), ForeignKey("scorecard.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("dataset", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("value", Float),
    Column("reason", Text, nullable=False, server_default=""),
)

answer = Table(
    "answer",
    metadata,
    Column("scorecard_id", String(64), ForeignKey("scorecard.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("dataset", String(128), nullable=False),
    Column("number", Integer, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("chosen", Text, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("correct", Boolean, nullable=False),
    Index("ix_answer_dataset", "scorecard_id", "dataset", "number"),
)

conversation = Table(
    "conversation",
    metadata,
    _id(),
    _to("persona", "persona_id"),
    Column("title", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False, server_default="1970-01-01 00:00:00"),
    Column("owner", Text, nullable=False, server_default="local"),
    # No foreign keys: tables that point at each other cannot be put in an order, and a talk outlives what it began as.
    Column("leaf_id", String(64)),
    Column("branched_from", String(64), index=True),
    Index("ix_conversation_newest", "persona_id", "updated_at", "id"),
    Index("ix_conversation_owners", "persona_id", "owner", "updated_at", "id"),
)

message = Table(
    "message",
    metadata,
    _id(),
    _to("conversation", "conversation_id", cascade=True),
    Column("ordinal", Integer, nullable=False),
    Column("speaker", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("backend", String(32)),
    _to("model", "model_id", nullable=True),
    Column("voice", String(64)),
    Column("sound_sha256", String(64)),
    Column("utterance_id", String(64), index=True),
    _json("timings"),
    _to("message", "parent_id", nullable=True),
    Column("memories", sa.JSON, nullable=False, server_default="[]"),
    sa.UniqueConstraint("conversation_id", "ordinal"),
)

_WAITING = sa.text("settled_at IS NULL")

rating = Table(
    "rating",
    metadata,
    _id(),
    Column("message_id", String(64), ForeignKey("message.id", ondelete="CASCADE"), nullable=False),
    _to("persona", "persona_id"),
    Column("value", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("rated_at", Moment, nullable=False),
    Column("settled_by", Text),
    Column("settled_at", Moment),
    sa.UniqueConstraint("message_id", "who"),
    # What a curator has not looked at, in order.
    Index(
        "ix_rating_waiting", "persona_id", "value", "rated_at", "id", sqlite_where=_WAITING, postgresql_where=_WAITING
    ),
)

checkout = Table(
    "checkout",
    metadata,
    Column("tool", String(32), primary_key=True),
    Column("folder", Text, nullable=False),
    Column("python", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

vote = Table(
    "vote",
    metadata,
    _id(),
    _to("persona", "persona_id"),
    _to("run", "run_id", nullable=True),
    Column("prompt", Text, nullable=False),
    Column("first", String(128), nullable=False),
    Column("second", String(128), nullable=False),
    Column("winner", String(128)),
    Column("voted_by", Text, nullable=False),
    Column("voted_at", Moment, nullable=False),
    Column("first_reply", Text),
    Column("second_reply", Text),
    Column("flagged", Text),
    Column("reason", Text),
    Column("first_line", String(64)),
    Column("second_line", String(64)),
    Index("ix_vote_in_order", "persona_id", "voted_at", "id"),
)
