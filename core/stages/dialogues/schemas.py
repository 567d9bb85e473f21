"""The schemas a language model is shown, read from `configs/extraction/<name>.yaml`."""

from __future__ import annotations

from core.backends.extraction import Example, Field, Schema
from core.domain.section import Section
from core.settings import stage_defaults


class _Column(Section):
    name: str
    description: str


class _Example(Section):
    text: str
    rows: tuple[dict[str, str], ...]


class _SchemaFile(Section):
    id: str
    description: str
    fields: tuple[_Column, ...]
    examples: tuple[_Example, ...]


def schema(name: str) -> Schema:
    """Return the schema of that name; SettingsError when its file is not right."""
    file = stage_defaults("extraction", _SchemaFile, preset=name)
    return Schema(
        id=file.id,
        description=file.description,
        fields=tuple(Field(one.name, one.description) for one in file.fields),
        examples=tuple(Example(one.text, one.rows) for one in file.examples),
    )
