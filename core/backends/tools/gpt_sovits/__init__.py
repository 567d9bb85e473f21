"""GPT-SoVITS v2 to v4 as a trainer of voices, driven as its own web page drives it; contract of commit 48b1a01.

Its quirks end here. It ends with code 0 whatever happens, so files and counts decide. Its working folder is the
checkout, where it leaves nothing but a checksum of its own dictionary (`text/g2pw/polyphonic.md5`, rewritten at the
first Chinese words): lists, features, checkpoints and weights lie in the run's folder. Its programs leave children
behind when they alone are ended; they must be ended as a group.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from core.backends.tools import StepOutcome, VoiceReport, VoiceStep, VoiceWeights
from core.backends.tools.gpt_sovits import checkout as looking
from core.backends.tools.gpt_sovits import log, preparation, serving, speakers, training
from core.domain.checkout import Checkout, CheckoutReport
from core.domain.run import Command
from core.domain.voice_training import VoiceRecipe, VoiceServing, VoiceTraining
from core.errors import StudioError, ToolFailedError
from core.translation import N_

_TRAINS = (VoiceStep.SOVITS, VoiceStep.GPT)
_LEFTOVER = re.compile(r"(?P<time>\d{9,10}\.\d+)\.pth")
_MOST_NAMED = 5


@dataclass(frozen=True)
class GptSovits:
    """GPT-SoVITS in the given checkout, with the given interpreter."""

    checkout: Checkout

    def examine(self) -> CheckoutReport:
        """See `checkout.examine`."""
        return looking.examine(self.checkout)

    def versions(self) -> dict[str, str]:
        """See `checkout.versions`."""
        return looking.versions(self.checkout)

    def prepare(self, work: VoiceTraining) -> StepOutcome:
        """See `preparation.write_list`."""
        return preparation.write_list(work)

    def steps(self, recipe: VoiceRecipe) -> tuple[VoiceStep, ...]:
        """Return all of them, without the speaker vectors where the model hears none."""
        return tuple(step for step in VoiceStep if recipe.is_pro or step is not VoiceStep.SPEAKER)

    def parts(self, work: VoiceTraining, step: VoiceStep) -> int:
        """Return 1 for a stage that trains, whose processes it starts itself; else one for each GPU."""
        return 1 if step in _TRAINS else preparation.parts(work)

    def start(self, work: VoiceTraining, step: VoiceStep, part: int = 0) -> Command:
        """Clear away what broke off and return the program."""
        if step not in _TRAINS:
            preparation.clear(work, step, part)
            return preparation.command(self.checkout, work, step, part)
        training.clear(work, step)
        if step is VoiceStep.GPT:
            return training.gpt_command(self.checkout, work)
        return training.sovits_command(self.checkout, work)

    def fraction(self, work: VoiceTraining, step: VoiceStep) -> float | None:
        """See `preparation.fraction`; the stages tell theirs in their output."""
        return None if step in _TRAINS else preparation.fraction(work, step)

    def read_line(self, work: VoiceTraining, step: VoiceStep, line: str) -> VoiceReport | None:
        """See `log.read_line`; the texts are told by the names of their clips."""
        if step is VoiceStep.TEXT:
            share = preparation.share_named(work, line)
            return VoiceReport(fraction=share) if share is not None else None
        stage = work.recipe.gpt if step is VoiceStep.GPT else work.recipe.sovits
        return log.read_line(step, line, epochs=stage.epochs)

    def measurements(self, work: VoiceTraining, after: int = -1) -> list[tuple[int, dict[str, float]]]:
        """See `log.measurements`."""
        return log.measurements(work.folder / training.TRAIN_LOG, after)

    def confirm(self, work: VoiceTraining, step: VoiceStep, log_end: str = "") -> StepOutcome:
        """Count; too much that is lost is explained by the log where it can be."""
        if step in _TRAINS:
            return training.confirm(work, step)
        outcome = preparation.outcome(work, step)
        listed = outcome.done + len(outcome.lost)
        if not outcome.done or len(outcome.lost) > work.recipe.may_lose * listed:
            raise log.explain(log_end) or ToolFailedError(
                N_("The step {step} came out for {done} of {listed} clips; lost are {lost}."),
                remedy=N_("Look for the traces in the log, mend or reject these clips, then run again."),
                step=step.value,
                done=outcome.done,
                listed=listed,
                lost=", ".join(outcome.lost[:_MOST_NAMED]),
            )
        return outcome

    def weights(self, work: VoiceTraining) -> list[VoiceWeights]:
        """See `training.found`."""
        return [weights for step in _TRAINS for weights in training.found(work, step)]

    def bytes_needed(self, work: VoiceTraining) -> int:
        """See `training.bytes_needed`."""
        return training.bytes_needed(work)

    def sweep(self, since: float) -> list[str]:
        """Remove what a kill left before it was moved to its place; nothing that is being written."""
        left = {
            file.name: file
            for file in self.checkout.folder.glob("*.pth")
            if (match := _LEFTOVER.fullmatch(file.name)) and float(match["time"]) >= since
        }
        for name in left.keys() - _open_names():
            left[name].unlink(missing_ok=True)
        return sorted(name for name, file in left.items() if not file.exists())

    def serve(self, wanted: VoiceServing) -> Command:
        """See `serving.command`."""
        return serving.command(self.checkout, wanted)

    def hear_speakers(
        self, folder: Path, sounds: Mapping[str, Path], *, precision: Literal["float32", "float16"], gpu: str = ""
    ) -> Command | None:
        """See `speakers.command`."""
        return speakers.command(self.checkout, folder, sounds, precision=precision, gpu=gpu)

    def speaker_prints(self, folder: Path) -> dict[str, tuple[float, ...]]:
        """See `speakers.prints`."""
        return speakers.prints(folder)

    def explain(self, log_end: str) -> StudioError | None:
        """See `log.explain`."""
        return log.explain(log_end)


def _open_names() -> set[str]:
    """Return the names of the files that programs hold open; another training may be saving right now."""
    names = set()
    for program in psutil.process_iter():
        try:
            names |= {os.path.basename(file.path) for file in program.open_files()}  # noqa: PTH119 - a path of theirs
        except psutil.Error:
            continue
    return names
