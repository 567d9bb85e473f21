"""Ends a training whose loss is no number any more; copied beside a generated configuration, which names it."""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import math
from typing import Any

from mmengine.hooks import Hook
from mmengine.optim.scheduler import LinearParamScheduler


class StopOnInvalidLoss(Hook):
    """Raises before the step's checkpoint is written, so that the last one stays usable."""

    priority = "VERY_HIGH"

    def before_train(self, runner: Any) -> None:
        """Refuse a warm-up of one step: its rate would stay where it begins, at next to nothing, to the end."""
        for schedule in runner.param_schedulers:
            if isinstance(schedule, LinearParamScheduler) and schedule.end - schedule.begin < 2:
                raise ValueError("the warm-up is shorter than two steps")

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Look at every step's loss; a sum of infinities is not finite either."""
        loss = float((outputs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise FloatingPointError(f"loss became {loss} at step {runner.iter + 1}")
