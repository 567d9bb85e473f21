"""What goes into the search for near-duplicates and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from core.domain.section import Section
from core.translation import N_


class Settings(Section):
    """How alike lines must be; shown as a form."""

    strictness: float = Field(
        default=0.0,
        ge=-0.2,
        le=0.5,
        description="How much more alike than usual lines must be to count as the same (0.1 is 10 percent).",
    )
    contained: int = Field(
        default=8,
        ge=2,
        description="A line that begins or ends another counts as cut off only from this many characters on.",
    )
    contained_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="And only if it is this share of the other; of one twice as long as the least two fifths of it do.",
    )


class Reason(StrEnum):
    """Why two lines are the same, or are not."""

    SAME = "same"
    PUNCTUATION = "punctuation"
    WRAPPED = "wrapped"
    SCRIPT = "script"
    VARIANT = "variant"
    LOOKALIKE = "lookalike"
    TRUNCATED = "truncated"
    MERGED = "merged"
    EDITION = "edition"
    MEANING = "meaning"
    NEIGHBOURS = "neighbours"
    DIFFERENT = "different"

    @property
    def label(self) -> str:
        """The reason in words, to be translated."""
        return _LABELS[self]


_LABELS = {
    Reason.SAME: N_("the same words"),
    Reason.PUNCTUATION: N_("punctuation only"),
    Reason.WRAPPED: N_("wrapped"),
    Reason.SCRIPT: N_("traditional/simplified"),
    Reason.VARIANT: N_("variant words"),
    Reason.LOOKALIKE: N_("OCR slip"),
    Reason.TRUNCATED: N_("truncated"),
    Reason.MERGED: N_("merged with another line"),
    Reason.EDITION: N_("another wording"),
    Reason.MEANING: N_("a small change of meaning"),
    Reason.NEIGHBOURS: N_("the same beginning or end, otherwise other words"),
    Reason.DIFFERENT: N_("other words"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether two lines say the same."""

    duplicate: bool
    similarity: float
    """0 to 1: the share of both lines' words that is common, in order; higher where one contains the other."""
    needed: float
    """How much lines of this length must share; above 1 where only the same words will do."""
    reason: Reason
    changes: tuple[tuple[str, str], ...] = ()
    """The differing pieces, as each has them; at most three."""

    @property
    def details(self) -> str:
        """The differing pieces as shown beside the reason: `甚 → 什么, 了 → ∅`."""
        return ", ".join(f"{before or '∅'} → {after or '∅'}" for before, after in self.changes)


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be compared."""

    id: str
    text: str
    reviewed: bool = False
    """Whether a curator has accepted it."""
    trust: float = 0.0
    """How clean its source is; the higher is kept where all else is equal."""


@dataclass(frozen=True, slots=True)
class Member:
    """A line of a cluster, compared with the survivor."""

    id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Cluster:
    """Lines that say the same as the first of them, which is proposed to be kept."""

    members: tuple[Member, ...]

    @property
    def survivor(self) -> Member:
        """The line proposed to be kept."""
        return self.members[0]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its lines, the survivor's first."""
        return tuple(member.id for member in self.members)
