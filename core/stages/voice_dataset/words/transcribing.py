"""Writes down what clips say: a recogniser is asked about each once, and its words wait for a person's review.

Every answer is written to the run's folder before it is written to the clip: a killed run that is resumed asks only
about what is neither there nor in the store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import Field

from core.backends.asr import Recogniser
from core.domain.persona import Persona
from core.domain.section import Section
from core.domain.text import ReviewStatus
from core.domain.voice import Clip, TextOrigin
from core.errors import ConflictError, NotFoundError, ToolFailedError
from core.jobs.context import RunContext
from core.settings import stage_defaults
from core.stages.voice_dataset.judging import objections
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.words.alignment import LineIndex, nearest
from core.stages.voice_dataset.words.hearing import Answer, asked, noted
from core.store import Store
from core.store.clips import ClipFilter
from core.store.utterances import UtteranceFilter
from core.translation import N_

_SILENCE = 6
"""So many clips in a row without any answer end the run: the server is gone."""
_LONGEST_PROMPT = 120
"""Characters; Whisper reads 224 tokens of a prompt, some two a character."""


class TranscriptionSettings(Section):
    """How clips are transcribed. The server's key is no setting: it stays in the environment."""

    backend: Literal["faster-whisper", "openai"] = Field(
        default="faster-whisper", title="Recogniser", description="In this program, or a server."
    )
    model: str = Field(
        default="small", title="Model", description="Whisper's size or its folder; or the model's name at the server."
    )
    base_url: str = Field(
        default="", title="Address", description="Base URL of a server that speaks the OpenAI protocol, e.g. with /v1."
    )
    language: str = Field(
        default="zh", pattern=r"^[a-z]{0,3}$", title="Language", description="Two letters; empty to have it guessed."
    )
    prompt: str = Field(
        default="",
        max_length=500,
        title="Hint",
        description="Words to expect; empty for the names of the persona's cast.",
    )
    clip_ids: tuple[str, ...] = Field(
        default=(), description="Only these clips, whatever words they have; empty for all clips without words."
    )
    recording_id: str = Field(default="", max_length=64, description="Only clips of this recording; empty for all.")
    concurrency: int = Field(default=2, ge=1, le=32, title="At once", description="Clips under way at once.")
    similarity: float = Field(
        default=0.7, ge=0.3, le=1, description="From how alike on a line of the book is proposed for the words heard."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="What Whisper computes on.")
    compute_type: str = Field(
        default="auto", pattern=r"^\w{2,16}$", description="Whisper's precision; auto is int8 on a processor."
    )
    skip_silence: bool = Field(default=False, description="Look for speech first and listen only there.")
    download: bool = Field(
        default=False, description="Fetch a model that is named by its size from the Hugging Face hub."
    )
    timeout_seconds: float = Field(
        default=120, ge=1, le=1800, title="Longest wait (seconds)", description="How long an answer may take."
    )
    attempts: int = Field(default=4, ge=1, le=20, description="How often a busy server is asked about a clip.")


class ServedTranscription(TranscriptionSettings):
    """`configs/transcription.yaml` whole: what a form shows, and the name of the key, which no form can set."""

    endpoint_key: str = Field(
        default="OPENAI_API_KEY",
        pattern=r"^[A-Z0-9_]*API_KEY$",
        description="Name of the environment variable that holds the server's key.",
    )

    def asking(self) -> TranscriptionSettings:
        """Return what a run may know: everything but the name of the key."""
        return TranscriptionSettings(**self.model_dump(exclude={"endpoint_key"}))


@dataclass
class _Tally:
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[dict[str, str]] = field(default_factory=list)
    in_a_row: int = 0


def run(
    settings: TranscriptionSettings, *, context: RunContext, store: Store, recogniser: Recogniser
) -> dict[str, Any]:
    """Transcribe the chosen clips and return what came of it; one clip that fails does not stop the others.

    Those are named in the result's `problems`; running again asks about them again. Raises RunCancelledError soon
    after the run was stopped, ToolFailedError when the recogniser answers nothing at all.
    """
    persona = store.personas.get(context.run.persona_id)
    index = LineIndex(store.utterances.iterate(UtteranceFilter(persona.id)))
    clips = {clip.id: clip for clip in _chosen(settings, persona.id, store)}
    context.log(f"{recogniser.label}: {len(clips)} clips")
    tally = _Tally()
    known = {one.clip_id: one for one in noted(context) if _answers(one, clips)}
    for answer in known.values():
        if _changed_since(answer, clips[answer.clip_id]):
            tally.counts["kept"] += 1
            continue
        _write(answer, clips[answer.clip_id], index, persona, settings, context, store, tally)
    waiting = [clip for clip in clips.values() if clip.id not in known]
    answers = asked(
        waiting,
        context,
        store,
        recogniser,
        language=settings.language,
        prompt=settings.prompt or names_of(persona),
        concurrency=settings.concurrency,
    )
    for done, answer in enumerate(answers, len(known) + 1):
        _write(answer, clips[answer.clip_id], index, persona, settings, context, store, tally)
        _heed_silence(answer, tally, settings)
        told = {"done": done, "total": len(clips), "open": len(tally.problems)}
        context.progress(done / len(clips) * 0.99, N_("Transcribed {done} of {total}, {open} failed"), **told)
    context.progress(1.0, N_("Transcribed {done} of {total}"), done=tally.counts["written"], total=len(clips))
    return {
        "clips": len(clips),
        "reused": len(known),
        **{name: tally.counts[name] for name in ("written", "empty", "lines", "kept")},
        "problems": tally.problems,
        "recogniser": recogniser.label,
    }


