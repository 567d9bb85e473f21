"""What a model is examined in, and who is examined: records that a stage hands to a tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model behind an address that speaks the OpenAI protocol."""

    address: str
    """Base URL."""
    model: str
    key_name: str
    """Environment variable that holds the key; the key itself is nowhere in a record."""
    at_once: int = 4
    """Requests under way together."""


@dataclass(frozen=True, slots=True)
class Examinee:
    """Who is examined: a model's folder, or a served one."""

    id: str
    """Names its folders and its column; letters, digits, `-` and `_`."""
    folder: Path | None = None
    """Safetensors, config, tokenizer with a chat template."""
    served: ServedModel | None = None


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """A set of questions of one's own, a JSON object a line."""

    name: str
    file: Path
    kind: Literal["mcq", "qa"]
    """`mcq`: question, A, B, C, D, answer (a letter); `qa`: question, answer."""
    questions: int


@dataclass(frozen=True, slots=True)
class SubjectData:
    """Subjects of a published benchmark, and where its files lie."""

    benchmark: str
    """`ceval` or `cmmlu`."""
    folder: Path
    subjects: Mapping[str, int]
    """Subject -> how many questions of it are asked."""


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything one run of an examiner needs."""

    folder: Path
    """The examiner's working folder; nothing is written elsewhere."""
    examinee: Examinee
    subjects: Sequence[SubjectData] = ()
    own: Sequence[QuestionFile] = ()
    most: int | None = None
    """Questions asked of each subject or set; all when None."""
    reply_tokens: int = 32
    context_tokens: int = 2048
    batch_size: int = 4
    device: Literal["cpu", "gpu"] = "cpu"
    precision: Literal["float32", "float16", "bfloat16"] = "float32"
    threads: int = 1
    datasets: Sequence[str] = field(init=False)
    """Names of all that is asked, as they stand in the examiner's summary."""
    questions: int = field(init=False)

    def __post_init__(self) -> None:
        named = [f"{one.benchmark}-{subject}" for one in self.subjects for subject in one.subjects]
        object.__setattr__(self, "datasets", (*named, *(one.name for one in self.own)))
        counts = [count for one in self.subjects for count in one.subjects.values()]
        object.__setattr__(self, "questions", sum([*counts, *(one.questions for one in self.own)]))
