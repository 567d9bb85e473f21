"""Reads a persona from its file: `configs/personas/<id>.yaml`."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from core.domain.persona import Persona
from core.domain.section import Section
from core.errors import SettingsError
from core.translation import N_


class PersonaFile(Section):
    """What such a file may hold; unknown keys are refused."""

    name: str = Field(min_length=1, description="Her canonical name, as the book gives it in full.")
    book: str = Field(min_length=1, description="The book she comes from.")
    aliases: tuple[str, ...] = Field(default=(), description="Other names of hers in the book.")
    system_prompt: str = Field(min_length=1, description="Tells a language model who it is to be.")
    greeting: str = Field(min_length=1, description="Her first words to a visitor.")
    facts: dict[str, str] = Field(default_factory=dict, description="Questions about herself and her answers.")
    cast: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="The other people of the book: canonical name, other names."
    )
    portrait: str = Field(
        default="", pattern=r"^([\w-]+\.svg)?$", description="Her drawing, an SVG file beside this one."
    )
    voice: dict[str, float | str] = Field(default_factory=dict, description="Settings of the built-in voice.")


def read_persona(path: Path) -> Persona:
    """Return the persona; its id is the file's name. SettingsError names what is wrong with the file."""
    try:
        content = PersonaFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise _unusable(path, "there is no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _unusable(path, " ".join(str(error).split())) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise _unusable(path, f"{where}: {first['msg']}") from None
    return Persona(
        id=path.stem,
        name=content.name,
        book=content.book,
        system_prompt=content.system_prompt.strip(),
        greeting=content.greeting.strip(),
        aliases=content.aliases,
        cast=content.cast,
        facts=content.facts,
        portrait=_drawing(path.with_name(content.portrait)) if content.portrait else "",
        voice=content.voice,
    )


def _drawing(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise _unusable(path, "the drawing cannot be read") from None


def _unusable(path: Path, problem: str) -> SettingsError:
    return SettingsError(
        N_("The persona file {file} cannot be used: {problem}."),
        remedy=N_("Mend it after the example of configs/personas/daiyu.yaml."),
        file=path.name,
        problem=problem,
    )
