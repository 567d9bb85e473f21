"""What every command does alike: opens the studio, does a run here, reads files, prints an answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.domain.run import RunState
from core.errors import InvalidInputError, RunCancelledError, StudioError
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.finding import Finding
    from core.domain.run import Run
    from core.domain.text import DatasetVersion
    from core.services import Services

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for a program to read.")]
Who = Annotated[str, typer.Option("--persona", help="Id of the persona; the setting `persona` by default.")]
Estimate = Annotated[bool, typer.Option("--estimate", help="Only say what asking would come to; nothing is sent.")]
Settings = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="A setting of the stage; repeatable.")]


@contextmanager
def studio() -> Iterator[Services]:
    """Open the workspace for one command."""
    from core.services import open_services

    services = open_services()
    try:
        yield services
    finally:
        services.close()


def done_here(services: Services, kind: str, persona: str, settings: dict[str, Any]) -> Run:
    """Do a run in this process; its failure becomes the command's."""
    done = services.execution.here(kind, persona or services.settings.persona, settings, who="cli")
    if done.state is RunState.CANCELLED:
        raise RunCancelledError(
            N_("The run {run} was stopped."), remedy=N_("Resume it on the page of runs."), run=done.id
        )
    if done.error is not None:
        raise StudioError(done.error.message, remedy=done.error.remedy or done.error.traceback, **done.error.values)
    return done


def version_named(services: Services, version: str, persona: str) -> DatasetVersion:
    """Return the version of that id; `latest` is the newest."""
    if version != "latest":
        return services.store.datasets.get(version)
    versions = services.store.datasets.versions(persona or services.settings.persona)
    if not versions:
        raise InvalidInputError(
            N_("There is no dataset version yet."), remedy=N_("Build one first: `python -m core dataset build`.")
        )
    return versions[0]


def told_findings(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield what a check before a start found, a line each; what forbids the start begins with two strokes."""
    for one in findings:
        mark = "--" if one.blocking else "! "
        yield f"{mark} {one.message.format(**one.values)} {one.remedy.format(**one.values)}"


def queued(services: Services, kind: str, persona: str, settings: dict[str, Any], *, as_json: bool) -> None:
    """Leave a run to a worker and say which it is."""
    run = services.jobs.submit(kind, persona, settings, who="cli")
    answered({"run": run.id}, f"queued as {run.id}", as_json)


def parsed(pairs: list[str]) -> dict[str, Any]:
    """Return what `--set key=value` says; values are YAML."""
    import yaml

    settings = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign:
            raise InvalidInputError(
                N_("{pair} is not a setting."), remedy=N_("Write it as key=value, e.g. --set max_steps=50."), pair=pair
            )
        settings[key] = yaml.safe_load(value)
    return settings


def opened(file: Path) -> Any:
    """Open a file for reading; InvalidInputError with the reason when that cannot be done."""
    try:
        return file.open("rb")
    except OSError as error:
        raise InvalidInputError(
            N_("{name} cannot be opened: {problem}."),
            remedy=N_("Check the path and its permissions."),
            name=file.name,
            problem=error.strerror or "",
        ) from None


def content(file: Path) -> bytes:
    """Read a whole file."""
    with opened(file) as stream:
        data: bytes = stream.read()
    return data


def answered(found: dict[str, Any], text: str, as_json: bool) -> None:
    """Print the answer, for people or for a program."""
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else text)
