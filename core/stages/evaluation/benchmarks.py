"""Published benchmarks: whether their files are there, how many questions they hold, and where upstream has them."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from core.errors import InvalidInputError, MissingArtifactError
from core.stages.evaluation.subjects import SUBJECTS
from core.translation import N_

_CSV_LIMIT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A published benchmark as OpenCompass reads it."""

    name: str
    title: str
    folder: str
    """Below the folder of the benchmarks."""
    files: Sequence[str]
    """Of each subject, `{subject}` to be filled in; the last is what is asked."""
    source: str
    """Where upstream has it."""
    subjects: Sequence[str] = ()
    """Known by name; otherwise told from the files."""


BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    one.name: one
    for one in (
        Benchmark(
            "ceval",
            "C-Eval",
            "ceval/formal_ceval",
            # all three are opened, though only the questions of `val` have answers that are public
            ("dev/{subject}_dev.csv", "test/{subject}_test.csv", "val/{subject}_val.csv"),
            N_(
                "Get ceval-exam.zip of ceval/ceval-exam on Hugging Face and unpack it so that dev, val and test lie in "
                "the folder named."
            ),
            tuple(subject for group in SUBJECTS.values() for subject in group),
        ),
        Benchmark(
            "cmmlu",
            "CMMLU",
            "cmmlu",
            ("dev/{subject}.csv", "test/{subject}.csv"),
            N_(
                "Get cmmlu_v1_0_1.zip of haonan-li/cmmlu on Hugging Face and unpack it so that dev and test lie in the "
                "folder named."
            ),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """What there is of a benchmark."""

    benchmark: Benchmark
    folder: Path
    subjects: Mapping[str, int] = field(default_factory=dict)
    """Subject -> questions, of all that can be asked."""
    missing: Sequence[str] = ()
    """Files, as they are named below the folder; the first few tell enough."""

    @property
    def questions(self) -> int:
        """All that can be asked."""
        return sum(self.subjects.values())


def look(name: str, data: Path) -> BenchmarkReport:
    """Look for a benchmark's files below the folder of the benchmarks."""
    benchmark = BENCHMARKS[name]
    folder = data / benchmark.folder
    subjects = benchmark.subjects or sorted(file.stem for file in (folder / "test").glob("*.csv"))
    there: dict[str, int] = {}
    missing: list[str] = []
    for subject in subjects:
        files = [one.format(subject=subject) for one in benchmark.files]
        lacking = [one for one in files if not (folder / one).is_file()]
        missing += lacking
        if not lacking:
            there[subject] = _rows(folder / files[-1])
    if not subjects:
        missing = [one.format(subject="…") for one in benchmark.files]
    return BenchmarkReport(benchmark, folder, there, tuple(missing))


def chosen(report: BenchmarkReport, subjects: Collection[str], most: int | None) -> Mapping[str, int]:
    """Return the chosen subjects -> questions that will be asked of each.

    `subjects` may name those of other benchmarks, too; none means all. Raises MissingArtifactError where a chosen
    subject's files are missing.
    """
    known = {*report.benchmark.subjects, *report.subjects}
    wanted = [one for one in report.benchmark.subjects or report.subjects if not subjects or one in subjects]
    if not known or any(one not in report.subjects for one in wanted):
        raise MissingArtifactError(
            N_("{title} is not whole in {folder}: {file} is missing."),
            remedy=report.benchmark.source,
            title=report.benchmark.title,
            folder=report.folder,
            file=next(iter(report.missing), ""),
        )
    return {one: min(report.subjects[one], most or report.subjects[one]) for one in wanted}


def refuse_unknown(subjects: Collection[str], reports: Sequence[BenchmarkReport]) -> None:
    """Raise InvalidInputError for a subject that none of the benchmarks has."""
    known = {one for report in reports for one in (*report.benchmark.subjects, *report.subjects)}
    if strange := sorted(set(subjects) - known):
        raise InvalidInputError(
            N_("No benchmark has a subject called {subject}."),
            remedy=N_("Name subjects as their files do, e.g. logic or art_studies."),
            subject=strange[0],
        )


def _rows(file: Path) -> int:
    """Count the rows below the header; a field may hold line ends."""
    csv.field_size_limit(_CSV_LIMIT)
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return max(sum(1 for _row in csv.reader(stream)) - 1, 0)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidInputError(
            N_("{file} cannot be read as a table: {problem}"),
            remedy=N_("Get the benchmark's files anew."),
            file=file.name,
            problem=str(error),
        ) from error
