"""The store keeps what it is given, whole or not at all, and knows where everything came from; on each database."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from core.domain.chat import Message, Speaker
from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.text import (
    DatasetVersion,
    ReviewStatus,
    Sample,
    Split,
    Turn,
    TurnRole,
    Utterance,
)
from core.domain.training import Model, ModelKind
from core.errors import ConflictError, NotFoundError
from core.lifecycle import Artifact
from core.store import Store
from core.store.database import connect
from core.store.tables import metadata
from core.store.utterances import UtteranceFilter
from tests.contract.stores import filled, line, passages, source

ALL = UtteranceFilter("a-qing")


def test_the_tables_are_what_the_migrations_make(store: Store, url: str) -> None:
    with connect(url).connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), metadata)

    assert difference == []


def test_opening_a_store_twice_migrates_once_and_keeps_the_records(store: Store, url: str, tmp_path: Path) -> None:
    again = Store(url, tmp_path)

    assert again.personas.get("a-qing").name == "沈青"


def test_sqlite_writes_ahead_so_that_readers_never_wait(tmp_path: Path) -> None:
    with connect(f"sqlite:///{tmp_path / 'store.db'}").connect() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()

    assert mode == "wal"


def test_a_persona_comes_back_as_it_was_put(store: Store, persona: Persona) -> None:
    store.personas.put(replace(persona, greeting="早。"))

    assert store.personas.all() == [replace(persona, greeting="早。")]


def test_an_unknown_persona_is_named_with_a_remedy(store: Store) -> None:
    with pytest.raises(NotFoundError, match=r"nobody.*configs/personas"):
        store.personas.get("nobody")


def test_the_same_file_is_refused_the_second_time_and_nothing_of_it_stays(store: Store) -> None:
    store.corpus.add(source(), passages(2))

    with pytest.raises(ConflictError):
        store.corpus.add(replace(source(), id="source-9"), passages(2, "source-9"))

    assert [one.id for one in store.corpus.sources("a-qing")] == ["source-1"]
    assert store.custody.holdings("a-qing")[Artifact.PASSAGES] == 3


def test_chapters_count_paragraphs_without_the_heading(store: Store) -> None:
    store.corpus.add(source(), passages(2))

    chapter = store.corpus.chapters("source-1")[0]

    assert (chapter.number, chapter.title, chapter.paragraphs) == (1, "第一回", 2)


def test_pages_follow_each_other_without_gap_or_overlap(store: Store) -> None:
    rows = filled(store, 7)

    seen: list[Utterance] = []
    cursor = None
    while True:
        page = store.utterances.page(ALL, after=cursor, limit=3)
        seen += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == rows
    assert list(store.utterances.iterate(ALL, batch=2)) == rows
    assert sorted(store.utterances.revisions(ALL)) == sorted((row.id, row.revision, row.kind) for row in rows)


def test_filters_narrow_what_is_paged_and_counted(store: Store) -> None:
    filled(store, 5)
    other = replace(line(1, start=9, speaker="陆远", extractor="second"), text="100%好")
    store.utterances.replace("source-1", "second", [other], None)

    by_text = store.utterances.page(replace(ALL, text="0%好")).rows

    assert by_text == (other,)
    assert store.utterances.count(replace(ALL, speaker="沈青")) == 5
    assert store.utterances.count(UtteranceFilter("somebody else")) == 0
    assert store.utterances.speakers("a-qing") == [("沈青", 5), ("陆远", 1)]


def test_extracting_again_keeps_the_lines_people_have_reviewed(store: Store) -> None:
    rows = filled(store, 3)
    store.review.edit(rows[1].id, 0, who="me", speaker="陆远", status=ReviewStatus.ACCEPTED)

    count = store.utterances.replace("source-1", "rules", [replace(row, confidence=0.5) for row in rows], None)

    again = [store.utterances.get(row.id) for row in rows]
    assert count == 3
    assert [(row.speaker, row.confidence) for row in again] == [("沈青", 0.5), ("陆远", 0.9), ("沈青", 0.5)]


def test_the_second_editor_of_a_line_learns_of_the_first(store: Store) -> None:
    row = filled(store, 1)[0]
    store.review.edit(row.id, 0, who="first", text="改过")

    with pytest.raises(ConflictError):
        store.review.edit(row.id, 0, who="second", text="也改")

    assert store.utterances.get(row.id).text == "改过"
    events = store.events.of("utterance", row.id)
    assert [(one.who, one.action, one.changed) for one in events] == [("first", "edit", [("text", "第1句", "改过")])]


def test_deleting_a_source_takes_its_lines_and_leaves_an_event(store: Store) -> None:
    filled(store, 2)

    store.corpus.delete("source-1", who="me")

    assert store.utterances.count(ALL) == 0
    assert store.corpus.sources("a-qing") == []
    assert store.events.of("source", "source-1")[0].action == "delete"


def test_a_file_is_named_by_its_content_and_kept_once(store: Store) -> None:
    first = store.files.put(b"abc")
    second = store.files.put(io.BytesIO(b"abc"))

    assert first == second == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert store.files.read(first) == b"abc"


def test_a_file_whose_source_breaks_off_leaves_nothing(store: Store, tmp_path: Path) -> None:
    def breaking() -> object:
        yield b"half"
        raise OSError("cable pulled")

    with pytest.raises(OSError, match="cable"):
        store.files.put(breaking())  # type: ignore[arg-type]

    assert [one for one in (tmp_path / "files").rglob("*") if one.is_file()] == []


def version(store: Store) -> DatasetVersion:
    rows = filled(store, 2)
    made = DatasetVersion("data-1", "a-qing", "v1", "", "f" * 64, "你是沈青。", {"window": 4}, 1, 0, now())
    turns = (
        Turn(TurnRole.COUNTERPART, "陆远", "在么？"),
        Turn(TurnRole.PERSONA, "沈青", "在。", (rows[0].id, rows[1].id)),
    )
    store.datasets.add(made, [Sample(0, "source-1", 1, Split.TRAIN, turns)])
    return made


def test_a_sample_knows_its_lines_and_a_line_its_samples(store: Store) -> None:
    made = version(store)

    sample = store.datasets.samples(made.id)[0]

    assert store.datasets.get(made.id) == made
    assert store.datasets.samples(made.id, split=Split.HELD_OUT) == []
    assert store.datasets.containing(sample.turns[1].utterance_ids[1]) == [("data-1", 0)]


def test_only_one_model_of_a_kind_is_in_use(store: Store) -> None:
    for name in ("model-1", "model-2"):
        store.models.add(Model(name, "a-qing", ModelKind.TEXT, name, None, None, "tiny", "models/x", now()))
    store.models.use("model-1")

    store.models.use("model-2")

    in_use = store.models.in_use("a-qing", ModelKind.TEXT)
    assert in_use is not None
    assert in_use.id == "model-2"
    assert sum(model.in_use for model in store.models.all("a-qing")) == 1


def test_a_reply_leads_back_to_the_sentence_and_to_the_training_data(store: Store) -> None:
    made = version(store)
    store.models.add(Model("model-1", "a-qing", ModelKind.TEXT, "m", None, made.id, "tiny", "models/x", now()))
    talk = store.talks.start("a-qing", "早")
    said = Message("m-0", talk.id, 0, Speaker.VISITOR, "在么？", now())
    store.talks.say(said)
    line_id = "source-1.1.0"

    reply = store.talks.say(
        Message("m-1", talk.id, 0, Speaker.PERSONA, "在。", now(), "retrieval", "model-1", utterance_id=line_id)
    )

    chain = store.custody.of_message(reply)
    assert [one.ordinal for one in store.talks.messages(talk.id)] == [0, 1]
    assert chain.model is not None
    assert chain.dataset_version == made
    assert chain.passage is not None
    assert chain.source is not None
    assert chain.passage.id == "source-1.1"
    assert chain.source.sha256 == "1" * 64


def test_holdings_count_only_what_belongs_to_the_persona(store: Store) -> None:
    version(store)

    assert store.custody.holdings("a-qing")[Artifact.UTTERANCES] == 2
    assert store.custody.holdings("a-qing")[Artifact.SAMPLES] == 1
    assert set(store.custody.holdings("somebody else").values()) == {0}


def test_foreign_keys_protect_origins(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        store.models.add(Model("model-1", "a-qing", ModelKind.TEXT, "m", "no-such-run", None, "tiny", "x", now()))
