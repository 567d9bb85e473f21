"""The story of a base model's arrival: list, fetch, inspect, convert where it must be, compare, register."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.backends.hubs import HUBS, Hub
from core.backends.rows import build
from core.backends.tools import BASE_CONVERTERS, BaseComparison, BaseConverter
from core.domain.identity import now
from core.domain.recipe import TINY
from core.domain.training import Base
from core.errors import InvalidInputError, ToolFailedError
from core.jobs.whole import write_whole
from core.stages.finetuning.bases.fetching import fetch
from core.stages.finetuning.bases.inspecting import BaseProblem, BaseReport, inspect_base
from core.stages.finetuning.bases.planning import BasePlan, plan_import, shown_size
from core.stages.finetuning.bases.settings import BaseImport, Hubs
from core.stages.finetuning.registry import MANIFEST, bring_home, files_in
from core.store.records import from_json, plain
from core.translation import N_

if TYPE_CHECKING:
    from core.jobs.context import RunContext
    from core.store import Store

BASES: Final = "bases"
"""Folder of the workspace in which each base model has its own."""
CONVERTER_TOOL: Final = "xtuner"
"""The tool whose environment the converters run in."""

_PLAN, _FETCHED, _CONVERTED = "plan.json", "fetched", "converted"
_PAPERS: Final = re.compile(r"(LICEN[SC]E|NOTICE).*|README\.md", re.IGNORECASE)


@dataclass(frozen=True)
class _Room:
    """What every part of the story needs."""

    settings: BaseImport
    context: RunContext
    store: Store
    plan: BasePlan
    home: Path
    """Where it will live: `workspace/bases/<id>`."""

    @property
    def fetched(self) -> Path:
        return self.context.folder / _FETCHED

    @property
    def converted(self) -> Path:
        return self.context.folder / _CONVERTED

    @property
    def until(self) -> float:
        """Share of the run's progress that fetching takes."""
        return 0.55 if self.plan.needs_conversion else 0.95


def run(
    settings: BaseImport,
    *,
    context: RunContext,
    store: Store,
    environment: Callable[[str], Path],
    hub: Callable[[str], Hub],
    hubs: Hubs,
) -> dict[str, Any]:
    """Bring the base model in and return its id and what was found of it.

    `environment` returns the interpreter of a tool's environment, built first where it is missing; `hub` the hub of a
    name. Raises InvalidInputError where the model cannot be used, MissingArtifactError where the disk has no room,
    ToolFailedError when the hub or the conversion fails, RunCancelledError when stopped; what was fetched is kept.
    """
    context.progress(0.0, N_("Looking at what there is"))
    room = _entered(settings, context, store, hub)
    if not room.home.exists():
        _refuse(room.plan.problem)
        fetched = fetch(room.plan, room.fetched, context=context, hubs=hubs, until=room.until)
        report = inspect_base(room.fetched)
        _refuse(*report.problems)
        if report.needs_conversion:
            _convert(room, report, fetched, environment)
        else:
            bring_home(room.fetched, room.home, _manifest(room, fetched, report, fetched))
    base = _register(room)
    shutil.rmtree(room.fetched, ignore_errors=True)
    context.progress(1.0, N_("The base model is ready"))
    told = ("architecture", "parameters", "converted", "comparison")
    return {"base": base.id, **{name: base.manifest[name] for name in told}}


def _entered(settings: BaseImport, context: RunContext, store: Store, hub: Callable[[str], Hub]) -> _Room:
    """Return what the run works with; decided once, so that resuming goes on with the same commit and place."""
    file = context.folder / _PLAN
    if not file.exists():
        plan = plan_import(settings, workspace=store.workspace, hub=hub)
        decided = {"id": _free_id(settings, plan, store), "plan": plain(plan)}
        write_whole(file, json.dumps(decided, ensure_ascii=False))
    known = json.loads(file.read_text(encoding="utf-8"))
    plan = from_json(BasePlan, known["plan"])
    context.log(f"{plan.origin}: {len(plan.files)} files, {shown_size(plan.bytes)}")
    if plan.source in HUBS:
        context.versions({module: version(module) for module in HUBS[plan.source].modules})
    return _Room(settings, context, store, plan, store.workspace / BASES / known["id"])


