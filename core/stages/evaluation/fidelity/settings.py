"""Settings of the persona test, read from `configs/fidelity.yaml`."""

from __future__ import annotations

from pydantic import Field

from core.domain.section import Section


class FidelitySettings(Section):
    """Who is tested, on which scenes, and how it answers."""

    name: str = Field(default="", max_length=80, description="Name of the scorecard; empty for the model's own.")
    who: str = Field(
        default="retrieval",
        description="Who answers: the id of a text model; `openai`, the server of configs/chat.yaml; or `retrieval`, "
        "which repeats her own lines and shows what a parrot scores.",
    )
    dataset_version_id: str | None = Field(
        default=None,
        title="Dataset version",
        description="Its held-out chapters are the scenes; empty for the one it was trained on, else the newest.",
    )
    scenes: int = Field(default=60, ge=4, le=2000, description="Held-out scenes put to it, at most.")
    ranked: int = Field(
        default=40,
        ge=0,
        le=2000,
        description="Scenes in which it must tell her real reply from nine others of hers; 0 leaves that out.",
    )
    probes: bool = Field(
        default=True, title="Questions and probes", description="Ask who she is, and try to talk her out of her role."
    )
    max_tokens: int = Field(default=128, ge=8, le=1024, description="Longest reply, in tokens.")
    temperature: float = Field(
        default=0.0, ge=0, le=2, description="0 always takes the likeliest word, and the same model scores the same."
    )
    repetition_penalty: float = Field(
        default=1.1, ge=1, le=2, description="More than 1 keeps it from going in circles; the chat has the same."
    )
    seed: int = Field(default=1, ge=0, description="For temperatures above 0.")
    classifier: str = Field(default="character-ngrams", description="What tells her style from the others'.")
    judge_url: str = Field(
        default="",
        title="Judge's server",
        description="Base URL of a server that speaks the OpenAI protocol; empty for no judge.",
    )
    judge_model: str = Field(default="", title="Judge", description="The judge's name at that server.")
    judge_key: str = Field(
        default="OPENAI_API_KEY",
        pattern=r"^[A-Z0-9_]*API_KEY$",
        title="Judge's key",
        description="Name of the environment variable that holds that server's key.",
    )
    judged_votes: int = Field(
        default=40,
        ge=0,
        le=1000,
        title="Votes judged again",
        description="Votes of people in the arena that the judge decides too, to see how far it agrees with them.",
    )
