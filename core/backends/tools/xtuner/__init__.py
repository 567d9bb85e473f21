"""XTuner 0.2 as a fine-tuner: the last release of its `train` and `convert` line, on CPU and GPU.

Its quirks end here. The `xtuner` command itself is never started: it exits with 0 even after a crash
and orphans its trainer; its modules behave. The working folder of every command is the run's folder,
so the configuration there can be run by hand.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from core.backends.tools import BOOK, CONVERSATIONS, Checkpoint, StepReport
from core.backends.tools.xtuner import launching, log
from core.backends.tools.xtuner.configuration import render
from core.domain.recipe import FineTuning, Recipe, TinyBase
from core.domain.run import Command
from core.errors import StudioError, ToolFailedError
from core.jobs.door import run_briefly
from core.translation import N_

PROGRAMS = Path(__file__).parent.parent / "xtuner_programs"
CONFIG, WORK, ADAPTER, MERGED = "xtuner_config.py", "work", "adapter", "merged"
BY_HAND = "by_hand"
"""Where a training started by hand leaves its files, so that the run's own stay as they are."""
OTHER_MACHINES = "other_machines.sh"
TRIAL_REQUEST, TRIAL = "trial_request.json", "trial.json"
QUANTISE_REQUEST, QUANTISED = "quantise_request.json", "quantised.json"


