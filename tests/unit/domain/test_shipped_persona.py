"""The persona and the sample corpus we ship are whole, and our own words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.domain.persona_file import read_persona
from core.domain.text import SourceKind
from core.stages.corpus.run import read_source
from core.stages.corpus.settings import UploadedText
from core.stages.dialogues.extractors import extractor_for

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
DAIYU = CONFIGS / "personas" / "daiyu.yaml"
SAMPLES = CONFIGS / "samples"
RUN = 12
"""Characters in a row that are no chance any more."""


def test_the_persona_is_complete():
    persona = read_persona(DAIYU)

    assert (persona.id, persona.name, persona.book) == ("daiyu", "林黛玉", "红楼梦")
    assert len(persona.cast) >= 40
    assert len(persona.facts) >= 10
    assert persona.portrait.startswith("<svg")
    assert "<script" not in persona.portrait


def test_no_alias_belongs_to_two_people():
    table = read_persona(DAIYU).alias_table()

    names = [name for canonical, aliases in table.items() for name in (canonical, *aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "kind", "chapters", "lines", "hers"),
    [
        ("scenes.txt", SourceKind.NOVEL, 4, 90, 40),
        ("screenplay.txt", SourceKind.SCREENPLAY, 1, 25, 12),
        ("quotes.txt", SourceKind.QUOTES, 0, 12, 12),
    ],
)
def test_the_samples_are_recognised_and_full_of_her_lines(name, kind, chapters, lines, hers):
    persona = read_persona(DAIYU)
    data = (SAMPLES / name).read_bytes()
    source, passages = read_source(data, UploadedText(sha256="0" * 64, name=name), source_id="src", persona_id="daiyu")

    found = list(extractor_for(source.kind).extract(passages, persona.alias_table()))

    assert (source.kind, source.chapters) == (kind, chapters)
    assert len(found) >= lines
    assert sum(line.speaker == persona.name for line in found) >= hers


@pytest.mark.parametrize("file", [DAIYU, *sorted(SAMPLES.glob("*.txt"))], ids=lambda file: file.name)
def test_not_a_sentence_is_the_novels(novel, file):
    ours, theirs = (re.sub(r"\W+", "", one.read_text(encoding="utf-8")) for one in (file, novel))

    runs = {theirs[at : at + RUN] for at in range(len(theirs) - RUN + 1)}
    assert not [ours[at : at + RUN] for at in range(len(ours) - RUN + 1) if ours[at : at + RUN] in runs]
