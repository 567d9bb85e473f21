"""Fills a workspace with as many lines as asked for, and with a little of everything else a page shows.

The text is put together from phrases written for this benchmark; it reads like a novel and means nothing.
"""

from __future__ import annotations

import io
import random
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from core.domain.chat import Message, Speaker
from core.domain.identity import new_id, now
from core.domain.persona import Persona
from core.domain.run import RunState
from core.domain.text import Passage, PassageKind, ReviewStatus, Source, SourceKind, Utterance, UtteranceKind
from core.services import Services
from core.settings import stage_defaults
from core.stages.evaluation.scorecards import import_summary
from core.stages.evaluation.settings import EvaluationSettings
from core.stages.voice_dataset.clips import make_clip
from core.stages.voice_dataset.recordings import import_recording
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.store.utterances import UtteranceFilter

CHAPTERS_OF_A_BOOK = 125
LINES_OF_A_CHAPTER = 100
LINES_OF_A_PARAGRAPH = 5

_SUBJECTS = (
    "这竹子",
    "昨夜的雨",
    "那只鹦哥",
    "你的好意",
    "窗外的月亮",
    "一盏冷茶",
    "旧年的诗",
    "满院的花影",
    "那把伞",
    "他的话",
)
_MIDDLES = ("原不肯", "偏要", "不过是", "早晚会", "何曾", "只管", "到底还是", "倒像", "从来就", "未必")
_ENDS = (
    "替人做主",
    "落在心里",
    "叫人睡不着",
    "值得一哭",
    "等谁来问",
    "换个说法",
    "停在帘外",
    "算得数",
    "跟着风走",
    "留到明日",
)
_TAILS = ("。", "，你说是不是？", "，谁要管它！", "，罢了。", "，我偏不信。", "，改日再说罢。")
_OTHERS = ("贾宝玉", "薛宝钗", "紫鹃", "贾母", "史湘云", "王熙凤", "贾探春", "袭人", "雪雁", "莺儿")
_CUES = ("笑道", "说道", "叹道", "忙道", "问道")
_TALK = 20
_CLIPS = 3000
"""Messages of the talk that the chat page opens."""


def sentence(chance: random.Random) -> str:
    """Return one spoken sentence."""
    return "".join(chance.choice(parts) for parts in (_SUBJECTS, _MIDDLES, _ENDS, _TAILS))


