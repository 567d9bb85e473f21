"""Character cards, as chat front ends exchange them: read, written, and turned into personas and back.

Nothing in a card is lost: what a persona has no place for travels in `rest`, unknown fields included, and is written
again. What a card has no place for lies in its `extensions` under our name. Source: "Character Card V2: Specification"
(malfoyslastname/character-card-spec-v2, spec_v2.md) and "Character Card V3 Specification"
(kwaroran/character-card-spec-v3, SPEC_V3.md).
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.domain.identity import fingerprint
from core.domain.persona import Persona
from core.errors import InvalidInputError
from core.translation import N_

EXTENSION = "chat-daiyu"
VISITOR = "尊客"
"""Stands for the card's `{{user}}` where a persona has no placeholder."""

_VISIBLE = {"name": "name", "system_prompt": "system_prompt", "first_mes": "greeting"}
"""Field of a card -> field of a persona; an editor may have changed them, so they go before our extension's."""
_TEXTS = (
    "description",
    "personality",
    "scenario",
    "mes_example",
    "creator_notes",
    "post_history_instructions",
    "creator",
    "character_version",
)
_LISTS = ("alternate_greetings", "tags")
_MAX_DEPTH = 64
_HALVES = re.compile("[\ud800-\udfff]")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL as JSON writes it; a backslash of the text itself is written twice."""
_DECORATOR = re.compile(r"^@@.*\n?", re.MULTILINE)
_BACKFILLED = "This is a version 3 card, read as version 2. Use a program that knows version 3 to see all of it."


class CardSpec(StrEnum):
    """Which specification a card follows."""

    V1 = ""
    V2 = "chara_card_v2"
    V3 = "chara_card_v3"


_VERSIONS = {CardSpec.V2: "2.0", CardSpec.V3: "3.0"}


@dataclass(frozen=True, slots=True)
class Card:
    """A character card, taken apart."""

    spec: CardSpec
    persona: Mapping[str, Any]
    """The fields of a `Persona` that the card holds; of a stranger's card name, prompt and greeting only."""
    rest: Mapping[str, Any]
    """The card without them, as it was."""


class _Ours(BaseModel):
    """What a persona has and no card has a field for."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(default="", max_length=100, pattern=r"^[\w-]*$")
    book: str = Field(default="", max_length=1000)
    aliases: tuple[str, ...] = Field(default=(), max_length=1000)
    cast: dict[str, tuple[str, ...]] = Field(default_factory=dict, max_length=10_000)
    facts: dict[str, str] = Field(default_factory=dict, max_length=10_000)
    voice: dict[str, float | str] = Field(default_factory=dict, max_length=100)


def read_card(content: object) -> Card:
    """Return the card a JSON value holds, of version 1, 2 or 3 or newer; InvalidInputError names what is wrong."""
    if not isinstance(content, dict) or _too_deep(content):
        raise _unfit("it is no object, or one nested without end")
    if not _storable(content):
        raise _unfit("it holds half a character or a NUL")
    spec = _spec(content)
    data = content if spec is CardSpec.V1 else content.get("data")
    if not isinstance(data, dict):
        raise _unfit("its data is missing")
    _check(data)
    rest: dict[str, Any] = copy.deepcopy(content)
    kept = rest if spec is CardSpec.V1 else rest["data"]
    visible = {ours: kept.pop(theirs) for theirs, ours in _VISIBLE.items() if theirs in kept}
    return Card(spec, {**_take_ours(kept), **visible}, rest)


def write_card(card: Card, spec: CardSpec | None = None) -> dict[str, Any]:
    """Return the card as JSON, of its own version or another; a card that was read comes out as it went in.

    Fields that the version demands and nobody has filled are empty. Version 1 is written as version 2.
    """
    spec = spec or card.spec
    spec = CardSpec.V2 if spec is CardSpec.V1 else spec
    rest = copy.deepcopy(dict(card.rest))
    outer = {} if card.spec is CardSpec.V1 else {key: value for key, value in rest.items() if key != "data"}
    data = rest if card.spec is CardSpec.V1 else rest.get("data", {})
    same = spec is card.spec
    if not same:
        outer = {key: value for key, value in outer.items() if key not in ("spec", "spec_version")}
    outer = {"spec": spec.value, "spec_version": _VERSIONS[spec], **outer}
    for theirs, ours in _VISIBLE.items():
        data[theirs] = card.persona.get(ours, "")
    for name in _TEXTS:
        data.setdefault(name, "")
    for name in (*_LISTS, *(("group_only_greetings",) if spec is CardSpec.V3 else ())):
        data.setdefault(name, [])
    data["extensions"] = {**data.get("extensions", {}), **_put_ours(card, data.get("extensions", {}))}
    if spec is CardSpec.V3 and not same:
        for entry in data.get("character_book", {}).get("entries", []):
            entry.setdefault("use_regex", False)
    return {**outer, "data": data}


def backfilled(card: Card) -> dict[str, Any]:
    """Return a version 2 card for programs that do not know version 3, which says so and has no decorators."""
    content = write_card(card, CardSpec.V2)
    data = content["data"]
    data["creator_notes"] = f"{_BACKFILLED}\n\n{data['creator_notes']}".strip()
    for entry in data.get("character_book", {}).get("entries", []):
        entry["content"] = _DECORATOR.sub("", entry["content"])
    return content


def card_of(persona: Persona, spec: CardSpec = CardSpec.V3, *, examples: str = "") -> Card:
    """Return a new card for a persona; her drawing stays behind, for a card is shown by strangers' programs."""
    ours = {
        "id": persona.id,
        "name": persona.name,
        "book": persona.book,
        "system_prompt": persona.system_prompt,
        "greeting": persona.greeting,
        "aliases": list(persona.aliases),
        "cast": {name: list(aliases) for name, aliases in persona.cast.items()},
        "facts": dict(persona.facts),
        "voice": dict(persona.voice),
    }
    known_as = f"，又称{'、'.join(persona.aliases)}" if persona.aliases else ""
    data: dict[str, Any] = {
        "description": f"《{persona.book}》中的{persona.name}{known_as}。",
        "mes_example": examples,
        "tags": [persona.book] if persona.book else [],
    }
    return Card(spec, ours, {"data": data})


