"""Character cards as files: JSON of version 2 or 3, or a PNG that carries both in its `chara` and `ccv3` texts.

A card is a persona with a few conversations for example; it is not the dataset. Source: as in
`core/domain/character_card.py`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from core.domain.character_card import Card, CardSpec, backfilled, card_of, persona_of, read_card, write_card
from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample, Split, TurnRole
from core.errors import InvalidInputError
from core.stages.dataset.formats import png
from core.stages.dataset.formats.intake import Intake, RawTurn
from core.stages.dataset.formats.parts import json_bytes
from core.stages.dataset.formats.records import NOT_DATA, decoded
from core.stages.dataset.formats.report import Place
from core.stages.dataset.formats.rows import Carried, Files, Format, Imported, Origins
from core.translation import N_

MAX_BYTES = 16 << 20
"""Of a card's JSON; books of lore reach a few megabytes."""
_EXAMPLES = 12
_EXAMPLE_CHARACTERS = 400
_PAPER = (247, 241, 227)
_SAYS = re.compile(r"^(?:(\{\{user\}\}|<user>)|(\{\{char\}\}|<bot>|<char>))[:：]\s?", re.IGNORECASE)


def write_v2(version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins) -> Files:
    """Return the card as JSON."""
    return {"card.json": json_bytes(write_card(_card(samples, persona), CardSpec.V2))}


def write_v3(version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins) -> Files:
    """Return the card as JSON."""
    return {"card.json": json_bytes(write_card(_card(samples, persona)))}


def write_png(version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins) -> Files:
    """Return a plain sheet of paper that carries the card."""
    return {"card.png": embedded(png.plain(400, 600, _PAPER), _card(samples, persona))}


def embedded(picture: bytes, card: Card) -> bytes:
    """Return a PNG that carries the card as version 3, and as version 2 for programs that know no other."""
    return png.with_texts(picture, {"chara": _packed(backfilled(card)), "ccv3": _packed(write_card(card, CardSpec.V3))})


def card_in(data: bytes, name: str) -> Card:
    """Return the card of a JSON or PNG file; the newer one where a picture has two. InvalidInputError without one."""
    if data.startswith(png.MAGIC):
        found = png.texts(data)
        packed = found.get("ccv3", found.get("chara"))
        if packed is None:
            raise InvalidInputError(
                N_("{name} is a picture without a character card in it."),
                remedy=N_("Choose the original PNG; a screenshot or a converted picture has lost the card."),
                name=name,
            )
        data = _unpacked(packed, name)
    if len(data) > MAX_BYTES:
        raise _unreadable(name, f"it is longer than {MAX_BYTES >> 20} MB")
    try:
        content = json.loads(decoded(data, name), parse_constant=_no_number)
    except RecursionError:
        raise _unreadable(name, "it is nested too deeply") from None
    except ValueError as error:
        raise _unreadable(name, str(error)) from None
    return read_card(content)


def read(files: Files) -> Imported:
    """Return the persona of the first card, and its example conversations as samples."""
    names = [name for name in sorted(files) if name.rpartition("/")[2] not in NOT_DATA]
    chosen = next((name for name in names if name.casefold().endswith((".png", ".json"))), None)
    if chosen is None:
        raise _unreadable(", ".join(names), "there is neither a JSON file nor a PNG")
    intake = Intake()
    card = card_in(files[chosen], chosen)
    for place, turns in _examples(str(_data(card).get("mes_example", "")), chosen):
        intake.add(turns, place)
    if not card.persona.get("system_prompt", "").strip():
        intake.note(N_("the card has no system prompt; it was put together from description and personality"))
    kept = [field for field in ("character_book", "alternate_greetings", "assets") if _data(card).get(field)]
    if kept:
        intake.note(N_("a persona has no place for {fields}; they stay in the card"), fields=", ".join(kept))
    return replace(intake.imported(name=chosen, persona=persona_of(card)), card=card)


def short_ones(samples: Sequence[Sample]) -> list[Sample]:
    """Return a few short conversations from all over the training side."""
    short = [one for one in samples if one.split is Split.TRAIN and _length(one) <= _EXAMPLE_CHARACTERS]
    return short[:: max(1, len(short) // _EXAMPLES)][:_EXAMPLES]


def _card(samples: Sequence[Sample], persona: Persona) -> Card:
    return card_of(persona, examples=_as_examples(samples))


def _as_examples(samples: Sequence[Sample]) -> str:
    return "\n".join(f"<START>\n{_as_example(one)}" for one in short_ones(samples))


def _as_example(sample: Sample) -> str:
    names = {TurnRole.COUNTERPART: "{{user}}", TurnRole.PERSONA: "{{char}}"}
    return "\n".join(f"{names[turn.role]}: {turn.text}" for turn in sample.turns)


def _length(sample: Sample) -> int:
    return sum(len(turn.text) for turn in sample.turns)


def _examples(text: str, name: str) -> Iterator[tuple[Place, list[RawTurn]]]:
    """Yield the conversations of `mes_example`, with the line of it they begin on."""
    begin, turns = 1, list[RawTurn]()
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        said = _SAYS.match(line)
        if line.strip().casefold() == "<start>":
            if turns:
                yield Place(name, begin), turns
            begin, turns = number, []
        elif said:
            turns.append(RawTurn(TurnRole.COUNTERPART if said[1] else TurnRole.PERSONA, line[said.end() :]))
        elif turns:
            turns[-1] = RawTurn(turns[-1].role, f"{turns[-1].text}\n{line}")
    if turns:
        yield Place(name, begin), turns


def _data(card: Card) -> dict[str, Any]:
    return dict(card.rest if card.spec is CardSpec.V1 else card.rest.get("data", {}))


def _packed(content: dict[str, Any]) -> bytes:
    return base64.b64encode(json.dumps(content, ensure_ascii=False).encode())


def _unpacked(packed: bytes, name: str) -> bytes:
    try:
        return base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise _unreadable(name, "the text in the picture is not base64") from None


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _unreadable(name: str, problem: str) -> InvalidInputError:
    return InvalidInputError(
        N_("{name} holds no character card that can be read: {problem}."),
        remedy=N_("Export it again from the program it was made with, as version 2 or 3."),
        name=name,
        problem=problem,
    )


_Write = Callable[[DatasetVersion, Sequence[Sample], Persona, Origins], Files]


def _row(name: str, title: str, extension: str, write: _Write) -> Format:
    return Format(
        name=name,
        title=title,
        extension=extension,
        write=write,
        read=read,
        carries=frozenset({Carried.PERSONA, Carried.SYSTEM}),
        loses=N_("All conversations but a dozen short ones, given as examples; the persona's drawing."),
        choose=short_ones,
    )


ROWS = (
    _row("card-v2", N_("Character card, version 2 (JSON)"), "json", write_v2),
    _row("card-v3", N_("Character card, version 3 (JSON)"), "json", write_v3),
    _row("card-png", N_("Character card (PNG, versions 2 and 3)"), "png", write_png),
)
