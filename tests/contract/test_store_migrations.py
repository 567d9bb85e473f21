"""A store of an older program is read by the newer one, with every line under its new name; on each database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from core.store import Store
from core.store.database import MIGRATIONS, connect
from core.store.utterances import UtteranceFilter

MOMENT = "2026-11-01 08:00:00+00:00"
RULES, REVIEWED, PLAY = "s-1.1.0.rules", "s-1.1.9.rules", "s-1.2.0.screenplay"


@pytest.fixture
def old(url: str) -> Iterator[sa.Engine]:
    """A database of the first release with some of everything that names a line."""
    engine = connect(url)
    at(engine, "0001")
    with engine.execution_options(writing=True).begin() as db:
        fill(db)
    yield engine
    engine.dispose()


def at(engine: sa.Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    (command.downgrade if revision == "down" else command.upgrade)(config, "0001" if revision == "down" else revision)


def fill(db: sa.Connection) -> None:
    put(db, "persona", id="p", name="沈青", book="", system_prompt="", greeting="", portrait="", aliases=[], cast={},
        facts={}, voice={})  # fmt: skip
    put(db, "source", id="s-1", persona_id="p", name="a", kind="novel", sha256="0", size=1, encoding="utf-8",
        characters=9, chapters=1, imported_at=MOMENT)  # fmt: skip
    for ordinal in (1, 2):
        put(db, "passage", id=f"s-1.{ordinal}", source_id="s-1", ordinal=ordinal, chapter=1, para=ordinal,
            kind="paragraph", start=0, end=20, text="字" * 20)  # fmt: skip
    for line_id, ordinal, start, revision in (
        (RULES, 1, 0, 0),
        ("s-1.1.0.screenplay", 1, 0, 0),
        (REVIEWED, 1, 9, 2),
        (PLAY, 2, 0, 0),
    ):
        put(db, "utterance", id=line_id, passage_id=f"s-1.{ordinal}", source_id="s-1", ordinal=ordinal, chapter=1,
            para=ordinal, start=start, end=start + 4, text="话", kind="speech", speaker="沈青",
            extractor=line_id.rpartition(".")[2], confidence=0.9, reason="cue", status="pending",
            revision=revision)  # fmt: skip
    for who in ("anna", "bert"):
        put(db, "event", at=MOMENT, who=who, entity="utterance", entity_id=REVIEWED, action="edit",
            before={"text": "旧"}, after={"text": "话"})  # fmt: skip
    put(db, "dataset_version", id="v", persona_id="p", name="v", note="", fingerprint="f", system_prompt="",
        settings={}, train_samples=1, held_out_samples=0, created_at=MOMENT, statistics={})  # fmt: skip
    turns = [{"role": "assistant", "speaker": "沈青", "text": "话.rules", "utterance_ids": [RULES, REVIEWED]}]
    put(db, "sample", version_id="v", ordinal=0, source_id="s-1", chapter=1, split="train", turns=turns)
    for line_id in (RULES, REVIEWED):
        put(db, "sample_utterance", version_id="v", ordinal=0, utterance_id=line_id, turn=0)
    put(db, "recording", id="r", persona_id="p", name="a", sha256="0", seconds=1, sample_rate=1, channels=1,
        imported_at=MOMENT)  # fmt: skip
    put(db, "clip", id="c", recording_id="r", start=0, end=1, text="", speaker="", sha256="0", created_at=MOMENT,
        effects={}, utterance_id=PLAY)  # fmt: skip
    put(db, "conversation", id="t", persona_id="p", title="", created_at=MOMENT)
    put(db, "message", id="m", conversation_id="t", ordinal=0, speaker="assistant", text="话", created_at=MOMENT,
        utterance_id=RULES, timings={})  # fmt: skip
    put(db, "conversation", id="e", persona_id="p", title="", created_at=MOMENT)
    for ordinal, message_id in ((4, "z"), (1, "y")):
        put(db, "message", id=message_id, conversation_id="t", ordinal=ordinal, speaker="user", text="话",
            created_at=f"2026-11-01 08:00:0{ordinal}+00:00", timings={})  # fmt: skip


def put(db: sa.Connection, table: str, **values: Any) -> None:
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(f":{name}" for name in values)
    plain = {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
        for name, value in values.items()
    }
    db.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), plain)


def test_lines_are_named_by_place_wherever_they_are_named(old: sa.Engine, url: str, tmp_path: Path) -> None:
    store = Store(url, tmp_path)

    lines = list(store.utterances.iterate(UtteranceFilter("p")))
    assert [line.id for line in lines] == ["s-1.1.0", "s-1.1.9", "s-1.2.0"]
    assert [line.reviewed_by for line in lines] == [None, "bert", None]
    assert [len(store.utterances.readings(line.id)) for line in lines] == [1, 0, 1]
    assert store.utterances.readings("s-1.2.0")[0].extractor == "screenplay"
    assert [event.who for event in store.events.of("utterance", "s-1.1.9")] == ["bert", "anna"]
    turn = store.datasets.samples("v")[0].turns[0]
    assert (turn.utterance_ids, turn.text) == (("s-1.1.0", "s-1.1.9"), "话.rules")
    assert store.datasets.containing("s-1.1.9") == [("v", 0)]
    chain = store.custody.of_message(store.talks.message("m"))
    assert chain.utterance == lines[0]
    with old.connect() as db:
        assert db.exec_driver_sql("SELECT utterance_id FROM clip").scalar() == "s-1.2.0"
    store.close()


def test_extracting_again_after_the_move_finds_the_same_lines(old: sa.Engine, url: str, tmp_path: Path) -> None:
    store = Store(url, tmp_path)
    lines = list(store.utterances.iterate(UtteranceFilter("p")))

    for line in lines:
        store.utterances.replace("s-1", line.extractor, [one for one in lines if one.extractor == line.extractor], None)

    assert list(store.utterances.iterate(UtteranceFilter("p"))) == lines
    store.close()


def test_an_older_conversation_is_one_path_in_the_order_it_was_written(
    old: sa.Engine, url: str, tmp_path: Path
) -> None:
    store = Store(url, tmp_path)

    talk, empty = store.talks.conversations("p")
    path = store.talks.messages("t")

    assert [(one.id, one.parent_id, one.memories) for one in path] == [("m", None, ()), ("y", "m", ()), ("z", "y", ())]
    assert (talk.id, talk.leaf_id, talk.owner, talk.branched_from) == ("t", "z", "local", None)
    assert (talk.updated_at, talk.created_at) == (path[-1].created_at, path[0].created_at)
    assert (empty.id, empty.leaf_id, empty.updated_at) == ("e", None, empty.created_at)
    assert store.talks.messages("e") == []
    store.close()


def test_the_older_program_can_be_gone_back_to(old: sa.Engine) -> None:
    at(old, "head")

    at(old, "down")

    with old.connect() as db:
        tables = set(sa.inspect(db).get_table_names())
        columns = {column["name"] for column in sa.inspect(db).get_columns("utterance")}
        ids = db.exec_driver_sql("SELECT id FROM utterance ORDER BY id").scalars().all()
        said = db.exec_driver_sql("SELECT id FROM message ORDER BY ordinal").scalars().all()
    assert not {"reading", "model_call", "expansion", "rating"} & tables
    assert said == ["m", "y", "z"]
    assert not {"runs_on", "disputed", "reviewed_by"} & columns
    assert ids == ["s-1.1.0", "s-1.1.9", "s-1.2.0"]
    at(old, "head")
