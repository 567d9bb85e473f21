"""What becomes of a training with the real XTuner when trainer, worker or app are killed, or the disk is full.

    python -m benchmarks.kills [--rounds 10] [--victims trainer,worker,app,disk] [--seed 1] [--base FOLDER] [--json]

Each round trains a tiny model by the real worker, and the trouble comes at a random step. `wrong_states` counts runs
that did not end as they should, `wrong_step_counts` those with a step too many, too few or twice in the curve,
`resumed_from_checkpoint` trainings started again at their last checkpoint, `went_on` those never started again,
`lost_checkpoints` those that began further back than they had to. The full disk is a small one of its own, which only
root may mount.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.backends.rows import build
from core.backends.tools import CONVERSATIONS, FINE_TUNERS
from core.backends.tools.toolchains import python_of
from core.domain.conversations import xtuner_conversations
from core.domain.recipe import FineTuning, Recipe, TinyBase
from core.domain.text import Sample, Split, Turn, TurnRole
from core.jobs.door import run_briefly
from core.settings import load_settings
from tests.kill_rounds import House, Outcome, app_killed, disk_filled, disk_of, trainer_killed, version, worker_killed
from tests.tools.little_world import exchanges

VICTIMS = ("trainer", "worker", "app", "disk")
STEPS, SAVE_EVERY, LEARNT, HELD_OUT = 100, 20, 120, 16
MARGIN = 20
"""Steps before the end in which no trouble comes, so that it does not come too late."""

_SETTINGS: dict[str, Any] = {
    "method": "full",
    "max_steps": STEPS,
    "batch_size": 8,
    "max_length": 128,
    "pack": False,
    "questions": [],
    "intervals": {"save_every": SAVE_EVERY, "log_every": 1, "probe_every": 10_000},
}
_DISK = "512m"


def main() -> None:
    """Print a line a round, then the table."""
    asked = _asked()
    python = asked.python or python_of("xtuner", load_settings())
    if python is None:
        sys.exit("XTuner's environment is missing: make toolchains")
    found: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory(prefix="daiyu-kills-") as place:
        base = asked.base or _base(Path(place) / "base-model", python)
        for victim in asked.victims.split(","):
            found[victim] = _counted(_rounds(victim, asked, Path(place) / victim, python, base))
    total = {name: sum(one[name] for one in found.values()) for name in next(iter(found.values()))}
    for victim, figures in {**found, "all": total}.items():
        print(f"{victim:8}", "  ".join(f"{name} {figure}" for name, figure in figures.items()))
    if asked.json:
        print(json.dumps({**total, "seed": asked.seed, "victims": found}))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="Rounds for each victim.")
    parser.add_argument("--victims", default=",".join(VICTIMS), help="Any of trainer, worker, app, disk.")
    parser.add_argument("--seed", type=int, default=1, help="Decides the steps.")
    parser.add_argument("--base", type=Path, help="Folder of the base model; one is built where none is given.")
    parser.add_argument("--python", type=Path, help="Interpreter of XTuner's environment.")
    parser.add_argument("--json", action="store_true", help="Print one JSON object last.")
    return parser.parse_args()


def _base(folder: Path, python: Path) -> Path:
    """Build the base model that all rounds train."""
    folder.mkdir(parents=True)
    record = version(LEARNT, HELD_OUT)
    conversations = xtuner_conversations(record, _samples())
    (folder / CONVERSATIONS).write_text(json.dumps(conversations, ensure_ascii=False), encoding="utf-8")
    tiny = TinyBase(reads="lines", steps=30, vocabulary=512)
    work = FineTuning(folder=folder, base=Path("base"), recipe=Recipe())
    built = run_briefly(build(FINE_TUNERS, "xtuner", python).build_base(work, tiny), timeout=600)
    if built.returncode != 0:
        sys.exit(built.stderr.decode(errors="replace"))
    return folder / "base"


def _rounds(victim: str, asked: argparse.Namespace, place: Path, python: Path, base: Path) -> list[Outcome]:
    """Do all rounds of a victim in one workspace."""
    chance = random.Random(f"{asked.seed} {victim}")
    settings = {**_SETTINGS, "base": str(base)}
    outcomes: list[Outcome] = []
    with _disk(place, small=victim == "disk") as disk:
        house = House(disk / "workspace", python, version(LEARNT, HELD_OUT), _samples())
        try:
            house.start("run" if victim == "app" else "worker")
            for number in range(asked.rounds):
                began = time.monotonic()
                step = chance.randint(1, STEPS - MARGIN)
                outcomes.append(_round(victim, house, settings, step, chance))
                print(f"{victim} {number + 1}: {_told(outcomes[-1])}, {time.monotonic() - began:.0f} s", flush=True)
        finally:
            house.close()
    return outcomes


def _round(victim: str, house: House, settings: dict[str, Any], step: int, chance: random.Random) -> Outcome:
    if victim == "disk":
        return disk_filled(house, settings, step, seconds=chance.uniform(3, 10))
    kill = {"trainer": trainer_killed, "worker": worker_killed, "app": app_killed}[victim]
    return kill(house, settings, step)


@contextmanager
def _disk(place: Path, *, small: bool) -> Iterator[Path]:
    place.mkdir(parents=True)
    if not small:
        yield place
        return
    with disk_of(_DISK, place) as mounted:
        if not mounted:
            sys.exit("No disk can be mounted here; only root may.")
        yield place


def _counted(outcomes: list[Outcome]) -> dict[str, int]:
    whole = list(range(1, STEPS + 1))
    again = [one for one in outcomes if len(one.starts) > 1]
    return {
        "rounds": len(outcomes),
        "wrong_states": sum(one.wrong_state != "" for one in outcomes),
        "wrong_step_counts": sum(one.steps != STEPS or sorted(one.points) != whole for one in outcomes),
        "resumed_from_checkpoint": sum(one.starts[-1] > 0 for one in again),
        "went_on": len(outcomes) - len(again),
        # the checkpoint at the very step of the trouble may not have been whole yet
        "lost_checkpoints": sum(one.starts[-1] < (one.step - 1) // SAVE_EVERY * SAVE_EVERY for one in again),
    }


def _told(one: Outcome) -> str:
    starts = " and ".join(str(start) for start in one.starts)
    return (
        f"trouble at step {one.step}, started at {starts}, {one.steps} steps. {one.message} {one.wrong_state}".strip()
    )


def _samples() -> list[Sample]:
    return [_sample(number, *texts) for number, texts in enumerate(exchanges(LEARNT + HELD_OUT, seed=1))]


def _sample(number: int, asked: str, answered: str) -> Sample:
    turns = (Turn(TurnRole.COUNTERPART, "宝玉", asked), Turn(TurnRole.PERSONA, "黛玉", answered))
    return Sample(number, "src-1", 1, Split.TRAIN if number < LEARNT else Split.HELD_OUT, turns)


if __name__ == "__main__":
    main()
