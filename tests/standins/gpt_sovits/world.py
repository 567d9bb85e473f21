"""A little training on the stand-in, and its programs started as the app starts them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.backends.tools import VoiceStep
from core.backends.tools.gpt_sovits import GptSovits
from core.backends.tools.gpt_sovits.checkout import pretrained_gpt, pretrained_sovits
from core.domain.checkout import Checkout
from core.domain.run import Command
from core.domain.voice_training import (
    GptStage,
    SovitsStage,
    TrainedVoice,
    TrainingClip,
    VoiceRecipe,
    VoiceServing,
    VoiceTraining,
    VoiceVersion,
)
from core.jobs.door import Process
from tests.contract.doubles import tone
from tests.standins.gpt_sovits.layout import StandIn

LINE = "你来了外头冷快坐下罢"
SHORT_STAGES = {"sovits": SovitsStage(epochs=2, save_every=1), "gpt": GptStage(epochs=2, save_every=1)}


@dataclass(frozen=True)
class Ended:
    """How a program ended and what it said."""

    returncode: int
    said: str


def trainer_on(stand_in: StandIn) -> GptSovits:
    """Return the real adapter on the stand-in's checkout."""
    return GptSovits(Checkout(stand_in.checkout, stand_in.python))


def training(folder: Path, *, clips: int = 3, gpus: tuple[str, ...] = (), **recipe: Any) -> VoiceTraining:
    """Return a training of a few clips in that folder."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = VoiceRecipe(
        **{"version": "v2", "device": "gpu" if gpus else "cpu", "precision": "float32", **SHORT_STAGES, **recipe}
    )
    made = tuple(clip(folder, f"clip{number}.wav", hertz=200 + 20 * number) for number in range(clips))
    return VoiceTraining(folder=folder, clips=made, recipe=wanted, gpus=gpus)


def clip(folder: Path, name: str, *, seconds: float = 3.2, hertz: float = 220, text: str = LINE) -> TrainingClip:
    """Write a clip's wav and return the clip."""
    wav = folder / name
    wav.write_bytes(tone(seconds, 16_000, hertz).wav)
    return TrainingClip(wav=wav, speaker="daiyu", language="zh", text=text)


def done(trainer: GptSovits, work: VoiceTraining, step: VoiceStep, part: int = 0) -> Ended:
    """Do a part of a step to its end."""
    return ended(trainer.start(work, step, part), work.folder / f"{step}-{part}")


def through(trainer: GptSovits, work: VoiceTraining, until: VoiceStep) -> None:
    """Prepare, and do all steps of preparation before that one; or take them from another test that did the same."""
    trainer.prepare(work)
    steps = trainer.steps(work.recipe)
    steps = steps[: min(steps.index(until), len(steps) - 2)]
    shelf = Path(_shelf().name) / "-".join([work.recipe.version, str(len(work.clips)), *steps])
    if not shelf.exists():
        for step in steps:
            for part in range(trainer.parts(work, step)):
                done(trainer, work, step, part)
            trainer.confirm(work, step)
        shutil.copytree(work.folder / "features", shelf)
    shutil.copytree(shelf, work.folder / "features", dirs_exist_ok=True)


@cache
def _shelf() -> tempfile.TemporaryDirectory[str]:
    """Return where prepared trainings wait for the next test; it goes with the process."""
    return tempfile.TemporaryDirectory(prefix="prepared-voices-")


def ended(command: Command, folder: Path) -> Ended:
    """Run a program through the door to its end."""
    program, log = started(command, folder)
    return Ended(code_of(program), log.read_text(encoding="utf-8", errors="replace"))


def started(command: Command, folder: Path) -> tuple[Process, Path]:
    """Start a program through the door; return it and its log."""
    program, log = Process(folder), folder / "output.log"
    folder.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    program.start(command, log=log)
    return program, log


def code_of(program: Process) -> int:
    """Return the exit code of a program that has ended."""
    until(lambda: not program.alive())
    result = program.result()
    assert result is not None
    return result.returncode


def pid_of(program_folder: Path) -> int:
    """Return the process id of a program that was started in that folder."""
    content = json.loads((program_folder / "process.json").read_text(encoding="utf-8"))
    return int(content["pid"])


def until(condition: Any, *, seconds: float = 30) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def reference_in(folder: Path, *, seconds: float = 4.0) -> Path:
    """Write a reference clip."""
    file = folder / f"reference-{seconds:g}.wav"
    file.write_bytes(tone(seconds, 16_000).wav)
    return file


def pretrained_voice(stand_in: StandIn, folder: Path, version: VoiceVersion = "v2", **more: Any) -> TrainedVoice:
    """Return a voice of the pretrained weights with a reference of its own."""
    told = {"reference": reference_in(folder), "reference_text": "好", **more}
    gpt, sovits = stand_in.checkout / pretrained_gpt(version), stand_in.checkout / pretrained_sovits(version)
    return TrainedVoice(**{"version": version, "gpt": gpt, "sovits": sovits, **told})


@contextmanager
def serving(
    trainer: GptSovits,
    folder: Path,
    version: VoiceVersion = "v2",
    *,
    gpt: Path | None = None,
    sovits: Path | None = None,
    port: int | None = None,
) -> Iterator[str]:
    """Serve a version and yield the address, once it listens."""
    port = port or free_port()
    wanted = VoiceServing(
        folder=folder, version=version, gpt=gpt, sovits=sovits, device="cpu", precision="float32", port=port
    )
    program, log = started(trainer.serve(wanted), folder / "program")
    try:
        until(lambda: "Uvicorn running" in log.read_text(encoding="utf-8") or not program.alive())
        assert program.alive(), log.read_text(encoding="utf-8")
        yield f"http://127.0.0.1:{port}"
    finally:
        end_hard(folder / "program")
        until(lambda: not program.alive())


def end_hard(program_folder: Path) -> None:
    """End a program and its group at once."""
    with suppress(ProcessLookupError):
        os.killpg(pid_of(program_folder), signal.SIGKILL)
