"""What the browser session remembers: ids and small choices, never work; the only toucher of `st.session_state`.

A slot with a `link` also lives in the address bar: a page can be bookmarked, sent, or reached from another page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

import streamlit as st

T = TypeVar("T", str, int, bool)
_PREFIX: Final = "studio."


@dataclass(frozen=True, slots=True)
class Slot(Generic[T]):
    """One remembered value with its type and what it is before anybody chose."""

    name: str
    initial: T
    link: str = ""
    """The query parameter that carries it; empty for values nobody would send to a friend."""

    def get(self) -> T:
        """Return the value: the address bar first, then the session, then the initial one."""
        if self.link and (linked := st.query_params.get(self.link)):
            return self._read(linked)
        return cast("T", st.session_state.get(_PREFIX + self.name, self.initial))

    def set(self, value: T) -> None:
        """Remember `value`, in the address bar too where the slot has a link."""
        st.session_state[_PREFIX + self.name] = value
        if not self.link:
            return
        if value == self.initial:
            st.query_params.pop(self.link, None)
        else:
            st.query_params[self.link] = str(value)

    def clear(self) -> None:
        """Forget the value."""
        self.set(self.initial)

    def keep(self) -> None:
        """Put a value the session remembers back into the address bar, so that a reload keeps it."""
        self.set(self.get())

    def _read(self, linked: str) -> T:
        if isinstance(self.initial, str):
            return linked
        return type(self.initial)(int(linked)) if linked.isdecimal() else self.initial


@dataclass(frozen=True, slots=True)
class Generation:
    """A count that is part of a widget's key: raise it and the widget starts empty."""

    name: str

    def key(self) -> str:
        """Return the widget's key of now."""
        return f"{self.name}.{self._slot().get()}"

    def renew(self) -> None:
        """Start the widget anew on the next run of the script."""
        self._slot().set(self._slot().get() + 1)

    def _slot(self) -> Slot[int]:
        return Slot(f"generation.{self.name}", 0)


LANGUAGE: Final = Slot("language", "", link="lang")
"""`en` or `zh_CN`; empty while the browser decides."""
PERSONA: Final = Slot("persona", "", link="persona")
PASSAGE: Final = Slot("passage", "", link="passage")
UTTERANCE: Final = Slot("utterance", "", link="line")
SOURCE: Final = Slot("source", "", link="source")
RUN: Final = Slot("run", "", link="run")
AGAINST: Final = Slot("against", "", link="against")
"""The run that the chosen one is compared with."""
VERSION: Final = Slot("version", "", link="version")
RECORDING: Final = Slot("recording", "", link="recording")
CONVERSATION: Final = Slot("conversation", "", link="talk")
VISITING: Final = Slot("visiting", "", link="as")
"""`visitor` where somebody came by the link that shows nothing but the chat."""
VISITOR: Final = Slot("visitor", "")
"""The secret by which somebody that may only talk is known again; the browser keeps it too."""
REWORDED: Final = Slot("chat.reworded", "")
"""The visitor's own message that is being changed."""
AGAIN: Final = Slot("chat.again", "")
"""The reply that is to be made again on this drawing."""
SAID_INSTEAD: Final = Slot("chat.instead", "")
"""Other words for a message, as JSON: to be answered on this drawing."""
TAKE: Final = Generation("take")
"""Raised when a short take has been sent."""
NOTICE: Final = Slot("notice", "")
"""What to say once after the page has been drawn anew."""


def watched_run(stage_id: str) -> Slot[str]:
    """Return the slot of the run a stage's page is looking at."""
    return Slot(f"run.{stage_id}", "")


@dataclass(frozen=True, slots=True)
class Trail:
    """The way through a paged list: where each page so far began, so that one can go back; a new filter starts anew."""

    name: str

    def here(self, where: str) -> str:
        """Return the place this page begins after, empty for the first; `where` names the filter."""
        if self._where().get() != where:
            self._where().set(where)
            self._steps().set("")
        return self._path()[-1] if self._path() else ""

    def number(self) -> int:
        """Return the page's number, from 1."""
        return len(self._path()) + 1

    def forward(self, place: str) -> None:
        """Go on to the page that begins after `place`."""
        self._steps().set("\n".join([*self._path(), place]))

    def back(self) -> None:
        """Go back one page."""
        self._steps().set("\n".join(self._path()[:-1]))

    def _path(self) -> list[str]:
        return self._steps().get().splitlines()

    def _steps(self) -> Slot[str]:
        return Slot(f"trail.{self.name}", "")

    def _where(self) -> Slot[str]:
        return Slot(f"trail.{self.name}.where", "")


@dataclass(frozen=True, slots=True)
class Seen:
    """The revision of a record that is on the screen, so that a save names what its author saw."""

    name: str

    def revision(self, record_id: str, current: int) -> int:
        """Return the revision shown; the current one when another record was shown before."""
        known, _at, revision = self._slot().get().rpartition("@")
        if known == record_id:
            return int(revision)
        self.look(record_id, current)
        return current

    def look(self, record_id: str, revision: int) -> None:
        """Say that this revision is on the screen now."""
        self._slot().set(f"{record_id}@{revision}")

    def _slot(self) -> Slot[str]:
        return Slot(f"seen.{self.name}", "")