def crowd(services: Services, lines: int, *, say: Callable[[random.Random], str] = sentence) -> None:
    """Put `lines` lines into the workspace, two dataset versions, runs, recordings, scorecards and a talk."""
    persona = services.store.personas.get(services.settings.persona)
    chapters = -(-lines // LINES_OF_A_CHAPTER)
    for number, first in enumerate(range(0, chapters, CHAPTERS_OF_A_BOOK)):
        _add_book(services, persona, number, min(CHAPTERS_OF_A_BOOK, chapters - first), say)
    for name, most in (("long talks", 6), ("short talks", 2)):
        done = services.execution.here("dataset", persona.id, {"name": name, "max_exchanges": most}, who="benchmark")
        if done.state is not RunState.SUCCEEDED:
            raise SystemExit(f"the dataset version could not be built: {done.error}")
    services.execution.here("cleaning", persona.id, {"doubts": {"least_characters": 12}}, who="benchmark")
    _add_runs(services, persona)
    _add_sounds(services, persona)
    _add_scorecards(services, persona)
    _add_talk(services, persona)


def _add_book(
    services: Services, persona: Persona, number: int, chapters: int, say: Callable[[random.Random], str]
) -> None:
    book = new_id("src")
    passages, lines = [], []
    for passage, said in _pages(book, chapters, persona.name, random.Random(number), say):
        passages.append(passage)
        lines += said
    content = "\n".join(passage.text for passage in passages)
    source = Source(
        id=book,
        persona_id=persona.id,
        name=f"卷{number + 1}.txt",
        kind=SourceKind.NOVEL,
        sha256=services.store.files.put(content.encode()),
        size=len(content.encode()),
        encoding="utf-8",
        characters=len(content),
        chapters=chapters,
        imported_at=now() + timedelta(seconds=number),
    )
    services.store.corpus.add(source, passages)
    services.store.utterances.replace(book, "rules", lines, run_id=None)
    services.store.utterances.replace(book, "kor", _second_opinions(lines), run_id=None)
    for chapter in range(1, chapters + 1):
        status = _decided(chapter)
        if status is not None:
            where = UtteranceFilter(persona.id, source_id=book, chapter=chapter)
            services.store.review.edit_all(where, who="benchmark", status=status)


def _second_opinions(lines: list[Utterance]) -> list[Utterance]:
    """What another extractor says of every fifth line; on some of them it contradicts."""
    asked = lines[::5]
    return [
        replace(line, extractor="kor", confidence=0.8, speaker=line.speaker if number % 4 else _OTHERS[number % 10])
        for number, line in enumerate(asked)
    ]


def _decided(chapter: int) -> ReviewStatus | None:
    """Seven chapters of twenty were accepted, one was rejected, the others wait."""
    if chapter % 20 == 0:
        return ReviewStatus.REJECTED
    return ReviewStatus.ACCEPTED if chapter % 20 > 12 else None


def _pages(
    book: str, chapters: int, name: str, chance: random.Random, say: Callable[[random.Random], str]
) -> Iterator[tuple[Passage, list[Utterance]]]:
    ordinal = offset = 0
    for chapter in range(1, chapters + 1):
        heading = f"第{chapter}回　{sentence(chance)[:7]}　{sentence(chance)[:7]}"
        for para in range(-1, LINES_OF_A_CHAPTER // LINES_OF_A_PARAGRAPH):
            text, lines = (heading, []) if para < 0 else _paragraph(book, ordinal, chapter, para, name, chance, say)
            kind = PassageKind.HEADING if para < 0 else PassageKind.PARAGRAPH
            yield Passage(book, ordinal, chapter, para, kind, offset, offset + len(text), text), lines
            ordinal, offset = ordinal + 1, offset + len(text) + 1


def _paragraph(
    book: str,
    ordinal: int,
    chapter: int,
    para: int,
    name: str,
    chance: random.Random,
    say: Callable[[random.Random], str],
) -> tuple[str, list[Utterance]]:
    text, lines = "", []
    for _line in range(LINES_OF_A_PARAGRAPH):
        speaker = name if chance.random() < 0.1 else chance.choice(_OTHERS)
        cue, words = chance.choice(_CUES), say(chance)
        text += f"{speaker}{cue}："
        lines.append(
            Utterance(
                source_id=book,
                ordinal=ordinal,
                chapter=chapter,
                para=para,
                start=len(text),
                end=len(text) + len(words) + 2,
                text=words,
                kind=UtteranceKind.SPEECH,
                speaker=speaker if chance.random() < 0.95 else None,
                extractor="rules",
                confidence=round(chance.uniform(0.4, 0.99), 2),
                reason=f"cue-before:{cue}",
            )
        )
        text += f"“{words}”"
    return text, lines


def _add_runs(services: Services, persona: Persona, count: int = 200) -> None:
    pattern = services.store.runs.all(persona_id=persona.id, kind="dataset", limit=1)[0]
    for number in range(count):
        at = pattern.created_at - timedelta(minutes=number + 1)
        services.store.runs.add(
            replace(pattern, id=new_id("run"), created_at=at, started_at=at, finished_at=at + timedelta(seconds=9))
        )


def _add_sounds(services: Services, persona: Persona) -> None:
    settings = stage_defaults("voice_dataset", VoiceDatasetSettings)
    for name, seconds in (("morning.wav", 60), ("evening.wav", 90)):
        import_recording(
            io.BytesIO(_noise(seconds)),
            name,
            persona_id=persona.id,
            settings=settings,
            max_megabytes=services.settings.uploads.max_audio_mb,
            store=services.store,
        )
    recording = services.store.voice.recordings(persona.id)[0]
    clip = make_clip(recording, 1, 3, text="", speaker=persona.name, settings=settings, store=services.store)
    chance = random.Random(2)
    services.store.clips.add(
        replace(
            clip,
            id=f"clip-{number:010}",
            start=number / 100,
            end=number / 100 + 2,
            text=sentence(chance),
            confidence=round(chance.uniform(0.3, 1), 2),
            complaints=("noisy",) if number % 5 == 0 else (),
        )
        for number in range(_CLIPS)
    )


def _noise(seconds: int, rate: int = 16_000) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(random.Random(seconds).randbytes(2 * rate * seconds))
    return written.getvalue()


def _add_scorecards(services: Services, persona: Persona) -> None:
    for name, base in (("first", 30), ("second", 45)):
        names = ("stem", "humanities", "other", "computer_network", "operating_system", "art_studies", "logic")
        rows = [f"ceval-{one},-,accuracy,gen,{base + number}.50" for number, one in enumerate(names)]
        summary = "\n".join([f"dataset,version,metric,mode,{name}", *rows, ""])
        import_summary(
            io.BytesIO(summary.encode()),
            f"{name}.csv",
            persona_id=persona.id,
            settings=stage_defaults("evaluation", EvaluationSettings),
            store=services.store,
        )


def _add_talk(services: Services, persona: Persona) -> None:
    talk, chance = services.store.talks.start(persona.id, "benchmark"), random.Random(1)
    for number in range(_TALK):
        services.store.talks.say(
            Message(
                id=new_id("msg"),
                conversation_id=talk.id,
                ordinal=0,
                speaker=Speaker.PERSONA if number % 2 else Speaker.VISITOR,
                text=sentence(chance),
                created_at=now(),
                backend="retrieval" if number % 2 else None,
            )
        )
