"""The parts of the kit that need no browser."""

from __future__ import annotations

import base64
import json
import struct

from streamlit.testing.v1 import AppTest

from core.domain.text import ReviewStatus, Utterance, UtteranceKind
from pages.ui import i18n, player, reader, run_panel
from pages.ui.bubbles import data_uri


def line(start, end, *, speaker="沈青", status=ReviewStatus.PENDING):
    return Utterance("src", 0, 1, 0, start, end, "…", UtteranceKind.SPEECH, speaker, "rules", 1.0, "cue", status)


def test_her_line_is_marked_where_it_stands():
    html = reader.marked("她道：“好。”走了", [line(3, 7)], persona="沈青")

    assert html == '她道：<mark class="hers" title="沈青">“好。”</mark>走了'


def test_what_stands_in_the_book_cannot_become_markup():
    html = reader.marked("<b>“好”", [line(3, 6, speaker='"><script>')], persona="沈青")

    assert "<b>" not in html
    assert "<script>" not in html


def test_a_quotation_within_a_quotation_stays_inside_it():
    html = reader.marked("“他说‘来’呢”", [line(0, 8), line(3, 6)], persona="沈青")

    assert html.count("<mark") == 1


def test_a_rejected_line_is_not_marked():
    assert "<mark" not in reader.marked("“好”", [line(0, 3, status=ReviewStatus.REJECTED)], persona="沈青")


def test_a_message_without_a_format_is_written_the_readers_way():
    assert i18n.filled("{count} of {name}", {"count": 11886, "name": "x"}) == "11,886 of x"


def test_a_format_in_a_message_is_kept():
    assert i18n.filled("from {start:.2f} s", {"start": 1.5}) == "from 1.50 s"


def test_a_size_is_written_in_the_largest_unit_there_is_one_of():
    assert [i18n.size_of(count) for count in (0, 999, 1000, 2_840_000, 37_600_000, 3_778_220_032, 4e15)] == [
        "0 B",
        "999 B",
        "1 kB",
        "2.8 MB",
        "38 MB",
        "3.8 GB",
        "4000 TB",
    ]


def test_a_drawing_travels_inside_the_page():
    uri = data_uri("<svg/>")

    assert base64.b64decode(uri.partition(",")[2]) == b"<svg/>"


def test_a_chunk_of_speech_carries_its_place_before_the_sound():
    frame = player.framed("turn-1", 3, b"RIFF")
    length = struct.unpack("<I", frame[:4])[0]

    assert json.loads(frame[4 : 4 + length]) == {"turn": "turn-1", "sequence": 3}
    assert frame[4 + length :] == b"RIFF"


def test_the_end_of_a_log_shows_a_progress_bar_once(tmp_path):
    log = tmp_path / "run.log"
    log.write_bytes(b"begun\n 1%\r 50%\r100%\ndone\n")

    assert run_panel.last_lines(log) == "begun\n100%\ndone"


def test_only_the_end_of_a_long_log_is_read(tmp_path):
    log = tmp_path / "run.log"
    log.write_text("\n".join(f"line {number}" for number in range(10_000)), encoding="utf-8")

    assert run_panel.last_lines(log, count=2) == "line 9998\nline 9999"


def test_a_form_asks_for_every_setting_and_keeps_its_bounds():
    def script():
        import streamlit as st
        from pydantic import BaseModel, Field

        from pages.ui.settings_form import settings_form

        class Inner(BaseModel):
            depth: int = Field(default=2, ge=1, le=4, description="How deep.")

        class Outer(BaseModel):
            share: float = Field(default=0.25, ge=0, le=1, description="How much.")
            words: tuple[str, ...] = Field(default=("a", "b"), description="Which.")
            seed: int | None = Field(default=None, description="Which one.")
            inner: Inner = Inner()

        st.json(settings_form(Outer, Outer(), key="form"))

    shown = AppTest.from_function(script).run()

    assert not shown.exception
    assert json.loads(shown.json[0].value) == {
        "share": 0.25,
        "words": ["a", "b"],
        "seed": None,
        "inner": {"depth": 2},
    }
    assert shown.number_input(key="form.inner.depth").max == 4


def test_an_expected_failure_is_shown_with_its_remedy_and_the_page_goes_on():
    def script():
        import streamlit as st

        from core.errors import InvalidInputError
        from pages.ui.errors import told_to_the_user

        def refuse(name: str) -> None:
            raise InvalidInputError("{name} is empty.", remedy="Choose another file.", name=name)

        with told_to_the_user():
            refuse("a.txt")
        st.write("still here")

    shown = AppTest.from_function(script).run()

    assert "a.txt is empty." in shown.error[0].value
    assert "Choose another file." in shown.error[0].value
    assert shown.markdown[0].value == "still here"


def test_a_bug_stays_loud():
    def script():
        from pages.ui.errors import told_to_the_user

        with told_to_the_user():
            raise KeyError("bug")

    assert AppTest.from_function(script).run().exception


def test_an_edit_names_the_revision_its_author_saw():
    def script():
        import streamlit as st

        from pages.ui.state import Seen

        seen = Seen("line")
        st.json([seen.revision("a", 1), seen.revision("a", 5), seen.revision("b", 7)])

    shown = AppTest.from_function(script).run()

    assert json.loads(shown.json[0].value) == [1, 1, 7]


def test_a_trail_leads_back_and_begins_anew_with_another_filter():
    def script():
        import streamlit as st

        from pages.ui.state import Trail

        trail = Trail("lines")
        places = [trail.here("all")]
        trail.forward("[1]")
        trail.forward("[2]")
        places.append(trail.here("all"))
        trail.back()
        places.append(trail.here("all"))
        places.append(trail.here("hers"))
        st.json(places)

    shown = AppTest.from_function(script).run()

    assert json.loads(shown.json[0].value) == ["", "[2]", "[1]", ""]