@dataclass(frozen=True, slots=True)
class Walk:
    """The records one has been at, so that one can go back the way one came."""

    name: str
    longest: int = 200

    def leave(self, record_id: str) -> None:
        """Note a record one goes on from."""
        self._slot().set("\n".join([*self._ids(), record_id][-self.longest :]))

    def back(self) -> str:
        """Return the record one was at before, and forget it; empty at the beginning of the way."""
        *rest, last = self._ids() or [""]
        self._slot().set("\n".join(rest))
        return last

    def begun(self) -> bool:
        """Whether there is a way back."""
        return bool(self._ids())

    def forget(self) -> None:
        """Begin another way."""
        self._slot().clear()

    def _ids(self) -> list[str]:
        return self._slot().get().splitlines()

    def _slot(self) -> Slot[str]:
        return Slot(f"walk.{self.name}", "")


def shown(key: str) -> Any:
    """Return what the widget of that key holds now; None when it is not on the page."""
    return st.session_state.get(key)


UPLOADS: Final = Generation("uploads")
RECORDINGS: Final = Generation("recordings")
SUMMARIES: Final = Generation("summaries")

VIEW: Final = Slot("review.view", "focus", link="view")
QUEUE: Final = Slot("review.queue", "doubt", link="queue")
SPEAKER: Final = Slot("review.speaker", "", link="speaker")
"""Whose lines; empty for the persona's, `*` for everybody's."""
BOOK: Final = Slot("review.book", "", link="book")
CHAPTER: Final = Slot("review.chapter", -1, link="chapter")
EXTRACTOR: Final = Slot("review.extractor", "", link="extractor")
BELOW: Final = Slot("review.below", 0, link="below")
"""Lines of less confidence than so many per cent; 0 for any."""
KIND: Final = Slot("review.kind", "", link="kind")
STATUS: Final = Slot("review.status", "", link="status")
WORDS: Final = Slot("review.words", "", link="words")
SORT: Final = Slot("review.sort", "reading", link="sort")
FILTERS: Final = Generation("filters")
"""Raised when the filters are changed by something other than their own boxes."""

TASK: Final = Slot("review.task", "")
"""What is being done to the line on the screen beside deciding: `edit`, `split`, or nothing."""
CONFLICT: Final = Slot("review.conflict", "")
"""What somebody wanted to write on a line that another had changed, as JSON: nothing typed is lost."""
TYPED: Final = Slot("review.typed", "")
"""The words of one's own version while the other's is edited on, to copy from."""
PROBLEM: Final = Slot("review.problem", "")
"""A failure inside a callback, as JSON, told on the next drawing."""
SAID: Final = Slot("review.said", "")
UNDONE: Final = Slot("review.undone", "")
"""The line that undo or redo has just touched."""
AROUND: Final = Slot("review.around", 1)
"""How many paragraphs before and after the line are shown."""
CHART: Final = Slot("review.chart", "review", link="chart")
CHARTED: Final = Slot("review.charted", "", link="charted")
"""The text whose charts are shown."""
LINES: Final = Trail("lines")
LINE_SEEN: Final = Seen("line")
WAY: Final = Walk("review")
TABLE: Final = Generation("table")
CELLS: Final = Slot("review.cells", False)
"""Whether one writes into the cells of the table, or chooses its rows."""
EVERY_ROW: Final = Slot("review.every_row", False)
"""Whether the selection means every line the filter finds, not only those of this page."""

IMPORTS: Final = Slot("recordings.imports", "")
"""The runs that import what was given last, one a line."""
WAVE_FROM: Final = Slot("wave.from", 0, link="from")
"""Where the window on a recording begins, in milliseconds."""
WAVE_SPAN: Final = Slot("wave.span", 0, link="span")
"""How long it is, in milliseconds; 0 for as much as one begins with."""
MARK: Final = Generation("mark")
"""Raised when what was marked on a waveform has done its work."""
CLIP: Final = Slot("clip", "", link="clip")
CLIP_QUEUE: Final = Slot("clips.queue", "pending", link="clips")
CLIP_SORT: Final = Slot("clips.sort", "place", link="by")
CLIP_DOWN: Final = Slot("clips.down", False, link="down")
"""Whether the largest come first."""
CLIP_WORDS: Final = Slot("clips.words", "", link="said")
CLIP_PLAYS: Final = Slot("clips.plays", True)
"""Whether a clip plays as soon as one comes to it."""
MANY_CLIPS: Final = Slot("clips.many", False, link="many")
"""Whether one ticks many clips of the list, or looks at one."""
CLIP_TASK: Final = Slot("clips.task", "")
"""What is being done to the clip on the screen beside deciding: `cut`, `sound`, or nothing."""
CLIPS: Final = Trail("clips")
CLIP_WAY: Final = Walk("clips")
CLIP_SET: Final = Slot("clip_set", "", link="set")

TRAINED: Final = Slot("voice.trained", "", link="training")
"""The voice training whose weights are compared."""
VOTES: Final = Slot("voice.votes", 0)
"""How many pairs of takes this visit has voted on or passed over; the next pair is drawn by it."""

DUEL: Final = Slot("arena.duel", "")
"""The two replies on the screen, as JSON, and the vote on them once there is one."""
DUEL_ASKED: Final = Slot("arena.asked", False)
"""Whether the next two are to answer on the next drawing."""
ARENA_VOTES: Final = Trail("arena")
QUESTION_FILES: Final = Generation("question_files")
ANSWERS: Final = Trail("answers")
"""Pages of a scorecard's questions."""
