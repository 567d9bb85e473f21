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

from core.backends.tools import CONVERSATIONS, Checkpoint, StepReport
from core.backends.tools.xtuner import log
from core.backends.tools.xtuner.configuration import render
from core.domain.recipe import FineTuning, TinyBase
from core.domain.run import Command
from core.errors import StudioError, ToolFailedError
from core.jobs.door import run_briefly
from core.translation import N_

PROGRAMS = Path(__file__).parent.parent / "xtuner_programs"
CONFIG, WORK, ADAPTER, MERGED = "xtuner_config.py", "work", "adapter", "merged"
REQUEST, TRIAL = "trial_request.json", "trial.json"


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
        """Build tokenizer and model from the conversations."""
        sizes = {
            "steps": tiny.steps,
            "hidden": tiny.hidden,
            "layers": tiny.layers,
            "vocab": tiny.vocabulary,
            "seed": work.recipe.seed,
        }
        options = [part for name, value in sizes.items() for part in (f"--{name}", str(value))]
        return self._program(work, "build_tiny_model.py", CONVERSATIONS, str(work.base), *options)

    def prepare(self, work: FineTuning) -> Path:
        """Write the configuration, and beside it what it imports of ours: `python -m` looks there first."""
        for module in ("stop_on_invalid_loss.py", *(("supervised_on_cpu.py",) if work.recipe.device == "cpu" else ())):
            shutil.copyfile(PROGRAMS / module, work.folder / module)
        by_hand = shlex.join(["python", *self._train_arguments(work)])
        file = work.folder / CONFIG
        file.write_text(render(work, by_hand), encoding="utf-8")
        return file

    def train(self, work: FineTuning) -> Command:
        """Train, resuming the last checkpoint of this very run if there is one."""
        checkpoint = self.last_checkpoint(work)
        if checkpoint is None:
            return self._module(work, *self._train_arguments(work))
        resume = ("--resume", str(checkpoint.path.relative_to(work.folder)))
        # the checkpoint holds the optimizer's pickles; it is our own, written by this run
        return self._module(work, *self._train_arguments(work), *resume, TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD="1")

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

    def merged(self, work: FineTuning) -> Path:
        """Return where `merge`, or `convert` of a full training, leaves the model."""
        return work.folder / MERGED

    def try_out(self, work: FineTuning, models: Mapping[str, Path], held_out: list[dict[str, Any]]) -> Command:
        """Write the request and return the command that answers it."""
        request = {
            "models": {name: str(folder) for name, folder in models.items()},
            "system": work.system,
            "questions": work.questions,
            "held_out": held_out,
            "new_tokens": work.recipe.intervals.probe_tokens,
            "seed": work.recipe.seed,
            "out": TRIAL,
        }
        (work.folder / REQUEST).write_text(json.dumps(request, ensure_ascii=False), encoding="utf-8")
        return self._program(work, "try_models.py", REQUEST)

    def trial(self, work: FineTuning) -> dict[str, Any]:
        """Read the answers and losses."""
        found: dict[str, Any] = json.loads((work.folder / TRIAL).read_text(encoding="utf-8"))
        return found

    def last_checkpoint(self, work: FineTuning) -> Checkpoint | None:
        """Return what XTuner named last; it writes the name after the file, so the file is whole."""
        pointer = work.folder / WORK / "last_checkpoint"
        if not pointer.exists():
            return None
        # by name only: the path in it is absolute and the workspace may have moved
        file = work.folder / WORK / Path(pointer.read_text(encoding="utf-8").strip()).name
        return Checkpoint(file, int(file.stem.removeprefix("iter_"))) if file.exists() else None

    def read_line(self, line: str) -> StepReport | None:
        """See `log.read_line`."""
        return log.read_line(line)

    def measurements(self, work: FineTuning, after: int) -> list[tuple[int, dict[str, float]]]:
        """See `log.measurements`."""
        return log.measurements(work.folder / WORK, after)

    def probes(self, work: FineTuning) -> list[tuple[int, list[str]]]:
        """See `log.probes`."""
        return log.probes(work.folder / WORK)

    def explain(self, log_end: str) -> StudioError | None:
        """See `log.explain`."""
        return log.explain(log_end)

    def _train_arguments(self, work: FineTuning) -> tuple[str, ...]:
        return ("-m", "xtuner.tools.train", CONFIG, "--work-dir", WORK)

    def _program(self, work: FineTuning, program: str, *arguments: str) -> Command:
        return self._module(work, str(PROGRAMS / program), *arguments)

    def _module(self, work: FineTuning, *arguments: str, **more: str) -> Command:
        environment = {
            "OMP_NUM_THREADS": str(work.recipe.threads),
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(work.folder / "cache"),
            "TOKENIZERS_PARALLELISM": "false",
            "PYTHONUNBUFFERED": "1",
            **more,
        }
        return Command((str(self.python), *arguments), work.folder, environment)
