"""Style: tells whether a line is written like one speaker's lines or like everybody else's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.backends.rows import Row
from core.translation import N_


@dataclass(frozen=True, slots=True)
class StyleSource:
    """What a classifier learns from; both have lines."""

    own: tuple[str, ...]
    """The speaker's lines."""
    others: tuple[str, ...]
    """Lines of everybody else in the same book."""


class StyleClassifier(Protocol):
    """Has learnt how a speaker talks; the same lines make the same classifier."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    def scores(self, texts: Sequence[str]) -> list[float]:
        """Return a number for each text: the higher, the more it is like the speaker's.

        Where hers end and others' begin is told by lines it has not learnt from; those it has score too surely.
        """
        ...


def _character_ngrams(source: StyleSource) -> StyleClassifier:
    from core.backends.style.character_ngrams import CharacterNgrams

    return CharacterNgrams(source)


STYLE_CLASSIFIERS: Mapping[str, Row[StyleSource, StyleClassifier]] = {
    row.name: row
    for row in (
        Row(
            "character-ngrams",
            N_("Weighs which one to three characters stand together in her lines and in the others'."),
            _character_ngrams,
            modules=("sklearn",),
            install="pip install scikit-learn",
        ),
    )
}
