"""Keeps the weights of trainings under names of their content: nobody's can be overwritten by somebody else's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.backends.tools import VoiceStep
from core.domain.voice_training import KeptWeights
from core.store.files import sha256_of

if TYPE_CHECKING:
    from core.backends.tools import VoiceWeights

FOLDER = "weights"
"""In the workspace."""
_STAGES: dict[VoiceStep, Literal["sovits", "gpt"]] = {VoiceStep.SOVITS: "sovits", VoiceStep.GPT: "gpt"}


def keep(weights: VoiceWeights, workspace: Path) -> KeptWeights:
    """Put a file of weights among those kept, whole or not at all; again changes nothing. The run keeps its own."""
    sha256 = sha256_of(weights.file)
    place = Path(FOLDER) / f"{sha256}{weights.file.suffix}"
    put(weights.file, workspace / place)
    return KeptWeights(_STAGES[weights.stage], weights.epoch, sha256, weights.file.stat().st_size, str(place))


def put(source: Path, target: Path) -> None:
    """Link or copy a finished file to its place, whole or not at all; one that is there already stays."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    draft.unlink(missing_ok=True)
    try:
        os.link(source, draft)
    except OSError:  # another disk, or one that knows no links
        shutil.copyfile(source, draft)
    draft.replace(target)
