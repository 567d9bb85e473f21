"""Character n-grams: tf-idf and logistic regression, together with the log-ratio of how often each comes.

Both are common in telling authors apart (Stamatatos, "A survey of modern authorship attribution methods", 2009); their
sum was the best of what was tried on 红楼梦, see docs/decisions/0026-persona-fidelity.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from core.backends.style import StyleSource

_LENGTHS: Final = (1, 3)
_LEAST: Final = 2
"""Lines an n-gram stands in at least; what comes once is chance."""
_SMOOTHING: Final = 1.0
"""How much of the common distribution each side is given beside its own counts."""


class CharacterNgrams:
    """Learns when it is built; some seconds for ten thousand lines."""

    name = "character-ngrams"

    def __init__(self, source: StyleSource) -> None:
        texts, hers = [*source.own, *source.others], np.arange(len(source.own) + len(source.others)) < len(source.own)
        self._parts: tuple[_Regression | _Ratio, ...] = (_Regression(texts, hers), _Ratio(texts, hers))
        self._spreads = [float(np.std(part(texts))) or 1.0 for part in self._parts]

    def scores(self, texts: Sequence[str]) -> list[float]:
        """Return a number for each text: the higher, the more like the speaker's."""
        if not texts:
            return []
        found = [part(texts) / spread for part, spread in zip(self._parts, self._spreads, strict=True)]
        return [float(one) for one in np.sum(found, axis=0)]


class _Regression:
    """How like hers a line is, by what tells the sides apart best."""

    def __init__(self, texts: Sequence[str], hers: npt.NDArray[np.bool_]) -> None:
        self._reader: Any = TfidfVectorizer(
            analyzer="char", ngram_range=_LENGTHS, sublinear_tf=True, min_df=min(_LEAST, len(texts))
        )
        read = self._reader.fit_transform(texts)
        self._model: Any = LogisticRegression(class_weight="balanced", max_iter=500).fit(read, hers)

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        found: npt.NDArray[np.float64] = self._model.decision_function(self._reader.transform(texts))
        return found


class _Ratio:
    """How like hers a line is, by how much more often than others she uses what stands in it."""

    def __init__(self, texts: Sequence[str], hers: npt.NDArray[np.bool_]) -> None:
        self._reader: Any = CountVectorizer(analyzer="char", ngram_range=_LENGTHS, min_df=min(_LEAST, len(texts)))
        counts = self._reader.fit_transform(texts)
        own, others = (np.asarray(counts[side].sum(axis=0)).ravel() for side in (hers, ~hers))
        common = (own + others) / max(float((own + others).sum()), 1.0)
        weight = _SMOOTHING * len(common)
        self._ratio = np.log((own + weight * common) / (own.sum() + weight)) - np.log(
            (others + weight * common) / (others.sum() + weight)
        )

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        counts = self._reader.transform(texts)
        many = np.asarray(counts.sum(axis=1)).ravel()
        found: npt.NDArray[np.float64] = (counts @ self._ratio) / np.sqrt(np.maximum(many, 1))
        return found
