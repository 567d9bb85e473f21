"""The table of extractors."""

from __future__ import annotations

import pytest

from core.domain.text import SourceKind
from core.errors import SettingsError
from core.stages.dialogues.extractors import EXTRACTORS, extractor, extractor_for


@pytest.mark.parametrize("kind", list(SourceKind))
def test_every_kind_of_source_has_its_extractor(kind):
    assert extractor_for(kind).suits is kind


def test_each_row_goes_by_its_name_and_says_what_it_does():
    assert all(extractor(name) is row and row.name == name and row.summary for name, row in EXTRACTORS.items())


def test_an_unknown_extractor_is_refused_naming_the_known_ones():
    with pytest.raises(SettingsError, match="rules, screenplay, quotes"):
        extractor("oracle")
