"""The story of a ranking: pairs of saved weights speak the same sentences, and are put in order by what is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from core.backends.asr import NoAnswerError, RefusedError
from core.backends.drawing import facts_of
from core.domain.identity import fingerprint
from core.domain.loudness import loudness_of
from core.domain.pace import syllables
from core.domain.section import Section
from core.domain.sounds import samples_of
from core.domain.takes import faults
from core.domain.voice_training import KeptWeights, Sampling, TrainedVoice, VoiceServing
from core.errors import InvalidInputError, MissingArtifactError, ToolFailedError
from core.jobs.whole import write_whole
from core.stages.voice_training.booth import RefusedTakeError, opened
from core.stages.voice_training.devices import held_gpu
from core.stages.voice_training.pairing import Pair, name_of, pairs_of
from core.stages.voice_training.scoring import (
    PairScores,
    Print,
    TakeScore,
    ceiling,
    compare,
    likeness,
    ranked,
    scores_of,
)
from core.stages.voice_training.server_watch import port_of
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.asr import Recogniser
    from core.backends.tools import VoiceTrainer
    from core.backends.voiceprint import Voiceprint
    from core.domain.run import Command
    from core.jobs.context import RunContext
    from core.stages.voice_training.booth import Booth
    from core.store import Store

SENTENCES = (
    "竹影移到窗前，天色就要晚了。",
    "你既来了，便坐一坐，茶是新沏的。",
    "昨夜下了半宿的雨，今早倒放晴了。",
    "我不过随口说说，你怎么当了真？",
)
"""Said besides, in Chinese, where few clips were kept back; written for this."""
SPEAKER_MODEL = N_("the speaker model of GPT-SoVITS")
_LEAST, _MOST = 4, 8
"""Sentences."""


class RankingSettings(Section):
    """Which pairs speak what, and by what ears they are judged."""

    run_id: str = Field(min_length=1, description="The training whose weights are compared.")
    pairs: int = Field(
        default=6,
        ge=1,
        le=40,
        title="Pairs",
        description="How many pairs of saved weights speak at most: the last one, then those alike in progress.",
    )
    sentences: tuple[str, ...] = Field(
        default=(),
        max_length=20,
        title="Sentences",
        description="What they say; empty for the words of clips kept back.",
    )
    device: Literal["cpu", "gpu"] = Field(
        default="gpu", title="Device", description="Where it runs; a CPU takes seconds a sentence."
    )
    precision: Literal["float32", "float16"] = Field(
        default="float16", title="Number format", description="On a CPU and on old GPUs float32."
    )
    seed: int = Field(
        default=1234,
        ge=0,
        le=2**31 - 1,
        title="Seed",
        description="The same for all, so that only their weights differ.",
    )
    recogniser: Literal["", "faster-whisper", "openai"] = Field(
        default="",
        title="Recogniser",
        description="What listens for wrong, swallowed and repeated words; empty for nobody.",
    )
    model: str = Field(
        default="small", title="Model", description="Whisper's size or its folder; or the model's name at the server."
    )
    base_url: str = Field(
        default="", title="Address", description="Base URL of the server that listens, where one does."
    )
    voiceprint: Literal["mfcc", "onnx"] = Field(
        default="mfcc",
        title="Voiceprint",
        description="What tells voices apart where GPT-SoVITS's own speaker model is not there: statistics of the "
        "timbre, or a model of yours.",
    )
    voiceprint_model: Path | None = Field(
        default=None, title="Voiceprint's file", description="The ONNX file of a voice embedding, for onnx."
    )


@dataclass
class _Take:
    """A take and what is measured of it."""

    sentence: int
    text: str
    sha256: str = ""
    seconds: float = 0.0
    took: float | None = None
    faults: Sequence[str] = ("silent",)
    heard: str | None = None
    similarity: float | None = None
    loudness: float | None = None

    @property
    def cer(self) -> float | None:
        compared = compare(self.text, self.heard) if self.heard is not None else None
        return compared.cer if compared else None

    def score(self) -> TakeScore:
        compared = compare(self.text, self.heard) if self.heard is not None else None
        return TakeScore(
            self.text, self.seconds, bool(self.faults), compared, self.similarity, self.took, self.loudness
        )

    def plain(self) -> dict[str, Any]:
        """Return it as the result tells it."""
        return {
            "sentence": self.sentence,
            "sha256": self.sha256,
            "seconds": self.seconds,
            "took": self.took,
            "faults": list(self.faults),
            "heard": self.heard,
            "cer": self.cer,
            "similarity": self.similarity,
            "loudness": self.loudness,
        }


@dataclass(frozen=True)
class _Room:
    """What every part of the story needs."""

    settings: RankingSettings
    context: RunContext
    store: Store
    trained: Mapping[str, Any]
    """The training's result."""
    reference: Mapping[str, Any]
    wav: Path
    """The reference, where the server finds it."""
    sentences: Sequence[str] = field(default=())

    def voice(self, pair: Pair) -> TrainedVoice:
        """Return the pair as a voice; MissingArtifactError when its weights are not there any more."""
        sovits, gpt = (self.store.workspace.resolve() / one.file for one in pair)
        for file in (sovits, gpt):
            if not file.is_file():
                raise MissingArtifactError(
                    N_("The weights {file} are not there any more."),
                    remedy=N_("Train again; the weights were deleted from the workspace."),
                    file=file.name,
                )
        return TrainedVoice(
            version=self.trained["version"],
            gpt=gpt,
            sovits=sovits,
            reference=self.wav,
            reference_text=self.reference["text"],
            language=self.reference["language"],
            sampling=Sampling(seed=self.settings.seed),
        )


