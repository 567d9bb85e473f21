"""Reads the curves of runs as they grow: what was read is not read again, and a long run yields a bounded picture."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

METRICS = "metrics.jsonl"
"""In the run's folder: an object a line, `{"step": 5, "loss": 2.1, …}`."""
MOST_POINTS = 1000
"""Points of one kind that are kept; more cannot be told apart on a screen."""

_PIECE = 1 << 20


def curve(file: Path) -> list[Mapping[str, float]]:
    """Return the points of a run, at most `MOST_POINTS` of each kind and always the last, by step."""
    return _growing(file).points()


def smoothed(values: Sequence[float], weight: float = 0.9) -> list[float]:
    """Return the exponential moving average of a curve, freed of the pull towards its start (Kingma and Ba, 2015)."""
    average, shown = 0.0, []
    for number, value in enumerate(values, start=1):
        average = weight * average + (1 - weight) * value
        shown.append(average / (1 - weight**number))
    return shown


class GrowingCurve:
    """The points of one file, as far as they were read; a line still being written is left for the next look."""

    def __init__(self, file: Path, most: int = MOST_POINTS) -> None:
        self._file = file
        self._most = most
        self._lock = threading.Lock()
        self._begin_anew()

    def points(self) -> list[Mapping[str, float]]:
        """Read what was added since the last look and return the picture."""
        with self._lock:
            self._read_on()
            found = [point for series in self._series.values() for point in series.points()]
        return sorted(found, key=lambda point: point["step"])

    def _begin_anew(self) -> None:
        self._offset = 0
        self._rest = b""
        self._series: dict[frozenset[str], _Thinned] = {}

    def _read_on(self) -> None:
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            if self._file.stat().st_size < self._offset:
                self._begin_anew()
            file.seek(self._offset)
            while piece := file.read(_PIECE):
                self._offset += len(piece)
                *lines, self._rest = (self._rest + piece).split(b"\n")
                for line in lines:
                    self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            point = json.loads(line)
        except ValueError:  # a full disk may have left half a line
            return
        if isinstance(point, dict) and "step" in point:
            self._series.setdefault(frozenset(point), _Thinned(self._most)).add(point)


class _Thinned:
    """Every so-manyth point, evenly spaced from the first, and the last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._stride = 1
        self._seen = 0
        self._kept: list[Mapping[str, float]] = []
        self._last: Mapping[str, float] | None = None

    def add(self, point: Mapping[str, float]) -> None:
        """Take the next point in."""
        self._last = point
        if self._seen % self._stride == 0:
            if len(self._kept) >= self._most - 1:
                self._kept = self._kept[::2]
                self._stride *= 2
            if self._seen % self._stride == 0:
                self._kept.append(point)
        self._seen += 1

    def points(self) -> list[Mapping[str, float]]:
        """Return what is kept."""
        more = self._last is not None and (not self._kept or self._kept[-1] is not self._last)
        return [*self._kept, *([self._last] if more and self._last else [])]


@lru_cache(maxsize=32)
def _growing(file: Path) -> GrowingCurve:
    return GrowingCurve(file)
