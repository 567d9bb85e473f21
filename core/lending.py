"""What runs and pages are lent: models that are asked, hubs, readers of samples; the one place where secrets enter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from core.domain.run import RunState
from core.domain.voice_training import ServingPlace
from core.errors import MissingToolError
from core.settings import Settings, config_file, secret, stage_defaults
from core.stages.dialogues.settings import AskingSettings, ServedKor
from core.stages.finetuning.bases.settings import Hubs
from core.stages.finetuning.settings import FinetuneSettings
from core.stages.voice_dataset.words.transcribing import ServedTranscription, TranscriptionSettings
from core.store import Store
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.asr import Recogniser
    from core.backends.extraction import ExtractionModel
    from core.backends.hubs import Hub
    from core.backends.llm import ChatModel
    from core.backends.tools import VoiceTrainer
    from core.backends.voiceprint import Voiceprint
    from core.domain.checkout import Checkout
    from core.domain.text import DatasetVersion
    from core.stages.chat.guard import Guard
    from core.stages.chat.settings import ChatSettings
    from core.stages.dialogues.estimate import Prices
    from core.stages.evaluation.fidelity.run import Examined
    from core.stages.evaluation.fidelity.settings import FidelitySettings
    from core.stages.finetuning.preflight import Reading
    from core.stages.voice_training.ranking import RankingSettings


VOICE_SERVER: Final = "voice_server"
"""The kind of run that is a server of voices."""
VOICE_TRAINER: Final = "gpt-sovits"
"""The one there is; a row of VOICE_TRAINERS."""


@contextmanager
def asked_model(wanted: AskingSettings, schema_name: str) -> Iterator[ExtractionModel]:
    """Lend the language model a run asks; its key comes from the environment alone, by the name in configs/kor.yaml."""
    from core.backends.extraction import EXTRACTION_MODELS, ExtractionSource
    from core.backends.llm import Endpoint
    from core.backends.rows import build
    from core.stages.dialogues.schemas import schema

    key = secret(stage_defaults("kor", ServedKor).endpoint_key) or ""
    source = ExtractionSource(
        schema(schema_name),
        Endpoint(wanted.base_url, wanted.model, key),
        timeout_seconds=wanted.timeout_seconds,
        temperature=wanted.temperature,
        max_tokens=wanted.max_tokens,
        stream=wanted.stream,
        connections=wanted.concurrency,
    )
    model = build(EXTRACTION_MODELS, "kor", source)
    try:
        yield model
    finally:
        model.close()


@contextmanager
def recogniser_for(wanted: TranscriptionSettings) -> Iterator[Recogniser]:
    """Lend what writes down speech; its key comes from the environment alone, by the name in configs."""
    recogniser = _recogniser(wanted)
    try:
        yield recogniser
    finally:
        recogniser.close()


def ears() -> Recogniser:
    """Return what listens to visitors, as configs/transcription.yaml says; loaded once and kept for all of them."""
    return _kept_recogniser(stage_defaults("transcription", ServedTranscription).asking())


@lru_cache(maxsize=1)
def _kept_recogniser(wanted: TranscriptionSettings) -> Recogniser:
    return _recogniser(wanted)


def _recogniser(wanted: TranscriptionSettings) -> Recogniser:
    from core.backends.asr import RECOGNISERS, RecogniserSource
    from core.backends.llm import Endpoint
    from core.backends.rows import build

    key = secret(stage_defaults("transcription", ServedTranscription).endpoint_key) or ""
    source = RecogniserSource(
        model=wanted.model,
        endpoint=Endpoint(wanted.base_url, wanted.model, key) if wanted.base_url else None,
        device=wanted.device,
        compute_type=wanted.compute_type,
        skip_silence=wanted.skip_silence,
        download=wanted.download,
        timeout_seconds=wanted.timeout_seconds,
        attempts=wanted.attempts,
    )
    return build(RECOGNISERS, wanted.backend, source)


@contextmanager
def ranking_ears(wanted: RankingSettings) -> Iterator[tuple[Voiceprint, Recogniser | None]]:
    """Lend what tells voices apart and, where somebody is to listen, what writes down speech."""
    from core.backends.rows import build
    from core.backends.voiceprint import VOICEPRINTS, VoiceprintSource

    voiceprint = build(VOICEPRINTS, wanted.voiceprint, VoiceprintSource(wanted.voiceprint_model))
    try:
        if not wanted.recogniser:
            yield voiceprint, None
            return
        usual = stage_defaults("transcription", ServedTranscription).asking().model_dump()
        chosen = {"backend": wanted.recogniser, "model": wanted.model, "base_url": wanted.base_url}
        with recogniser_for(TranscriptionSettings(**{**usual, **chosen})) as recogniser:
            yield voiceprint, recogniser
    finally:
        voiceprint.close()


@contextmanager
def tested_model(wanted: FidelitySettings, persona_id: str, store: Store) -> Iterator[Examined]:
    """Lend the model that a persona test puts its scenes to; NotFoundError when it is gone.

    Afterwards its memory is given back: a worker has trainings to start.
    """
    from core.backends.llm import ReadingModel
    from core.stages.chat.choice import choice_of, model_for
    from core.stages.chat.settings import ChatSettings
    from core.stages.evaluation.fidelity.run import Examined

    settings = stage_defaults("chat", ChatSettings)
    choice = choice_of(wanted.who, persona_id, settings=settings, store=store)
    model = model_for(choice, store.personas.get(persona_id), settings=settings, store=store)
    try:
        yield Examined(choice.title, choice.model_id, model)
    finally:
        if isinstance(model, ReadingModel):
            model.unload()
        model.close()


@lru_cache(maxsize=4)
def guard_of(settings: ChatSettings) -> Guard:
    """Return what watches the words of a chat, the same for the same settings; its key comes from the environment.

    SettingsError for a filter that does not exist or lacks what it needs: better no chat than an unwatched one.
    """
    from core.backends.filters import FILTERS, FilterSource
    from core.backends.llm import Endpoint
    from core.backends.rows import build
    from core.stages.chat.guard import Guard

    if not settings.filter:
        return Guard()
    endpoint = Endpoint(settings.filter_url, settings.filter_model, secret(settings.filter_key) or "")
    source = FilterSource(
        words=config_file(settings.filter_words) if settings.filter_words else None,
        endpoint=endpoint if settings.filter_url else None,
        timeout_seconds=settings.filter_seconds,
    )
    return Guard(build(FILTERS, settings.filter, source), open_on_failure=settings.filter_on_failure == "open")


@contextmanager
def judge_of(wanted: FidelitySettings) -> Iterator[ChatModel | None]:
    """Lend the judge of a persona test where one is asked; its key comes from the environment alone."""
    from core.backends.llm import CHAT_MODELS, Endpoint, ModelSource
    from core.backends.rows import build

    if not (wanted.judge_url and wanted.judge_model):
        yield None
        return
    endpoint = Endpoint(wanted.judge_url, wanted.judge_model, secret(wanted.judge_key) or "")
    judge = build(CHAT_MODELS, "openai", ModelSource(endpoint=endpoint))
    try:
        yield judge
    finally:
        judge.close()


def hub_named(name: str) -> Hub:
    """Return the hub of that name; its token comes from the environment alone, by the name in configs/hubs.yaml."""
    from core.backends.hubs import HUBS, HubSource
    from core.backends.rows import build

    address = stage_defaults("hubs", Hubs).address(name)
    return build(HUBS, name, HubSource(address.endpoint, secret(address.token) or ""))


def sample_reader(wanted: FinetuneSettings, store: Store) -> Callable[[DatasetVersion, str], Reading]:
    """Return what reads a version's samples as the trainer will."""
    trained = (wanted.prompt_template, wanted.tiny.vocabulary, wanted.trainer)
    return lambda version, base: _read_samples(store, version.id, base, *trained)


