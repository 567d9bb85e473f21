"""How a voice is to be trained, and what speaks with the result; in GPT-SoVITS's own words, for it is the only one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from core.domain.section import Section
from core.translation import N_

VoiceVersion = Literal["v2", "v2Pro", "v2ProPlus", "v3", "v4"]
"""The models GPT-SoVITS trains from; v1 is left to the past."""

SAMPLE_RATES: dict[VoiceVersion, int] = {"v2": 32_000, "v2Pro": 32_000, "v2ProPlus": 32_000, "v3": 24_000, "v4": 48_000}
"""Version -> samples a second of what it speaks."""

HEADS: dict[VoiceVersion, bytes] = {"v2": b"PK", "v2Pro": b"05", "v2ProPlus": b"06", "v3": b"03", "v4": b"04"}
"""First two bytes of SoVITS weights, by which the server tells their version; the rest is a zip."""

PRO: frozenset[VoiceVersion] = frozenset(("v2Pro", "v2ProPlus"))
"""Those that listen to speaker vectors too."""

ADAPTED: frozenset[VoiceVersion] = frozenset(("v3", "v4"))
"""Those whose SoVITS weights are an addition to the pretrained model, which must then be there to speak."""


def _must_divide(epochs: int, save_every: int) -> None:
    """GPT-SoVITS saves at multiples only: what comes after the last one would be lost."""
    if epochs % save_every:
        raise ValueError(N_("The epochs must be a multiple of the epochs between two saves, or the last are lost."))


class SovitsStage(Section):
    """The stage that learns the sound of the voice."""

    epochs: int = Field(default=8, ge=1, le=100, description="How often all clips are heard; 8 is usual, 2 for v3, v4.")
    save_every: int = Field(default=4, ge=1, description="Epochs between two saved weights; must divide the epochs.")
    batch_size: int = Field(
        default=4, ge=1, le=64, description="Clips heard in one step. The first thing to halve when memory is short."
    )
    text_rate: float = Field(
        default=0.4,
        gt=0,
        le=1,
        description="How much slower the text part learns than the rest. More lets it drift from clear speech.",
    )
    segment_size: int = Field(
        default=20_480,
        ge=2_560,
        multiple_of=640,
        description="Samples of each clip looked at in one step, at 32 kHz. Fewer is faster and coarser.",
    )
    lora_rank: Literal[16, 32, 64, 128] = Field(default=32, description="Width of the adapter; v3 and v4 only.")
    spare_memory: bool = Field(default=False, description="Compute more to hold less on the GPU; v3 and v4 only.")

    @model_validator(mode="after")
    def _saves_the_end(self) -> SovitsStage:
        _must_divide(self.epochs, self.save_every)
        return self


class GptStage(Section):
    """The stage that learns how she speaks: pace, stress and pauses."""

    epochs: int = Field(default=15, ge=1, le=200, description="How often all clips are read.")
    save_every: int = Field(default=5, ge=1, description="Epochs between two saved weights; must divide the epochs.")
    batch_size: int = Field(
        default=4, ge=1, le=64, description="Clips read in one step; halve it when memory is short."
    )
    dpo: bool = Field(
        default=False,
        description="Also learn from spoiled takes, against repeated and swallowed words. Needs twice the memory.",
    )

    @model_validator(mode="after")
    def _saves_the_end(self) -> GptStage:
        _must_divide(self.epochs, self.save_every)
        return self


class VoiceRecipe(Section):
    """Everything that decides the weights, apart from the clips."""

    version: VoiceVersion = Field(
        default="v2Pro",
        description="The model to train from: v2 is the lightest, v2Pro keeps closer to the speaker, v3 and v4 sound "
        "fuller and need more memory.",
    )
    device: Literal["cpu", "gpu"] = Field(
        default="gpu", description="Where it runs. On a CPU a usual training takes hours."
    )
    gpus: int = Field(default=1, ge=1, le=16, description="How many GPUs work on it together.")
    precision: Literal["float32", "float16"] = Field(
        default="float16", description="Number format. On a CPU and on old GPUs float32."
    )
    keep_latest_only: bool = Field(
        default=True,
        description="Keep only the last checkpoint to go on from. Each of them takes 2 GB; the weights are all kept.",
    )
    may_lose: float = Field(
        default=0.05,
        ge=0,
        lt=1,
        description="Share of the clips that a step may fail on before the run is stopped. Lost clips are named.",
    )
    seed: int = Field(default=1234, ge=0, description="Where chance begins.")
    sovits: SovitsStage = Field(default=SovitsStage(), description="The stage that learns the sound of the voice.")
    gpt: GptStage = Field(default=GptStage(), description="The stage that learns how she speaks.")

    @model_validator(mode="after")
    def _fits_the_device(self) -> VoiceRecipe:
        if self.device == "cpu" and self.precision != "float32":
            raise ValueError(N_("A CPU computes in float32: choose that, or the GPU as device."))
        if self.device == "cpu" and self.gpus > 1:
            raise ValueError(N_("Several GPUs need the GPU as device."))
        return self

    @property
    def is_pro(self) -> bool:
        """Whether the model listens to speaker vectors too."""
        return self.version in PRO

    @property
    def makes_adapter(self) -> bool:
        """Whether its SoVITS weights are an addition to the pretrained model."""
        return self.version in ADAPTED


class TrainingClip(Section):
    """A clip as a trainer gets it."""

    wav: Path
    """Absolute; no two clips of a training have files of the same name."""
    speaker: str
    language: str
    text: str


class VoiceTraining(Section):
    """One training as a trainer gets it; every file of it lies in `folder`."""

    folder: Path
    name: str = Field(default="voice", pattern=r"^[A-Za-z0-9_-]{1,40}$")
    """Begins the names of its weights."""
    clips: tuple[TrainingClip, ...]
    recipe: VoiceRecipe
    gpus: tuple[str, ...] = ()
    """Those it holds, by number; empty on a CPU."""

    @model_validator(mode="after")
    def _has_its_devices(self) -> VoiceTraining:
        if not all(re.fullmatch(r"\d+", gpu) for gpu in self.gpus):
            raise ValueError(N_("GPT-SoVITS takes GPUs by their number: 0, 1, …"))
        if self.recipe.device == "gpu" and not self.gpus:
            raise ValueError(N_("A training on GPUs needs at least one."))
        return self


class Sampling(Section):
    """How a trained voice draws its words; each draw is another take."""

    top_k: int = Field(default=15, ge=1, le=100, description="Among how many of the likeliest sounds it draws.")
    top_p: float = Field(default=1, gt=0, le=1, description="Share of the likeliest sounds it draws among.")
    temperature: float = Field(default=1, gt=0, le=2, description="More is livelier and less sure.")
    repetition_penalty: float = Field(default=1.35, ge=1, le=2, description="More keeps it from stuttering.")
    speed: float = Field(default=1, ge=0.5, le=2, description="1 is the voice's own pace.")
    pause: float = Field(default=0.3, ge=0.01, le=2, description="Silence after each sentence, in seconds.")
    steps: Literal[4, 8, 16, 32, 64, 128] = Field(default=32, description="Steps of drawing the sound; v3 and v4 only.")
    split: Literal["cut0", "cut1", "cut2", "cut3", "cut4", "cut5"] = Field(
        default="cut5",
        description="Where long texts are cut: cut0 nowhere, cut5 at every mark, as GPT-SoVITS names it.",
    )
    seed: int = Field(default=1234, ge=0, le=2**31 - 1, description="The same seed gives the same take.")


class TrainedVoice(Section):
    """What makes a voice speak: weights, reference audio and sampling."""

    version: VoiceVersion
    gpt: Path
    sovits: Path
    reference: Path
    """A wav of 3 to 10 seconds."""
    reference_text: str = ""
    """What is said in it; v3 and v4 cannot do without."""
    language: str = "zh"
    """Of the reference and of what is to be said."""
    sampling: Sampling = Sampling()

    @property
    def sample_rate(self) -> int:
        """Samples a second of what it speaks."""
        return SAMPLE_RATES[self.version]


class VoiceServing(Section):
    """A server of a trained voice as it is to be started; every file of it lies in `folder`."""

    folder: Path
    version: VoiceVersion
    gpt: Path | None = None
    """None for the pretrained weights."""
    sovits: Path | None = None
    device: Literal["cpu", "gpu"] = "gpu"
    precision: Literal["float32", "float16"] = "float16"
    gpu: str = ""
    """The one it holds, by number; empty on a CPU."""
    port: int = Field(ge=1, le=65535)


@dataclass(frozen=True, slots=True)
class ServingPlace:
    """A server of trained voices, as far as it is known."""

    address: str
    """Empty while it has none yet."""
    state: str
    """`starting`, `warming up`, `ready`, `restarting`; of one that is not ours `ready`, `busy` or `gone`."""
    run_id: str
    """Ours is a run; empty for one that somebody else keeps."""
    model_id: str = ""
    """The voice it was started with."""


@dataclass(frozen=True, slots=True)
class KeptWeights:
    """Weights that a training saved, kept in the workspace under a name of their content."""

    stage: Literal["sovits", "gpt"]
    epoch: int
    sha256: str
    bytes: int
    file: str
    """Relative to the workspace."""


class CardFile(Section):
    """A file of a voice, in the voice's own folder."""

    name: str = Field(pattern=r"^[\w-]+\.(pth|ckpt|wav)$", max_length=120)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=1)


class VoiceCard(Section):
    """A voice as one thing: which files make it speak, how it draws its words, and how it came out."""

    format: Literal[1] = 1
    version: VoiceVersion
    gpt: CardFile
    sovits: CardFile
    gpt_epoch: int | None = None
    sovits_epoch: int | None = None
    reference: CardFile
    reference_text: str = Field(default="", max_length=500)
    language: Literal["zh", "ja", "en", "ko", "yue"] = "zh"
    sampling: Sampling = Sampling()
    scores: dict[str, float | None] = Field(default_factory=dict)
    """What was measured, by name; None where it could not be."""
    origin: dict[str, str] = Field(default_factory=dict)
    """Run, clip set, its fingerprint, versions of the tools: whatever is known."""

    def trained(self, home: Path) -> TrainedVoice:
        """Return the voice whose files lie in that folder."""
        return TrainedVoice(
            version=self.version,
            gpt=home / self.gpt.name,
            sovits=home / self.sovits.name,
            reference=home / self.reference.name,
            reference_text=self.reference_text,
            language=self.language,
            sampling=self.sampling,
        )
