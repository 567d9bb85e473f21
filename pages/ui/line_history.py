"""What happened to a line: who did what when, before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import streamlit as st

from core.domain.text import Utterance
from core.store.events import Event
from core.translation import N_
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, moment
from pages.ui.labels import review_status, utterance_kind
from pages.ui.markup import plain

_ACTIONS: Final[Mapping[str, str]] = {
    "edit": N_("changed"),
    "split": N_("cut in two"),
    "merge": N_("joined"),
    "restore": N_("restored"),
    "undo": N_("undone"),
    "redo": N_("done again"),
}
_WORDS: Final[Mapping[str, Callable[[Any], str]]] = {"kind": utterance_kind, "status": review_status}
_FIELDS: Final = ("status", "speaker", "kind", "text")


def history(visit: Visit, line: Utterance) -> None:
    """Show the line's last changes, folded away; nothing where there are none."""
    if not line.revision:
        return
    folded = st.expander(_("What happened to it"), icon=":material/history:", key="review-history", on_change="rerun")
    if not folded.open:
        return
    with folded:
        for event in visit.studio.store.events.of("utterance", line.id, limit=12):
            st.markdown(f":small[:gray[{moment(event.at)} · {event.who}]]  \n{told(event, longest=80)}")


def told(event: Event, *, longest: int = 16) -> str:
    """Return in words what an event changed, as Markdown; of longer values so many characters."""
    action = _(_ACTIONS.get(event.action, event.action))
    if event.before is None or event.after is None:  # a whole record came or went
        return action
    changed = [
        f"{_said(name, old, longest)} → {_said(name, new, longest)}"
        for name, old, new in event.changed
        if name in _FIELDS
    ]
    words = f"{action}: {'; '.join(changed)}" if changed else action
    count = event.records or 1
    return f"{words} · {_n('{count} line', '{count} lines', count)}" if count > 1 else words


def _said(name: str, value: Any, longest: int) -> str:
    if value is None:
        return "—"
    words = _WORDS[name](value) if name in _WORDS else str(value)
    return plain(words if len(words) <= longest else f"{words[:longest]}…")
