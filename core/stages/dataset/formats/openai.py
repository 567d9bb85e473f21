"""Chat messages, one conversation a line: `{"messages": [{"role", "content"}, …]}`.

Every `assistant` message is learnt but those of weight 0, which are only context; trainers that do not know the weight
learn these, too. Source: OpenAI's guide to supervised fine-tuning, "Formatting your data"; transformers, "Chat
templates".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample, TurnRole
from core.stages.dataset.formats.intake import Intake, Origin
from core.stages.dataset.formats.messages import Keys, Talk, UnfitMessagesError, talk_of
from core.stages.dataset.formats.parts import jsonl_bytes, sides, split_of
from core.stages.dataset.formats.records import Record, records
from core.stages.dataset.formats.rows import Carried, Files, Format, Imported, Origins
from core.translation import N_

_KEYS = Keys(role="role", content="content")


def messages_of(sample: Sample, system_prompt: str) -> list[dict[str, Any]]:
    """Return the sample as a chat; templates want a user to begin, so her first words answer an empty message."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": system_prompt}] if system_prompt else []
    if sample.turns[0].role is TurnRole.PERSONA:
        messages.append({"role": TurnRole.COUNTERPART.value, "content": ""})
    for turn in sample.turns:
        message: dict[str, Any] = {"role": turn.role.value, "content": turn.text}
        messages.append(message | {"weight": 0} if turn.context else message)
    return messages


def write(version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins) -> Files:
    """Return a file for each side."""
    return {
        name: jsonl_bytes({"messages": messages_of(sample, version.system_prompt)} for sample in part)
        for name, part in sides(samples, ".jsonl")
    }


def read(files: Files) -> Imported:
    """Return the chats of all files."""
    intake = Intake()
    for record in records(files, intake):
        intake.fields(record.content, ("messages",))
        talk = talk_in(record, record.content.get("messages"), _KEYS, intake)
        if talk is not None:
            origin = Origin(split=split_of(record.place.file))
            intake.add(talk.turns, record.place, system=talk.system, origin=origin)
    return intake.imported(name=", ".join(files))


def talk_in(record: Record, messages: object, keys: Keys, intake: Intake) -> Talk | None:
    """Return what a record's messages say, or None after refusing it."""
    try:
        talk = talk_of(messages, keys)
    except UnfitMessagesError as reason:
        intake.refuse(record.place, reason.message, **reason.values)
        return None
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, Mapping):
            intake.fields(message, keys.known)
    return talk


ROW = Format(
    name="openai",
    title=N_("Chat messages (OpenAI, JSONL)"),
    extension="jsonl",
    write=write,
    read=read,
    carries=frozenset({Carried.TURNS, Carried.LOSS, Carried.SYSTEM, Carried.SPLIT}),
    loses=N_("Who speaks to the persona, and where the words stand; both are in the manifest."),
)