def run(
    settings: RankingSettings,
    *,
    context: RunContext,
    store: Store,
    trainer: VoiceTrainer,
    voiceprint: Voiceprint,
    recogniser: Recogniser | None = None,
) -> dict[str, Any]:
    """Let the pairs speak, measure them, and return them, best first, each with its takes.

    A take that came is remembered: a run that is interrupted does not ask for it again. Raises MissingArtifactError
    when the training saved no weights, another StudioError when the server does not start or never speaks.
    """
    room = _room(settings, context, store)
    pairs = pairs_of([KeptWeights(**one) for one in room.trained.get("weights", ())], most=settings.pairs)
    if not pairs:
        raise MissingArtifactError(
            N_("That training has saved no weights."), remedy=N_("Choose a training that has succeeded.")
        )
    context.versions(context.step("versions", trainer.versions))
    takes = _spoken(room, pairs, trainer)
    context.progress(0.9, N_("Measuring the takes"))
    every = [take for pair in takes.values() for take in pair if take.sha256]
    _listen(room, takes, recogniser)
    label, top = _liken(room, every, voiceprint, trainer)
    scored = [
        PairScores(
            pair[0].epoch, pair[1].epoch, scores_of([one.score() for one in takes[name_of(pair)]], her_pace=_pace(room))
        )
        for pair in pairs
    ]
    context.progress(1.0, N_("The pairs are in order"))
    return {
        "training": settings.run_id,
        "sentences": list(room.sentences),
        "measure": {"recogniser": recogniser.label if recogniser else "", "voiceprint": label},
        "ceiling": top,
        "pairs": [
            {
                "sovits": one.pair.sovits,
                "gpt": one.pair.gpt,
                "rank": one.rank,
                "total": one.total,
                "scores": dict(one.pair.scores),
                "takes": [take.plain() for take in takes[f"{one.pair.sovits}+{one.pair.gpt}"]],
            }
            for one in ranked(scored, ceiling=top)
        ],
    }


def _room(settings: RankingSettings, context: RunContext, store: Store) -> _Room:
    trained = store.runs.get(settings.run_id).result
    reference = next(iter(trained.get("references", ())), None)
    if reference is None:
        raise MissingArtifactError(
            N_("The training has no reference clip."), remedy=N_("Train on a set with a clip of 3 to 10 seconds.")
        )
    wav = context.folder.resolve() / f"reference-{reference['sha256'][:12]}.wav"
    if not wav.exists():
        write_whole(wav, store.files.read(reference["sha256"]))
    return _Room(
        settings, context, store, trained, reference, wav, _sentences(settings, trained, reference["language"])
    )


def _sentences(settings: RankingSettings, trained: Mapping[str, Any], language: str) -> tuple[str, ...]:
    if settings.sentences:
        return settings.sentences
    kept = [one["text"] for one in trained.get("held_out", ()) if one["text"] and one["language"] == language]
    ours = SENTENCES if language in ("zh", "yue") or not kept else ()
    return tuple(dict.fromkeys([*kept, *ours[: max(0, _LEAST - len(kept))]]))[:_MOST]


def _spoken(room: _Room, pairs: Sequence[Pair], trainer: VoiceTrainer) -> dict[str, list[_Take]]:
    """Let every pair say every sentence; a pair that says none of them first ends the run with the reason."""
    settings, context = room.settings, room.context
    voices = {name_of(pair): room.voice(pair) for pair in pairs}
    first = voices[name_of(pairs[0])]
    wanted = VoiceServing(
        folder=context.folder / "server",
        version=first.version,
        gpt=first.gpt,
        sovits=first.sovits,
        device=settings.device,
        precision="float32" if settings.device == "cpu" else settings.precision,
        gpu=held_gpu(settings.device, context),
        port=port_of(context),
    )
    context.progress(0.01, N_("The voice server loads its models"))
    takes: dict[str, list[_Take]] = {}
    with opened(wanted, context=context, trainer=trainer) as booth:
        for number, (name, voice) in enumerate(voices.items()):
            takes[name], refusal = _said(room, booth, name, voice, number / len(voices), 1 / len(voices))
            if refusal is not None and not number and not any(one.sha256 for one in takes[name]):
                raise refusal
    return takes


