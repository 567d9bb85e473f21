"""Other people's programs, each in an environment of its own; a backend translates and runs nothing itself.

What they are to the stages stands in `fine_tuner.py`, `voice_trainer.py` and `examiner.py`; here are the tables of
who can be it.
"""

from __future__ import annotations

from pathlib import Path

from core.backends.rows import Row
from core.backends.tools.examiner import Examiner, Standing
from core.backends.tools.fine_tuner import (
    BOOK,
    CONVERSATIONS,
    BaseComparison,
    BaseConverter,
    Checkpoint,
    FineTuner,
    ReaderSource,
    SampleReader,
    StepReport,
    Token,
)
from core.backends.tools.voice_trainer import (
    StepOutcome,
    VoiceReport,
    VoiceStep,
    VoiceTrainer,
    VoiceWeights,
)
from core.domain.checkout import Checkout
from core.translation import N_

__all__ = [
    "BASE_CONVERTERS",
    "BOOK",
    "CONVERSATIONS",
    "EXAMINERS",
    "FINE_TUNERS",
    "SAMPLE_READERS",
    "VOICE_TRAINERS",
    "BaseComparison",
    "BaseConverter",
    "Checkpoint",
    "Examiner",
    "FineTuner",
    "ReaderSource",
    "SampleReader",
    "Standing",
    "StepOutcome",
    "StepReport",
    "Token",
    "VoiceReport",
    "VoiceStep",
    "VoiceTrainer",
    "VoiceWeights",
]


def _xtuner(python: Path) -> FineTuner:
    from core.backends.tools.xtuner import XTuner

    return XTuner(python)


FINE_TUNERS: dict[str, Row[Path, FineTuner]] = {
    "xtuner": Row("xtuner", N_("XTuner 0.2: full, LoRA and QLoRA, on a CPU or on GPUs."), _xtuner),
}
"""Name, also of the tool's environment -> how to get it, given that environment's interpreter."""


def _internlm2(python: Path) -> BaseConverter:
    from core.backends.tools.xtuner.conversion import InternLM2Conversion

    return InternLM2Conversion(python)


BASE_CONVERTERS: dict[str, Row[Path, BaseConverter]] = {
    "internlm2": Row(
        "internlm2", N_("InternLM2 and InternLM2.5, compared with the code in XTuner's wheel."), _internlm2
    ),
}
"""`model_type` of a checkpoint -> how to convert it, given the interpreter of XTuner's environment."""


def _xtuner_reader(source: ReaderSource) -> SampleReader:
    from core.backends.tools.xtuner.encoding import reader

    return reader(source)


SAMPLE_READERS: dict[str, Row[ReaderSource, SampleReader]] = {
    "xtuner": Row(
        "xtuner",
        N_("What XTuner trains on, token by token."),
        _xtuner_reader,
        modules=("transformers", "tokenizers", "torch"),
    ),
}
"""Name of the trainer -> how its samples are read here, without its environment."""


def _gpt_sovits(checkout: Checkout) -> VoiceTrainer:
    from core.backends.tools.gpt_sovits import GptSovits

    return GptSovits(checkout)


VOICE_TRAINERS: dict[str, Row[Checkout, VoiceTrainer]] = {
    "gpt-sovits": Row("gpt-sovits", N_("GPT-SoVITS v2 to v4, from a checkout of your own."), _gpt_sovits),
}
"""Name -> how to get it, given where its checkout and its interpreter are."""


def _opencompass(python: Path) -> Examiner:
    from core.backends.tools.opencompass import OpenCompass

    return OpenCompass(python)


EXAMINERS: dict[str, Row[Path, Examiner]] = {
    "opencompass": Row("opencompass", N_("OpenCompass 0.5: C-Eval, CMMLU and sets of one's own."), _opencompass),
}
"""Name, also of the tool's environment -> how to get it, given that environment's interpreter."""
