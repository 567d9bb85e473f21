"""The wiring: settings -> store, jobs, and what each stage is handed. The one place that knows them all."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from core.domain.persona_file import read_persona
from core.jobs.context import RunContext
from core.jobs.curves import METRICS, curve
from core.jobs.execution import Execution, inline_worker
from core.jobs.queue import Job, Jobs
from core.settings import CONFIGS, Settings, load_settings, secret, stage_defaults, validated
from core.stages.corpus.settings import CorpusSettings
from core.stages.dataset.cleaning import CleaningSettings
from core.stages.dataset.importing import ImportSettings
from core.stages.dataset.settings import DatasetSettings
from core.stages.dialogues.settings import AskingSettings, DialogueSettings, ExpansionSettings, KorSettings, ServedKor
from core.stages.finetuning.bases.settings import BaseImport, Hubs
from core.stages.finetuning.models.exporting import ModelExport
from core.stages.finetuning.models.quantising import QuantiseSettings
from core.stages.finetuning.settings import TINY, FinetuneSettings
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
    from core.backends.hubs import Hub
    from core.backends.tools.toolchains import ToolchainReport
    from core.domain.text import DatasetVersion
    from core.jobs.capacity import Capacity
    from core.stages.dialogues.estimate import Estimate, Prices
    from core.stages.finetuning.bases.planning import BasePlan
    from core.stages.finetuning.checking import Pace, WrittenTraining
    from core.stages.finetuning.preflight import Preflight, Reading

SAMPLES = CONFIGS / "samples"

_LATELY = 10
"""Seconds a look at the machine is good for."""


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

    def look_at_base(self, settings: Mapping[str, Any]) -> BasePlan:
        """Return what an import of a base model would bring, and what stands in its way; fetches no weights.

        SettingsError when the settings are not right; another StudioError where there is no such model to see.
        """
        from core.stages.finetuning.bases.planning import plan_import

        wanted = validated(BaseImport, dict(settings), "base_model")
        return plan_import(wanted, workspace=self.settings.workspace, hub=_hub)

    def remove_base(self, base_id: str, *, who: str) -> None:
        """Remove a base model and its folder; ConflictError while a fine-tuning that is not over needs it."""
        from core.stages.finetuning.bases.removing import remove_base

        remove_base(base_id, store=self.store, who=who)

    def toolchain(self, name: str, *, imports: bool = False) -> ToolchainReport:
        """Look at a tool's environment; with `imports` import the tool too, which may take half a minute."""
        from core.backends.tools.toolchains import check

        return check(name, self.settings, imports=imports)

    def check_training(self, persona_id: str, settings: Mapping[str, Any]) -> Preflight:
        """Return what stands in the way of a fine-tuning and what it will need; the first look at a version is slow.

        SettingsError when the settings are not right, MissingArtifactError without a version or the base model.
        """
        from core.stages.finetuning.checking import check
        from core.stages.finetuning.preflight import Surroundings

        wanted = validated(FinetuneSettings, dict(settings), "finetuning")
        hosts = {worker.host for worker in self.jobs.workers()}
        around = Surroundings(
            _capacity(self.settings.workspace, int(time.monotonic() // _LATELY)),
            elsewhere=wanted.launcher.scheduler == "slurm" or not hosts <= {socket.gethostname()},
        )
        version = self._version(persona_id, wanted)
        return check(wanted, version, store=self.store, read=_reader_for(wanted, self.store), around=around)

    def write_training(self, persona_id: str, settings: Mapping[str, Any]) -> WrittenTraining:
        """Return the configuration a fine-tuning would hand to its trainer, and the command to run it by hand."""
        from core.backends.tools.toolchains import python_of
        from core.stages.finetuning.checking import written

        wanted = validated(FinetuneSettings, dict(settings), "finetuning")
        python = python_of(wanted.trainer, self.settings) or Path("python")
        return written(wanted, self._version(persona_id, wanted), store=self.store, python=python)

    def training_pace(self, settings: Mapping[str, Any]) -> Pace | None:
        """Return how long a step took in the last fine-tuning that cost the same; None where there was none."""
        from core.stages.finetuning.checking import pace_of

        wanted = validated(FinetuneSettings, dict(settings), "finetuning")
        return pace_of(wanted, self.store.runs.all(kind="finetuning"), self.curves)

    def curves(self, run_id: str) -> list[Mapping[str, float]]:
        """Return the points of a run's curves, thinned out where there are many."""
        return curve(self.settings.runs / run_id / METRICS)

    def _version(self, persona_id: str, wanted: FinetuneSettings) -> DatasetVersion:
        from core.stages.finetuning.run import inputs

        return self.store.datasets.get(inputs(wanted, self.store, persona_id)["dataset_version"])

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


def _hub(name: str) -> Hub:
    """Return the hub of that name; its token comes from the environment alone, by the name in configs/hubs.yaml."""
    from core.backends.hubs import HUBS, HubSource
    from core.backends.rows import build

    address = stage_defaults("hubs", Hubs).address(name)
    return build(HUBS, name, HubSource(address.endpoint, secret(address.token) or ""))


@lru_cache(maxsize=2)
def _capacity(folder: Path, tick: int) -> Capacity:
    """Look at the machine, once for each tick of the clock: the driver of a GPU takes its time to answer."""
    from core.jobs.capacity import capacity

    return capacity(folder)


def _reader_for(wanted: FinetuneSettings, store: Store) -> Callable[[DatasetVersion, str], Reading]:
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

    def base_model(self, wanted: BaseImport, context: RunContext) -> Mapping[str, Any]:
        from core.stages.finetuning.bases.importing import run

        return run(
            wanted,
            context=context,
            store=self._store,
            environment=self._environments(context),
            hub=_hub,
            hubs=stage_defaults("hubs", Hubs),
        )

    def finetuning(self, wanted: FinetuneSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.finetuning.run import run

        context.step("preflight", lambda: self._ready_to_train(wanted, context))
        return run(wanted, context=context, store=self._store, environment=self._environments(context))

    def _ready_to_train(self, wanted: FinetuneSettings, context: RunContext) -> None:
        """Refuse what cannot succeed before anything is built; raises InvalidInputError with the remedy."""
        from core.jobs.capacity import capacity
        from core.stages.finetuning.checking import check
        from core.stages.finetuning.preflight import Surroundings, require

        version = self._store.datasets.get(context.run.inputs["dataset_version"])
        written = sum(file.stat().st_size for file in context.folder.rglob("*") if file.is_file())
        by_scheduler = wanted.launcher.scheduler == "slurm"
        around = Surroundings(capacity(self._settings.workspace), elsewhere=by_scheduler, written=written)
        # The tiny base's tokenizer is learnt by the run itself; reading with one here would take as long again.
        read = None if wanted.base == TINY else _reader_for(wanted, self._store)
        require(check(wanted, version, store=self._store, read=read, around=around))

    def quantising(self, wanted: QuantiseSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.finetuning.models.quantising import run

        return run(wanted, context=context, store=self._store, environment=self._environments(context))

    def model_export(self, wanted: ModelExport, context: RunContext) -> Mapping[str, Any]:
        from core.stages.finetuning.models.exporting import run

        return run(wanted, context=context, store=self._store)

    def _environments(self, context: RunContext) -> Callable[[str], Path]:
        """Return what gives the interpreter of a tool's environment, built first where it is missing."""
        from core.backends.tools.toolchains import ensure

        return lambda name: ensure(name, settings=self._settings, context=context)

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
        Job("base_model", N_("Base model"), "cpu", BaseImport, stages.base_model),
        Job("finetuning", N_("Fine-tuning"), "gpu", FinetuneSettings, stages.finetuning, stages.finetuning_inputs),
        Job("quantising", N_("4-bit copy"), "gpu", QuantiseSettings, stages.quantising),
        Job("model_export", N_("Export of a model"), "cpu", ModelExport, stages.model_export),
        Job("recording", N_("Import of a recording"), "cpu", RecordingImport, stages.recording),
        Job("voice_dataset", N_("Cutting clips"), "cpu", CuttingSettings, stages.voice_dataset),
        Job("sound_effects", N_("Sound of clips"), "cpu", ProcessingSettings, stages.sound_effects),
        Job("transcription", N_("Transcription"), "llm", TranscriptionSettings, stages.transcription),
        Job("clip_set", N_("Clip set"), "cpu", ClipSetSettings, stages.clip_set),
        Job("toolchain", N_("Tool environment"), "cpu", ToolchainRun, stages.toolchain),
    )
