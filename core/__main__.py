"""`python -m core …`: what the pages do, headless. Errors go to stderr with their remedy, exit code 2."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

import typer

from core.commands import bases, datasets, evaluation, models, serving, texts, voices
from core.commands.terminal import Json, answered, done_here, studio
from core.errors import StudioError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command("run")
def run_app() -> None:
    """Start the app and its worker, and keep both running until Ctrl-C."""
    from core.jobs.supervisor import supervise
    from core.services import seed

    with studio() as services:
        seed(services)
        settings = services.settings
    typer.echo(f"chat-daiyu: http://{settings.server.address}:{settings.server.port}  (Ctrl-C ends it)")
    supervise(settings, until=_interrupted(), say=typer.echo)


@app.command()
def worker() -> None:
    """Execute runs from the queues until Ctrl-C; `run` starts one for you."""
    from core.jobs.worker import work

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    with studio() as services:
        work(services.settings, services.store, services.jobs, until=_interrupted())
    sys.stdout.flush()
    os._exit(0)  # runs in threads must not hold us: they are taken up again at the next start


app.command()(serving.serve)
app.command("import")(texts.import_text)
app.command()(texts.extract)
app.command()(texts.expand)
app.command()(models.finetune)
app.command()(models.chat)
app.command()(evaluation.evaluate)
app.command()(evaluation.fidelity)
app.add_typer(datasets.app, name="dataset")
app.add_typer(bases.app, name="base")
app.add_typer(models.app, name="model")
app.add_typer(voices.app, name="voice")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is installed, what is missing, and the remedy for each."""
    from core.doctor import examine

    with studio() as services:
        findings = examine(services)
    lines = [f"{'ok ' if one.fine else '-- '} {one.name}: {one.detail}" for one in findings]
    lines += [f"     {one.name}: {one.remedy}" for one in findings if one.remedy]
    answered({"findings": [one.plain() for one in findings]}, "\n".join(lines), as_json)


@app.command()
def toolchains() -> None:
    """Build the environments of XTuner and OpenCompass ahead of their first run."""
    with studio() as services:
        for name in services.settings.toolchains:
            done = done_here(services, "toolchain", "", {"name": name})
            typer.echo(f"{name}: {done.result['python']}")


def _interrupted() -> threading.Event:
    until = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: until.set())
    return until


def main() -> None:
    """Run the command line; an expected failure is one message and exit code 2."""
    try:
        app()
    except StudioError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
