"""The two stages that train: SoVITS, the sound of the voice, and GPT, the way of speaking.

Both go on from their last checkpoint by themselves, and do nothing, successfully, where that is the last epoch. Weights
are written after the checkpoint: where a kill came in between, that checkpoint is given up, or its weights would never
be written.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from core.backends.tools import StepOutcome, VoiceStep, VoiceWeights
from core.backends.tools.gpt_sovits.checkout import pretrained_discriminator, pretrained_gpt, pretrained_sovits
from core.backends.tools.gpt_sovits.preparation import (
    FEATURES,
    GPT_WEIGHTS,
    SOVITS_WEIGHTS,
    TEXTS,
    TOKENS,
    environment_of,
    sovits_template,
)
from core.domain.checkout import Checkout
from core.domain.run import Command
from core.domain.voice_training import HEADS, VoiceTraining
from core.errors import MissingArtifactError, StudioError, ToolFailedError
from core.jobs.whole import write_whole
from core.translation import N_

SOVITS_CONFIG, GPT_CONFIG = "s2.json", "s1.yaml"
TRAIN_LOG = f"{FEATURES}/train.log"
_GPT_TEMPLATE = "GPT_SoVITS/configs/s1longer-v2.yaml"
_SAVED_AT = re.compile(r"Saving model and optimizer state at iteration (?P<epoch>\d+) to (?P<file>.+)")
_MEGABYTE = 1_000_000


def sovits_command(checkout: Checkout, work: VoiceTraining) -> Command:
    """Write the settings of the SoVITS stage and return its program."""
    recipe, stage, home = work.recipe, work.recipe.sovits, work.folder / FEATURES
    settings = json.loads(_template(checkout, sovits_template(recipe.version)))
    settings["train"] |= {
        "fp16_run": recipe.precision == "float16",
        "seed": recipe.seed,
        "batch_size": stage.batch_size,
        "epochs": stage.epochs,
        "text_low_lr_rate": stage.text_rate,
        "segment_size": stage.segment_size,
        "pretrained_s2G": str(checkout.folder / pretrained_sovits(recipe.version)),
        "pretrained_s2D": str(checkout.folder / pretrained_discriminator(recipe.version)),
        "if_save_latest": recipe.keep_latest_only,
        "if_save_every_weights": True,
        "save_every_epoch": stage.save_every,
        "gpu_numbers": "-".join(work.gpus),
        "grad_ckpt": stage.spare_memory,
        "lora_rank": stage.lora_rank,
        "log_interval": 1,
    }
    settings["model"]["version"] = settings["version"] = recipe.version
    settings["data"]["exp_dir"] = settings["s2_ckpt_dir"] = str(home)
    settings["save_weight_dir"] = str(work.folder / SOVITS_WEIGHTS)
    settings["name"] = work.name
    file = work.folder / SOVITS_CONFIG
    write_whole(file, json.dumps(settings, indent=2))  # in ASCII: it is read in whatever encoding is the system's
    _sovits_checkpoints(work).mkdir(parents=True, exist_ok=True)
    script = "s2_train_v3_lora.py" if recipe.makes_adapter else "s2_train.py"
    argv = (str(checkout.python), "-s", f"GPT_SoVITS/{script}", "--config", str(file))
    return Command(argv, checkout.folder, _environment(checkout, work))


def gpt_command(checkout: Checkout, work: VoiceTraining) -> Command:
    """Write the settings of the GPT stage and return its program; only a terminal is shown its progress."""
    recipe, stage, home = work.recipe, work.recipe.gpt, work.folder / FEATURES
    settings = yaml.safe_load(_template(checkout, _GPT_TEMPLATE))
    settings["train"] |= {
        "precision": "16-mixed" if recipe.precision == "float16" else "32",
        "seed": recipe.seed,
        "batch_size": stage.batch_size,
        "epochs": stage.epochs,
        "save_every_n_epoch": stage.save_every,
        "if_save_every_weights": True,
        "if_save_latest": recipe.keep_latest_only,
        "if_dpo": stage.dpo,
        "half_weights_save_dir": str(work.folder / GPT_WEIGHTS),
        "exp_name": work.name,
    }
    settings["pretrained_s1"] = str(checkout.folder / pretrained_gpt(recipe.version))
    settings["train_semantic_path"] = str(home / TOKENS)
    settings["train_phoneme_path"] = str(home / TEXTS)
    settings["output_dir"] = str(_gpt_home(work))
    file = work.folder / GPT_CONFIG
    write_whole(file, yaml.safe_dump(settings))
    environment = {**_environment(checkout, work), "hz": "25hz", "_CUDA_VISIBLE_DEVICES": ",".join(work.gpus)}
    if any((_gpt_home(work) / "ckpt").glob("*.ckpt")):
        # the checkpoint holds the optimizer's pickles; it is our own, written by this run
        environment["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
    argv = (str(checkout.python), "-s", "GPT_SoVITS/s1_train.py", "--config_file", str(file))
    return Command(argv, checkout.folder, environment, pty=True)


def clear(work: VoiceTraining, step: VoiceStep) -> None:
    """Remove checkpoints and weights that broke off, and checkpoints whose weights were never written."""
    folder, places = (SOVITS_WEIGHTS, _sovits_checkpoints(work))
    if step is VoiceStep.GPT:
        folder, places = (GPT_WEIGHTS, _gpt_home(work) / "ckpt")
    for file in [*(work.folder / folder).glob("*"), *places.glob("*.pth"), *places.glob("*.ckpt")]:
        if not zipfile.is_zipfile(file):
            file.unlink()
    saved = {weights.epoch for weights in found(work, step)}
    epochs = _gpt_epochs(places) if step is VoiceStep.GPT else _sovits_epochs(work, places)
    for file, epoch in epochs:
        if epoch not in saved:
            file.unlink()


def found(work: VoiceTraining, step: VoiceStep) -> list[VoiceWeights]:
    """Return a stage's whole weights, by epoch."""
    name, folder = re.escape(work.name), SOVITS_WEIGHTS
    pattern, head = rf"{name}_e(\d+)_s\d+(_l\d+)?\.pth", HEADS[work.recipe.version]
    if step is VoiceStep.GPT:
        pattern, folder, head = rf"{name}-e(\d+)\.ckpt", GPT_WEIGHTS, b"PK"
    weights = {}
    for file in sorted((work.folder / folder).glob("*"), key=lambda one: one.stat().st_mtime):
        match = re.fullmatch(pattern, file.name)
        if match and _head(file) == head and zipfile.is_zipfile(file):
            weights[int(match[1])] = VoiceWeights(step, file, int(match[1]))
    return [weights[epoch] for epoch in sorted(weights)]


