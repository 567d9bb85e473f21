"""The table of extractors: rows that turn passages into the same records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.domain.text import Passage, SourceKind, Utterance
from core.errors import SettingsError
from core.stages.dialogues import kor, placing, quote_lines, rules, screenplay
from core.translation import N_

Extract = Callable[[Sequence[Passage], Mapping[str, Iterable[str]]], Iterator[Utterance]]


@dataclass(frozen=True, slots=True)
class Extractor:
    """One way to find utterances."""

    name: str
    summary: str
    suits: SourceKind | None
    """The kind of source it is chosen for when none is named; None for one that must be asked for."""
    extract: Extract
    """Passages and cast (canonical name -> aliases, the persona first) to utterances in reading order."""
    job: str = "dialogues"
    """The kind of run that does it."""


EXTRACTORS: dict[str, Extractor] = {
    row.name: row
    for row in (
        Extractor(
            rules.NAME,
            N_("Rules: reads the narration around every quotation; offline, a novel in a second."),
            SourceKind.NOVEL,
            rules.extract,
        ),
        Extractor(
            screenplay.NAME,
            N_("Screenplay: lines that begin with a role's name and a colon."),
            SourceKind.SCREENPLAY,
            screenplay.extract,
        ),
        Extractor(
            quote_lines.NAME,
            N_("Quotes: every line is the persona's own."),
            SourceKind.QUOTES,
            quote_lines.extract,
        ),
        Extractor(
            placing.NAME,
            N_("Language model: asked through Kor, every line found again in the book; costs time and perhaps money."),
            None,
            kor.extract,
            job="kor",
        ),
    )
}


def extractor(name: str) -> Extractor:
    """Return the row of that name; SettingsError for an unknown one."""
    if name not in EXTRACTORS:
        raise SettingsError(
            N_("There is no extractor called {name}."),
            remedy=N_("Choose one of: {known}."),
            name=name,
            known=", ".join(EXTRACTORS),
        )
    return EXTRACTORS[name]


def extractor_for(kind: SourceKind) -> Extractor:
    """Return the extractor that suits a kind of source."""
    return next(row for row in EXTRACTORS.values() if row.suits is kind)
