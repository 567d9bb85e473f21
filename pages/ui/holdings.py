"""What each stage of the map holds for one persona, counted through the store."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.persona import Persona
from core.domain.run import RunState
from core.domain.training import ModelKind
from core.lifecycle import STAGES
from core.services import Services
from core.store.clips import ClipFilter
from core.store.utterances import UtteranceFilter
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, number


@dataclass(frozen=True, slots=True)
class Holding:
    """One card of Home."""

    amount: int
    of_what: str
    """The noun, in the number of `amount`, translated."""
    detail: str = ""
    running: bool = False

    @property
    def count(self) -> str:
        """The amount as people write it."""
        return number(self.amount)


def holdings(visit: Visit) -> dict[str, Holding]:
    """Return stage id -> what it holds, as far as this person may see it."""
    studio, persona = visit.studio, visit.persona
    at_work = {
        run.kind for run in studio.store.runs.all(persona_id=persona.id, limit=50) if run.state is RunState.RUNNING
    }
    counted = {**_words(studio, persona), **_sounds(studio, persona), **_results(visit)}
    return {one.id: Holding(*counted[one.id], running=one.id in at_work) for one in STAGES}


def _words(studio: Services, persona: Persona) -> dict[str, tuple[int, str, str]]:
    sources = studio.store.corpus.sources(persona.id)
    chapters = sum(source.chapters for source in sources)
    lines = studio.store.utterances.count(UtteranceFilter(persona.id))
    hers = studio.store.utterances.count(UtteranceFilter(persona.id, speaker=persona.name))
    versions = studio.store.datasets.versions(persona.id)
    newest = versions[0] if versions else None
    return {
        "corpus": (
            len(sources),
            _n("text", "texts", len(sources)),
            _n("{count} chapter", "{count} chapters", chapters) if sources else "",
        ),
        "dialogues": (
            lines,
            _n("line", "lines", lines),
            _("{count} of them {name}'s").format(count=number(hers), name=persona.name) if lines else "",
        ),
        "dataset": (
            len(versions),
            _n("version", "versions", len(versions)),
            _("newest: {name}, {train} + {held_out} samples").format(
                name=newest.name, train=number(newest.train_samples), held_out=number(newest.held_out_samples)
            )
            if newest
            else "",
        ),
    }


def _sounds(studio: Services, persona: Persona) -> dict[str, tuple[int, str, str]]:
    recordings = studio.store.voice.recordings(persona.id)
    clips = studio.store.clips.count(ClipFilter(persona.id))
    voices = studio.store.models.all(persona.id, ModelKind.VOICE)
    return {
        "voice_dataset": (
            clips,
            _n("clip", "clips", clips),
            _n("from {count} recording", "from {count} recordings", len(recordings)) if recordings else "",
        ),
        "voice_training": (len(voices), _n("voice", "voices", len(voices)), ""),
    }


def _results(visit: Visit) -> dict[str, tuple[int, str, str]]:
    studio, persona = visit.studio, visit.persona
    models = studio.store.models.all(persona.id, ModelKind.TEXT)
    in_use = next((model.name for model in models if model.in_use), "")
    cards = studio.store.scorecards.all(persona.id)
    talks = studio.store.talks.count(persona.id, owner=visit.owner)
    newest = studio.store.talks.conversations(persona.id, owner=visit.owner, limit=1)
    return {
        "finetuning": (
            len(models),
            _n("model", "models", len(models)),
            _("in use: {name}").format(name=in_use) if in_use else "",
        ),
        "evaluation": (len(cards), _n("scorecard", "scorecards", len(cards)), cards[0].name if cards else ""),
        "chat": (talks, _n("talk", "talks", talks), newest[0].title if newest else ""),
    }
