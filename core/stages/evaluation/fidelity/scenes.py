"""What a persona test asks and learns from: held-out scenes, and the lines of training and held-out chapters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from core.domain.normalising import folded
from core.domain.persona import Persona
from core.domain.text import DatasetVersion, ReviewStatus, Split, Turn, TurnRole, UtteranceKind
from core.errors import MissingArtifactError
from core.store import Store
from core.store.utterances import UtteranceFilter
from core.translation import N_

_BATCH: Final = 2000
_SURE: Final = 0.5
"""Least confidence of a speaker that nobody has confirmed."""
_TELLING: Final = 4
"""Shorter lines are anybody's (letters)."""
_MASK: Final = "某"


@dataclass(frozen=True, slots=True)
class Scene:
    """What was said before a held-out reply of hers, and the reply."""

    history: tuple[Turn, ...]
    """Ends with what is said to her."""
    reply: str

    @property
    def said(self) -> str:
        """What she answers."""
        return self.history[-1].text


@dataclass(frozen=True, slots=True)
class Lines:
    """Who says what in the persona's books, by side; her lines and those of all others with a name."""

    own: tuple[str, ...]
    others: tuple[str, ...]
    held_own: tuple[str, ...]
    held_others: tuple[tuple[str, str], ...]
    """Speaker and line."""


def letters(text: str) -> str:
    """Return a text without marks and spaces, as copies are found in it."""
    return "".join(one for one in folded(text) if one.isalnum())


def held_out_scenes(version: DatasetVersion, store: Store, most: int) -> list[Scene]:
    """Return scenes spread evenly over the held-out conversations, one for each reply of hers that tells something.

    MissingArtifactError where the version holds nothing out.
    """
    samples = store.datasets.samples(version.id, split=Split.HELD_OUT)
    found = [scene for sample in samples if not sample.synthetic for scene in _scenes(sample.turns)]
    if not found:
        raise MissingArtifactError(
            N_("The dataset version {name} holds no scenes out, and others would be no test."),
            remedy=N_("Build a version of a text with several chapters, with a share kept out."),
            name=version.name,
        )
    count = min(most, len(found))
    return [found[place * len(found) // count] for place in range(count)]


def lines(version: DatasetVersion, persona: Persona, store: Store) -> Lines:
    """Return all spoken lines by side; a chapter is held out where the version holds one of its samples out."""
    held = _held_chapters(version, store)
    own: list[str] = []
    others: list[str] = []
    held_own: list[str] = []
    held_others: list[tuple[str, str]] = []
    for line in store.utterances.iterate(UtteranceFilter(persona.id, kind=UtteranceKind.SPEECH), batch=_BATCH):
        unsure = line.confidence < _SURE and line.status is not ReviewStatus.ACCEPTED
        if line.status is ReviewStatus.REJECTED or not line.speaker or unsure or len(letters(line.text)) < _TELLING:
            continue
        hers, out = line.speaker == persona.name, (line.source_id, line.chapter) in held
        if hers:
            (held_own if out else own).append(line.text)
        elif out:
            held_others.append((line.speaker, line.text))
        else:
            others.append(line.text)
    return Lines(tuple(own), tuple(others), tuple(held_own), tuple(held_others))


def passages(version: DatasetVersion, persona_id: str, store: Store) -> tuple[list[str], list[str]]:
    """Return the paragraphs of the persona's texts, of training chapters and of held-out ones."""
    held = _held_chapters(version, store)
    trained: list[str] = []
    kept_out: list[str] = []
    for source in store.corpus.sources(persona_id):
        for passage in store.corpus.passages(source.id):
            (kept_out if (source.id, passage.chapter) in held else trained).append(passage.text)
    return trained, kept_out


def masking(persona: Persona) -> re.Pattern[str]:
    """Return what finds the names of the whole cast: who is spoken of is no style."""
    names = {one for name, aliases in persona.alias_table().items() for one in (name, *aliases)}
    return re.compile("|".join(map(re.escape, sorted(names, key=lambda one: (-len(one), one)))))


def masked(texts: Iterable[str], names: re.Pattern[str]) -> list[str]:
    """Return the texts with one mark for every name."""
    return [names.sub(_MASK, folded(one)) for one in texts]


def _held_chapters(version: DatasetVersion, store: Store) -> set[tuple[str, int]]:
    samples = store.datasets.samples(version.id, split=Split.HELD_OUT)
    return {(sample.source_id, sample.chapter) for sample in samples}


def _scenes(turns: Sequence[Turn]) -> Iterable[Scene]:
    for place, turn in enumerate(turns):
        if place and turn.role is TurnRole.PERSONA and not turn.context and len(letters(turn.text)) >= _TELLING:
            yield Scene(tuple(turns[:place]), turn.text)
