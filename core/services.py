"""The wiring: settings -> store, jobs, and what each stage is handed. The one place that knows them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from core.domain.persona_file import read_persona
from core.jobs.context import RunContext
from core.jobs.execution import Execution, inline_worker
from core.jobs.queue import Job, Jobs
from core.settings import CONFIGS, Settings, load_settings, secret, stage_defaults, validated
from core.stages.corpus.settings import CorpusSettings
from core.stages.dataset.cleaning import CleaningSettings
from core.stages.dataset.importing import ImportSettings
from core.stages.dataset.settings import DatasetSettings
from core.stages.dialogues.settings import AskingSettings, DialogueSettings, ExpansionSettings, KorSettings, ServedKor
from core.stages.finetuning.settings import FinetuneSettings
from core.stages.voice_dataset.clip_sets import ClipSetSettings
from core.stages.voice_dataset.importing import RecordingImport
from core.stages.voice_dataset.planning import CuttingSettings
from core.stages.voice_dataset.processing import ProcessingSettings
from core.stages.voice_dataset.words.transcribing import ServedTranscription, TranscriptionSettings
from core.store import Store
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.asr import Recogniser
    from core.backends.extraction import ExtractionModel
    from core.stages.dialogues.estimate import Estimate, Prices

SAMPLES = CONFIGS / "samples"


class ToolchainRun(BaseModel):
    """Which tool's environment to build."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="The tool: xtuner or opencompass.")


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a page or a command may use."""

    settings: Settings
    store: Store
    jobs: Jobs
    execution: Execution
    """Does runs in this process, for commands that wait for them."""

    def receive_texts(self, stream: IO[bytes], name: str) -> list[dict[str, Any]]:
        """Take in an upload and return what the corpus stage wants to know of it; InvalidInputError when refused."""
        from core.stages.corpus.upload import UploadLimits, receive

        uploads = self.settings.uploads
        limits = UploadLimits(uploads.max_text_mb, uploads.max_archive_members)
        received = receive(stream, name, files=self.store.files, limits=limits)
        return [one.model_dump(mode="json") for one in received]

    def receive_recording(
        self, stream: IO[bytes], name: str, subtitles: IO[bytes] | None = None, subtitles_name: str = ""
    ) -> dict[str, str]:
        """Take in a sound or video and the subtitles beside it; return what the import run wants to know of them.

        InvalidInputError for what is no sound, too large or empty, and for subtitles that cannot be read.
        """
        from core.stages.voice_dataset.recordings import receive

        limit = self.settings.uploads.max_audio_mb
        received = receive(stream, name, files=self.store.files, max_megabytes=limit)
        wanted = {"name": received.name, "sha256": received.sha256}
        if subtitles is not None:
            wanted |= self.receive_subtitles(subtitles, subtitles_name)
        return wanted

    def receive_subtitles(self, stream: IO[bytes], name: str) -> dict[str, str]:
        """Take in subtitles and return how a recording names them; InvalidInputError where no words have times."""
        from core.stages.voice_dataset.recordings import shown_name
        from core.stages.voice_dataset.words.subtitles import LARGEST, read_cues

        words = stream.read(LARGEST + 1)
        read_cues(words, shown_name(name))
        return {"subtitles_name": shown_name(name), "subtitles_sha256": self.store.files.put(words)}

    def estimate(self, kind: str, persona_id: str, settings: Mapping[str, Any]) -> Estimate:
        """Return what a run of the kind kor or expansion would ask and cost; sends nothing."""
        from core.stages.dialogues import expansion, kor

        wanted = validated(self.jobs.job(kind).settings, dict(settings), kind)
        persona = self.store.personas.get(persona_id)
        if isinstance(wanted, KorSettings):
            with _asked(wanted, "script") as model:
                works = kor.plan(wanted, persona, store=self.store, model=model)
                return kor.estimated(wanted, works, store=self.store, model=model, prices=_prices())
        if not isinstance(wanted, ExpansionSettings):
            raise TypeError(f"{kind} asks no model")
        with _asked(wanted, "expansion") as model:
            work = expansion.plan(wanted, persona, store=self.store, model=model)
            return expansion.estimated(wanted, work, store=self.store, model=model, prices=_prices())

    def close(self) -> None:
        """Let go of the databases."""
        self.jobs.close()
        self.store.close()


@lru_cache(maxsize=1)
def services() -> Services:
    """Return this process's services, opened at the first call."""
    return open_services()


def open_services(settings: Settings | None = None) -> Services:
    """Open the workspace: migrate the store, make the personas of `configs/personas` known."""
    settings = settings or load_settings()
    settings.workspace.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url, settings.workspace)
    for file in sorted((CONFIGS / "personas").glob("*.yaml")):
        store.personas.put(read_persona(file))
    jobs = Jobs(settings, store, {job.kind: job for job in _jobs(_Stages(settings, store))})
    return Services(settings, store, jobs, Execution(settings, store, jobs, worker=inline_worker()))


