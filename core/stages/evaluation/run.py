"""The story of an examination: who, in what, the examiner at work, every answer kept, a scorecard."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.backends.rows import build
from core.backends.tools import EXAMINERS, Examiner
from core.domain.examination import Examination, Examinee, QuestionFile, ServedModel, SubjectData
from core.errors import InvalidInputError, MissingArtifactError, ToolFailedError
from core.jobs.whole import write_whole
from core.stages.evaluation.benchmarks import chosen, look, refuse_unknown
from core.stages.evaluation.questions import QuestionSet, persona_file, read_questions
from core.stages.evaluation.scorecards import keep_once
from core.stages.evaluation.settings import EvaluationSettings
from core.stages.evaluation.summary import parse_summary
from core.translation import N_

if TYPE_CHECKING:
    from core.jobs.context import RunContext
    from core.store import Store

EXAMINER: Final = "opencompass"
WORK, QUESTIONS = "examination", "questions"
_SERVED: Final = "served"
_UNSAFE = re.compile(r"[^a-z0-9]+")
_NAMED: Final = 3
"""Failed datasets a message names."""


def run(
    settings: EvaluationSettings, *, context: RunContext, store: Store, environment: Callable[[str], Path]
) -> dict[str, Any]:
    """Examine a model and keep its scorecard with every answer; return its id and what there is to say at once.

    `environment` returns the interpreter of the examiner's environment and builds it first where it is missing. Raises
    MissingArtifactError without model or benchmark, InvalidInputError for wrong settings, ToolFailedError with the
    names of what was not scored: finished replies are kept and used again on Resume.
    """
    work = examination(settings, context.folder, store=store, persona_id=context.run.persona_id)
    context.progress(0.0, N_("Preparing the examination"))
    examiner = build(EXAMINERS, EXAMINER, environment(EXAMINER))
    context.versions(context.step("versions", examiner.versions))
    context.gpus(int(work.device == "gpu" and work.examinee.served is None))
    examiner.prepare(work)
    _examine(examiner, work, context)
    context.progress(0.97, N_("Keeping the answers"))
    card_id = context.step("keep", lambda: _keep(examiner, work, settings, context, store))
    context.progress(1.0, N_("The scorecard is ready"))
    return {"scorecard_id": card_id, "questions": work.questions, "datasets": list(work.datasets)}


def inputs(settings: EvaluationSettings, store: Store, persona_id: str) -> dict[str, Any]:
    """Return what a run with those settings examines; raises what stands in its way before it is queued."""
    work = examination(settings, store.workspace / "unwritten", store=store, persona_id=persona_id, write=False)
    return {"model": settings.model_id or settings.endpoint_model, "questions": work.questions}


def examination(
    settings: EvaluationSettings, folder: Path, *, store: Store, persona_id: str, write: bool = True
) -> Examination:
    """Return the examination that the settings ask for, in a run's folder; `write` puts the questions there.

    Raises MissingArtifactError, NotFoundError and InvalidInputError with what is missing or wrong.
    """
    data = Path(settings.data) if settings.data else store.workspace / "benchmarks"
    reports = [look(name, data) for name in dict.fromkeys(settings.benchmarks)]
    refuse_unknown(settings.subjects, reports)
    subjects = [
        SubjectData(report.benchmark.name, report.folder.resolve(), chosen(report, settings.subjects, settings.most))
        for report in reports
    ]
    own = _own_sets(settings, folder / QUESTIONS, store=store, persona_id=persona_id, write=write)
    work = Examination(
        folder=folder / WORK,
        examinee=_examinee(settings, store),
        subjects=[one for one in subjects if one.subjects],
        own=own,
        most=settings.most,
        reply_tokens=settings.reply_tokens,
        context_tokens=settings.context_tokens,
        batch_size=settings.batch_size,
        device=settings.device,
        precision=settings.precision,
        threads=settings.threads,
    )
    if not work.questions:
        raise InvalidInputError(
            N_("There is nothing to ask."),
            remedy=N_("Choose a benchmark, the questions about her, or bring a set of your own."),
        )
    return work


def _examinee(settings: EvaluationSettings, store: Store) -> Examinee:
    if settings.model_id:
        folder = store.workspace / store.models.get(settings.model_id).folder
        if not (folder / "config.json").is_file():
            raise MissingArtifactError(
                N_("The model's folder is missing or holds no safetensors."),
                remedy=N_("Choose another model, or run its fine-tuning again."),
            )
        return Examinee(_UNSAFE.sub("-", settings.model_id.casefold()), folder=folder)
    if not (settings.endpoint_url and settings.endpoint_model):
        raise InvalidInputError(
            N_("There is nobody to examine."),
            remedy=N_("Choose a text model, or give a server's address and its model's name."),
        )
    if not settings.endpoint_url.startswith(("http://", "https://")):
        raise InvalidInputError(
            N_("{address} is no address of a server."),
            remedy=N_("Write it as http://127.0.0.1:8000/v1."),
            address=settings.endpoint_url,
        )
    served = ServedModel(
        settings.endpoint_url, settings.endpoint_model, settings.endpoint_key, at_once=settings.batch_size
    )
    return Examinee(_SERVED, served=served)


def _own_sets(
    settings: EvaluationSettings, folder: Path, *, store: Store, persona_id: str, write: bool
) -> list[QuestionFile]:
    contents: dict[str, bytes] = {}
    file = persona_file(persona_id) if settings.persona_questions else None
    if file is not None:
        contents[f"about-{persona_id}"] = file.read_bytes()
    for upload in settings.own:
        contents[upload.name] = store.files.read(upload.sha256)
    made: dict[str, QuestionFile] = {}
    for name, content in contents.items():
        questions = read_questions(content, name)
        slug = _free(_UNSAFE.sub("-", name.casefold().removesuffix(".jsonl").removesuffix(".csv")).strip("-"), made)
        place = folder / f"{slug}.jsonl"
        if write:
            _write(place, questions)
        asked = min(len(questions.rows), settings.most or len(questions.rows))
        made[slug] = QuestionFile(slug, place, questions.kind, asked)
    return list(made.values())


def _free(slug: str, taken: Mapping[str, object]) -> str:
    """Return a name of letters and digits that no other set has."""
    slug = slug or "questions"
    return next(name for name in (slug, *(f"{slug}-{n}" for n in range(2, 1000))) if name not in taken)


def _write(place: Path, questions: QuestionSet) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, questions.lines())


def _examine(examiner: Examiner, work: Examination, context: RunContext) -> None:
    """Have it asked and judged; ToolFailedError where a dataset ends without a score, whatever the exit code."""
    watch = _Watch(examiner, work, context)
    # A new name for each attempt: one that ended with code 0 though tasks failed would not be started again.
    names = [f"examination-{attempt}" for attempt in range(context.run.attempt, 0, -1)]
    name = next((one for one in names if context.alive(one)), names[0])
    try:
        context.execute(name, lambda: examiner.command(work), on_poll=watch.look)
    except ToolFailedError as failure:
        raise (examiner.explain(context.last_output()) or failure) from failure
    watch.look()
    unscored = examiner.unscored(work)
    if unscored:
        raise examiner.explain(context.last_output()) or ToolFailedError(
            N_("{count} of {all} sets of questions have no score, whatever the program says: {names}."),
            remedy=N_("Read the end of the run's log, mend the cause, then press Resume; replies are kept."),
            count=len(unscored),
            all=len(work.datasets),
            names=", ".join(unscored[:_NAMED]),
        )


@dataclass
class _Watch:
    """Looks at the examination while it runs."""

    examiner: Examiner
    work: Examination
    context: RunContext

    def look(self) -> None:
        """Report the replies so far, and how many of them begin with the right letter."""
        found = self.examiner.standing(self.work)
        answered = sum(found.answered.values())
        asked, judged = answered / max(self.work.questions, 1), len(found.judged) / max(len(self.work.datasets), 1)
        if found.lettered:
            self.context.metric(answered, {"right_share": found.right / found.lettered})
        message = N_("Asking: {answered} of {questions} questions, {done} of {datasets} sets; right so far: {right}")
        self.context.progress(
            0.02 + 0.8 * min(asked, 1.0) + 0.13 * judged,
            N_("Judging the replies") if answered >= self.work.questions else message,
            answered=answered,
            questions=self.work.questions,
            done=sum(found.answered.get(name, 0) >= 1 for name in self.work.datasets),
            datasets=len(self.work.datasets),
            right=f"{found.right} / {found.lettered}",
        )


def _keep(
    examiner: Examiner, work: Examination, settings: EvaluationSettings, context: RunContext, store: Store
) -> str:
    summary = examiner.summary(work)
    title = store.models.get(settings.model_id).name if settings.model_id else settings.endpoint_model
    return keep_once(
        context.run,
        store,
        name=settings.name or title,
        model_id=settings.model_id,
        summary=summary,
        scores=[replace(one, model=title) for one in parse_summary(summary, "summary.csv")],
        answers=examiner.answers(work),
    )
