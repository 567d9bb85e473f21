"""Settings of the evaluation, read from `configs/evaluation.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.domain.section import Section


class QuestionUpload(Section):
    """A set of questions somebody brought along."""

    name: str = Field(description="Its name.")
    sha256: str = Field(description="Its content in the store.")


class EvaluationSettings(Section):
    """Who is examined in what."""

    name: str = Field(default="", max_length=80, description="Name of the scorecard; empty for the model's own.")
    model_id: str | None = Field(default=None, description="The text model; empty for the served one below.")
    benchmarks: tuple[Literal["ceval", "cmmlu"], ...] = Field(
        default=(), description="Published benchmarks; their files must be there."
    )
    subjects: tuple[str, ...] = Field(
        default=(), description="Subjects of them, by their English names, one a line; empty for all."
    )
    persona_questions: bool = Field(
        default=True, title="Questions about her", description="Ask what everybody who read the book knows of her."
    )
    own: tuple[QuestionUpload, ...] = Field(default=(), description="Sets of questions that were brought along.")
    most: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        title="Questions of each subject",
        description="For a quick look; empty for all. A score of few questions says little: see its bounds.",
    )
    device: Literal["cpu", "gpu"] = Field(default="cpu", description="Where the model computes.")
    precision: Literal["float32", "float16", "bfloat16"] = Field(
        default="float32", description="Precision of its weights; 16 bits on a GPU."
    )
    batch_size: int = Field(default=4, ge=1, le=256, description="Questions asked at once.")
    reply_tokens: int = Field(
        default=32, ge=1, le=4096, description="Longest reply, in tokens; a letter needs few, a thoughtful model more."
    )
    context_tokens: int = Field(
        default=2048, ge=128, le=131_072, description="Longest question with its examples, in tokens."
    )
    threads: int = Field(default=1, ge=1, le=256, description="Processor cores; a small model is fastest on one.")
    data: str = Field(
        default="",
        title="Folder of the benchmarks",
        description="Holds `ceval` and `cmmlu`; empty for `benchmarks` in the workspace.",
    )
    endpoint_url: str = Field(
        default="",
        title="Server",
        description="Base URL of a server that speaks the OpenAI protocol, where no text model is chosen.",
    )
    endpoint_model: str = Field(default="", title="Model at the server", description="The model's name at that server.")
    endpoint_key: str = Field(
        default="OPENAI_API_KEY",
        pattern=r"^[A-Z0-9_]*API_KEY$",
        description="Name of the environment variable that holds that server's key.",
    )
    max_summary_kb: int = Field(
        default=2048, ge=1, le=102_400, description="Largest summary file that is imported, in kB."
    )
