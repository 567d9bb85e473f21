"""How often somebody may ask: a bucket of tokens for each, filled again as time goes by."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from threading import Lock

from core.errors import TooManyError
from core.stages.chat.settings import ChatSettings
from core.translation import N_

MOST_KEYS = 10_000
"""Who has been away longest is forgotten beyond that; a bucket that is full again is forgotten anyway."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Limiter:
    """Lets each key through `burst` times at once and `per_minute` times a minute; any number of threads may ask."""

    def __init__(
        self,
        per_minute: float,
        burst: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        most_keys: int = MOST_KEYS,
    ) -> None:
        self._rate = per_minute / 60
        self._burst = float(max(burst if burst is not None else int(per_minute), 1))
        self._clock = clock
        self._most_keys = most_keys
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        """Who asked longest ago comes first."""
        self._lock = Lock()

    def take(self, key: str) -> None:
        """Count one for the key; TooManyError with the seconds to wait when it has none left.

        0 a minute is no limit.
        """
        if self._rate <= 0:
            return
        with self._lock:
            now = self._clock()
            bucket = self._buckets.pop(key, None) or _Bucket(self._burst, now)
            bucket.tokens, bucket.at = self._filled(bucket, now), now
            enough, seconds = bucket.tokens >= 1, ceil((1 - bucket.tokens) / self._rate)
            bucket.tokens -= enough
            self._buckets[key] = bucket
            self._forget(now)
        if not enough:
            raise TooManyError(
                N_("That was too much at once."),
                remedy=N_("Wait {seconds} seconds, then send it again."),
                seconds=seconds,
            )

    def __len__(self) -> int:
        with self._lock:
            return len(self._buckets)

    def _filled(self, bucket: _Bucket, now: float) -> float:
        return min(self._burst, bucket.tokens + max(now - bucket.at, 0.0) * self._rate)

    def _forget(self, now: float) -> None:
        """Drop whoever asked so long ago that nothing is remembered against them, and the oldest beyond the bound."""
        while self._buckets:
            bucket = next(iter(self._buckets.values()))
            if len(self._buckets) <= self._most_keys and self._filled(bucket, now) < self._burst:
                return
            self._buckets.popitem(last=False)


def message_limiter(settings: ChatSettings) -> Limiter:
    """Return what limits the messages of a visitor; a quarter of a minute's may come at once."""
    return Limiter(settings.messages_per_minute, max(settings.messages_per_minute // 4, 1))
