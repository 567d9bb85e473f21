"""The estimate of a training's memory against the real XTuner on the processor, for full, LoRA and QLoRA.

    python -m benchmarks.memory_estimate [--sizes small,wide,long] [--steps 3] [--json]

For each size a base with random weights is built and trained for a few steps; the largest memory of its own that the
trainer held is compared with the estimate: `RssAnon`, asked fifty times a second, and for LoRA the base's file, which
stays mapped and is needed in every step; other mapped files can be given back. What the trainer holds with a model of
next to nothing is taken from the one, the estimate's constant for it from the other. `worst_ratio` is the larger of
estimate/measured and measured/estimate, at its worst.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from benchmarks.peak_memory import peak
from core.backends.rows import build
from core.backends.tools import CONVERSATIONS, FINE_TUNERS, FineTuner
from core.backends.tools.toolchains import python_of
from core.domain.recipe import FineTuning, Intervals, Method, Recipe, TinyBase
from core.settings import load_settings
from core.stages.finetuning.estimate import memory, tiny_shape

_FIRST, _CHARACTERS = 0x4E00, 3000
"""A block of Chinese characters."""
_ANONYMOUS = re.compile(r"^RssAnon:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True)
class Size:
    """How large a base is and how long its samples."""

    tiny: TinyBase
    batch_size: int
    max_length: int


NOTHING = Size(TinyBase(steps=0, hidden=32, layers=1, vocabulary=512), 1, 512)
SIZES = {
    "small": Size(TinyBase(steps=0, hidden=512, layers=4, vocabulary=8000), 2, 512),
    "wide": Size(TinyBase(steps=0, hidden=1024, layers=6, vocabulary=8000), 1, 512),
    "long": Size(TinyBase(steps=0, hidden=256, layers=8, vocabulary=8000), 4, 1024),
    "unseen": Size(TinyBase(steps=0, hidden=640, layers=3, vocabulary=5000), 3, 768),
}
"""The constants of the estimate were fitted to the first three; the last one tries them out."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="Print one JSON object last.")
    asked = parser.parse_args()
    python = python_of("xtuner", load_settings())
    if python is None:
        raise SystemExit("XTuner's environment is not there yet: make toolchains")
    tuner = build(FINE_TUNERS, "xtuner", python)
    bare = least(tuner)
    print(f"with next to no model {bare / 1e6:,.0f} MB")
    print(f"{'size':8} {'method':8} {'measured':>12} {'estimate':>12} {'ratio':>8}")
    rows = []
    for name in asked.sizes.split(","):
        with tempfile.TemporaryDirectory() as folder:
            for row in measured(tuner, Path(folder), SIZES[name], asked.steps, bare):
                rows.append({"size": name, **row})
                told = f"{row['measured_mb']:9,.0f} MB {row['estimate_mb']:9,.0f} MB {row['ratio']:8.2f}"
                print(f"{name:8} {row['method']:8} {told}", flush=True)
    found = {
        "bare_mb": round(bare / 1e6),
        "worst_ratio": round(max(max(row["ratio"], 1 / row["ratio"]) for row in rows), 3),
        "rows": rows,
    }
    print(f"worst ratio {found['worst_ratio']}")
    if asked.json:
        print(json.dumps(found))


def least(tuner: FineTuner) -> int:
    """Return what the trainer holds whatever it trains."""
    with tempfile.TemporaryDirectory() as folder:
        return max(int(row["peak"]) for row in measured(tuner, Path(folder), NOTHING, 2, 0))


def measured(tuner: FineTuner, folder: Path, size: Size, steps: int, bare: int) -> list[dict[str, Any]]:
    """Build the base once, train it by every method, and return estimate and measurement, without `bare`."""
    (folder / CONVERSATIONS).write_text(json.dumps(_conversations(400)), encoding="utf-8")
    work = FineTuning(folder=folder, base=Path("base"), recipe=_recipe(size, "full", steps))
    peak(tuner.build_base(work, size.tiny), _held)
    weights = sum(file.stat().st_size for file in (folder / work.base).glob("*.safetensors"))
    rows = []
    for method in get_args(Method):
        work = FineTuning(folder=folder, base=Path("base"), recipe=_recipe(size, method, steps))
        tuner.prepare(work)
        shutil.rmtree(folder / "work", ignore_errors=True)
        most = peak(tuner.train(work), _held) - bare + (weights if method == "lora" else 0)
        told = memory(tiny_shape(size.tiny), work.recipe)
        expected = told.total - told.program
        rows.append(
            {
                "method": method,
                "peak": most,
                "measured_mb": round(most / 1e6),
                "estimate_mb": round(expected / 1e6),
                "ratio": round(expected / most, 3),
            }
        )
    return rows


def _recipe(size: Size, method: Method, steps: int) -> Recipe:
    intervals = Intervals(save_every=1000, probe_every=1000, log_every=1)
    return Recipe(
        method=method, max_steps=steps, batch_size=size.batch_size, max_length=size.max_length, intervals=intervals
    )


def _conversations(count: int) -> list[dict[str, Any]]:
    chance = random.Random(1)

    def words() -> str:
        return "".join(chr(_FIRST + chance.randrange(_CHARACTERS)) for _ in range(40))

    return [{"conversation": [{"system": "", "input": words(), "output": words()}]} for _ in range(count)]


def _held(pid: int) -> int:
    """Return the memory a process holds for itself, in bytes; a child that was forked shares it and does not count."""
    try:
        found = _ANONYMOUS.search(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main()
