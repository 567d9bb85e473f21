"""Questions whose answers are known, questions that take something false for true, and attempts at her role. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Final

from pydantic import Field, ValidationError, model_validator

from core.domain.normalising import folded
from core.domain.section import Section
from core.errors import InvalidInputError
from core.settings import CONFIGS
from core.translation import N_

PROBES: Final = CONFIGS / "evaluation" / "probes"
"""`<persona's id>.jsonl` for each persona that has some."""
_CLAUSE: Final = re.compile(r"[^，。！？；,.!?;\n]*[，。！？；,.!?;\n]?")
_DENIED: Final = re.compile(r"不|非|没|未|何|什么|哪|莫|休|岂|胡|浑|[？?]$")
"""In a clause that has one of these a word is named, not owned to."""


class ProbeKind(StrEnum):
    """What a probe tries."""

    FACT = "facts"
    NEGATIVE = "negatives"
    """It takes for true what is not; she should not go along."""
    ROLE = "role"
    """It tries to make her leave her role."""


class Probe(Section):
    """A question and what a right answer has in it."""

    kind: ProbeKind = Field(description="facts, negatives or role.")
    question: str = Field(min_length=1, max_length=2000, description="What is said to her.")
    accept: tuple[str, ...] = Field(default=(), description="One of these stands in a right answer; empty for any.")
    refuse: tuple[str, ...] = Field(default=(), description="None of these does, unless it is denied.")

    @model_validator(mode="after")
    def _decides(self) -> Probe:
        if not (self.accept or self.refuse):
            raise ValueError("a probe says what it accepts or what it refuses")
        return self


def probes_of(persona_id: str) -> list[Probe]:
    """Return the probes of a persona; none where nobody wrote any, InvalidInputError naming a line that is wrong."""
    file = PROBES / f"{PurePath(persona_id).name}.jsonl"
    return read_probes(file) if file.is_file() else []


def read_probes(file: Path) -> list[Probe]:
    """Read probes, a JSON object a line; InvalidInputError naming the line that is wrong."""
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(Probe.model_validate(json.loads(line)))
        except (ValueError, ValidationError) as error:
            raise InvalidInputError(
                N_("Line {line} of {name} is no probe: {problem}"),
                remedy=N_("Write kind, question, accept and refuse, as in the lines that came with the program."),
                line=number,
                name=file.name,
                problem=" ".join(str(error).split())[:200],
            ) from None
    return found


def verdict(probe: Probe, reply: str) -> tuple[bool, str]:
    """Return whether a reply is right, and what decided it: a word that stands in it, or none."""
    text = folded(reply).casefold()
    if not text.strip():
        return False, ""
    owned = next((word for word in _lowered(probe.refuse) if _owned_to(word, text)), None)
    if owned is not None:
        return False, owned
    if not probe.accept:
        return True, ""
    named = next((word for word in _lowered(probe.accept) if word in text), None)
    return named is not None, named or ""


def _owned_to(word: str, text: str) -> bool:
    return any(word in clause and not _DENIED.search(clause.replace(word, "")) for clause in _CLAUSE.findall(text))


def _lowered(words: Iterable[str]) -> list[str]:
    return [folded(word).casefold() for word in words]
