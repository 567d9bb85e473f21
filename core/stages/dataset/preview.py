"""Exactly what the trainer will see: tokens with and without loss, how long samples are, what would be cut."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.backends.rows import build
from core.backends.tools import SAMPLE_READERS, ReaderSource, SampleReader, Token
from core.domain.conversations import xtuner_conversations
from core.domain.recipe import TINY
from core.domain.text import DatasetVersion, Sample, Split
from core.errors import MissingArtifactError
from core.store import Store
from core.translation import N_

_KEPT = 4
"""Tokenizers in memory at once."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One sample as the trainer sees it."""

    tokens: tuple[Token, ...]
    max_length: int
    like_a_chat: bool | None
    """Whether a chat with the model has the same form, token by token; None where the model has no chat template."""

    @property
    def seen(self) -> tuple[Token, ...]:
        """The tokens that are trained on."""
        return self.tokens[: self.max_length]

    @property
    def cut(self) -> tuple[Token, ...]:
        """The tokens beyond the longest sequence, which the trainer never sees."""
        return self.tokens[self.max_length :]

    @property
    def learnt(self) -> int:
        """How many of the tokens seen have loss; a sample without any is left out by the trainer."""
        return sum(token.loss for token in self.seen)


@dataclass(frozen=True, slots=True)
class TokenLengths:
    """How long the samples of a version are, in tokens."""

    lengths: tuple[int, ...]
    samples: int
    """How many samples there are; more than lengths where only some were measured."""
    max_length: int
    learnt: int
    """Tokens with loss, as far as they are seen, of the samples measured."""
    lost: int
    """Samples measured of which nothing with loss is left once they are cut."""

    @property
    def cut(self) -> int:
        """How many of the samples measured are longer than the longest sequence."""
        return sum(length > self.max_length for length in self.lengths)

    def histogram(self, bars: int = 40) -> dict[int, int]:
        """Return shortest length of a bar -> samples in it, empty bars included."""
        if not self.lengths:
            return {}
        width = max(1, -(-(max(self.lengths) + 1) // bars))
        counts = Counter(length // width * width for length in self.lengths)
        return {start: counts[start] for start in range(0, max(self.lengths) + 1, width)}


def reader_of(
    version: DatasetVersion,
    store: Store,
    *,
    base: str = TINY,
    template: str = "internlm2_chat",
    vocabulary: int = 4000,
    trainer: str = "xtuner",
) -> SampleReader:
    """Return what reads samples as the trainer would with that base: `tiny`, the id of a base model, or a folder.

    A folder is absolute or relative to the workspace. The first one of a version and base takes seconds, then it is
    kept. MissingArtifactError where there is no such folder or no tokenizer in it, SettingsError for an unknown chat
    form.
    """
    if base == TINY:
        return _tiny(version.id, template, vocabulary, trainer, store)
    folder = store.workspace / store.bases.folder_of(base)
    if not folder.is_dir():
        raise MissingArtifactError(
            N_("The base model {base} is not there."), remedy=N_("Choose another one, or the tiny model."), base=base
        )
    newest = max((file.stat().st_mtime_ns for file in folder.glob("tokenizer*")), default=0)
    return _of_folder(folder.resolve(), newest, template, trainer)


def preview(sample: Sample, reader: SampleReader, *, version: DatasetVersion, max_length: int) -> Preview:
    """Return the sample as the trainer sees it where sequences hold at most `max_length` tokens."""
    (conversation,) = xtuner_conversations(version, [sample])
    tokens = tuple(reader.tokens(conversation))
    chat = reader.chat(conversation)
    same = None if chat is None else chat == [token.id for token in tokens]
    return Preview(tokens, max_length, same)


def token_lengths(
    version: DatasetVersion, store: Store, reader: SampleReader, *, max_length: int, most: int = 5000
) -> TokenLengths:
    """Measure the samples to be trained, or `most` of them drawn by lot, always the same ones of a version."""
    losses, samples = sample_losses(version, store, reader, most=most)
    seen = [sum(loss[:max_length]) for loss in losses]
    return TokenLengths(tuple(map(len, losses)), samples, max_length, sum(seen), sum(learnt == 0 for learnt in seen))


def sample_losses(
    version: DatasetVersion, store: Store, reader: SampleReader, *, most: int = 5000
) -> tuple[list[list[bool]], int]:
    """Return for each sample to be trained, or `most` of them, whether loss is taken on its tokens; and how many are.

    Those drawn by lot are always the same ones of a version.
    """
    samples = store.datasets.samples(version.id, split=Split.TRAIN)
    drawn = samples if len(samples) <= most else random.Random(version.fingerprint).sample(samples, most)
    return reader.losses(_conversations(version, drawn)), len(samples)


def _conversations(version: DatasetVersion, samples: Iterable[Sample]) -> Sequence[Mapping[str, Any]]:
    return xtuner_conversations(version, samples)


@lru_cache(maxsize=_KEPT)
def _tiny(version_id: str, template: str, vocabulary: int, trainer: str, store: Store) -> SampleReader:
    version = store.datasets.get(version_id)
    train = _conversations(version, store.datasets.samples(version_id, split=Split.TRAIN))
    return build(SAMPLE_READERS, trainer, ReaderSource(None, template, train, vocabulary))


@lru_cache(maxsize=_KEPT)
def _of_folder(folder: Path, newest: int, template: str, trainer: str) -> SampleReader:
    return build(SAMPLE_READERS, trainer, ReaderSource(folder, template))
