"""Measures what XTuner does not: tokens and memory; copied beside a generated configuration, which names it."""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

from typing import Any

import psutil
import torch
from mmengine.hooks import Hook


class MeasureStep(Hook):
    """Puts the tokens of each step, of all processes together, and the memory in MB among XTuner's own figures."""

    priority = "NORMAL"  # before the hook that writes the figures down

    def __init__(self) -> None:
        self.process = psutil.Process()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: dict[str, Any], outputs: dict[str, Any] | None = None
    ) -> None:
        """Count what is read, padding left out; on a GPU XTuner writes its memory down itself."""
        tokens = int(data_batch["data"]["attention_mask"].sum())
        runner.message_hub.update_scalar("train/tokens", float(tokens * runner.world_size))
        if not torch.cuda.is_available():
            runner.message_hub.update_scalar("train/memory", self.process.memory_info().rss / 2**20)
