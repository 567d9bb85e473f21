"""A regression gate: what a scorecard must reach, alone and beside an older one; for scripts that decide by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import Field, model_validator

from core.domain.evaluation import Paired, Scorecard
from core.domain.section import Section
from core.errors import InvalidInputError
from core.settings import validated
from core.stages.evaluation.intervals import paired_difference
from core.stages.evaluation.tables import values_of
from core.translation import N_


class Rule(Section):
    """What one score must reach."""

    dataset: str = Field(min_length=1, description="As the scorecard names it: ceval, about-daiyu, style …")
    minimum: float | None = Field(default=None, description="Least score, in per cent.")
    maximum: float | None = Field(default=None, description="Highest score, where less is better: overlap, nats.")
    most_worse: float | None = Field(
        default=None, ge=0, description="Points it may be worse than the older scorecard; noise is forgiven."
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Rule:
        if self.minimum is None and self.maximum is None and self.most_worse is None:
            raise ValueError("a rule has a minimum or a maximum, or says how much worse it may be")
        return self


class Gate(Section):
    """All rules; every one must hold."""

    rules: tuple[Rule, ...] = Field(min_length=1, description="What must hold.")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule holds, and why."""

    dataset: str
    holds: bool
    told: str
    """In English, for a log."""


def read_gate(file: Path) -> Gate:
    """Read the rules of a file; SettingsError naming the key that is wrong, InvalidInputError where it is no YAML."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise InvalidInputError(
            N_("{file} cannot be read: {problem}"),
            remedy=N_("Give a YAML file with rules, such as configs/evaluation/gate.yaml."),
            file=file.name,
            problem=" ".join(str(error).split()),
        ) from None
    return validated(Gate, content or {}, file)


def judge(
    gate: Gate, card: Scorecard, older: Scorecard | None = None, pairs: Mapping[str, Paired] | None = None
) -> list[Verdict]:
    """Return a verdict on each rule.

    A score that is missing does not hold. `pairs` are the questions both cards answered: where they are known, a score
    is worse only if that is more than noise. A rule that compares holds where there is no older card.
    """
    now, before = values_of(card), values_of(older) if older else {}
    return [_verdict(rule, now, before, (pairs or {}).get(rule.dataset)) for rule in gate.rules]


def _verdict(rule: Rule, now: Mapping[str, float], before: Mapping[str, float], pair: Paired | None) -> Verdict:
    value = now.get(rule.dataset)
    if value is None:
        return Verdict(rule.dataset, False, "there is no score")
    if rule.minimum is not None and value < rule.minimum:
        return Verdict(rule.dataset, False, f"{value:.2f} is below {rule.minimum:g}")
    if rule.maximum is not None and value > rule.maximum:
        return Verdict(rule.dataset, False, f"{value:.2f} is above {rule.maximum:g}")
    old = before.get(rule.dataset)
    if rule.most_worse is not None and old is not None and old - value > rule.most_worse:
        told = f"{value:.2f} after {old:.2f} is worse by more than {rule.most_worse:g}"
        span = paired_difference([pair]) if pair else None
        if span is None or span.certain:
            return Verdict(rule.dataset, False, told)
        return Verdict(rule.dataset, True, f"{told}, which may be noise ({span.low:+.1f} to {span.high:+.1f})")
    return Verdict(rule.dataset, True, f"{value:.2f}")
