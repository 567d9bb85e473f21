"""XTuner's model class, made to run where there is no GPU; copied beside a generated configuration, which names it."""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

from typing import Any

from xtuner.model import SupervisedFinetune


class SupervisedOnCpu(SupervisedFinetune):
    """XTuner's class without two things that a CPU takes ill."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for layer in self.llm.modules():
            if hasattr(layer, "support_avx512bf16_for_cpu"):
                # bitsandbytes repacks 4-bit layers for inference at the first sample answer on such CPUs, and never
                # back: from then on no gradient passes through them and QLoRA silently trains on wrong ones
                layer.support_avx512bf16_for_cpu = False

    @staticmethod
    def _prepare_for_flash_attn(cfg: Any, llm_cfg: Any) -> Any:
        """Leave out the question for bf16 support, which `torch.cpu` cannot answer."""
        return cfg
