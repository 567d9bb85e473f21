"""How long a dataset version of 100,000 lines takes, from the lines in the store to the version in the store, one core.

    python -m benchmarks.dataset_version [--lines 100000] [--json]

`seconds_100k_build` is named for the size that counts; with `--lines` it is what that many lines take. The search for
near-duplicates, a version without them and the comparison of the two versions are timed beside it.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.crowded_workspace import crowd
from core.domain.run import RunState
from core.services import Services, open_services
from core.settings import Settings

_FIRST, _CHARACTERS = 0x4E00, 3000
"""A block of Chinese characters."""
_AGAIN = 0.05
"""Share of the lines that were said before."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="Print one JSON object last.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        services = open_services(Settings(workspace=Path(folder)))
        crowd(services, asked.lines, say=Speech())
        found = {"lines": asked.lines, **measured(services)}
        services.close()
    for name, value in found.items():
        print(f"{name:28} {value}")
    if asked.json:
        print(json.dumps(found))


class Speech:
    """Says sentences that share little with others, as in a book, and now and then one again, cut short."""

    def __init__(self) -> None:
        self._said: list[str] = []

    def __call__(self, chance: random.Random) -> str:
        """Return the next sentence."""
        if self._said and chance.random() < _AGAIN:
            return chance.choice(self._said)[:-2] + "。"
        words = "".join(chr(_FIRST + chance.randrange(_CHARACTERS)) for _ in range(chance.randrange(10, 40)))
        self._said.append(f"{words[:9]}，{words[9:]}。")
        return self._said[-1]


def measured(services: Services) -> dict[str, Any]:
    """Build a version, search for duplicates, build another and compare the two; seconds each."""
    first, build = _run(services, "dataset", {"name": "first"})
    searched, search = _run(services, "cleaning", {})
    second, again = _run(services, "dataset", {"name": "second", "drop_proposed": True})
    datasets = services.store.datasets
    before, after = datasets.get(first["version"]), datasets.get(second["version"])
    begun = time.perf_counter()
    difference = datasets.difference(before, after)
    datasets.different_rows(difference, difference.rows[:20])
    compared = time.perf_counter() - begun
    return {
        "seconds_100k_build": round(build, 2),
        "seconds_build_without_duplicates": round(again, 2),
        "seconds_search": round(search, 2),
        "clusters": searched["clusters"],
        "samples": before.train_samples + before.held_out_samples,
        "samples_without_duplicates": after.train_samples + after.held_out_samples,
        "seconds_difference": round(compared, 2),
        "different_rows": len(difference.rows),
    }


def _run(services: Services, kind: str, settings: dict[str, Any]) -> tuple[dict[str, Any], float]:
    begun = time.perf_counter()
    done = services.execution.here(kind, services.settings.persona, settings, who="benchmark")
    seconds = time.perf_counter() - begun
    if done.state is not RunState.SUCCEEDED:
        raise SystemExit(f"{kind} did not succeed: {done.error}")
    return dict(done.result), seconds


if __name__ == "__main__":
    main()
