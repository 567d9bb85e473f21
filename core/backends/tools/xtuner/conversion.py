"""InternLM2 to Llama: the programs that convert a checkpoint and compare both forms, in XTuner's environment.

XTuner's environment because its transformers writes tokenizers that every later one reads, and because XTuner's wheel
carries InternLM2's own modelling code, which the comparison takes as the original.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from core.backends.tools import BaseComparison, StepReport
from core.backends.tools.xtuner import PROGRAMS, environment
from core.backends.tools.xtuner.log import read_program_line
from core.domain.run import Command

COMPARISON = "comparison.json"

TOLERANCE = 1e-3
"""Largest difference of the logits, relative to the largest logit, at which both forms count as the same.

Both are computed in float32: the order of additions leaves some 1e-6, a row in a wrong place 1e-2 and more; what lies
below is less than the number format of the weights (bfloat16, 4e-3) tells apart.
"""


@dataclass(frozen=True)
class InternLM2Conversion:
    """Converts in the environment of the given interpreter."""

    python: Path

    def convert(self, source: Path, target: Path, folder: Path) -> Command:
        """Write the Llama form; `target` appears when it is whole."""
        return self._program(folder, "convert_internlm2.py", str(source), str(target))

    def compare(self, source: Path, target: Path, folder: Path) -> Command:
        """Compare both forms, layer by layer."""
        return self._program(folder, "compare_internlm2.py", str(source), str(target), COMPARISON)

    def comparison(self, folder: Path) -> BaseComparison:
        """Read what was found and judge it."""
        found = json.loads((folder / COMPARISON).read_text(encoding="utf-8"))
        difference, scale, unequal = found["logits_difference"], found["logits_scale"], tuple(found["unequal_texts"])
        equal = difference <= TOLERANCE * scale and not unequal
        return BaseComparison(equal, difference, scale, found["texts"], unequal)

    def read_line(self, line: str) -> StepReport | None:
        """See `log.read_program_line`."""
        return read_program_line(line)

    def _program(self, folder: Path, program: str, *arguments: str) -> Command:
        return Command((str(self.python), str(PROGRAMS / program), *arguments), folder, environment(folder))