@lru_cache(maxsize=8)
def _read_samples(store: Store, version_id: str, base: str, template: str, vocabulary: int, trainer: str) -> Reading:
    """Versions and base models never change, so their samples are read once."""
    from core.stages.dataset.preview import reader_of, sample_losses
    from core.stages.finetuning.checking import SAMPLES_READ
    from core.stages.finetuning.preflight import Reading

    version = store.datasets.get(version_id)
    reader = reader_of(version, store, base=base, template=template, vocabulary=vocabulary, trainer=trainer)
    losses, samples = sample_losses(version, store, reader, most=SAMPLES_READ)
    return Reading(losses, samples, tuple(reader.broken_marks()))


def voice_tool(settings: Settings, store: Store) -> Checkout:
    """Return where GPT-SoVITS is: as the settings say, else as somebody said on the voice page.

    MissingToolError where nobody has.
    """
    from core.domain.checkout import Checkout

    configured, told = settings.voice, store.checkouts.get(VOICE_TRAINER)
    folder = configured.checkout or (told.folder if told else None)
    python = configured.python or (told.python if told else None)
    if folder is None or python is None:
        raise MissingToolError(
            N_("Nobody has said yet where GPT-SoVITS is."),
            remedy=N_("Give the folder of a checkout and the Python of its environment on the voice training page."),
        )
    return Checkout(folder, python)


def voice_trainer(settings: Settings, store: Store) -> VoiceTrainer:
    """Return the trainer of voices; MissingToolError where nobody has said where it is."""
    return voice_trainer_at(voice_tool(settings, store))


def voice_trainer_at(checkout: Checkout) -> VoiceTrainer:
    """Return the trainer of voices in that place, whether it works there or not."""
    from core.backends.rows import build
    from core.backends.tools import VOICE_TRAINERS

    return build(VOICE_TRAINERS, VOICE_TRAINER, checkout)


def own_servers(store: Store) -> list[ServingPlace]:
    """Return the voice servers that run here as runs, also those that do not answer yet."""
    runs = store.runs.all(kind=VOICE_SERVER, states=[RunState.RUNNING])
    return [
        ServingPlace(
            str(run.progress.values.get("address", "")),
            str(run.progress.values.get("state", "starting")),
            run.id,
            str(run.settings.get("model_id", "")),
        )
        for run in runs
    ]


def speaking_addresses(settings: Settings, store: Store) -> tuple[str, ...]:
    """Return where trained voices may speak now: by our servers that answer or will again, and by those configured."""
    ours = [one.address for one in own_servers(store) if one.address and one.state != "starting"]
    return (*ours, *settings.voice.servers)


def prices() -> Prices:
    """Return what the models of others cost, as configs/extraction/prices.yaml tells."""
    from core.stages.dialogues.estimate import Prices

    return stage_defaults("extraction", Prices, preset="prices")
