"""What asking will come to, before anything is sent: calls, tokens, cost, minutes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from pydantic import Field

from core.backends.extraction import ExtractionModel
from core.domain.section import Section
from core.stages.dialogues.asking import Question
from core.stages.dialogues.settings import AskingSettings
from core.store.calls import Rate

_TOKENS_A_HAN_CHARACTER = 1.0
"""Assumed of a model nobody has asked yet; the tokenizers of today need 0.6 to 1.3."""
_TOKENS_A_CHARACTER = 0.3
"""Of everything else."""
_SECONDS_A_CALL = 1.5
_TOKENS_A_SECOND = 40
"""Assumed of a model nobody has asked yet."""
_MESSAGE = 4
"""Tokens a message costs besides its words."""
_HAN = re.compile("[\u3000-\u9fff\uff00-\uffef]")
_MILLION = 1_000_000


class Price(Section):
    """What a model costs, a million tokens."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)


class Prices(Section):
    """`configs/extraction/prices.yaml`."""

    currency: str = "USD"
    models: dict[str, Price] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will ask and what that will cost."""

    questions: int
    answered: int
    """Of these, how many the ledger can answer: free."""
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """None where the model's price is not known."""
    currency: str
    minutes: float
    measured: bool
    """Whether tokens and time rest on earlier answers of this model; else on assumptions."""
    saved: int | None = None
    """Calls that asking only about uncertain lines saves; None where everything is asked about."""

    def plain(self) -> dict[str, Any]:
        """Return the estimate as JSON values."""
        return asdict(self)


def estimate(
    questions: Sequence[Question],
    answered: Collection[str],
    *,
    model: ExtractionModel,
    settings: AskingSettings,
    prices: Prices,
    rate: Rate | None,
    whole: int | None = None,
) -> Estimate:
    """Estimate asking all but the `answered` requests; `whole`: calls that asking about everything would take."""
    tokens = _counter(rate.tokens_per_character if rate else _TOKENS_A_HAN_CHARACTER)
    open_questions = [one for one in questions if one.request not in answered]
    prompt = sum(tokens(one.content) + _MESSAGE for asked in open_questions for one in model.messages(asked.text))
    completion = round(sum(one.expects for one in open_questions) * (rate.tokens_per_character if rate else 1.0))
    calls = len(open_questions)
    price = prices.models.get(model.model)
    each = rate.seconds if rate else _SECONDS_A_CALL + completion / max(calls, 1) / _TOKENS_A_SECOND
    return Estimate(
        questions=len(questions),
        answered=len(questions) - calls,
        calls=calls,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=None if price is None else (prompt * price.prompt + completion * price.completion) / _MILLION,
        currency=prices.currency,
        minutes=math.ceil(calls / settings.concurrency) * each / 60,
        measured=rate is not None,
        saved=None if whole is None else max(whole - len(questions), 0),
    )


def _counter(han: float) -> Callable[[str], int]:
    """Return what counts the tokens of a text; the examples come again with every question, so it remembers."""

    @cache
    def tokens(text: str) -> int:
        characters = len(_HAN.findall(text))
        return round(characters * han + (len(text) - characters) * _TOKENS_A_CHARACTER)

    return tokens