def _free_id(settings: BaseImport, plan: BasePlan, store: Store) -> str:
    """Return an id made of the name; a number is added where another base model has it: what is there never changes."""
    wanted = (settings.name or Path(plan.repository).name).lower()
    name = re.sub(r"[^\w.-]+", "-", wanted, flags=re.ASCII).strip("-._") or "base"
    taken = {base.id for base in store.bases.all()} | {TINY}
    number = 1
    found = name
    while found in taken or (store.workspace / BASES / found).exists():
        number += 1
        found = f"{name}-{number}"
    return found


def _refuse(*problems: BaseProblem | None) -> None:
    for problem in problems:
        if problem is not None:
            raise InvalidInputError(problem.message, remedy=problem.remedy, **problem.values)


def _convert(room: _Room, found: BaseReport, fetched: Mapping[str, str], environment: Callable[[str], Path]) -> None:
    """Convert, compare with the original, and bring home only what came out equal."""
    context = room.context
    python = environment(CONVERTER_TOOL)
    converter = build(BASE_CONVERTERS, found.model_type, python)
    context.progress(room.until, N_("Converting to the Llama form"))
    context.execute(
        "convert",
        lambda: converter.convert(room.fetched, room.converted, context.folder),
        on_line=_steps(room, converter, room.until, 0.75, N_("Converting to the Llama form: {step} of {steps}")),
    )
    context.execute(
        "compare",
        lambda: converter.compare(room.fetched, room.converted, context.folder),
        on_line=_steps(room, converter, 0.75, 0.98, N_("Comparing with the original: {step} of {steps}")),
    )
    comparison = converter.comparison(context.folder)
    _refuse_unequal(comparison)
    report = inspect_base(room.converted)
    _refuse(*report.problems)
    for paper in room.fetched.iterdir():
        if _PAPERS.fullmatch(paper.name) and not (room.converted / paper.name).exists():
            shutil.copyfile(paper, room.converted / paper.name)
    manifest = _manifest(room, fetched, report, files_in(room.converted), found=found, comparison=comparison)
    bring_home(room.converted, room.home, manifest)


def _steps(room: _Room, converter: BaseConverter, begin: float, end: float, message: str) -> Callable[[str], None]:
    def on_line(line: str) -> None:
        told = converter.read_line(line)
        if told is not None:
            fraction = begin + (end - begin) * min(told.step / max(told.steps, 1), 1.0)
            room.context.progress(fraction, message, step=told.step, steps=told.steps)

    return on_line


def _refuse_unequal(comparison: BaseComparison) -> None:
    if comparison.equal:
        return
    raise ToolFailedError(
        N_(
            "The converted model is not equal to the original: its logits differ by up to {difference}, and {unequal} "
            "of {texts} texts have other tokens. It is not registered."
        ),
        remedy=N_("Please report this with the run's log. Until then choose another base model."),
        difference=f"{comparison.logits_difference:.3g}",
        unequal=len(comparison.unequal_texts),
        texts=comparison.texts,
    )


def _manifest(
    room: _Room,
    fetched: Mapping[str, str],
    report: BaseReport,
    files: Mapping[str, str],
    *,
    found: BaseReport | None = None,
    comparison: BaseComparison | None = None,
) -> dict[str, Any]:
    """Return everything that is known of the model; `found` is what it was before it was converted."""
    record = room.store.runs.get(room.context.run.id)
    figures = asdict(report)
    figures.pop("problems")
    figures.pop("needs_conversion")
    return {
        "run": record.id,
        "origin": room.plan.origin,
        "source": room.plan.source,
        "repository": room.plan.repository,
        "revision": room.plan.revision,
        **figures,
        "prompt_template": report.prompt_template or (found.prompt_template if found else ""),
        "files": dict(files),
        "fetched": dict(fetched),
        "converted": found.architecture if found else "",
        "comparison": asdict(comparison) if comparison else {},
        "commands": [dict(command) for command in record.commands],
        "versions": dict(record.versions),
    }


def _register(room: _Room) -> Base:
    """Register what came home, by the manifest that came with it; again changes nothing."""
    manifest = json.loads((room.home / MANIFEST).read_text(encoding="utf-8"))
    base = Base(
        id=room.home.name,
        name=room.settings.name or Path(room.plan.repository).name,
        origin=room.plan.origin,
        folder=str(room.home.relative_to(room.store.workspace)),
        prompt_template=manifest["prompt_template"],
        created_at=now(),
        run_id=room.context.run.id,
        manifest=manifest,
    )
    room.store.bases.put(base, who=room.context.run.created_by)
    return base
