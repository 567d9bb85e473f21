"""Reads what GPT-SoVITS says: progress and losses of the two stages, and the troubles people meet."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from core.backends.tools import VoiceReport, VoiceStep
from core.backends.tools.troubles import DISK_FULL, Trouble, recognised
from core.errors import StudioError
from core.translation import N_

LOSSES = ("loss_disc", "loss_gen", "loss_fm", "loss_mel", "loss_kl_ssl", "loss_kl")
"""What the SoVITS stage tells, in its order; of an adapter it tells only the last step's `loss`."""

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_EPOCH = re.compile(r"Train Epoch: (?P<epoch>\d+) \[(?P<percent>\d+)%\]")
_VALUES = re.compile(r"(?P<list>\[[^\[\]]+\])\s*$")
_GPT = re.compile(r"Epoch (?P<epoch>\d+)(?:/\d+)?\b.*?(?<!\d)(?P<batch>\d+)/(?P<batches>\d+)\b")
_GPT_VALUE = re.compile(r"\b(?P<name>total_loss|lr|top_3_acc)(?:_step)?[:=]\s*(?P<value>[\d.]+(?:e[+-]?\d+)?)")

_TROUBLES: tuple[Trouble, ...] = (
    DISK_FULL,
    (
        r"out of memory|OutOfMemoryError|Cannot allocate memory|can't allocate memory|std::bad_alloc",
        N_("There was not enough memory for this step."),
        N_("Halve the batch size of the stage, or choose v2, then run again."),
    ),
    (
        r"G2PWModel|g2pW\.onnx|Downloading g2pw",
        N_("The model of Chinese readings, G2PW, is not in the checkout."),
        N_("Put its folder at GPT_SoVITS/text/G2PWModel, as the checkout's README says, then press Resume."),
    ),
    (
        r"lid\.176\.bin",
        N_("The model that tells languages apart, lid.176.bin, is not in the checkout."),
        N_("Put it at GPT_SoVITS/pretrained_models/fast_langdetect, then ask again."),
    ),
    (
        r"No module named '(?P<module>(?:text|utils|tools|feature_extractor|module|AR)\b[\w.]*)'",
        N_("GPT-SoVITS does not find its own module {module}."),
        N_("The checkout is not whole: restore it with git, then press Resume."),
    ),
    (
        r"No module named '(?P<module>[\w.]+)'",
        N_("The environment of GPT-SoVITS lacks the module {module}."),
        N_("Install it there, e.g. with pip install -r requirements.txt, then press Resume."),
    ),
    (
        r"no file named (?P<file>\S+?),?\s.*found in directory (?P<folder>\S+[^.\s])",
        N_("The pretrained file {file} is not in {folder}."),
        N_("The check of the checkout says which files are missing and where to get them."),
    ),
    (
        r"FileNotFoundError: (?:\[Errno 2\] No such file or directory: )?'?(?P<file>[^'\n]*pretrained_models[^'\n]*)",
        N_("The pretrained file {file} is not there."),
        N_("The check of the checkout says which files are missing and where to get them."),
    ),
    (
        r"Resource (?P<name>\S*(?:cmudict|averaged_perceptron_tagger)\S*) not found",
        N_("English words need NLTK's {name}, which the environment of GPT-SoVITS lacks."),
        N_("In that environment run: python -m nltk.downloader cmudict averaged_perceptron_tagger_eng"),
    ),
    (
        r"Weights only load failed",
        N_("A checkpoint was refused by torch's safe loading."),
        N_("Press Resume; a checkpoint of the run itself is then trusted."),
    ),
    (
        r"ZeroDivisionError|assert len\(.*\) > 1|num_samples should be a positive",
        N_("No clip was left to train on."),
        N_("Clips need words that fit their length: 3 to 25 sounds a second, 0.6 to 54 seconds. Look at the clip set."),
    ),
    (
        r"No such file or directory: 'ffmpeg'|ffmpeg: (?:command )?not found",
        N_("GPT-SoVITS needs the program ffmpeg, which is not there."),
        N_("Install ffmpeg, e.g. with the system's package manager or with conda."),
    ),
    (
        r"CUDA error|NCCL error|no kernel image is available",
        N_("The GPU refused the work."),
        N_("Check that the torch of GPT-SoVITS's environment fits the GPU and its driver; float32 may help."),
    ),
    (
        r"error while attempting to bind on address",
        N_("The port of the server is taken."),
        N_("Choose another port, or stop what listens there."),
    ),
)


def read_line(step: VoiceStep, line: str, *, epochs: int) -> VoiceReport | None:
    """Return what a line says of a stage of so many epochs; the other steps are told by their files."""
    line = _ANSI.sub("", line)
    if step is VoiceStep.SOVITS:
        return _read_sovits(line, epochs)
    return _read_gpt(line, epochs) if step is VoiceStep.GPT else None


def measurements(train_log: Path, after: int) -> list[tuple[int, dict[str, float]]]:
    """Return (step, losses) above `after`; a resumed training's values replace the earlier ones."""
    if not train_log.exists():
        return []
    steps = {}
    for line in train_log.read_text(encoding="utf-8", errors="replace").splitlines():
        report = _read_values(line)
        if report is not None and report.step is not None and report.step > after:
            steps[report.step] = dict(report.values)
    return sorted(steps.items())


def explain(log: str) -> StudioError | None:
    """Return the known trouble that the end of a log tells of, with its remedy."""
    log = _ANSI.sub("", log)
    return recognised(log, _TROUBLES)


def _read_sovits(line: str, epochs: int) -> VoiceReport | None:
    match = _EPOCH.search(line)
    if match is None:
        return _read_values(line)
    epoch = int(match["epoch"])
    return VoiceReport(fraction=(epoch - 1 + int(match["percent"]) / 100) / epochs, epoch=epoch)


def _read_values(line: str) -> VoiceReport | None:
    """Read the line after that of the epoch: the losses, the step, the learning rate."""
    match = _VALUES.search(line)
    if match is None:
        return None
    try:
        told = json.loads(match["list"].replace("nan", "NaN").replace("inf", "Infinity"))
    except ValueError:
        return None
    *losses, step, rate = told if len(told) in (len(LOSSES) + 2, 3) else (None, None)
    if not isinstance(step, int) or not isinstance(rate, float):
        return None
    named = zip(LOSSES if len(losses) > 1 else ("loss",), losses, strict=True)
    values = {name: value for name, value in (*named, ("learning_rate", rate)) if math.isfinite(value)}
    return VoiceReport(step=step, values=values)


def _read_gpt(line: str, epochs: int) -> VoiceReport | None:
    match = _GPT.search(line)
    if match is None or not int(match["batches"]):
        return None
    epoch, batch, batches = int(match["epoch"]), int(match["batch"]), int(match["batches"])
    return VoiceReport(
        fraction=min(1.0, (epoch + batch / batches) / epochs),
        epoch=epoch + 1,  # Lightning counts from 0
        step=epoch * batches + batch,
        values=dict(_named(line)),
    )


def _named(line: str) -> Iterator[tuple[str, float]]:
    names = {"total_loss": "loss", "lr": "learning_rate", "top_3_acc": "top_3_accuracy"}
    yield from ((names[one["name"]], float(one["value"])) for one in _GPT_VALUE.finditer(line))
