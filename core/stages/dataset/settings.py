"""Settings of the dataset room."""

from __future__ import annotations

from pydantic import Field

from core.domain.section import Section


class DatasetSettings(Section):
    """Read from `configs/dataset.yaml`; shown as a form by the page."""

    name: str = Field(default="", max_length=100, description="The version's name; empty to number it.")
    note: str = Field(default="", max_length=2000, description="What this version is for.")
    source_ids: tuple[str, ...] = Field(default=(), description="The sources to use; empty for all of the persona's.")
    accepted_only: bool = Field(
        default=False, description="Use only lines a curator has accepted; otherwise all that are not rejected."
    )
    min_confidence: float = Field(
        default=0.5, ge=0, le=1, description="Leave out unreviewed lines whose speaker is less certain than this."
    )
    min_reply_characters: int = Field(default=2, ge=1, description="Shorter replies of hers are left out (characters).")
    max_exchanges: int = Field(
        default=6, ge=1, le=64, description="Longest conversation: pairs of what is said to her and her reply."
    )
    overlap: int = Field(
        default=2,
        ge=0,
        le=32,
        description="Exchanges a long scene's next conversation shows again, only to be read: no loss is taken on "
        "them, so no reply is trained twice. Always less than the longest conversation.",
    )
    max_heard_lines: int = Field(
        default=6, ge=1, description="Lines of the others kept before a reply of hers; earlier ones are left out."
    )
    scene_gap: int = Field(
        default=3, ge=1, description="A scene ends where this many passages follow one another without a line."
    )
    held_out_share: float = Field(
        default=0.1, ge=0, le=0.5, description="Share of the chapters kept out of training, for evaluation."
    )
    drop_proposed: bool = Field(
        default=False,
        description="Leave out near-duplicates as the search proposes where nobody has decided about them yet.",
    )
    system_prompt: str = Field(
        default="", max_length=8000, description="Used in place of the persona's system prompt; empty keeps that."
    )
    added_prompt: str = Field(default="", max_length=8000, description="Put below the system prompt.")
    synthetic_share: float = Field(
        default=0.2, ge=0, le=0.9, description="Most of the training samples that may begin with a line a model wrote."
    )
    expansions_per_quote: int = Field(
        default=1, ge=1, le=8, description="How many synthetic lines one collected quote may answer, a sample each."
    )
    pending_expansions: bool = Field(
        default=False, description="Use synthetic lines nobody has reviewed; otherwise accepted ones only."
    )
    self_knowledge: bool = Field(
        default=True, description="Add what she knows about herself: the persona's questions and answers."
    )
    with_thoughts: bool = Field(default=False, description="Use her thoughts as replies too.")

    def prompt_of(self, persona_prompt: str) -> str:
        """Return the system prompt of a version."""
        parts = (self.system_prompt.strip() or persona_prompt, self.added_prompt.strip())
        return "\n".join(part for part in parts if part)
