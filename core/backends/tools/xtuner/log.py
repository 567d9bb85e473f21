"""Reads what XTuner says and leaves behind: log lines, measured values, sample answers, troubles."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.backends.tools import StepReport
from core.errors import StudioError, ToolFailedError
from core.translation import N_

MEASURED = {
    "loss": "loss",
    "lr": "learning_rate",
    "grad_norm": "grad_norm",
    "time": "step_seconds",
    "memory": "memory_mb",
}
"""XTuner's name -> ours."""

_TRAIN_LINE = re.compile(r"Iter\(train\) \[\s*(?P<step>\d+)/(?P<steps>\d+)\](?P<rest>.*)")
_LOSS = re.compile(r"\bloss: (?P<loss>\S+)")
_PROBE_FILE = re.compile(r"eval_outputs_iter_(\d+)\.txt$")
_PROBE = re.compile(r"^Eval output \d+:\n", re.MULTILINE)
_ASSISTANT = "<|im_start|>assistant\n"
_SPECIAL = re.compile(r"<\|im_(start|end)\|>|</?s>")

_TROUBLES: tuple[tuple[str, str, str], ...] = (
    (
        r"No space left on device|Disk quota exceeded|errno 28",
        N_("The disk is full; the last whole checkpoint is kept."),
        N_("Free some space (old runs and models are on the runs page), then press Resume."),
    ),
    (
        r"out of memory|OutOfMemoryError|can't allocate memory|Cannot allocate memory|std::bad_alloc|\bKilled\b",
        N_("There was not enough memory for this training."),
        N_("Make the batch or the longest sequence smaller, or choose qlora, then run again."),
    ),
    (
        r"loss became (?P<value>nan|-?inf) at step (?P<step>\d+)",
        N_("The loss stopped being a number at step {step}: the training ran off."),
        N_("Run again with a smaller learning rate; with float16, bfloat16 or float32 helps too."),
    ),
    (
        r"ModuleNotFoundError: No module named '(?P<module>[\w.]+)'",
        N_("XTuner's environment lacks the module {module}."),
        N_("Build the environment again with make toolchains, then press Resume."),
    ),
    (
        r"Column 'length' doesn't exist|num_samples should be a positive|corresponds to no data",
        N_("No sample was left to train on after the texts were turned into tokens."),
        N_("Look at the dataset version: it needs replies of the persona, shorter than the longest sequence."),
    ),
    (
        r"does not appear to have a file named|is not a local folder|Can't load (the configuration|tokenizer)",
        N_("The base model's folder is not complete."),
        N_("Download it again, or choose another base model."),
    ),
    (
        r"Target modules .* not found in the base model",
        N_("The base model has no layers of the names that should get an adapter."),
        N_("Name layers of this model as target modules, e.g. q_proj and v_proj."),
    ),
    (
        r"Failed to import xtuner\.utils\.PROMPT_TEMPLATE\.(?P<template>\w+)",
        N_("XTuner knows no chat form called {template}."),
        N_("Choose the chat form that belongs to the base model, e.g. internlm2_chat."),
    ),
)


def read_line(line: str) -> StepReport | None:
    """Return step, total and loss of a training line; the total stands nowhere else."""
    match = _TRAIN_LINE.search(line)
    if match is None:
        return _read_base_line(line)
    loss = _LOSS.search(match["rest"])
    return StepReport(int(match["step"]), int(match["steps"]), _loss(float(loss["loss"])) if loss else None)


def _read_base_line(line: str) -> StepReport | None:
    """Read a line of our own `build_tiny_model.py`."""
    if not line.startswith('{"step"'):
        return None
    told = json.loads(line)
    return StepReport(told["step"], told["steps"], _loss(told["loss"]))


def _loss(value: float) -> float | None:
    return value if math.isfinite(value) else None


def measurements(work: Path, after: int) -> list[tuple[int, dict[str, float]]]:
    """Return (step, values) above `after`, each step once; a resumed training's values replace the earlier ones."""
    steps: dict[int, dict[str, float]] = {}
    for file in sorted(work.glob("*/vis_data/scalars.json")):  # a folder for each start, named by its time
        for entry in _whole_lines(file):
            if entry.get("step", 0) > after:
                values = {ours: entry[theirs] for theirs, ours in MEASURED.items() if _finite(entry.get(theirs))}
                steps[entry["step"]] = values
    return sorted(steps.items())


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _whole_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file that may be written to at this moment."""
    text = file.read_text(encoding="utf-8", errors="replace")
    for line in text[: text.rfind("\n") + 1].splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def probes(work: Path) -> list[tuple[int, list[str]]]:
    """Return (step, answers) for every round of probe questions that was saved."""
    rounds: dict[int, list[str]] = {}
    for file in sorted(work.glob("*/vis_data/eval_outputs_iter_*.txt")):
        match = _PROBE_FILE.search(file.name)
        if match:
            outputs = _PROBE.split(file.read_text(encoding="utf-8", errors="replace"))[1:]
            # the hook counts from 0 when it names the file
            rounds[int(match[1]) + 1] = [_answer(output) for output in outputs]
    return sorted(rounds.items())


def _answer(output: str) -> str:
    return _SPECIAL.sub("", output.rpartition(_ASSISTANT)[2]).strip()


def explain(log: str) -> StudioError | None:
    """Return the known trouble that the end of a log tells of, with its remedy."""
    log = log[max(0, log.find("Traceback (most recent call last)")) :]  # what stands before is only warnings
    for pattern, message, remedy in _TROUBLES:
        match = re.search(pattern, log)
        if match:
            return ToolFailedError(message, remedy=remedy, **match.groupdict())
    return None
