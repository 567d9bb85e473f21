"""Settings: `configs/*.yaml` overlaid by the environment, checked once, frozen.

The only module that reads the environment of the running app (`core/jobs/environments.py` reads it
before the app's own environment exists).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from core.domain.section import Section
from core.errors import SettingsError
from core.lifecycle import Role
from core.translation import N_

PROJECT = Path(__file__).resolve().parent.parent
CONFIGS = PROJECT / "configs"

M = TypeVar("M", bound=BaseModel)


class StoreSettings(Section):
    """Where the records are kept."""

    url: str = Field(default="", description="SQLAlchemy URL; empty for SQLite in the workspace.")


class QueueSettings(Section):
    """How many runs of each queue this worker executes at once; none of a queue with 0."""

    cpu: int = Field(default=1, ge=0, description="Runs at once that use the processor.")
    gpu: int | None = Field(
        default=None,
        ge=0,
        description="Runs at once that use a GPU; empty for as many as this machine has GPUs, at least one.",
    )
    llm: int = Field(default=4, ge=0, description="Runs at once that call a language model.")
    servers: int = Field(default=2, ge=0, description="Servers of voices that run at once.")


class JobSettings(Section):
    """How runs are executed."""

    url: str = Field(default="", description="Database of the durable queue; empty for SQLite in the workspace.")
    worker: str = Field(default="local", pattern=r"^[\w.-]+$", description="This worker's name.")
    host: str = Field(
        default="",
        pattern=r"^[\w.-]*$",
        max_length=64,
        description="This machine's name; empty asks the system. Name it where it changes at each start.",
    )
    gpus: tuple[str, ...] | None = Field(
        default=None, description="GPUs that runs may use, as CUDA names them; empty to ask the machine."
    )
    queues: QueueSettings = QueueSettings()
    poll_seconds: float = Field(default=0.5, gt=0, le=10, description="How often a worker looks for work.")
    stop_grace_seconds: float = Field(default=10, ge=0, description="Time a program gets to end by itself.")


class ServerSettings(Section):
    """Where the app listens."""

    address: str = Field(default="127.0.0.1", description="Address to listen on; keep it local without sign-in.")
    port: int = Field(default=8501, ge=1, le=65535, description="Port to listen on.")


class ApiSettings(Section):
    """The service for other chat clients, `python -m core serve`."""

    address: str = Field(default="127.0.0.1", description="Address to listen on; any but this machine's needs keys.")
    port: int = Field(default=8502, ge=1, le=65535, description="Port to listen on.")
    keys: str = Field(
        default="CHAT_DAIYU_API_KEYS",
        pattern=r"^[A-Z0-9_]*API_KEYS?$",
        description="Name of the environment variable that holds the keys clients may use, separated by commas.",
    )
    requests_per_minute: int = Field(default=120, ge=1, le=100_000, description="Of each key; of each address without.")
    max_replies: int = Field(default=64, ge=1, le=1000, description="Requests that are answered at once.")
    max_request_mb: int = Field(default=1, ge=1, le=100, description="Largest request without sound, in MB.")
    max_audio_mb: int = Field(default=25, ge=1, le=2000, description="Largest sound to write down, in MB.")
    max_audio_minutes: float = Field(default=30, gt=0, le=120, description="Longest sound to write down, in minutes.")
    max_speech_characters: int = Field(default=4096, ge=1, le=20_000, description="Longest text to speak at once.")


class AccessSettings(Section):
    """Who may do what."""

    roles: tuple[Role, ...] = Field(default=tuple(Role), min_length=1, description="Roles of the local person.")


class UploadSettings(Section):
    """How large an upload may be."""

    max_text_mb: int = Field(default=64, ge=1, description="Largest text, in MB.")
    max_audio_mb: int = Field(default=2048, ge=1, description="Largest recording, in MB.")
    max_archive_members: int = Field(default=200, ge=1, description="Most files in one archive.")


class ToolchainSettings(Section):
    """One tool's environment."""

    python: Path | None = Field(default=None, description="Interpreter of an existing environment.")


class VoiceToolSettings(Section):
    """Where GPT-SoVITS is, which nobody can fetch for you; what is empty is asked for on the voice page."""

    checkout: Path | None = Field(default=None, description="Folder of a checkout of GPT-SoVITS.")
    python: Path | None = Field(default=None, description="The Python of the environment it is installed in.")
    servers: tuple[str, ...] = Field(
        default=(), description="Addresses of servers of it (api_v2) that run already, e.g. http://127.0.0.1:9880."
    )


