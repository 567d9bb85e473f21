"""Sources are corrected and deleted knowingly; their text is found again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.identity import now
from core.domain.text import Passage, PassageKind, Source, SourceKind, Utterance, UtteranceKind
from core.errors import NotFoundError
from core.store import Store
from core.store.corpus import Use, source_text

TEXT = "第一回　雨\n好雨。\n有什么好？"


def source(store: Store) -> Source:
    """Put a source with a heading and two paragraphs into the store."""
    sha256 = store.files.put(TEXT.encode("gb18030"))
    made = Source("src-1", "a-qing", "雨.txt", SourceKind.NOVEL, sha256, 9, "gb18030", len(TEXT), 1, now())
    passages, start = [], 0
    for ordinal, text in enumerate(TEXT.split("\n")):
        kind = PassageKind.PARAGRAPH if ordinal else PassageKind.HEADING
        passages.append(Passage("src-1", ordinal, 1, ordinal - 1, kind, start, start + len(text), text))
        start += len(text) + 1
    store.corpus.add(made, passages)
    return made


def test_a_kind_is_corrected_once_and_written_down(store):
    source(store)

    store.corpus.set_kind("src-1", SourceKind.SCREENPLAY, who="me")
    again = store.corpus.set_kind("src-1", SourceKind.SCREENPLAY, who="me")

    assert again == store.corpus.source("src-1")
    assert again.kind is SourceKind.SCREENPLAY
    events = store.events.of("source", "src-1")
    assert [(one.action, one.who, one.before, one.after) for one in events[:-1]] == [
        ("edit", "me", {"kind": "novel"}, {"kind": "screenplay"})
    ]


def test_the_kind_of_what_is_gone_cannot_be_corrected(store):
    with pytest.raises(NotFoundError):
        store.corpus.set_kind("src-gone", SourceKind.QUOTES, who="me")


def test_who_deletes_is_told_what_goes(store):
    source(store)
    place = ("src-1", 1, 1, 0, 0, 3, "好雨。", UtteranceKind.SPEECH, "沈青", "rules", 0.9, "cue")
    store.utterances.replace("src-1", "rules", [Utterance(*place)], None)

    assert store.corpus.use("src-1") == Use(lines=1, reviewed=0, versions=0)


def test_a_chapter_is_read_a_page_at_a_time(store):
    source(store)

    assert store.corpus.chapters("src-1")[0].first == 0
    assert [one.text for one in store.corpus.passages("src-1", 1, first=1, limit=1)] == ["好雨。"]


def test_the_text_of_a_source_is_its_file_or_what_was_read_out_of_it(store):
    plain = source(store)
    read = replace(plain, text_sha256=store.files.put("读出来的".encode()))

    assert source_text(plain, store.files) == TEXT
    assert source_text(read, store.files) == "读出来的"
