"""Importing puts a source and all its passages into the store, once."""

from __future__ import annotations

import io
import json

import pytest

from core.domain.text import SourceKind, TextFormat
from core.errors import ConflictError, InvalidInputError, NotFoundError, RunCancelledError
from core.stages.corpus import sandbox
from core.stages.corpus.run import run
from core.stages.corpus.settings import CorpusSettings, UploadedText
from core.stages.corpus.upload import UploadLimits, receive
from core.store import Store
from core.store.corpus import source_text
from tests.unit.stages.corpus.files import docx, epub, nav_point, packed, paragraph, pdf
from tests.unit.stages.runs import begun

BOOK = "第一回　雨\n　　青儿笑道：“好雨。”\n　　陆远道：“有什么好？”\n第二回　晴\n　　次日天晴了。\n"


def uploaded(store: Store, *texts: str | bytes) -> tuple[UploadedText, ...]:
    """Receive files as uploads."""
    limits = UploadLimits(max_megabytes=1, max_members=5)
    contents = [text.encode() if isinstance(text, str) else text for text in texts]
    received = [
        receive(io.BytesIO(one), f"{n}.txt", files=store.files, limits=limits) for n, one in enumerate(contents)
    ]
    return tuple(one for files in received for one in files)


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


FORMATS = {
    TextFormat.EPUB: epub({"a.xhtml": "<p>好雨。</p>"}, ncx=nav_point("雨", "text/a.xhtml")),
    TextFormat.DOCX: docx(paragraph("第一回　雨"), paragraph("好雨。")),
    TextFormat.HTML: "<html><h1>雨</h1><p>好雨。</p></html>".encode("utf-16"),
    TextFormat.MARKDOWN: "# 雨\n\n好雨。\n\n# 晴\n\n天晴了。\n".encode("gb18030"),
    TextFormat.SRT: "1\n00:00:01,000 --> 00:00:02,000\n青儿：好雨。\n".encode(),
    TextFormat.PDF: pdf([(72, 700, 18, "第一回　雨"), (72, 650, 12, "好雨。")]),
}


def test_the_passages_of_every_format_stand_in_its_text_where_they_say(store):
    settings = CorpusSettings(uploads=uploaded(store, BOOK, *FORMATS.values()))

    result = run(settings, context=begun(store, "corpus"), store=store)

    sources = [store.corpus.source(one) for one in result["sources"]]
    assert [one.format for one in sources] == [TextFormat.PLAIN, *FORMATS]
    assert not list(store.workspace.rglob("reading-*"))
    for source in sources:
        text = source_text(source, store.files)
        passages = store.corpus.passages(source.id)
        assert passages
        assert all(text[one.start : one.end] == one.text for one in passages)
        assert all(bool(one.place) == (source.format is not TextFormat.PLAIN) for one in passages)
        assert source.characters == len(text)


def test_subtitles_are_what_several_people_say(store):
    settings = CorpusSettings(uploads=uploaded(store, FORMATS[TextFormat.SRT]))

    result = run(settings, context=begun(store, "corpus"), store=store)

    assert store.corpus.source(result["sources"][0]).kind is SourceKind.SCREENPLAY


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_imported(store):
    mixed = packed({"a.txt": BOOK, "b.png": b"\x89PNG\r\n", "c.pdf": pdf([])})
    settings = CorpusSettings(uploads=uploaded(store, mixed, b"PK" + b"x" * 9))

    result = run(settings, context=begun(store, "corpus"), store=store)

    told = [(one["name"], "PNG" in json.dumps(one), "source" in one) for one in result["files"]]
    assert told == [("a.txt", False, True), ("b.png", True, False), ("c.pdf", False, False), ("1.txt", False, True)]
    assert "no text layer" in result["files"][2]["refused"]["message"]
    assert (len(result["sources"]), result["refused"]) == (2, 2)


def test_when_nothing_can_be_read_the_first_reason_is_given(store):
    settings = CorpusSettings(uploads=uploaded(store, packed({"b.png": b"\x89PNG\r\n"})))

    with pytest.raises(InvalidInputError, match="PNG"):
        run(settings, context=begun(store, "corpus"), store=store)


def test_a_file_that_is_gone_from_the_store_is_told(store):
    gone = UploadedText(sha256="0" * 64, name="gone.txt")

    with pytest.raises(NotFoundError):
        run(CorpusSettings(uploads=(gone,)), context=begun(store, "corpus"), store=store)


def test_a_pdf_with_too_many_pages_is_refused_with_the_setting_to_raise(store):
    pages = pdf(*[[(72, 700, 12, "好雨。")]] * 3)
    settings = CorpusSettings(uploads=uploaded(store, pages), max_pages=2)

    with pytest.raises(InvalidInputError, match="max_pages"):
        run(settings, context=begun(store, "corpus"), store=store)


def test_a_file_that_breaks_its_reader_is_refused_and_the_run_goes_on(store, monkeypatch):
    monkeypatch.setattr(sandbox, "_MEMORY", 50_000_000)  # too little to start in
    settings = CorpusSettings(uploads=uploaded(store, FORMATS[TextFormat.PDF], BOOK))

    result = run(settings, context=begun(store, "corpus"), store=store)

    assert "broke its reader" in result["files"][0]["refused"]["message"]
    assert len(result["sources"]) == 1


def test_a_run_that_is_stopped_imports_no_more(store):
    context = begun(store, "corpus")
    store.runs.request_stop(context.run.id)

    with pytest.raises(RunCancelledError):
        run(CorpusSettings(uploads=uploaded(store, BOOK)), context=context, store=store)

    assert store.corpus.sources("a-qing") == []