class Settings(BaseSettings):
    """The app's settings, from `configs/app.yaml` and `DAIYU_…`; unknown keys are refused."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="DAIYU_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    workspace: Path = Path("workspace")
    persona: str = "daiyu"
    store: StoreSettings = StoreSettings()
    jobs: JobSettings = JobSettings()
    server: ServerSettings = ServerSettings()
    api: ApiSettings = ApiSettings()
    access: AccessSettings = AccessSettings()
    uploads: UploadSettings = UploadSettings()
    toolchains: dict[str, ToolchainSettings] = Field(default_factory=dict)
    voice: VoiceToolSettings = VoiceToolSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrules the file, which arrives as the initial values."""
        return EnvSettingsSource(settings_cls), init_settings

    @property
    def store_url(self) -> str:
        """The store's URL, the default filled in."""
        return self.store.url or f"sqlite:///{self.workspace / 'store.db'}"

    @property
    def jobs_url(self) -> str:
        """The queue's URL, the default filled in."""
        return self.jobs.url or f"sqlite:///{self.workspace / 'jobs.db'}"

    @property
    def runs(self) -> Path:
        """Where each run has its folder."""
        return self.workspace / "runs"


def load_settings(file: Path = CONFIGS / "app.yaml") -> Settings:
    """Read the app's settings; raise SettingsError naming the key that is wrong."""
    _refuse_unknown_environment()
    try:
        settings = Settings(**_read_yaml(file))
    except ValidationError as error:
        raise _explained(error, file) from None
    return settings.model_copy(update={"workspace": (PROJECT / settings.workspace).resolve()})


def stage_defaults(name: str, model: type[M], *, preset: str | None = None) -> M:
    """Read `configs/<name>.yaml`, or `configs/<name>/<preset>.yaml`, as that stage's settings."""
    file = CONFIGS / name / f"{preset}.yaml" if preset else CONFIGS / f"{name}.yaml"
    return validated(model, _read_yaml(file), file)


def config_file(name: str) -> Path:
    """Return the path of a file below `configs` that a setting names; SettingsError for one anywhere else."""
    file = (CONFIGS / name).resolve()
    if not file.is_relative_to(CONFIGS.resolve()):
        raise SettingsError(
            N_("{name} is not below configs."), remedy=N_("Put the file there and give its path from there."), name=name
        )
    return file


def presets_of(name: str, *, first: str) -> tuple[str, ...]:
    """Return the names of the files in `configs/<name>/`, the default first; who adds a file adds a preset."""
    return first, *sorted({file.stem for file in (CONFIGS / name).glob("*.yaml")} - {first})


def preset_of(name: str, model: type[M], preset: str) -> M:
    """Return a preset's settings, defaults filled in; SettingsError for one there is no file of."""
    known = sorted(file.stem for file in (CONFIGS / name).glob("*.yaml"))
    if preset not in known:
        raise SettingsError(
            N_("There is no preset called {name}."),
            remedy=N_("Choose one of: {known}."),
            name=preset,
            known=", ".join(known),
        )
    return stage_defaults(name, model, preset=preset)


def validated(model: type[M], values: dict[str, Any], origin: Path | str = "") -> M:
    """Return the settings those values make; raise SettingsError naming the key that is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _explained(error, origin) from None


def secret(name: str) -> str | None:
    """Return a secret from the environment, e.g. `OPENAI_API_KEY`; never stored, never logged."""
    return os.environ.get(name)


def inherited_environment() -> dict[str, str]:
    """Return the environment a started program inherits."""
    return dict(os.environ)


def visible_gpus() -> str | None:
    """Return the GPUs this process may use as CUDA takes them, or None where nobody has said."""
    return os.environ.get("CUDA_VISIBLE_DEVICES")


def _read_yaml(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingsError(
            N_("{file} is not valid YAML: {problem}."),
            remedy=N_("Mend the file, or delete it to use the defaults."),
            file=file.name,
            problem=" ".join(str(error).split()),
        ) from None
    return content or {}


def _refuse_unknown_environment() -> None:
    known = {name.upper() for name in Settings.model_fields}
    for variable in os.environ:
        if variable.startswith("DAIYU_") and variable.removeprefix("DAIYU_").split("__")[0] not in known:
            raise SettingsError(
                N_("The environment variable {name} is not a setting."),
                remedy=N_("Unset it, or name a key of configs/app.yaml, e.g. DAIYU_SERVER__PORT."),
                name=variable,
            )


def _explained(error: ValidationError, origin: Path | str) -> SettingsError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    return SettingsError(
        N_("The setting {key} is not right: {problem}.") if key else N_("The settings do not go together: {problem}."),
        remedy=N_("Change it in {file} or in the form."),
        key=key,
        problem=first["msg"].removeprefix("Value error, ").rstrip("."),
        file=Path(origin).name if origin else "configs",
    )
