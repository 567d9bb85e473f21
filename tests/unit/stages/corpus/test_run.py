"""Importing puts a source and all its passages into the store, once."""

from __future__ import annotations

import io

import pytest

from core.domain.text import SourceKind
from core.errors import ConflictError, InvalidInputError
from core.stages.corpus.run import run
from core.stages.corpus.settings import CorpusSettings, UploadedText
from core.stages.corpus.upload import UploadLimits, receive
from core.store import Store
from tests.unit.stages.runs import begun

BOOK = "第一回　雨\n　　青儿笑道：“好雨。”\n　　陆远道：“有什么好？”\n第二回　晴\n　　次日天晴了。\n"


def uploaded(store: Store, *texts: str) -> tuple[UploadedText, ...]:
    """Receive texts as uploads."""
    limits = UploadLimits(max_megabytes=1, max_members=5)
    received = [
        receive(io.BytesIO(text.encode()), f"{n}.txt", files=store.files, limits=limits) for n, text in enumerate(texts)
    ]
    return tuple(UploadedText(sha256=one.sha256, name=one.name) for (one,) in received)


def test_an_import_keeps_the_source_and_its_passages(store):
    result = run(CorpusSettings(uploads=uploaded(store, BOOK)), context=begun(store, "corpus"), store=store)

    source = store.corpus.source(result["sources"][0])
    decoded = store.files.read(source.sha256).decode(source.encoding)
    assert (source.kind, source.chapters, source.characters) == (SourceKind.NOVEL, 2, len(BOOK))
    assert source.run_id == "run-0000000001"
    assert [one.title for one in store.corpus.chapters(source.id)] == ["第一回　雨", "第二回　晴"]
    assert all(decoded[one.start : one.end] == one.text for one in store.corpus.passages(source.id))


def test_people_may_say_what_kind_it_is(store):
    settings = CorpusSettings(uploads=uploaded(store, BOOK), kind=SourceKind.QUOTES)

    result = run(settings, context=begun(store, "corpus"), store=store)

    assert store.corpus.source(result["sources"][0]).kind is SourceKind.QUOTES


def test_a_file_that_is_already_there_is_told_and_the_others_are_imported(store):
    run(CorpusSettings(uploads=uploaded(store, BOOK)), context=begun(store, "corpus"), store=store)
    both = CorpusSettings(uploads=uploaded(store, BOOK, "我不怕雨。\n"))

    result = run(both, context=begun(store, "corpus", run_id="run-0000000002"), store=store)

    assert (len(result["sources"]), result["already_there"]) == (1, 1)
    assert len(store.corpus.sources("a-qing")) == 2


def test_importing_only_what_is_already_there_is_a_conflict(store):
    settings = CorpusSettings(uploads=uploaded(store, BOOK))
    run(settings, context=begun(store, "corpus"), store=store)

    with pytest.raises(ConflictError):
        run(settings, context=begun(store, "corpus", run_id="run-0000000002"), store=store)


def test_an_attempt_after_a_crash_finds_what_the_first_had_stored(store):
    settings = CorpusSettings(uploads=uploaded(store, BOOK))
    first = begun(store, "corpus")
    second = begun(store, "corpus")
    first.step = second.step = lambda name, work: "src-0000000001"  # type: ignore[method-assign,assignment,return-value]

    run(settings, context=first, store=store)
    result = run(settings, context=second, store=store)

    assert result["sources"] == ["src-0000000001"]
    assert len(store.corpus.sources("a-qing")) == 1


def test_importing_nothing_is_refused(store):
    with pytest.raises(InvalidInputError):
        run(CorpusSettings(), context=begun(store, "corpus"), store=store)
