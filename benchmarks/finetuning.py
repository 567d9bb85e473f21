"""Clocks a training started by a durable run beside the bare `xtuner train` command on the same configuration.

    python benchmarks/finetuning.py [--steps 50 350] [--repeat 5] [--json]

Both sides train the same tiny model by the same file, at two lengths, in turn, so that what else the machine does
meets both. The difference of the two lengths is what steps cost, free of start and end: `overhead_ratio` is ours over
theirs, `constant_seconds` what our start and end take longer (less than 0: shorter). Of each kind the fastest
repetition counts for wall time; `overhead_ratio_cpu` is the same of processor seconds, all processes together, by the
median, which a busy machine disturbs less.

Ours is what a run does: XTuner's module through `RunContext.execute`, its log followed twice a second, curves, sample
answers and progress written to the store. Theirs is the console script in XTuner's environment, its output to a file.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.backends.tools import CONVERSATIONS
from core.backends.tools.toolchains import python_of
from core.backends.tools.xtuner import CONFIG, XTuner
from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.recipe import FineTuning, Recipe, TinyBase
from core.domain.run import Run, RunState
from core.jobs.context import RunContext
from core.settings import load_settings
from core.stages.finetuning.watching import TrainingWatch
from core.store import Store

SIDES = ("ours", "theirs")


@dataclass(frozen=True)
class Spent:
    """What a training took from its start to its end."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Bench:
    """Where the trainings lie, and what runs them."""

    place: Path
    python: Path
    store: Store

    def training(self, name: str, steps: int) -> FineTuning:
        """Return a fresh training of so many steps, ready to start."""
        folder = self.place / "runs" / name
        folder.mkdir(parents=True)
        shutil.copyfile(self.place / CONVERSATIONS, folder / CONVERSATIONS)
        recipe = Recipe.model_validate({"max_steps": steps, "intervals": {"probe_tokens": 8}})
        work = FineTuning(
            folder=folder, base=self.place / "base", recipe=recipe, system="你是沈青。", questions=("你是谁？",)
        )
        XTuner(self.python).prepare(work)
        return work

    def ours(self, name: str, steps: int) -> Spent:
        """Train as a run does."""
        work = self.training(name, steps)
        record = Run(name, "finetuning", "a-qing", "gpu", RunState.RUNNING, {}, {}, now(), "benchmark")
        self.store.runs.add(record)
        context = RunContext(record, store=self.store, folder=work.folder)
        tuner = XTuner(self.python)
        watch = TrainingWatch(context, tuner, work, span=(0.0, 1.0))
        spent = clocked(
            lambda: context.execute("train", lambda: tuner.train(work), on_line=watch.on_line, on_poll=watch.on_poll)
        )
        return self.checked(work, spent, steps)

    def theirs(self, name: str, steps: int) -> Spent:
        """Train as XTuner's own users do; the configuration's folder on the path, for the hooks it names."""
        work = self.training(name, steps)
        given = XTuner(self.python).train(work).env
        path = f"{self.python.parent}:{os.environ['PATH']}"
        environment = {**os.environ, **given, "PATH": path, "PYTHONPATH": "."}
        command = [str(self.python.parent / "xtuner"), "train", CONFIG, "--work-dir", "work"]

        def train() -> None:
            with (work.folder / "run.log").open("wb") as log:
                subprocess.run(
                    command, cwd=work.folder, env=environment, stdout=log, stderr=subprocess.STDOUT, check=True
                )

        return self.checked(work, clocked(train), steps)

    def checked(self, work: FineTuning, spent: Spent, steps: int) -> Spent:
        """Return what it took, if it did all its steps: the bare command ends with 0 whatever happens."""
        reached = XTuner(self.python).last_checkpoint(work)
        if reached is None or reached.step != steps:
            raise SystemExit(f"the training in {work.folder} did not end well; see its run.log")
        shutil.rmtree(work.folder / "work")
        return spent


