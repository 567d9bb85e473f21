"""What is asked of an import of a base model, and the hubs it may come from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.domain.section import Section


class BaseImport(Section):
    """Which base model to bring in, and from where."""

    source: Literal["huggingface", "modelscope", "folder"] = Field(
        default="modelscope", description="Where it is: a hub, or a folder on this machine."
    )
    repository: str = Field(
        default="Shanghai_AI_Laboratory/internlm2-chat-1_8b",
        min_length=1,
        max_length=400,
        description="owner/name on the hub; or the folder, absolute or in the workspace.",
    )
    revision: str = Field(
        default="",
        max_length=80,
        pattern=r"^[\w./-]*$",
        description="Branch, tag or commit; empty for the newest.",
    )
    name: str = Field(default="", max_length=60, description="What it is called here; empty for the repository's name.")


class HubAddress(Section):
    """Where a hub is and which variable of the environment holds the token for it."""

    endpoint: str = Field(default="", pattern=r"^(https?://.+)?$", description="Base address; empty for its own.")
    token: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", description="The environment variable that holds the token.")


class Suggestion(Section):
    """A base model to pick from."""

    name: str = Field(description="Its own name.")
    huggingface: str = Field(default="", description="Its id there; empty where it is not.")
    modelscope: str = Field(default="", description="Its id there; empty where it is not.")
    gigabytes: float = Field(gt=0, description="About how much is downloaded.")


class Hubs(Section):
    """Read from `configs/hubs.yaml`."""

    huggingface: HubAddress = Field(default=HubAddress(token="HF_TOKEN"), description="Hugging Face, or a mirror.")
    modelscope: HubAddress = Field(default=HubAddress(token="MODELSCOPE_API_TOKEN"), description="ModelScope.")
    suggestions: tuple[Suggestion, ...] = Field(default=(), description="What the page offers to pick from.")

    def address(self, hub: str) -> HubAddress:
        """Return the address of that hub: `huggingface` or `modelscope`."""
        return self.modelscope if hub == "modelscope" else self.huggingface
