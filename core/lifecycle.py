"""THE MAP: the stages in order, what each reads and writes, its page and who works there.

The menu, Home, the README's table and the architecture tests derive from `STAGES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.translation import N_


class Role(StrEnum):
    """Who somebody is to the app; a person may have several roles."""

    CURATOR = "curator"
    TRAINER = "trainer"
    EVALUATOR = "evaluator"
    VISITOR = "visitor"


ROLE_TITLES: dict[Role, str] = {
    Role.CURATOR: N_("Curate"),
    Role.TRAINER: N_("Train"),
    Role.EVALUATOR: N_("Evaluate"),
    Role.VISITOR: N_("Talk"),
}


class Artifact(StrEnum):
    """What flows between stages; the store is where they meet."""

    FILES = "files"
    PASSAGES = "passages"
    UTTERANCES = "utterances"
    SAMPLES = "samples"
    TEXT_MODELS = "text models"
    RECORDINGS = "recordings"
    CLIPS = "clips"
    VOICE_MODELS = "voice models"
    SCORECARDS = "scorecards"
    CONVERSATIONS = "conversations"


ARTIFACT_TITLES: dict[Artifact, str] = {
    Artifact.FILES: N_("files"),
    Artifact.PASSAGES: N_("passages"),
    Artifact.UTTERANCES: N_("utterances"),
    Artifact.SAMPLES: N_("samples"),
    Artifact.TEXT_MODELS: N_("text models"),
    Artifact.RECORDINGS: N_("recordings"),
    Artifact.CLIPS: N_("clips"),
    Artifact.VOICE_MODELS: N_("voice models"),
    Artifact.SCORECARDS: N_("scorecards"),
    Artifact.CONVERSATIONS: N_("conversations"),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One room of the pipeline: `core/stages/<id>` and the page that shows it."""

    id: str
    title: str
    summary: str
    """What is done here, one sentence."""
    reads: tuple[Artifact, ...]
    writes: tuple[Artifact, ...]
    page: str
    """Script below `pages/`."""
    role: Role
    icon: str
    """A Material symbol's name."""
    next_step: str = ""
    """The button Home shows when this is the one next thing to do."""
    coming: str = ""
    """What this room will do and does not yet; shown on its page."""


@dataclass(frozen=True, slots=True)
class ExtraPage:
    """A page that belongs to no single stage."""

    page: str
    title: str
    summary: str
    role: Role
    icon: str
    coming: str = ""


STAGES: tuple[Stage, ...] = (
    Stage(
        "corpus",
        N_("Corpus"),
        N_("Import the book, screenplay and quotes in any common format; read them chapter by chapter."),
        reads=(Artifact.FILES,),
        writes=(Artifact.PASSAGES,),
        page="curator/corpus.py",
        role=Role.CURATOR,
        icon="menu_book",
        next_step=N_("Import a text"),
    ),
    Stage(
        "dialogues",
        N_("Dialogues"),
        N_("Find every line, who says it and why we think so; review it beside its passage."),
        reads=(Artifact.PASSAGES,),
        writes=(Artifact.UTTERANCES,),
        page="curator/dialogues.py",
        role=Role.CURATOR,
        icon="forum",
        next_step=N_("Extract the dialogues"),
    ),
    Stage(
        "dataset",
        N_("Dataset"),
        N_("Clean her lines, turn them into conversations, freeze them as versions, exchange them."),
        reads=(Artifact.UTTERANCES,),
        writes=(Artifact.SAMPLES,),
        page="curator/dataset.py",
        role=Role.CURATOR,
        icon="dataset",
        next_step=N_("Build a dataset version"),
    ),
    Stage(
        "finetuning",
        N_("Fine-tuning"),
        N_("Bring a base model in, train it with XTuner, watch the loss fall, compare runs, keep the models."),
        reads=(Artifact.SAMPLES,),
        writes=(Artifact.TEXT_MODELS,),
        page="trainer/finetuning.py",
        role=Role.TRAINER,
        icon="model_training",
        next_step=N_("Fine-tune a model"),
    ),
    Stage(
        "voice_dataset",
        N_("Voice dataset"),
        N_("Find her lines in recordings, cut and clean clips of her voice, write what is said, freeze sets."),
        reads=(Artifact.RECORDINGS, Artifact.UTTERANCES),
        writes=(Artifact.CLIPS,),
        page="curator/voice_dataset.py",
        role=Role.CURATOR,
        icon="graphic_eq",
        next_step=N_("Add a recording"),
    ),
    Stage(
        "voice_training",
        N_("Voice training"),
        N_("Train her voice with GPT-SoVITS, choose the weights by measurement, keep voices and serve them."),
        reads=(Artifact.CLIPS,),
        writes=(Artifact.VOICE_MODELS,),
        page="trainer/voice_training.py",
        role=Role.TRAINER,
        icon="record_voice_over",
        next_step=N_("Train a voice"),
    ),
    Stage(
        "evaluation",
        N_("Evaluation"),
        N_("Examine a model with OpenCompass, test how far it is her, read its scores, go down to every reply."),
        reads=(Artifact.TEXT_MODELS, Artifact.VOICE_MODELS),
        writes=(Artifact.SCORECARDS,),
        page="evaluator/evaluation.py",
        role=Role.EVALUATOR,
        icon="monitoring",
        next_step=N_("Examine a model"),
    ),
    Stage(
        "chat",
        N_("Chat"),
        N_("Talk with her, read and hear her answer."),
        reads=(Artifact.TEXT_MODELS, Artifact.VOICE_MODELS, Artifact.UTTERANCES),
        writes=(Artifact.CONVERSATIONS,),
        page="visitor/chat.py",
        role=Role.VISITOR,
        icon="chat",
        next_step=N_("Talk with her"),
    ),
)

EXTRA_PAGES: tuple[ExtraPage, ...] = (
    ExtraPage(
        "trainer/runs.py",
        N_("Runs"),
        N_("Everything that runs or ran: progress, log, commands, result."),
        role=Role.TRAINER,
        icon="play_circle",
    ),
    ExtraPage(
        "evaluator/arena.py",
        N_("Arena"),
        N_("Two models answer the same words unseen; your votes become ratings with intervals."),
        role=Role.EVALUATOR,
        icon="balance",
    ),
)


def stage(stage_id: str) -> Stage:
    """Return the stage of that id; KeyError for an id that is not on the map."""
    return {one.id: one for one in STAGES}[stage_id]


def pages_of(roles: frozenset[Role]) -> list[Stage | ExtraPage]:
    """Return the pages those roles may open, in the order of the map."""
    everything: tuple[Stage | ExtraPage, ...] = (*STAGES, *EXTRA_PAGES)
    return [one for one in everything if one.role in roles]
