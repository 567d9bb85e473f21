"""Takes conversations in: repairs what can be repaired, refuses the rest, and remembers why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from core.domain.persona import Persona
from core.domain.text import Sample, Split, Turn, TurnRole
from core.errors import InvalidInputError
from core.stages.dataset.formats.parts import alternating
from core.stages.dataset.formats.report import CheckReport, Finding, Place, Verdict
from core.stages.dataset.formats.rows import Imported
from core.translation import N_

MAX_TEXT = 100_000
"""Characters in one turn; the longest speech of a novel has some thousands."""
_MAX_TURNS = 2_000
_MAX_FINDINGS = 500
_MAX_FIELDS = 100
_MAX_ID = 300
_HALVES = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class RawTurn:
    """A turn as a file has it: its text may be anything."""

    role: TurnRole
    text: object
    speaker: str = ""
    utterance_ids: tuple[str, ...] = ()
    context: bool = False
    expansion_id: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file says of where a sample comes from."""

    ordinal: int | None = None
    source_id: str = ""
    chapter: int = 0
    split: Split = Split.TRAIN
    synthetic: bool = False


class _UnfitError(Exception):
    """Why a record cannot be taken; never leaves this module."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.values = values


class Intake:
    """Gathers samples and findings while a format is read."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._findings: list[Finding] = []
        self._repaired: set[Place] = set()
        self._refused = 0
        self._unknown: Counter[str] = Counter()
        self._prompts: Counter[str] = Counter()

    def add(self, turns: Sequence[RawTurn], place: Place, *, system: object = "", origin: Origin | None = None) -> None:
        """Take a conversation, repaired where need be, or refuse it with the reason."""
        origin = origin or Origin()
        try:
            checked = self._checked(turns, place)
        except _UnfitError as reason:
            self.refuse(place, reason.message, **reason.values)
            return
        if isinstance(system, str) and system.strip() and _whole(system):
            self._prompts[_CONTROL.sub("", system)] += 1
        ordinal = len(self.samples) if origin.ordinal is None else origin.ordinal
        source = _CONTROL.sub("", origin.source_id)[:_MAX_ID] if _whole(origin.source_id) else ""
        self.samples.append(Sample(ordinal, source, origin.chapter, origin.split, checked, origin.synthetic))

    def repair(self, place: Place, message: str, **values: object) -> None:
        """Remember that a record was mended."""
        self._repaired.add(place)
        self._find(Finding(Verdict.REPAIRED, message, values, place))

    def refuse(self, place: Place, message: str, **values: object) -> None:
        """Remember that a record was left out."""
        self._refused += 1
        self._repaired.discard(place)
        self._find(Finding(Verdict.REFUSED, message, values, place))

    def note(self, message: str, place: Place | None = None, **values: object) -> None:
        """Remember something worth knowing."""
        self._find(Finding(Verdict.NOTED, message, values, place))

    def fields(self, record: Mapping[str, object], known: Iterable[str]) -> None:
        """Count the fields of a record that are not among the known ones."""
        for name in record.keys() - set(known):
            if name in self._unknown or len(self._unknown) < _MAX_FIELDS:
                self._unknown[_shortened(name)] += 1

    def imported(self, *, name: str, persona: Persona | None = None) -> Imported:
        """Return what was gathered; InvalidInputError when that is nothing at all."""
        if not self.samples and persona is None:
            first = next((one for one in self._findings if one.verdict is Verdict.REFUSED), None)
            raise InvalidInputError(
                N_("{name} holds no conversation that can be read. {reason}"),
                remedy=N_("Compare it with the formats in docs/formats.md, or choose the format yourself."),
                name=name,
                reason=str(first or ""),
            )
        if len(self._prompts) > 1:
            self.note(
                N_("There are {count} different system prompts; the most frequent one is taken."),
                count=len(self._prompts),
            )
        samples = self.samples
        if len({one.ordinal for one in samples}) < len(samples):
            self.note(N_("several samples have the same number; they are numbered anew"))
            samples = [replace(one, ordinal=ordinal) for ordinal, one in enumerate(samples)]
        report = CheckReport(
            read=len(self.samples),
            repaired=len(self._repaired),
            refused=self._refused,
            findings=tuple(self._findings),
            unknown_fields=dict(sorted(self._unknown.items())),
        )
        prompts = [prompt for prompt, _ in self._prompts.most_common(1)]
        prompt = persona.system_prompt if persona else "".join(prompts)
        return Imported(tuple(samples), report, prompt, persona)

    def _find(self, finding: Finding) -> None:
        if len(self._findings) < _MAX_FINDINGS:
            self._findings.append(finding)

    def _checked(self, turns: Sequence[RawTurn], place: Place) -> tuple[Turn, ...]:
        if len(turns) > _MAX_TURNS:
            raise _UnfitError(N_("it has {count} turns; {limit} are allowed"), count=len(turns), limit=_MAX_TURNS)
        read = [(number, self._turn(turn, number, place)) for number, turn in enumerate(turns, 1)]
        spoken = [turn for number, turn in read if self._is_spoken(turn, number, place)]
        for before, after in pairwise(spoken):
            if before.role is after.role:
                self.repair(place, N_("two turns of {role} in a row became one"), role=after.role.value)
        if not any(turn.role is TurnRole.PERSONA for turn in spoken):
            raise _UnfitError(N_("the persona says nothing in it"))
        if spoken[-1].role is TurnRole.COUNTERPART:
            self.repair(place, N_("last words that nobody answers were left out"))
        return alternating(spoken)

    def _turn(self, turn: RawTurn, number: int, place: Place) -> Turn:
        text = turn.text
        if not isinstance(text, str):
            raise _UnfitError(N_("the words of turn {turn} are not a text"), turn=number)
        if len(text) > MAX_TEXT:
            raise _UnfitError(N_("turn {turn} is longer than {limit} characters"), turn=number, limit=MAX_TEXT)
        if not (_whole(text) and _whole(turn.speaker) and all(map(_whole, turn.utterance_ids))):
            raise _UnfitError(N_("turn {turn} holds half a character"), turn=number)
        if _CONTROL.search(text):
            self.repair(place, N_("control characters in turn {turn} were taken out"), turn=number)
            text = _CONTROL.sub("", text)
        speaker = _CONTROL.sub("", turn.speaker)[:_MAX_ID]
        lines = tuple(_CONTROL.sub("", one)[:_MAX_ID] for one in turn.utterance_ids)
        context = turn.context and turn.role is TurnRole.PERSONA
        expansion = _CONTROL.sub("", turn.expansion_id)[:_MAX_ID] if _whole(turn.expansion_id) else ""
        return Turn(turn.role, speaker, text, lines, context, expansion)

    def _is_spoken(self, turn: Turn, number: int, place: Place) -> bool:
        if turn.text.strip():
            return True
        if number > 1 or turn.role is TurnRole.PERSONA:  # an empty first question is how her opening words are written
            self.repair(place, N_("turn {turn} was empty and left out"), turn=number)
        return False


def _whole(text: str) -> bool:
    """Whether the text can be stored: JSON may hold one half of a pair of code units."""
    return _HALVES.search(text) is None


def _shortened(name: str) -> str:
    return _CONTROL.sub("", name.encode("utf-8", "replace").decode())[:80]
