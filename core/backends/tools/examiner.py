"""What examines language models with published benchmarks and sets of one's own, seen from the stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from core.domain.evaluation import Answer
    from core.domain.examination import Examination
    from core.domain.run import Command
    from core.errors import StudioError


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an examination is."""

    answered: Mapping[str, int]
    """Dataset -> replies there are; one nobody has begun is left out."""
    right: int
    """Replies so far that begin with the right letter: a first look, the examiner's own judgement comes at the end."""
    lettered: int
    """Replies to questions whose answer is a letter."""
    judged: frozenset[str]
    """Datasets with a score."""


class Examiner(Protocol):
    """Turns an examination into files and a command, and its outputs into records."""

    def versions(self) -> dict[str, str]:
        """Return the versions of what decides the figures; ToolFailedError when the program cannot start."""
        ...

    def prepare(self, work: Examination) -> Path:
        """Write the configuration and what it needs, and return its file."""
        ...

    def command(self, work: Examination) -> Command:
        """Return what examines; finished replies of an earlier attempt in the same folder are used again."""
        ...

    def standing(self, work: Examination) -> Standing:
        """Look at how far it is."""
        ...

    def unscored(self, work: Examination) -> Sequence[str]:
        """Return the datasets that have no score after the end; the program's exit code says nothing."""
        ...

    def answers(self, work: Examination) -> Iterator[Answer]:
        """Yield every question with its judgement, dataset by dataset."""
        ...

    def summary(self, work: Examination) -> bytes:
        """Return the newest summary table; ToolFailedError when none was written."""
        ...

    def explain(self, log_end: str) -> StudioError | None:
        """Return the trouble that the end of the log tells of, if it is a known one."""
        ...
