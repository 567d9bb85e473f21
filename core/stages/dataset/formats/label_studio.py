"""Label Studio: a task is a conversation, a region an utterance with its speaker and kind.

What a curator has accepted comes as an annotation, what an extractor says as a prediction with its confidence. Speakers
corrected in Label Studio come back. Offsets count UTF-16 units, as browsers do. Source: Label Studio documentation,
"Label Studio JSON format of annotated tasks", "Import pre-annotated data", tags Paragraphs, ParagraphLabels, Choices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any
from xml.sax.saxutils import quoteattr

from core.domain.persona import Persona
from core.domain.text import DatasetVersion, ReviewStatus, Sample, Split, Turn, TurnRole, Utterance, UtteranceKind
from core.stages.dataset.formats.intake import Intake, Origin, RawTurn
from core.stages.dataset.formats.parts import JOINT, json_bytes
from core.stages.dataset.formats.records import Record, records
from core.stages.dataset.formats.rows import Carried, Files, Format, Imported, Origins
from core.translation import N_

_TASK = ("data", "annotations", "predictions", "id", "created_at", "updated_at", "project", "meta", "inner_id")
_DATA = (
    "dialogue",
    "sample",
    "split",
    "source_id",
    "source",
    "source_sha256",
    "chapter",
    "system",
    "persona",
    "synthetic",
)
_LARGEST = 1 << 31


def write(version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins) -> Files:
    """Return the tasks and the labelling interface to put them into."""
    tasks = [_task(sample, version, persona, origins) for sample in samples]
    people = {name for sample in samples for turn in sample.turns for name in turn.speaker.split(JOINT)}
    used = {one for sample in samples for turn in sample.turns for one in turn.utterance_ids}
    people |= {origins.lines[one].speaker or "" for one in used & origins.lines.keys()}
    return {"tasks.json": json_bytes(tasks), "label_config.xml": _interface(sorted(people - {""})).encode()}


def read(files: Files) -> Imported:
    """Return the conversations of all tasks, with the speakers that annotators gave."""
    intake = Intake()
    for record in records(files, intake):
        _take(record, intake)
    return intake.imported(name=", ".join(files))


def _task(sample: Sample, version: DatasetVersion, persona: Persona, origins: Origins) -> dict[str, Any]:
    source = origins.sources.get(sample.source_id)
    said = [_said(number, turn, origins) for number, turn in enumerate(sample.turns)]
    lines = [one for turn in said for one in turn]
    accepted = [region for line, regions in lines if line.status is ReviewStatus.ACCEPTED for region in regions]
    return {
        "data": {
            "dialogue": [
                {"author": turn.speaker, "text": turn.text, "role": turn.role.value,
                 "utterances": " ".join(turn.utterance_ids), "context": turn.context, "expansion": turn.expansion_id}
                for turn in sample.turns
            ],
            "sample": sample.ordinal,
            "split": sample.split.value,
            "source_id": sample.source_id,
            "source": source.name if source else "",
            "source_sha256": source.sha256 if source else "",
            "chapter": sample.chapter,
            "system": version.system_prompt,
            "synthetic": sample.synthetic,
            "persona": persona.name,
        },
        "annotations": [{"result": accepted, "was_cancelled": False, "ground_truth": False}] if accepted else [],
        "predictions": list(_predictions(lines)),
    }  # fmt: skip


Said = tuple[Utterance, list[dict[str, Any]]]
"""A line and the regions that say who speaks it and what it is."""


def _said(number: int, turn: Turn, origins: Origins) -> list[Said]:
    """Return the lines of a turn that stand in it word for word; one that the turn was edited out of has no region."""
    found: list[Said] = []
    place = 0
    for one in turn.utterance_ids:
        line = origins.lines.get(one)
        start = turn.text.find(line.text, place) if line else -1
        if line and start >= 0 and line.text:
            place = start + len(line.text)
            found.append((line, _regions(f"{number}-{len(found)}", number, turn.text, start, place, line)))
    return found


def _regions(key: str, number: int, text: str, start: int, end: int, line: Utterance) -> list[dict[str, Any]]:
    where = {
        "start": str(number),
        "end": str(number),
        "startOffset": _units(text[:start]),
        "endOffset": _units(text[:end]),
        "text": text[start:end],
    }
    kind = {"from_name": "kind", "type": "choices", "value": {**where, "choices": [line.kind.value]}}
    regions: list[dict[str, Any]] = [kind]
    if line.speaker:
        value = {**where, "paragraphlabels": [line.speaker]}
        regions.insert(0, {"from_name": "speaker", "type": "paragraphlabels", "value": value})
    return [{"id": key, "to_name": "dialogue", **region} for region in regions]


def _predictions(lines: Iterable[Said]) -> Iterator[dict[str, Any]]:
    by_extractor = sorted(lines, key=lambda one: one[0].extractor)
    for extractor, group in groupby(by_extractor, key=lambda one: one[0].extractor):
        own = list(group)
        yield {
            "model_version": extractor,
            "score": min(line.confidence for line, _ in own),
            "result": [region for _, regions in own for region in regions],
        }


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _interface(speakers: Iterable[str]) -> str:
    labels = "\n".join(f"    <Label value={quoteattr(speaker)}/>" for speaker in speakers)
    choices = "\n".join(f"    <Choice value={quoteattr(kind)}/>" for kind in UtteranceKind)
    return (
        "<View>\n"
        f'  <ParagraphLabels name="speaker" toName="dialogue">\n{labels}\n  </ParagraphLabels>\n'
        f'  <Choices name="kind" toName="dialogue" perRegion="true" choice="single">\n{choices}\n  </Choices>\n'
        '  <Paragraphs name="dialogue" value="$dialogue" layout="dialogue" nameKey="author" textKey="text"/>\n'
        "</View>\n"
    )


def _take(record: Record, intake: Intake) -> None:
    intake.fields(record.content, _TASK)
    data = record.content.get("data")
    dialogue = data.get("dialogue") if isinstance(data, dict) else None
    if (
        not isinstance(data, dict)
        or not isinstance(dialogue, list)
        or not all(isinstance(one, dict) for one in dialogue)
    ):
        intake.refuse(record.place, N_("there is no list `{key}` of objects"), key="data.dialogue")
        return
    intake.fields(data, _DATA)
    persona = _word(data.get("persona"))
    corrected = _corrected(record.content.get("annotations"))
    turns = [_turn(said, corrected.get(number), persona) for number, said in enumerate(dialogue)]
    unplaced = next((number for number, turn in enumerate(turns, 1) if turn is None), None)
    if unplaced is not None:
        intake.refuse(record.place, N_("nothing says whether turn {turn} is the persona's"), turn=unplaced)
        return
    intake.add([turn for turn in turns if turn], record.place, system=data.get("system"), origin=_origin(data))


def _turn(said: dict[str, Any], speaker: str | None, persona: str) -> RawTurn | None:
    """Return a turn; the role follows the annotator's speaker, else stands beside the text, else follows the author."""
    author, role = _word(said.get("author")), said.get("role")
    if speaker and not set(speaker.split(JOINT)) <= set(author.split(JOINT)):  # else one of several was looked at
        author = speaker
        role = role if not persona else TurnRole.PERSONA if speaker == persona else TurnRole.COUNTERPART
    if role not in list(TurnRole):
        if not (persona and author):
            return None
        role = TurnRole.PERSONA if author == persona else TurnRole.COUNTERPART
    lines, expansion = tuple(_word(said.get("utterances")).split()), _word(said.get("expansion"))
    return RawTurn(TurnRole(role), said.get("text"), author, lines, said.get("context") is True, expansion)