@dataclass(frozen=True)
class XTuner:
    """XTuner in the environment of the given interpreter."""

    python: Path

    def versions(self) -> dict[str, str]:
        """Return the versions of XTuner, torch, transformers and the like; ToolFailedError if it cannot even start."""
        asked = run_briefly(Command((str(self.python), str(PROGRAMS / "list_versions.py")), PROGRAMS), timeout=60)
        if asked.returncode != 0:
            raise ToolFailedError(
                N_("XTuner's environment does not start: {reason}"),
                remedy=N_("Build the environment again with make toolchains."),
                reason=asked.stderr.decode(errors="replace").strip().rpartition("\n")[2],
            )
        versions: dict[str, str] = json.loads(asked.stdout)
        return versions

    def build_base(self, work: FineTuning, tiny: TinyBase) -> Command:
        """Build tokenizer and model from the conversations, and from the book where one lies beside them."""
        sizes = {
            "steps": tiny.steps,
            "hidden": tiny.hidden,
            "layers": tiny.layers,
            "vocab": tiny.vocabulary,
            "seed": work.recipe.seed,
        }
        options = [part for name, value in sizes.items() for part in (f"--{name}", str(value))]
        book = ("--book", BOOK) if (work.folder / BOOK).exists() else ()
        return self._program(work, "build_tiny_model.py", CONVERSATIONS, str(work.base), *book, *options)

    def prepare(self, work: FineTuning) -> Path:
        """Write the configuration, and beside it what it imports of ours: Python looks there first."""
        for module in _programs_beside(work.recipe):
            shutil.copyfile(PROGRAMS / module, work.folder / module)
        if launching.elsewhere(work.recipe):
            command = self.train(work)
            script = launching.script_for_others(
                work.recipe, command.argv, dict(command.env), work.folder, OTHER_MACHINES
            )
            (work.folder / OTHER_MACHINES).write_text(script, encoding="utf-8")
        file = work.folder / CONFIG
        file.write_text(render(work, self.by_hand(work)), encoding="utf-8")
        return file

    def by_hand(self, work: FineTuning) -> str:
        """Return the line for a shell in the run's folder, with the environment's `python` on its path."""
        return shlex.join(launching.training(work.recipe, "python", CONFIG, "--work-dir", BY_HAND))

    def on_other_machines(self, work: FineTuning) -> str | None:
        """Return the line that starts the script which `prepare` left for them."""
        if not launching.elsewhere(work.recipe):
            return None
        return f"sh {shlex.quote(str(work.folder / OTHER_MACHINES))} 1"

    def train(self, work: FineTuning) -> Command:
        """Train, resuming the last checkpoint of this very run if there is one."""
        arguments, more = [CONFIG, "--work-dir", WORK], launching.environment(work.recipe, work.folder)
        checkpoint = self.last_checkpoint(work)
        if checkpoint is not None:
            arguments += ["--resume", str(checkpoint.path.relative_to(work.folder))]
            # the checkpoint holds the optimizer's pickles; it is our own, written by this run
            more["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
        command = launching.training(work.recipe, str(self.python), *arguments)
        return Command(command, work.folder, {**environment(work.folder, work.recipe.threads), **more})

    def convert(self, work: FineTuning) -> Command:
        """Turn the last checkpoint into safetensors."""
        checkpoint = self.last_checkpoint(work)
        if checkpoint is None:
            raise ToolFailedError(
                N_("XTuner ended without leaving a checkpoint."),
                remedy=N_("Read the end of the log, then run again."),
            )
        target = ADAPTER if work.recipe.makes_adapter else MERGED
        module = ("-m", "xtuner.tools.model_converters.pth_to_hf")
        where = (CONFIG, str(checkpoint.path.relative_to(work.folder)), target)
        return self._module(work, *module, *where, "--safe-serialization", TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD="1")

    def merge(self, work: FineTuning) -> Command:
        """Melt the adapter into the base (float16, as XTuner does it)."""
        module = ("-m", "xtuner.tools.model_converters.merge")
        device = "cpu" if work.recipe.device == "cpu" else "auto"
        return self._module(work, *module, str(work.base), ADAPTER, MERGED, "--safe-serialization", "--device", device)

    def adapter(self, work: FineTuning) -> Path:
        """Return where `convert` leaves the adapter."""
        return work.folder / ADAPTER

    def merged(self, work: FineTuning) -> Path:
        """Return where `merge`, or `convert` of a full training, leaves the model."""
        return work.folder / MERGED

    def try_out(self, work: FineTuning, models: Mapping[str, Path], held_out: list[dict[str, Any]]) -> Command:
        """Write the request and return the command that answers it."""
        named = {name: str(folder) for name, folder in models.items()}
        _ask(work, TRIAL_REQUEST, held_out, models=named, out=TRIAL)
        return self._program(work, "try_models.py", TRIAL_REQUEST)

    def trial(self, work: FineTuning) -> dict[str, Any]:
        """Read the answers and losses."""
        return _answered(work, TRIAL)

    def quantise(self, work: FineTuning, copy: Path, held_out: list[dict[str, Any]]) -> Command:
        """Write the request and return the command that answers it."""
        _ask(work, QUANTISE_REQUEST, held_out, model=str(work.base), copy=str(copy), out=QUANTISED)
        return self._program(work, "quantise.py", QUANTISE_REQUEST)

    def quantised(self, work: FineTuning) -> dict[str, Any]:
        """Read the figures."""
        return _answered(work, QUANTISED)

    def last_checkpoint(self, work: FineTuning) -> Checkpoint | None:
        """Return what XTuner named last; it writes the name after the file, so the file is whole.

        Where a full disk took the name, the newest file that is whole.
        """
        folder = work.folder / WORK
        pointer = folder / "last_checkpoint"
        # by name only: the path in it is absolute and the workspace may have moved
        named = Path(pointer.read_text(encoding="utf-8").strip()).name if pointer.exists() else ""
        whole = [folder / named] if named else [file for file in folder.glob("iter_*.pth") if is_zipfile(file)]
        steps = {int(file.stem.removeprefix("iter_")): file for file in whole if file.exists()}
        return Checkpoint(steps[max(steps)], max(steps)) if steps else None

    def read_line(self, line: str) -> StepReport | None:
        """See `log.read_line`."""
        return log.read_line(line)

    def measurements(self, work: FineTuning, after: int) -> list[tuple[int, dict[str, float]]]:
        """See `log.measurements`."""
        return log.measurements(work.folder / WORK, after)

    def probes(self, work: FineTuning, after: int = 0) -> list[tuple[int, list[str]]]:
        """See `log.probes`."""
        return log.probes(work.folder / WORK, after)

    def explain(self, log_end: str) -> StudioError | None:
        """See `log.explain`."""
        return log.explain(log_end)

    def _program(self, work: FineTuning, program: str, *arguments: str) -> Command:
        return self._module(work, str(PROGRAMS / program), *arguments)

    def _module(self, work: FineTuning, *arguments: str, **more: str) -> Command:
        settings = {**environment(work.folder, work.recipe.threads), **more}
        return Command((str(self.python), *arguments), work.folder, settings)


def _ask(work: FineTuning, file: str, held_out: list[dict[str, Any]], **more: Any) -> None:
    """Write what our programs that measure models are asked."""
    request = {
        "system": work.system,
        "questions": work.questions,
        "held_out": held_out,
        "new_tokens": work.recipe.intervals.probe_tokens,
        "seed": work.recipe.seed,
        **more,
    }
    (work.folder / file).write_text(json.dumps(request, ensure_ascii=False), encoding="utf-8")


def _answered(work: FineTuning, file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((work.folder / file).read_text(encoding="utf-8"))
    return found


def _programs_beside(recipe: Recipe) -> tuple[str, ...]:
    on_cpu = ("supervised_on_cpu.py",) if recipe.device == "cpu" else ()
    in_group = (launching.IN_GROUP,) if launching.in_group(recipe) else ()
    return "stop_on_invalid_loss.py", "measure_step.py", *on_cpu, *in_group


def environment(folder: Path, threads: int = 1) -> dict[str, str]:
    """Return what every program in a run's folder is told; nothing is fetched while it runs."""
    return {
        "OMP_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "cache"),
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
    }