def seed(opened: Services) -> bool:
    """Give a new workspace the sample corpus, lines extracted; False when it has been given before."""
    persona = opened.store.personas.get(opened.settings.persona)
    if opened.store.events.of("persona", persona.id):
        return False
    for file in sorted(SAMPLES.glob("*.txt")):
        with file.open("rb") as stream:
            uploads = opened.receive_texts(stream, file.name)
        opened.execution.here("corpus", persona.id, {"uploads": uploads}, who="app")
    opened.execution.here("dialogues", persona.id, {}, who="app")
    opened.store.events.add(who="app", entity="persona", entity_id=persona.id, action="seed")
    return True


@contextmanager
def _asked(wanted: AskingSettings, schema_name: str) -> Iterator[ExtractionModel]:
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
def _heard(wanted: TranscriptionSettings) -> Iterator[Recogniser]:
    """Lend what writes down speech; its key comes from the environment alone, by the name in configs."""
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
    recogniser = build(RECOGNISERS, wanted.backend, source)
    try:
        yield recogniser
    finally:
        recogniser.close()


def _prices() -> Prices:
    from core.stages.dialogues.estimate import Prices

    return stage_defaults("extraction", Prices, preset="prices")


class _Stages:
    """What each kind of run does, and what it is handed beyond its settings."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def corpus(self, wanted: CorpusSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.corpus.run import run

        return run(wanted, context=context, store=self._store)

    def dialogues(self, wanted: DialogueSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dialogues.run import run

        return run(wanted, context=context, store=self._store)

    def kor(self, wanted: KorSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dialogues.kor import run

        with _asked(wanted, "script") as model:
            return run(wanted, context=context, store=self._store, model=model, prices=_prices())

    def expansion(self, wanted: ExpansionSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dialogues.expansion import run

        with _asked(wanted, "expansion") as model:
            return run(wanted, context=context, store=self._store, model=model, prices=_prices())

    def dataset(self, wanted: DatasetSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dataset.run import run

        return run(wanted, context=context, store=self._store)

    def dataset_import(self, wanted: ImportSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dataset.importing import run

        return run(wanted, context=context, store=self._store)

    def cleaning(self, wanted: CleaningSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dataset.cleaning import run

        return run(wanted, context=context, store=self._store)

    def finetuning(self, wanted: FinetuneSettings, context: RunContext) -> Mapping[str, Any]:
        from core.backends.tools.toolchains import ensure
        from core.stages.finetuning.run import run

        def environment(name: str) -> Path:
            return ensure(name, settings=self._settings, context=context)

        return run(wanted, context=context, store=self._store, environment=environment)

    def finetuning_inputs(self, wanted: FinetuneSettings, persona_id: str) -> Mapping[str, Any]:
        from core.stages.finetuning.run import inputs

        return inputs(wanted, self._store, persona_id)

    def recording(self, wanted: RecordingImport, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_dataset.importing import run

        return run(wanted, context=context, store=self._store)

    def voice_dataset(self, wanted: CuttingSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_dataset.cutting import run

        return run(wanted, context=context, store=self._store)

    def sound_effects(self, wanted: ProcessingSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_dataset.processing import run

        return run(wanted, context=context, store=self._store)

    def transcription(self, wanted: TranscriptionSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_dataset.words.transcribing import run

        with _heard(wanted) as recogniser:
            return run(wanted, context=context, store=self._store, recogniser=recogniser)

    def clip_set(self, wanted: ClipSetSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_dataset.freezing import run

        return run(wanted, context=context, store=self._store)

    def toolchain(self, wanted: ToolchainRun, context: RunContext) -> Mapping[str, Any]:
        from core.backends.tools.toolchains import ensure

        return {"python": str(ensure(wanted.name, settings=self._settings, context=context, until=1.0))}


def _jobs(stages: _Stages) -> tuple[Job, ...]:
    """The table of jobs: what may run, in which queue, and who does it."""
    return (
        Job("corpus", N_("Import"), "cpu", CorpusSettings, stages.corpus),
        Job("dialogues", N_("Extraction"), "cpu", DialogueSettings, stages.dialogues),
        Job("kor", N_("Extraction by a language model"), "llm", KorSettings, stages.kor),
        Job("expansion", N_("Lines before her quotes"), "llm", ExpansionSettings, stages.expansion),
        Job("dataset", N_("Dataset version"), "cpu", DatasetSettings, stages.dataset),
        Job("dataset_import", N_("Dataset import"), "cpu", ImportSettings, stages.dataset_import),
        Job("cleaning", N_("Search for duplicates"), "cpu", CleaningSettings, stages.cleaning),
        Job("finetuning", N_("Fine-tuning"), "gpu", FinetuneSettings, stages.finetuning, stages.finetuning_inputs),
        Job("recording", N_("Import of a recording"), "cpu", RecordingImport, stages.recording),
        Job("voice_dataset", N_("Cutting clips"), "cpu", CuttingSettings, stages.voice_dataset),
        Job("sound_effects", N_("Sound of clips"), "cpu", ProcessingSettings, stages.sound_effects),
        Job("transcription", N_("Transcription"), "llm", TranscriptionSettings, stages.transcription),
        Job("clip_set", N_("Clip set"), "cpu", ClipSetSettings, stages.clip_set),
        Job("toolchain", N_("Tool environment"), "cpu", ToolchainRun, stages.toolchain),
    )