def _corrected(annotations: object) -> dict[int, str]:
    """Return paragraph -> who speaks it, of the last annotation that was not cancelled."""
    valid = [
        one
        for one in (annotations if isinstance(annotations, list) else ())
        if isinstance(one, dict) and not one.get("was_cancelled") and isinstance(one.get("result"), list)
    ]
    named: dict[int, dict[str, None]] = {}
    for region in valid[-1]["result"] if valid else ():
        value = region.get("value") if isinstance(region, dict) else None
        labels = value.get("paragraphlabels") if isinstance(value, dict) else None
        begin = str(value.get("start")) if isinstance(value, dict) else ""
        if isinstance(labels, list) and begin.isascii() and begin.isdigit() and len(begin) < 6:
            named.setdefault(int(begin), {}).update((one, None) for one in labels if isinstance(one, str))
    return {number: JOINT.join(names) for number, names in named.items() if names}


def _origin(data: dict[str, Any]) -> Origin:
    number, chapter = data.get("sample"), data.get("chapter")
    return Origin(
        ordinal=number if isinstance(number, int) and 0 <= number < _LARGEST else None,
        source_id=_word(data.get("source_id")),
        chapter=chapter if isinstance(chapter, int) and 0 <= chapter < _LARGEST else 0,
        split=Split.HELD_OUT if data.get("split") == Split.HELD_OUT else Split.TRAIN,
        synthetic=data.get("synthetic") is True,
    )


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


ROW = Format(
    name="label-studio",
    title=N_("Label Studio (JSON)"),
    extension="json",
    write=write,
    read=read,
    carries=frozenset({Carried.TURNS, Carried.LOSS, Carried.SYSTEM, Carried.SPEAKERS, Carried.SPLIT, Carried.ORIGINS}),
    loses=N_("On the way back: kinds and texts changed in Label Studio; speakers come back."),
    needs_lines=True,
)