def _said(
    room: _Room, booth: Booth, name: str, voice: TrainedVoice, begun: float, share: float
) -> tuple[list[_Take], RefusedTakeError | None]:
    """Return what a pair says of every sentence, and the last reason why it did not say one."""
    takes, refusal = [], None
    for place, text in enumerate(room.sentences):
        words = N_("Pair {pair} says sentence {sentence} of {sentences}")
        at = 0.02 + 0.88 * (begun + share * place / len(room.sentences))
        room.context.progress(at, words, pair=name, sentence=place + 1, sentences=len(room.sentences))
        try:
            told = room.context.step(f"take {name} {place}", partial(_take, room, booth, voice, text))
            takes.append(_Take(place, text, **told))
        except RefusedTakeError as trouble:
            room.context.log(f"pair {name} did not say sentence {place + 1}: {trouble}")
            takes.append(_Take(place, text))
            refusal = trouble
    return takes, refusal


def _take(room: _Room, booth: Booth, voice: TrainedVoice, text: str) -> dict[str, Any]:
    took = booth.speak(voice, text)
    facts = facts_of(took.sound)
    found = [one.value for one in faults(facts, text, language=voice.language, speed=voice.sampling.speed)]
    sha256 = room.store.files.put(took.sound.wav)
    loudness = loudness_of(*samples_of(took.sound.wav))
    return {"sha256": sha256, "seconds": facts.seconds, "took": took.took, "faults": found, "loudness": loudness}


def _listen(room: _Room, takes: Mapping[str, Sequence[_Take]], recogniser: Recogniser | None) -> None:
    """Write down what is heard of each take."""
    if recogniser is None:
        return
    for name, spoken in takes.items():
        for take in spoken:
            if take.sha256:
                hear = partial(_heard, room, recogniser, take.sha256)
                take.heard = room.context.step(f"heard {name} {take.sentence}", hear)


def _heard(room: _Room, recogniser: Recogniser, sha256: str) -> str | None:
    language = "zh" if room.reference["language"] == "yue" else room.reference["language"]
    try:
        return recogniser.transcribe(room.store.files.read(sha256), language=language).text
    except (NoAnswerError, RefusedError) as trouble:
        room.context.log(f"nothing was heard of a take: {trouble}")
        return None


def _liken(
    room: _Room, takes: Sequence[_Take], voiceprint: Voiceprint, trainer: VoiceTrainer
) -> tuple[str, float | None]:
    """Compare each take with the clips kept back; return by what measure, and how like each other these are."""
    kept = [one["sha256"] for one in room.trained.get("held_out", ())]
    if not kept:
        return "", None
    sounds = sorted({*kept, *(one.sha256 for one in takes)})
    prints, label, directional = _theirs(room, sounds, trainer), SPEAKER_MODEL, True
    if not any(one in prints for one in kept):
        found = ((one, _print(voiceprint, room.store.files.read(one))) for one in sounds)
        prints = {sha256: one for sha256, one in found if one is not None}
        label, directional = voiceprint.label, voiceprint.directional
    hers = [prints[one] for one in kept if one in prints]
    if not hers:
        return "", None
    for take in takes:
        if take.sha256 in prints:
            take.similarity = likeness(prints[take.sha256], hers, directional=directional)
    return label, ceiling(hers, directional=directional)


def _theirs(room: _Room, sounds: Sequence[str], trainer: VoiceTrainer) -> dict[str, Print]:
    """Return what GPT-SoVITS's own speaker model hears, by sha256; nothing where it is not there or fails."""
    context, name = room.context, f"speakers-{fingerprint(list(sounds))[:8]}"  # other sounds are another program
    folder = context.folder / name
    wavs = {sha256: room.store.files.path(sha256) for sha256 in sounds}
    gpu = held_gpu(room.settings.device, context)
    try:
        command = trainer.hear_speakers(folder, wavs, precision=room.settings.precision, gpu=gpu)
        if command is None:
            context.log("GPT-SoVITS's speaker model is not there")
            return {}
        context.execute(name, partial(_same, command))
    except (InvalidInputError, ToolFailedError) as failure:
        context.log(f"GPT-SoVITS's speaker model did not listen: {failure}")
        return {}
    return {sha256: np.array(vector) for sha256, vector in trainer.speaker_prints(folder).items()}


def _same(command: Command) -> Command:
    return command


def _print(voiceprint: Voiceprint, wav: bytes) -> Print | None:
    return voiceprint.of(*samples_of(wav))


def _pace(room: _Room) -> float | None:
    """Return the syllables a second of her own clips."""
    clips = room.trained.get("held_out") or room.trained.get("references", ())
    seconds = sum(float(one["seconds"]) for one in clips)
    return (sum(syllables(one["text"]) for one in clips) / seconds or None) if seconds else None