def main() -> None:
    """Print the figures as a table, and as one JSON object last with `--json`."""
    parser = argparse.ArgumentParser(description="Clock our launch of a training beside the bare command.")
    parser.add_argument("--steps", type=int, nargs=2, default=(50, 350), metavar=("SHORT", "LONG"))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()

    python = python_of("xtuner", load_settings())
    if python is None:
        raise SystemExit("XTuner's environment is not built; run make toolchains first")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        bench = Bench(place, python, Store(f"sqlite:///{place / 'store.db'}", place))
        bench.store.personas.put(Persona("a-qing", "沈青", "", "你是沈青。", "你来了。"))
        prepare(bench)
        figures = compared(measured(bench, chosen.steps, chosen.repeat), *chosen.steps)
        bench.store.close()
    for name, figure in figures.items():
        print(f"{name:28} {figure:>10.3f}")
    if chosen.json:
        print(json.dumps({name: round(figure, 4) for name, figure in figures.items()}))


def prepare(bench: Bench) -> None:
    """Write the conversations and build the base model."""
    talks = [
        {"conversation": [{"system": "你是沈青。", "input": f"第{n}盏灯怎么不点？", "output": f"第{n}夜月色够亮了。"}]}
        for n in range(200)
    ]
    (bench.place / CONVERSATIONS).write_text(json.dumps(talks, ensure_ascii=False), encoding="utf-8")
    work = FineTuning(folder=bench.place, base=Path("base"), recipe=Recipe())
    command = XTuner(bench.python).build_base(work, TinyBase(reads="lines", steps=20))
    subprocess.run(
        command.argv, cwd=command.cwd, env={**os.environ, **command.env}, check=True, stdout=subprocess.DEVNULL
    )


def measured(bench: Bench, lengths: tuple[int, int], repeat: int) -> dict[tuple[str, int], list[Spent]]:
    """Return what every training took; the sides take turns in being first."""
    spent: dict[tuple[str, int], list[Spent]] = defaultdict(list)
    for turn in range(repeat):
        for steps in lengths:
            for side in SIDES if turn % 2 == 0 else SIDES[::-1]:
                train = bench.ours if side == "ours" else bench.theirs
                one = train(f"{side}-{steps}-{turn}", steps)
                spent[side, steps].append(one)
                print(f"{side:7} {steps:5} steps  {one.wall:7.2f} s  {one.cpu:7.2f} s of processor", file=sys.stderr)
    return spent


def compared(spent: dict[tuple[str, int], list[Spent]], short: int, long: int) -> dict[str, float]:
    """Return both sides' seconds, how much longer our steps take, and what our start and end add."""
    wall = {key: min(one.wall for one in ones) for key, ones in spent.items()}
    cpu = {key: median(one.cpu for one in ones) for key, ones in spent.items()}
    step = {side: (wall[side, long] - wall[side, short]) / (long - short) for side in SIDES}
    beside = {side: wall[side, short] - step[side] * short for side in SIDES}
    return {
        **{f"seconds_{side}_{steps}_steps": wall[side, steps] for side in SIDES for steps in (short, long)},
        **{f"milliseconds_a_step_{side}": 1000 * step[side] for side in SIDES},
        **{f"seconds_beside_steps_{side}": beside[side] for side in SIDES},
        "overhead_ratio": step["ours"] / step["theirs"],
        "overhead_ratio_cpu": (cpu["ours", long] - cpu["ours", short]) / (cpu["theirs", long] - cpu["theirs", short]),
        "constant_seconds": beside["ours"] - beside["theirs"],
    }


def clocked(train: Callable[[], object]) -> Spent:
    """Return what it takes, its programs and ours together."""
    began, before = time.monotonic(), processor_seconds()
    train()
    wall = time.monotonic() - began
    with suppress(ChildProcessError):
        while True:  # what was started and has ended is only counted once it is collected
            os.wait()
    return Spent(wall, processor_seconds() - before)


def processor_seconds() -> float:
    """Return the processor seconds of this process and of those it has started."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


if __name__ == "__main__":
    main()
