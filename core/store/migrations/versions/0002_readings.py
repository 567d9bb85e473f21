"""Several extractors on one line; what a language model was asked; synthetic lines; formats beyond plain text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_EXTRACTORS = ("rules", "screenplay", "quotes")
"""What the ids of lines ended in: `passage.start.rules`; they are `passage.start` from here on."""


def upgrade() -> None:
    """Apply."""
    op.add_column("source", sa.Column("format", sa.String(length=16), server_default="txt", nullable=False))
    op.add_column("source", sa.Column("text_sha256", sa.String(length=64), server_default="", nullable=False))
    op.add_column("passage", sa.Column("place", sa.Text(), server_default="", nullable=False))
    op.add_column("utterance", sa.Column("runs_on", sa.Integer(), server_default="0", nullable=False))
    op.add_column("utterance", sa.Column("disputed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("utterance", sa.Column("reviewed_by", sa.Text(), nullable=True))
    reading_order = ["source_id", "ordinal", "start", "id"]
    for name in ("extractor", "disputed", "reviewed_by"):
        op.create_index(f"ix_utterance_{name}", "utterance", [name, *reading_order])
    op.create_index("ix_utterance_doubt", "utterance", ["status", "confidence", "id"])
    op.add_column("event", sa.Column("batch", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_event_batch"), "event", ["batch"])
    op.add_column("event", sa.Column("persona_id", sa.String(length=64), nullable=True))
    op.add_column("event", sa.Column("records", sa.Integer(), nullable=True))
    op.create_index("ix_event_who_persona_id", "event", ["who", "persona_id", "id"])
    _create_tables()
    _name_lines_by_place()


def _create_tables() -> None:
    op.create_table(
        "reading",
        sa.Column("utterance_id", sa.String(length=64), nullable=False),
        sa.Column("extractor", sa.String(length=32), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("runs_on", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_reading_run_id_run")),
        sa.ForeignKeyConstraint(
            ["utterance_id"], ["utterance.id"], name=op.f("fk_reading_utterance_id_utterance"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("utterance_id", "extractor", name=op.f("pk_reading")),
    )
    op.create_index(op.f("ix_reading_run_id"), "reading", ["run_id"])
    op.create_table(
        "expansion",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("persona_id", sa.String(length=64), nullable=False),
        sa.Column("utterance_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("counterpart", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_expansion_persona_id_persona")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_expansion_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expansion")),
    )
    for column in ("persona_id", "run_id", "utterance_id"):
        op.create_index(op.f(f"ix_expansion_{column}"), "expansion", [column])
    op.create_index("ix_expansion_of_quotes", "expansion", ["persona_id", "utterance_id", "ordinal", "id"])
    op.create_table(
        "model_call",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_model_call_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_call")),
    )
    for column in ("request", "run_id"):
        op.create_index(op.f(f"ix_model_call_{column}"), "model_call", [column])


def _name_lines_by_place() -> None:
    """Drop the extractor from the lines' ids, wherever they are named; each line becomes its extractor's reading."""
    place = "passage_id || '.' || start"
    op.execute(  # of several unreviewed lines at a place, one stays
        "DELETE FROM utterance WHERE revision = 0 AND EXISTS (SELECT 1 FROM utterance AS other WHERE "
        "other.passage_id = utterance.passage_id AND other.start = utterance.start AND other.id <> utterance.id "
        "AND (other.revision > 0 OR other.id > utterance.id))"
    )
    op.execute(
        f"UPDATE utterance SET id = {place} WHERE NOT EXISTS (SELECT 1 FROM utterance AS other WHERE "
        "other.passage_id = utterance.passage_id AND other.start = utterance.start AND other.id < utterance.id)"
    )
    op.execute(
        'INSERT INTO reading (utterance_id, extractor, "end", runs_on, text, kind, speaker, confidence, reason, '
        "run_id) "
        'SELECT id, extractor, "end", 0, text, kind, speaker, confidence, reason, run_id FROM utterance '
        "WHERE revision = 0"
    )
    for extractor in _EXTRACTORS:
        ending, length = f".{extractor}", len(extractor) + 1
        for table, column, which in (
            ("sample_utterance", "utterance_id", ""),
            ("clip", "utterance_id", ""),
            ("message", "utterance_id", ""),
            ("event", "entity_id", "entity = 'utterance' AND "),
        ):
            op.execute(
                f"UPDATE {table} SET {column} = substr({column}, 1, length({column}) - {length}) "
                f"WHERE {which}{column} LIKE '%{ending}'"
            )
    _rename_in_samples()
    op.execute(  # who decided last; events name lines by place by now
        "UPDATE utterance SET reviewed_by = (SELECT who FROM event WHERE entity = 'utterance' "
        "AND entity_id = utterance.id ORDER BY id DESC LIMIT 1) WHERE revision > 0"
    )


def _rename_in_samples() -> None:
    """Samples name their lines inside a JSON value, beside words that are nobody's id."""
    sample = sa.table("sample", sa.column("version_id"), sa.column("ordinal"), sa.column("turns", sa.JSON))
    key = (sample.c.version_id == sa.bindparam("version")) & (sample.c.ordinal == sa.bindparam("place"))
    renamed = []
    for row in op.get_bind().execute(sa.select(sample)):
        turns = [{**turn, "utterance_ids": [_by_place(one) for one in turn["utterance_ids"]]} for turn in row.turns]
        renamed.append({"version": row.version_id, "place": row.ordinal, "new": turns})
    if renamed:
        op.get_bind().execute(sa.update(sample).where(key).values(turns=sa.bindparam("new")), renamed)


def _by_place(line_id: str) -> str:
    place, _, ending = line_id.rpartition(".")
    return place if ending in _EXTRACTORS else line_id


def downgrade() -> None:
    """Undo; the lines keep their new ids, which the older program reads as well."""
    for table in ("model_call", "expansion", "reading"):
        op.drop_table(table)
    # Column by column: SQLite's way of making a table anew would take the rows that refer to it along.
    op.drop_index("ix_event_who_persona_id", "event")
    op.drop_index(op.f("ix_event_batch"), "event")
    for name in ("doubt", "reviewed_by", "disputed", "extractor"):
        op.drop_index(f"ix_utterance_{name}", "utterance")
    for table, columns in (
        ("event", ("records", "persona_id", "batch")),
        ("utterance", ("reviewed_by", "disputed", "runs_on")),
        ("passage", ("place",)),
        ("source", ("text_sha256", "format")),
    ):
        for column in columns:
            op.drop_column(table, column)
