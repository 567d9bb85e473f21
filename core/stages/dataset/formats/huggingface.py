"""A folder as Hugging Face's hub and `datasets.load_dataset` take it: data of each side in `data/`, and a card.

Source: Hugging Face Hub documentation, "Dataset Cards" and "Data files Configuration".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import yaml

from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample, TurnRole
from core.stages.dataset.formats.intake import Intake, Origin, RawTurn
from core.stages.dataset.formats.messages import Keys
from core.stages.dataset.formats.openai import messages_of, talk_in
from core.stages.dataset.formats.parts import jsonl_bytes, learnt, sides, split_of
from core.stages.dataset.formats.records import records
from core.stages.dataset.formats.rows import Carried, Files, Format, Imported, Origins
from core.translation import N_

_KEYS = Keys(role="role", content="content")
_KNOWN = ("messages", "speakers", "utterances", "sample", "source_id", "source", "source_sha256", "chapter")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

_CARD = """\
# {title}

Conversations with {persona} of {book}, cut out of the sources below by scene. Made by chat-daiyu as version
`{version}`; fingerprint `{fingerprint}`.

{note}

| side | file | conversations | turns |
|---|---|---|---|
{sides}

## Fields

- `messages`: the conversation as `role` and `content`. The first message is the system prompt,
  `assistant` is {persona}. Train on every `assistant` message and on nothing else.
  Where {persona} speaks first, the `user` message is empty.
- `speakers`, `utterances`: for each message who speaks, and the ids of the lines it was made of, separated by spaces.
- `sample`, `source_id`, `source`, `source_sha256`, `chapter`: where the conversation comes from. An empty source means
  that it was written for the persona and stands in no text.

## Sources

{sources}

The test side holds whole chapters that the train side has nothing of. Whether the texts may be passed on is for you to
say: put their licence into the head of this file before you publish it.
"""


def write(version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins) -> Files:
    """Return the data of each side and the card."""
    parts = dict(sides(samples, ".jsonl"))
    data = {
        f"data/{name}": jsonl_bytes(_row(sample, version.system_prompt, origins) for sample in part)
        for name, part in parts.items()
    }
    return {**data, "README.md": _card(version, parts, persona, origins).encode()}


def read(files: Files) -> Imported:
    """Return the conversations of all data files."""
    intake = Intake()
    for record in records(files, intake):
        content = record.content
        intake.fields(content, _KNOWN)
        talk = talk_in(record, content.get("messages"), _KEYS, intake)
        if talk is None:
            continue
        chapter, number = content.get("chapter"), content.get("sample")
        origin = Origin(
            ordinal=number if isinstance(number, int) and 0 <= number < 1 << 31 else None,
            source_id=_word(content.get("source_id")),
            chapter=chapter if isinstance(chapter, int) and 0 <= chapter < 1 << 31 else 0,
            split=split_of(record.place.file),
        )
        turns = _with_lines(talk.turns, content.get("speakers"), content.get("utterances"), bool(talk.system))
        intake.add(turns, record.place, system=talk.system, origin=origin)
    return intake.imported(name=", ".join(files))


def _row(sample: Sample, system: str, origins: Origins) -> dict[str, Any]:
    messages = messages_of(sample, system)
    unsaid = len(messages) - len(sample.turns)
    source = origins.sources.get(sample.source_id)
    return {
        "messages": messages,
        "speakers": [""] * unsaid + [turn.speaker for turn in sample.turns],
        "utterances": [""] * unsaid + [" ".join(turn.utterance_ids) for turn in sample.turns],
        "sample": sample.ordinal,
        "source_id": sample.source_id,
        "source": source.name if source else "",
        "source_sha256": source.sha256 if source else "",
        "chapter": sample.chapter,
    }


def _with_lines(turns: Sequence[RawTurn], speakers: Any, lines: Any, system: bool) -> list[RawTurn]:
    """Return the turns with who speaks and which lines; the lists count the system prompt as a message, too."""
    begin = 1 if system else 0
    if not all(isinstance(one, list) and len(one) == len(turns) + begin for one in (speakers, lines)):
        return list(turns)
    return [
        replace(turn, speaker=_word(speaker), utterance_ids=tuple(_word(ids).split()))
        for turn, speaker, ids in zip(turns, speakers[begin:], lines[begin:], strict=True)
    ]


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _card(version: DatasetVersion, parts: dict[str, list[Sample]], persona: Persona, origins: Origins) -> str:
    count = sum(map(len, parts.values()))
    head = {
        "pretty_name": f"{persona.name} {version.name}".strip(),
        "language": ["zh"],
        "license": "unknown",
        "task_categories": ["text-generation"],
        "tags": ["conversational", "role-play", "chat-daiyu"],
        "size_categories": [next((words for limit, words in _SIZES if count < limit), "n>1M")],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": name.partition(".")[0], "path": f"data/{name}"} for name in parts],
            }
        ],
    }
    body = _CARD.format(
        title=_inline(head["pretty_name"]) or "Dataset",
        persona=_inline(persona.name) or "the persona",
        book=_inline(persona.book) or "a book",
        version=_inline(version.name),
        fingerprint=version.fingerprint,
        note=version.note.strip(),
        sides="\n".join(_side(name, part) for name, part in parts.items()),
        sources="\n".join(_sources(parts.values(), origins)) or "None.",
    )
    return f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False)}---\n\n{body}"


def _side(name: str, part: list[Sample]) -> str:
    replies = sum(turn.role is TurnRole.PERSONA for sample in part for turn in sample.turns)
    return f"| {name.partition('.')[0]} | `data/{name}` | {len(part)} | {replies} of the persona |"


def _sources(parts: Iterable[list[Sample]], origins: Origins) -> list[str]:
    used = {sample.source_id for part in parts for sample in part}
    known = [origins.sources[one] for one in sorted(used) if one in origins.sources]
    return [f"- {_inline(source.name)} (`{source.id}`), sha256 `{source.sha256}`" for source in known]


def _inline(words: object) -> str:
    """Return the words for one line of Markdown."""
    return " ".join(str(words).split()).replace("|", "\\|").replace("`", "'")


ROW = Format(
    name="huggingface",
    title=N_("Hugging Face folder (JSONL and a dataset card)"),
    extension="jsonl",
    write=write,
    read=read,
    carries=frozenset({Carried.TURNS, Carried.SYSTEM, Carried.SPLIT, Carried.SPEAKERS, Carried.ORIGINS}),
    loses=N_("Replies that are only context, and their exchanges; what a model wrote is not marked."),
    choose=learnt,
)
