"""InternLM2's own modelling code as XTuner's wheel carries it, without the package around it, which does not import."""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

_MODELINGS = Path(find_spec("xtuner").origin).parent / "_lite" / "modelings"
sys.path.append(str(_MODELINGS))  # last, so that it hides nothing

from internlm2.configuration_internlm2 import InternLM2Config  # noqa: E402
from internlm2.modeling_internlm2 import InternLM2DecoderLayer, InternLM2ForCausalLM, InternLM2RMSNorm  # noqa: E402

__all__ = ["InternLM2Config", "InternLM2DecoderLayer", "InternLM2ForCausalLM", "InternLM2RMSNorm"]