def confirm(work: VoiceTraining, step: VoiceStep) -> StepOutcome:
    """Return how many weights were saved; ToolFailedError unless all that were asked for are there and whole."""
    stage = work.recipe.gpt if step is VoiceStep.GPT else work.recipe.sovits
    wanted = range(stage.save_every, stage.epochs + 1, stage.save_every)
    saved = {weights.epoch for weights in found(work, step)}
    if step is VoiceStep.SOVITS:
        saved &= _told_of_success(work)
    missing = [epoch for epoch in wanted if epoch not in saved]
    if missing:
        raise _unsaved(work, step, missing[0], stage.epochs)
    return StepOutcome(len(wanted))


def bytes_needed(work: VoiceTraining) -> int:
    """Return about what features, checkpoints and weights take."""
    recipe = work.recipe
    saves = {
        "sovits": recipe.sovits.epochs // recipe.sovits.save_every,
        "gpt": recipe.gpt.epochs // recipe.gpt.save_every,
    }
    kept = {stage: 2 if recipe.keep_latest_only else count for stage, count in saves.items()}
    weights = saves["sovits"] * 110 + saves["gpt"] * 160
    checkpoints = kept["sovits"] * 1_200 + kept["gpt"] * 900
    return (weights + checkpoints + 2 * len(work.clips)) * _MEGABYTE


def _environment(checkout: Checkout, work: VoiceTraining) -> dict[str, str]:
    return {
        **environment_of(checkout, work.recipe.version),
        "exp_name": work.name,
        "opt_dir": str(work.folder / FEATURES),
        "is_half": str(work.recipe.precision == "float16"),
    }


def _template(checkout: Checkout, place: str) -> str:
    file = checkout.folder / place
    if not file.is_file():
        raise MissingArtifactError(
            N_("The checkout of GPT-SoVITS has no {place}."),
            remedy=N_("Restore the file with git, or fetch the checkout again."),
            place=place,
        )
    return file.read_text(encoding="utf-8")


def _sovits_checkpoints(work: VoiceTraining) -> Path:
    adapter = f"_lora_{work.recipe.sovits.lora_rank}" if work.recipe.makes_adapter else ""
    return work.folder / FEATURES / f"logs_s2_{work.recipe.version}{adapter}"


def _gpt_home(work: VoiceTraining) -> Path:
    return work.folder / FEATURES / f"logs_s1_{work.recipe.version}"


def _sovits_epochs(work: VoiceTraining, places: Path) -> Iterator[tuple[Path, int]]:
    """Yield each checkpoint with the epoch it was last saved at, as the trainer's own log tells."""
    told = {}
    for line in _train_log(work):
        match = _SAVED_AT.search(line)
        if match:
            told[Path(match["file"].strip()).name] = int(match["epoch"])
    yield from ((places / name, epoch) for name, epoch in told.items() if (places / name).exists())


def _gpt_epochs(places: Path) -> Iterator[tuple[Path, int]]:
    for file in places.glob("*.ckpt"):
        match = re.match(r"epoch=(\d+)-step=\d+", file.name)
        if match:
            yield file, int(match[1]) + 1  # Lightning counts from 0


def _told_of_success(work: VoiceTraining) -> set[int]:
    said = re.compile(rf"saving ckpt {re.escape(work.name)}_e(\d+):Success\.")
    return {int(match[1]) for line in _train_log(work) if (match := said.search(line))}


def _train_log(work: VoiceTraining) -> list[str]:
    file = work.folder / TRAIN_LOG
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []


def _head(file: Path) -> bytes:
    with file.open("rb") as content:
        return content.read(2)


def _unsaved(work: VoiceTraining, step: VoiceStep, epoch: int, epochs: int) -> StudioError:
    failed = f"saving ckpt {work.name}_e{epoch}:Traceback"
    if step is VoiceStep.SOVITS and any(failed in line for line in _train_log(work)):
        return ToolFailedError(
            N_("GPT-SoVITS could not write its weights of epoch {epoch}, and said nothing of it."),
            remedy=N_("Look for the trace in the log; make room on the disk, then press Resume."),
            epoch=epoch,
        )
    return ToolFailedError(
        N_("The training ended before epoch {epoch} of {epochs} had been saved, without saying why."),
        remedy=N_("It was probably stopped from outside. Press Resume: it goes on from its last checkpoint."),
        epoch=epoch,
        epochs=epochs,
    )
