"""Gathers what the check before a voice training looks at."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain.checkout import CheckoutReport
from core.domain.voice_training import VoiceTraining
from core.errors import StudioError
from core.stages.voice_training.dividing import divided
from core.stages.voice_training.preflight import VoicePreflight, preflight
from core.stages.voice_training.run import training_clips

if TYPE_CHECKING:
    from core.backends.tools import VoiceTrainer
    from core.domain.voice import SetClip
    from core.stages.voice_training.settings import VoiceTrainingSettings
    from core.store import Store


def check(
    settings: VoiceTrainingSettings,
    clip_set_id: str,
    *,
    store: Store,
    trainer: Callable[[], VoiceTrainer],
    gpus: int,
    written: int = 0,
) -> VoicePreflight:
    """Return what stands in the way of a training on that set; looking at the tool takes some seconds.

    `written` are the bytes the run has on the disk already.
    """
    clips = store.clip_sets.clips(clip_set_id)
    needed = 0
    try:
        driver = trainer()
        tool: CheckoutReport | StudioError = driver.examine()
        needed = driver.bytes_needed(_work(settings, divided(clips, held_out=settings.held_out).trained))
    except StudioError as refusal:
        tool = refusal
    return preflight(
        settings,
        clips,
        tool,
        disk_needed=max(0, needed - written),
        disk_free=shutil.disk_usage(store.workspace).free,
        gpus=gpus,
    )


def _work(settings: VoiceTrainingSettings, clips: tuple[SetClip, ...]) -> VoiceTraining:
    """Return the training as it would be, on GPUs that nobody holds yet."""
    recipe = settings.recipe()
    gpus = tuple(str(number) for number in range(recipe.gpus)) if recipe.device == "gpu" else ()
    return VoiceTraining(folder=Path(), clips=training_clips(clips, Path()), recipe=recipe, gpus=gpus)
