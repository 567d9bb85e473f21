"""The forms that change a line: its words, speaker and kind; or the place where it is cut in two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from core.domain.text import ReviewStatus, Utterance, UtteranceKind
from pages.ui.cut_places import cut_places, cut_shown
from pages.ui.decisions import careful, go_on, leave_task, split, write
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.keyboard import put_cursor_into_the_form
from pages.ui.labels import utterance_kind
from pages.ui.markup import plain
from pages.ui.queues import Queue
from pages.ui.state import LINE_SEEN, TYPED, shown

_NOBODY: Final = "—"
_ELSEWHERE: Final = -1


def edit_form(visit: Visit, queue: Queue, line: Utterance, names: Sequence[str]) -> None:
    """Draw the form; it writes on the revision its author saw, whatever happened to the line meanwhile."""
    seen = LINE_SEEN.revision(line.id, line.revision)
    key = f"edit.{line.id}@{seen}"
    with st.container(key="review-task"), st.form(key, border=True):
        st.text_area(_("Words"), line.text, height=120, key=f"{key}.text")
        left, right = st.columns(2)
        with left:
            _speaker_box(_("Speaker"), names, line.speaker, f"{key}.speaker")
        kinds = list(UtteranceKind)
        right.selectbox(_("Kind"), kinds, index=kinds.index(line.kind), format_func=utterance_kind, key=f"{key}.kind")
        with st.container(horizontal=True):
            # Ctrl+Enter in the field presses the form's first button; a shortcut of its own would press it twice.
            st.form_submit_button(
                _("Save and accept"),
                type="primary",
                icon=":material/check:",
                on_click=_save,
                args=(visit, queue, line, seen, key, ReviewStatus.ACCEPTED),
            )
            st.form_submit_button(
                _("Save"), icon=":material/save:", on_click=_save, args=(visit, queue, line, seen, key, None)
            )
            st.form_submit_button(_("Cancel"), type="tertiary", shortcut="Esc", on_click=leave_task)
    if mine := TYPED.get():
        st.caption(_("What you had written:"))
        st.code(mine, language=None, wrap_lines=True)
    put_cursor_into_the_form()


@careful
def _save(visit: Visit, queue: Queue, line: Utterance, seen: int, key: str, status: ReviewStatus | None) -> None:
    speaker = shown(f"{key}.speaker")
    changes: dict[str, Any] = {
        "text": str(shown(f"{key}.text")).strip(),
        "kind": shown(f"{key}.kind"),
        "speaker": None if speaker in (None, _NOBODY) else str(speaker).strip(),
    }
    if write(visit, line.id, seen, changes | ({"status": status} if status else {})):
        go_on(visit, queue, line)


def split_form(visit: Visit, line: Utterance, names: Sequence[str]) -> None:
    """Draw the places where the line can be cut, and who says each part."""
    with st.container(border=True, key="review-task"):
        places = cut_places(line.text)
        at = places[0] if places else _ELSEWHERE
        if places:
            at = st.radio(
                _("Cut where?"),
                [*places, _ELSEWHERE],
                index=min(range(len(places)), key=lambda one: abs(places[one] - len(line.text) / 2)),
                format_func=lambda one: _("elsewhere") if one == _ELSEWHERE else plain(cut_shown(line.text, one)),
                key=f"split.at.{line.id}",
            )
        if at == _ELSEWHERE and len(line.text) == 2:
            at = 1
        elif at == _ELSEWHERE:
            at = st.slider(_("After how many characters?"), 1, len(line.text) - 1, len(line.text) // 2)
        halves = (line.text[:at].strip(), line.text[at:].strip())
        speakers = []
        for number, half in enumerate(halves):
            st.markdown(plain(half))
            label = (_("Who says the first part"), _("Who says the second part"))[number]
            speakers.append(_speaker_box(label, names, line.speaker, f"split.speaker.{number}.{line.id}"))
        with st.container(horizontal=True):
            st.button(
                _("Split here"),
                type="primary",
                icon=":material/content_cut:",
                shortcut="Ctrl+Enter",
                key="review-split-here",
                on_click=split,
                args=(visit, line, at, tuple(speakers)),
            )
            st.button(_("Cancel"), type="tertiary", shortcut="Esc", key="review-no-split", on_click=leave_task)


def _speaker_box(label: str, names: Sequence[str], speaker: str | None, key: str) -> str | None:
    options = [_NOBODY, *dict.fromkeys([*([speaker] if speaker else []), *names])]
    picked = st.selectbox(label, options, index=1 if speaker else 0, accept_new_options=True, key=key)
    return None if picked in (None, _NOBODY) else str(picked)
