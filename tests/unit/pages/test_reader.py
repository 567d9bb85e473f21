"""The reader marks what is said wherever it lies, and says where each paragraph stands in its file."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import streamlit as st
from streamlit.testing.v1 import AppTest

from core.domain.text import Passage, PassageKind, ReviewStatus, Utterance, UtteranceKind
from pages.ui import reader

TEXTS = ("她道：“一段，", "二段，", "三段。”说罢走了。")
PASSAGES = [Passage("src", number, 1, number, PassageKind.PARAGRAPH, 0, 9, text) for number, text in enumerate(TEXTS)]
LINE = Utterance("src", 0, 1, 0, 3, 4, "…", UtteranceKind.SPEECH, "沈青", "rules", 1.0, "cue", runs_on=2)


def shown(monkeypatch, passages=PASSAGES, lines=(LINE,), **more):
    """Return the HTML of those passages."""
    pieces: list[str] = []
    monkeypatch.setattr(st, "html", lambda body, **_how: pieces.append(body))
    reader.show_passages(passages, {"src.0": list(lines)}, persona="沈青", **more)
    return pieces[0]


def test_a_line_that_runs_on_is_marked_in_every_paragraph_it_goes_through(monkeypatch):
    marks = re.findall("<mark[^>]*>([^<]*)</mark>", shown(monkeypatch))

    assert marks == ["“一段，", "二段，", "三段。”"]


def test_a_line_that_began_on_the_page_before_is_marked_on_this_one(monkeypatch):
    html = shown(monkeypatch, hidden=1)

    assert "一段" not in html
    assert re.findall("<mark[^>]*>([^<]*)</mark>", html) == ["二段，", "三段。”"]


def test_the_line_one_came_for_is_stronger_in_all_its_parts(monkeypatch):
    assert shown(monkeypatch, chosen=LINE.id).count("hers chosen") == 3


def test_a_part_of_a_line_that_was_merged_is_not_marked_by_itself(monkeypatch):
    assert "<mark" not in shown(monkeypatch, lines=[replace(LINE, status=ReviewStatus.MERGED)])


def test_places_stand_in_the_margin_where_they_are_new(monkeypatch):
    places = ("text/ch03.xhtml#1", "text/ch03.xhtml#1", "text/ch03.xhtml#2")
    passages = [replace(one, place=place) for one, place in zip(PASSAGES, places, strict=True)]

    html = shown(monkeypatch, passages)

    assert re.findall('class="place"[^>]*>([^<]*)<', html) == ["ch03#1", "#2"]
    assert 'title="text/ch03.xhtml#2"' in html


def test_a_plain_text_has_no_margin(monkeypatch):
    assert "place" not in shown(monkeypatch)


def test_places_are_said_in_the_readers_language():
    def script():
        import streamlit as st

        from pages.ui.reader import place_words
        from pages.ui.state import LANGUAGE

        LANGUAGE.set("zh_CN")
        st.json([place_words("page 12"), place_words("00:01:07.200")])

    assert json.loads(AppTest.from_function(script).run().json[0].value) == ["第 12 页", "00:01:07.200"]
