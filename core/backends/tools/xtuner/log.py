"""Reads what XTuner says and leaves behind: log lines, measured values, sample answers, troubles."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.backends.tools import StepReport
from core.backends.tools.troubles import DISK_FULL, Trouble, recognised
from core.errors import StudioError
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
_LEFT = re.compile(r"\beta: (?:(?P<days>\d+) days?, )?(?P<hours>\d+):(?P<minutes>\d+):(?P<seconds>\d+)")
_TAIL_BYTES = 64_000
"""Read of a growing file first; the new lines of a look lie in there."""
_PROBE_FILE = re.compile(r"eval_outputs_iter_(\d+)\.txt$")
_PROBE = re.compile(r"^Eval output \d+:\n", re.MULTILINE)
_ASSISTANT = "<|im_start|>assistant\n"
_SPECIAL = re.compile(r"<\|im_(start|end)\|>|</?s>")

_TROUBLES: tuple[Trouble, ...] = (
    (
        r"4-bit copies do not work here: (?P<reason>.+)",
        N_("4-bit copies do not work on this machine: {reason}"),
        N_("Build the environment again with make toolchains, or make the copy on another machine."),
    ),
    DISK_FULL,
    (
        r"out of memory|OutOfMemoryError|can't allocate memory|Cannot allocate memory|std::bad_alloc|\bMemoryError\b"
        r"|\bKilled\b|Signal 9 \(SIGKILL\)",
        N_("There was not enough memory for this training."),
        N_("Make the batch or the longest sequence smaller, or choose qlora, then run again."),
    ),
    (
        r"loss became (?P<value>nan|-?inf) at step (?P<step>\d+)",
        N_("The loss stopped being a number at step {step}: the training ran off."),
        N_("Run again with a smaller learning rate; with float16, bfloat16 or float32 helps too."),
    ),
    (
        r"the warm-up is shorter than two steps|end should be larger than begin",
        N_("The training is too short for its warm-up, and would hardly move the weights."),
        N_("Run again with 0 as warm-up ratio, or with more epochs."),
    ),
    (
        r"deepspeed is not installed",
        N_("XTuner's environment has no DeepSpeed."),
        N_("Choose no DeepSpeed, or install it into an environment of your own that configs/app.yaml names."),
    ),
    (
        r"torch\.cpu' has no attribute 'is_bf16_supported'|Torch not compiled with CUDA|No CUDA GPUs are available"
        r"|Found no NVIDIA driver|only available when device is",
        N_("XTuner's environment sees no GPU on this machine."),
        N_("Train on the CPU, or use an environment whose torch is made for this machine's GPUs and driver."),
    ),
    (
        r"EADDRINUSE|[Aa]ddress already in use",
        N_("The port where the processes meet is taken by another program."),
        N_("Press Resume; with several machines, choose another port as rendezvous."),
    ),
    (
        r"Timed out waiting for clients|client socket has (timed out|failed)|DistNetworkError|RendezvousTimeoutError"
        r"|RendezvousConnectionError",
        N_("The machines did not find each other."),
        N_(
            "Start the other machines soon after this one; see that the rendezvous can be reached and its port is free."
        ),
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
        r"does not appear to have a file named|is not a local folder|Can't load (the configuration|tokenizer)"
        r"|Should have a `model_type` key in its config.json|Error no file named model",
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
    """Return step, total, loss and time left of a training line; total and time stand nowhere else."""
    match = _TRAIN_LINE.search(line)
    if match is None:
        return read_program_line(line)
    loss = _LOSS.search(match["rest"])
    return StepReport(
        step=int(match["step"]),
        steps=int(match["steps"]),
        loss=_loss(float(loss["loss"])) if loss else None,
        seconds_left=_seconds(_LEFT.search(match["rest"])),
    )


def _seconds(left: re.Match[str] | None) -> float | None:
    if left is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in left.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60.0 + seconds


def read_program_line(line: str) -> StepReport | None:
    """Read a line of our own programs, of which only `build_tiny_model.py` tells a loss."""
    if not line.startswith('{"step"'):
        return None
    told = json.loads(line)
    return StepReport(told["step"], told["steps"], _loss(told["loss"]) if "loss" in told else None)


def _loss(value: float) -> float | None:
    return value if math.isfinite(value) else None


def measurements(work: Path, after: int) -> list[tuple[int, dict[str, float]]]:
    """Return (step, values) above `after`, each step once; a resumed training's values replace the earlier ones."""
    steps: dict[int, dict[str, float]] = {}
    for file in sorted(work.glob("*/vis_data/scalars.json")):  # a folder for each start, named by its time
        for entry in _entries(file, after):
            if entry.get("step", 0) > after:
                steps[entry["step"]] = _measured(entry)
    return sorted(steps.items())


def _measured(entry: dict[str, Any]) -> dict[str, float]:
    values = {ours: entry[theirs] for theirs, ours in MEASURED.items() if _finite(entry.get(theirs))}
    if _finite(entry.get("tokens")) and values.get("step_seconds"):
        values["tokens_per_second"] = entry["tokens"] / values["step_seconds"]
    return values


def _entries(file: Path, after: int) -> list[dict[str, Any]]:
    """Return at least the entries above `after`; of a long file only the end is read where they all lie there."""
    if file.stat().st_size > _TAIL_BYTES:
        end = list(_whole_lines(file, last=_TAIL_BYTES))
        if end and end[0].get("step", 0) <= after:
            return end
    return list(_whole_lines(file))


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _whole_lines(file: Path, last: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file, or of its `last` bytes; it may be written to at this moment."""
    with file.open("rb") as content:
        if last is not None:
            content.seek(-last, os.SEEK_END)
            content.readline()
        text = content.read()
    for line in text[: text.rfind(b"\n") + 1].splitlines():
        if line.startswith(b"{"):
            yield json.loads(line)


def probes(work: Path, after: int) -> list[tuple[int, list[str]]]:
    """Return (step, answers) for every round of probe questions above `after` that was saved."""
    rounds: dict[int, list[str]] = {}
    for file in sorted(work.glob("*/vis_data/eval_outputs_iter_*.txt")):
        match = _PROBE_FILE.search(file.name)
        step = int(match[1]) + 1 if match else 0  # the hook counts from 0 when it names the file
        if step > after:
            outputs = _PROBE.split(file.read_text(encoding="utf-8", errors="replace"))[1:]
            rounds[step] = [_answer(output) for output in outputs]
    return sorted(rounds.items())


def _answer(output: str) -> str:
    return _SPECIAL.sub("", output.rpartition(_ASSISTANT)[2]).strip()


def explain(log: str) -> StudioError | None:
    """Return the known trouble that the end of a log tells of, with its remedy."""
    log = log[max(0, log.find("Traceback (most recent call last)")) :]  # what stands before is only warnings
    return recognised(log, _TROUBLES)