def persona_of(card: Card) -> Persona:
    """Return the persona of a card; placeholders are filled in, a missing prompt is put together from descriptions.

    The id of a stranger's card follows from its name.
    """
    data = card.rest if card.spec is CardSpec.V1 else card.rest.get("data", {})
    ours = card.persona
    name = str(ours.get("name", ""))
    called = str(data.get("nickname") or name)
    told = (str(ours.get("system_prompt", "")).replace("{{original}}", ""), *(data.get(one, "") for one in _TEXTS[:3]))
    prompt = told[0].strip() or "\n\n".join(part.strip() for part in told[1:] if part.strip())
    return Persona(
        id=ours.get("id") or f"card-{fingerprint(name)[:10]}",
        name=name,
        book=ours.get("book", ""),
        system_prompt=_filled(prompt, called),
        greeting=_filled(str(ours.get("greeting", "")).strip(), called),
        aliases=tuple(ours.get("aliases", ())),
        cast={one: tuple(aliases) for one, aliases in ours.get("cast", {}).items()},
        facts=dict(ours.get("facts", {})),
        voice=dict(ours.get("voice", {})),
    )


def with_persona(card: Card, persona: Persona) -> Card:
    """Return the card with what has changed of its persona, and all else as it was, placeholders included."""
    before, after = card_of(persona_of(card)).persona, card_of(persona).persona
    changed = {name: value for name, value in after.items() if value != before[name]}
    return Card(card.spec, {**card.persona, **changed}, card.rest)


def _spec(content: Mapping[str, Any]) -> CardSpec:
    spec = content.get("spec")
    if isinstance(spec, str) and spec.startswith("chara_card_v"):
        return CardSpec.V2 if spec == CardSpec.V2 else CardSpec.V3  # a newer one should be read as far as it goes
    if isinstance(content.get("name"), str) and isinstance(content.get("first_mes"), str):
        return CardSpec.V1
    raise _unfit("it names no specification")


def _check(data: Mapping[str, Any]) -> None:
    name = data.get("name")
    if not isinstance(name, str) or not name.strip():
        raise _unfit("name is missing")
    for field in (*_VISIBLE, *_TEXTS, "nickname"):
        if not isinstance(data.get(field, ""), str):
            raise _unfit(f"{field} is no text")
    for field in _LISTS:
        value = data.get(field, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise _unfit(f"{field} is no list of texts")
    if not isinstance(data.get("extensions", {}), dict):
        raise _unfit("extensions is no object")
    _check_book(data.get("character_book", {}))


def _check_book(book: object) -> None:
    entries = book.get("entries", []) if isinstance(book, dict) else None
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("content"), str) for entry in entries
    ):
        raise _unfit("character_book is no book with entries")


def _take_ours(data: dict[str, Any]) -> dict[str, Any]:
    """Take our fields out of a card's extensions; what a newer version of us added stays there."""
    extension = data.get("extensions", {}).get(EXTENSION)
    if not isinstance(extension, dict):
        return {}
    try:
        known = _Ours.model_validate(extension).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        raise _unfit(f"extensions.{EXTENSION}: {error.errors()[0]['msg']}") from None
    for name in known:
        del extension[name]
    if known and not extension:
        del data["extensions"][EXTENSION]
    return known


def _put_ours(card: Card, extensions: Mapping[str, Any]) -> dict[str, Any]:
    ours = {name: card.persona[name] for name in _Ours.model_fields if name in card.persona}
    return {EXTENSION: {**extensions.get(EXTENSION, {}), **ours}} if ours else {}


def _filled(text: str, name: str) -> str:
    text = re.sub(r"\{\{char\}\}|<char>|<bot>", lambda _: name, text, flags=re.IGNORECASE)
    return re.sub(r"\{\{user\}\}|<user>", VISITOR, text, flags=re.IGNORECASE)


def _storable(content: object) -> bool:
    written = json.dumps(content, ensure_ascii=False)
    return _HALVES.search(written) is None and _NUL.search(written) is None


def _too_deep(content: object) -> bool:
    level = [content]
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _unfit(problem: str) -> InvalidInputError:
    return InvalidInputError(
        N_("This is no character card that can be read: {problem}."),
        remedy=N_("Export it again from the program it was made with, as version 2 or 3."),
        problem=problem,
    )
