"""What is counted in the replies, beside her real lines and other people's: style, copying, variety, later words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Final

from core.backends.rows import build
from core.backends.style import STYLE_CLASSIFIERS, StyleClassifier, StyleSource
from core.domain.evaluation import Answer
from core.domain.persona import Persona
from core.domain.text import DatasetVersion
from core.stages.evaluation.fidelity.measures import (
    RUN,
    Book,
    anachronisms,
    bundled,
    distinct,
    letters_in,
    separation,
    words_of_later_times,
)
from core.stages.evaluation.fidelity.scenes import Lines, Scene, letters, lines, masked, masking, passages
from core.stages.evaluation.fidelity.settings import FidelitySettings
from core.stages.evaluation.fidelity.sheet import AREA, SHARE, Sheet, mean, percent
from core.translation import N_

if TYPE_CHECKING:
    from core.store import Store

BUNDLE: Final = 10
"""Lines at a time for which the classifier's second figure is told."""


@dataclass(frozen=True, slots=True)
class Known:
    """What replies are held against."""

    lines: Lines
    classifier: StyleClassifier | None
    """None where the book has too few lines of either side."""
    mask: Callable[[Sequence[str]], list[str]]
    trained: Book
    """Training chapters: what her real lines may have in common with them is natural."""
    whole: Book
    """All chapters: what a model may have copied."""
    later: tuple[str, ...]

    @classmethod
    def of(cls, settings: FidelitySettings, persona: Persona, version: DatasetVersion, store: Store) -> Known:
        """Learn it from a persona's texts; some seconds for a long novel."""
        found, names = lines(version, persona, store), masking(persona)

        def mask(texts: Sequence[str]) -> list[str]:
            return masked(texts, names)

        trained, held = passages(version, persona.id, store)
        classifier = None
        if len(found.own) >= BUNDLE and len(found.others) >= BUNDLE:
            source = StyleSource(tuple(mask(found.own)), tuple(mask(found.others)))
            classifier = build(STYLE_CLASSIFIERS, settings.classifier, source)
        later = words_of_later_times(persona.id)
        return cls(found, classifier, mask, Book(trained), Book([*trained, *held]), later)

    def styles(self, texts: Sequence[str]) -> list[float]:
        """Return how like hers each text is; none without a classifier."""
        return self.classifier.scores(self.mask(texts)) if self.classifier else []


def count(sheet: Sheet, scenes: Sequence[Scene], replies: Sequence[str], known: Known) -> None:
    """Write what can be counted in the replies, beside her real lines and other people's."""
    held, others = known.lines.held_own, [line for _, line in known.lines.held_others]
    read = [(scene.said, reply, scene.reply) for scene, reply in zip(scenes, replies, strict=True)]
    own_style, others_style = known.styles(held), known.styles(others)
    styles = known.styles(replies)
    middle = (fmean(own_style) + fmean(others_style)) / 2 if own_style and others_style else 0.0
    sheet.tell(
        "style",
        [
            Answer("style", n, said, reply, f"{style - middle:+.2f}", real, style > middle)
            for n, ((said, reply, real), style) in enumerate(zip(read, styles, strict=False))
        ],
        original=percent([one > middle for one in own_style]),
        others=percent([one > middle for one in others_style]),
        reason=N_("too few lines to learn her style from"),
    )
    copies = [known.whole.copying(reply) for reply in replies]
    real_copies = [known.trained.copying(line) for line in held]
    sheet.tell(
        "own-words",
        [
            Answer("own-words", n, said, reply, one.longest, real, not one.copied)
            for n, ((said, reply, real), one) in enumerate(zip(read, copies, strict=True))
            if len(letters(reply)) >= RUN
        ],
        original=percent([not one.copied for one in real_copies]),
        reason=N_("no reply is long enough to tell"),
    )
    overlaps, real_overlaps = (
        [100 * one.overlap for one in side if one.overlap is not None] for side in (copies, real_copies)
    )
    sheet.put("overlap", SHARE, mean(overlaps), original=mean(real_overlaps), reason=N_("no reply is long enough"))
    _variety(sheet, replies, held, others)
    if known.later:
        found = [anachronisms(reply, known.later) for reply in replies]
        sheet.tell(
            "period",
            [
                Answer("period", n, said, reply, " ".join(words), real, not words and bool(letters(reply)))
                for n, ((said, reply, real), words) in enumerate(zip(read, found, strict=True))
            ],
            original=percent([not anachronisms(line, known.later) for line in held]),
            others=percent([not anachronisms(line, known.later) for line in others]),
        )
    few = N_("the held-out chapters have too few lines")
    for measure, area in (
        ("style-lines", separation(own_style, others_style)),
        ("style-bundles", separation(bundled(own_style, BUNDLE), _bundled_by_speaker(known, others_style))),
    ):
        sheet.put(measure, AREA, None if area is None else 100 * area, reason=few)


def _variety(sheet: Sheet, replies: Sequence[str], held: Sequence[str], others: Sequence[str]) -> None:
    """Write how varied the words are, over as many letters in each column."""
    most = min(filter(None, map(letters_in, (replies, held, others))), default=0)
    for length in (1, 2):
        found = [distinct(texts, length, most) for texts in (replies, held, others)]
        value, original, of_others = (None if one is None else 100 * one for one in found)
        sheet.put(
            f"distinct-{length}",
            SHARE,
            value,
            original=original,
            others=of_others,
            reason=N_("the replies are empty"),
        )


def _bundled_by_speaker(known: Known, scores: Sequence[float]) -> list[float]:
    """Return the means of other people's scores, `BUNDLE` of one person at a time."""
    by_speaker: dict[str, list[float]] = {}
    for (speaker, _line), score in zip(known.lines.held_others, scores, strict=False):
        by_speaker.setdefault(speaker, []).append(score)
    return [one for found in by_speaker.values() for one in bundled(found, BUNDLE)]