def names_of(persona: Persona) -> str:
    """Return a prompt with the names that a recogniser would otherwise misspell."""
    names = dict.fromkeys((persona.name, *persona.aliases, *persona.cast))
    prompt = persona.book
    for name in names:
        if len(prompt) + len(name) + 1 > _LONGEST_PROMPT:
            break
        prompt = f"{prompt}，{name}" if prompt else name
    return f"{prompt}。" if prompt else ""


def _chosen(settings: TranscriptionSettings, persona_id: str, store: Store) -> Iterator[Clip]:
    """Yield the clips to do; without a choice those nobody has words for and no recogniser found empty."""
    recording = settings.recording_id or None
    if settings.clip_ids:
        yield from store.clips.iterate(ClipFilter(persona_id, recording_id=recording, ids=settings.clip_ids))
        return
    for clip in store.clips.iterate(ClipFilter(persona_id, recording_id=recording, wordless=True)):
        if clip.status is not ReviewStatus.REJECTED and clip.text_origin is TextOrigin.NONE:
            yield clip


def _heed_silence(answer: Answer, tally: _Tally, settings: TranscriptionSettings) -> None:
    tally.in_a_row = tally.in_a_row + 1 if answer.silent else 0
    if tally.in_a_row >= max(_SILENCE, 2 * settings.concurrency):
        raise ToolFailedError(
            N_("{count} clips in a row got no answer. The last time: {problem}"),
            remedy=N_("See whether the server runs, then resume the run: what it answered is kept."),
            count=tally.in_a_row,
            problem=answer.problem,
        )


def _write(
    answer: Answer,
    clip: Clip,
    index: LineIndex,
    persona: Persona,
    settings: TranscriptionSettings,
    context: RunContext,
    store: Store,
    tally: _Tally,
) -> None:
    """Write an answer to its clip, unless somebody has written words there meanwhile."""
    if answer.problem:
        tally.problems.append({"clip": clip.id, "problem": answer.problem})
        context.log(f"{clip.id}: {answer.problem}")
        return
    changes: dict[str, Any] = {
        "text": answer.text,
        "text_origin": TextOrigin.ASR,
        "confidence": answer.confidence if answer.text else 0.0,
    }
    near = nearest(answer.text, index, persona=persona) if answer.text else None
    proposed = near is not None and near.similarity >= settings.similarity
    if near is not None and proposed:
        changes["utterance_id"] = near.utterance_id
    if not _edited(clip, changes, context, store):
        tally.counts["kept"] += 1
        return
    tally.counts["written" if answer.text else "empty"] += 1
    tally.counts["lines"] += proposed


def _edited(clip: Clip, changes: Mapping[str, Any], context: RunContext, store: Store) -> bool:
    """Change the clip as it is now; False when somebody gave it words after the run began, or deleted it."""
    try:
        current = store.clips.get(clip.id)
        if (current.text, current.text_origin, current.sha256) != (clip.text, clip.text_origin, clip.sha256):
            return False
        if all(getattr(current, name) == value for name, value in changes.items()):
            return True
        objected = objections(replace(current, **changes), stage_defaults("voice_dataset", VoiceDatasetSettings))
        judged = {**changes, "complaints": objected}
        store.clips.edit(clip.id, current.revision, who=context.run.created_by, action="transcribe", **judged)
    except (ConflictError, NotFoundError):
        context.log(f"{clip.id}: changed by somebody meanwhile, left as it is")
        return False
    return True


def _changed_since(answer: Answer, clip: Clip) -> bool:
    """Whether somebody gave the clip other words after it was asked about, in an attempt of the run before this."""
    return bool(clip.text) and clip.revision != answer.revision and clip.text != answer.text


def _answers(answer: Answer, clips: Mapping[str, Clip]) -> bool:
    return answer.clip_id in clips and clips[answer.clip_id].sha256 == answer.sha256 and not answer.problem
