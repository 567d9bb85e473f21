"""What stands in a voice training's way and what it will need, said before it starts; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.domain.checkout import CheckoutReport
from core.domain.finding import Finding
from core.domain.voice import SetClip
from core.errors import InvalidInputError, StudioError
from core.stages.voice_training.dividing import LEAST_TRAINED, divided
from core.stages.voice_training.settings import VoiceTrainingSettings
from core.translation import N_

LANGUAGES = ("zh", "ja", "en", "ko", "yue")
SHORTEST, LONGEST = 0.6, 54.0
"""Seconds; clips not between them are dropped by GPT-SoVITS without a word."""
LITTLE = 60.0
"""Seconds of sound below which a voice comes out thin."""
_SOVITS_EPOCH, _GPT_EPOCH = 400.0, 91.0
"""Seconds an epoch on two cores, with eight clips of three to four seconds (v2): short sets are repeated to about
seventy, so fewer clips take as long."""
_REPEATED_TO = 70
_FULL_WINDOW, _WINDOW_SHARE = 20_480, 1 / 3
"""Samples of a full window, and what an epoch takes however short the window is."""
_SECONDS_PER_CLIP = 7.0
"""All steps of preparation together, on two cores."""
_NAMED = 4


@dataclass(frozen=True, slots=True)
class VoicePreflight:
    """Findings, the worst first, and the figures."""

    findings: tuple[Finding, ...]
    clips: int
    """Clips that are trained on."""
    seconds: float
    held_out: int
    disk_needed: int
    disk_free: int
    hours: float | None
    """On a processor, roughly; None on a GPU, where nobody has measured it."""

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that forbid a start."""
        return tuple(one for one in self.findings if one.blocking)

    def plain(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return asdict(self)


def preflight(
    settings: VoiceTrainingSettings,
    clips: Sequence[SetClip],
    tool: CheckoutReport | StudioError,
    *,
    disk_needed: int,
    disk_free: int,
    gpus: int,
) -> VoicePreflight:
    """Return what is known of a training before it starts.

    `tool` is the refusal where there is no tool to look at; `gpus` are those that runs may use here, or more where a
    worker on another machine may take it.
    """
    parts = divided(clips, held_out=settings.held_out)
    trained = [one for one in parts.trained if SHORTEST < one.seconds < LONGEST]
    findings = [
        *_about_tool(settings, tool, gpus),
        *_about_clips(settings, clips, trained, has_reference=bool(parts.references)),
        *_about_dropped(len(parts.trained) - len(trained)),
        *_about_time(settings, len(trained)),
    ]
    if disk_needed > disk_free:
        findings.append(
            Finding(
                True,
                N_("The disk has no room for this training: about {needed:.1f} GB, {free:.1f} GB are free."),
                N_("Free some space, or keep only the last checkpoint."),
                {"needed": disk_needed / 1e9, "free": disk_free / 1e9},
            )
        )
    return VoicePreflight(
        findings=tuple(sorted(findings, key=lambda one: not one.blocking)),
        clips=len(trained),
        seconds=sum(one.seconds for one in trained),
        held_out=len(parts.held_out),
        disk_needed=disk_needed,
        disk_free=disk_free,
        hours=_hours(settings, len(trained)),
    )


def require(found: VoicePreflight) -> None:
    """Raise InvalidInputError with the remedy where something forbids the start."""
    for one in found.blocking:
        raise InvalidInputError(one.message, remedy=one.remedy, **one.values)


def _about_tool(settings: VoiceTrainingSettings, tool: CheckoutReport | StudioError, gpus: int) -> Iterator[Finding]:
    problems = [tool] if isinstance(tool, StudioError) else list(tool.problems)
    for problem in problems:
        yield Finding(True, problem.message, problem.remedy, dict(problem.values))
    if isinstance(tool, StudioError):
        return
    for model in tool.models:
        if model.version != settings.version:
            continue
        if missing := model.missing():
            names = ", ".join(missing[:_NAMED]) + (" …" if len(missing) > _NAMED else "")
            values = {"version": settings.version, "files": names}
            yield Finding(True, N_("{version} lacks pretrained files: {files}."), tool.sources, values)
        if model.odd:
            yield Finding(
                False,
                N_("{count} pretrained files of {version} have another size than upstream's."),
                N_("They may be right all the same; if the training fails, fetch them again."),
                {"count": len(model.odd), "version": settings.version},
            )
    if settings.device == "gpu" and tool.fine and min(len(tool.gpus), gpus) < settings.gpus:
        yield Finding(
            True,
            N_("This training wants {wanted} GPUs; the environment of GPT-SoVITS sees {seen}, runs may use {here}."),
            N_("Train on the CPU, ask for fewer, or install a torch for your GPU in that environment."),
            {"wanted": settings.gpus, "seen": len(tool.gpus), "here": gpus},
        )


def _about_clips(
    settings: VoiceTrainingSettings, clips: Sequence[SetClip], trained: Sequence[SetClip], *, has_reference: bool
) -> Iterator[Finding]:
    if not trained:
        yield Finding(
            True,
            N_("No clip of the set can be trained on: they must be {shortest} to {longest:g} seconds long."),
            N_("Cut the recordings into clips of 3 to 10 seconds."),
            {"shortest": SHORTEST, "longest": LONGEST},
        )
        return
    unknown = sorted({one.language for one in trained if one.language not in LANGUAGES})
    if unknown:
        yield Finding(
            True,
            N_("GPT-SoVITS does not know the language {language}."),
            N_("Freeze the set again with one of: {known}."),
            {"language": ", ".join(unknown), "known": ", ".join(LANGUAGES)},
        )
    if not has_reference:
        yield Finding(
            True,
            N_("No clip of the set is 3 to 10 seconds long, so none can be the reference."),
            N_("Cut one of that length and freeze the set again."),
        )
    if sum(one.seconds for one in trained) < LITTLE:
        yield Finding(
            False,
            N_("There is less than a minute of sound; a voice from so little comes out thin."),
            N_("A few minutes of clean clips make a good one."),
        )
    if settings.held_out and len(clips) - settings.held_out < LEAST_TRAINED:
        yield Finding(
            False,
            N_("The set is too small to keep {count} clips back."),
            N_("Fewer are kept back, so the comparison of the saved weights tells less."),
            {"count": settings.held_out},
        )


def _about_dropped(count: int) -> Iterator[Finding]:
    if count:
        yield Finding(
            False,
            N_("{count} clips are not trained on: they are not between {shortest} and {longest:g} seconds long."),
            N_("Cut them anew and freeze the set again, or leave them out."),
            {"count": count, "shortest": SHORTEST, "longest": LONGEST},
        )


def _about_time(settings: VoiceTrainingSettings, clips: int) -> Iterator[Finding]:
    hours = _hours(settings, clips)
    if hours is not None and hours > 2:
        yield Finding(
            False,
            N_("On a processor this takes about {hours:.0f} hours."),
            N_("Fewer epochs, a shorter segment or fewer clips make it shorter; a GPU makes it minutes."),
            {"hours": hours},
        )


def _hours(settings: VoiceTrainingSettings, clips: int) -> float | None:
    """Return roughly how long it takes on a processor: what was measured, taken in proportion."""
    if settings.device != "cpu":
        return None
    window = max(settings.sovits.segment_size / _FULL_WINDOW, _WINDOW_SHARE)
    longer = max(clips / _REPEATED_TO, 1)
    epochs = settings.sovits.epochs * _SOVITS_EPOCH * window + settings.gpt.epochs * _GPT_EPOCH
    return (clips * _SECONDS_PER_CLIP + longer * epochs) / 3600
