"""`python -m core …`: what the pages do, headless. Errors go to stderr with their remedy, exit code 2."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.domain.run import RunState
from core.errors import InvalidInputError, RunCancelledError, StudioError
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.run import Run
    from core.services import Services

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
dataset = typer.Typer(no_args_is_help=True, help="Dataset versions.")
app.add_typer(dataset, name="dataset")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for a program to read.")]
Who = Annotated[str, typer.Option("--persona", help="Id of the persona; the setting `persona` by default.")]
Estimate = Annotated[bool, typer.Option("--estimate", help="Only say what asking would come to; nothing is sent.")]
Settings = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="A setting of the stage; repeatable.")]


@app.command("run")
def run_app() -> None:
    """Start the app and its worker, and keep both running until Ctrl-C."""
    from core.jobs.supervisor import supervise

    with _services() as services:
        seed(services)
        settings = services.settings
    typer.echo(f"chat-daiyu: http://{settings.server.address}:{settings.server.port}  (Ctrl-C ends it)")
    supervise(settings, until=_interrupted(), say=typer.echo)


@app.command()
def worker() -> None:
    """Execute runs from the queues until Ctrl-C; `run` starts one for you."""
    from core.jobs.worker import work

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    with _services() as services:
        work(services.settings, services.store, services.jobs, until=_interrupted())
    sys.stdout.flush()
    os._exit(0)  # runs in threads must not hold us: they are taken up again at the next start


@app.command("import")
def import_text(file: Path, persona: Who = "", kind: str = "", as_json: Json = False) -> None:
    """Import a text (or a zip of texts) into the corpus."""
    with _services() as services:
        with _opened(file) as stream:
            wanted: dict[str, Any] = {"uploads": services.receive_texts(stream, file.name)}
        done = _here(services, "corpus", persona, wanted | ({"kind": kind} if kind else {}))
        found = [services.store.corpus.source(one) for one in done.result["sources"]]
    lines = [f"{one.id}  {one.name}: {one.kind}, {one.encoding}, {one.chapters} chapters" for one in found]
    _answer(dict(done.result), "\n".join(lines), as_json)


@app.command()
def extract(
    file: Annotated[Path | None, typer.Argument(help="A text; without it, every source of the store.")] = None,
    method: Annotated[str, typer.Option(help="Row of the table of extractors.")] = "rules",
    aliases: Annotated[Path | None, typer.Option(help="JSON object: canonical name -> list of aliases.")] = None,
    jsonl: Annotated[Path | None, typer.Option(help="Write one utterance a line here.")] = None,
    settings: Settings = [],  # noqa: B006 - typer copies it
    estimate: Estimate = False,
    persona: Who = "",
    as_json: Json = False,
) -> None:
    """Find every line and who says it, in a file or in the store; `--method kor` asks a language model."""
    if file is None:
        _extract_store(method, _parsed(settings), persona, estimate, as_json)
        return
    from core.stages.corpus.run import read_passages
    from core.stages.dialogues.export import row_of
    from core.stages.dialogues.extractors import extractor

    cast = json.loads(_bytes(aliases)) if aliases else {}
    passages = read_passages(_bytes(file), file.name, source_id=file.stem)
    rows = [row_of(line) for line in extractor(method).extract(passages, cast)]
    if jsonl is not None:
        draft = jsonl.with_name(jsonl.name + ".draft")
        draft.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        draft.replace(jsonl)
    named = sum(row["speaker"] is not None for row in rows)
    counts = {"utterances": len(rows), "with_speaker": named}
    _answer(counts, f"{len(rows)} utterances, {named} with a speaker", as_json)


@app.command()
def expand(
    settings: Settings = [],  # noqa: B006 - typer copies it
    estimate: Estimate = False,
    persona: Who = "",
    as_json: Json = False,
) -> None:
    """Ask a language model for lines that lead to the persona's quotes; they stay marked as synthetic."""
    from core.settings import stage_defaults
    from core.stages.dialogues.settings import ServedKor

    served = stage_defaults("kor", ServedKor).expanding().model_dump(mode="json")
    _ask_model("expansion", {**served, **_parsed(settings)}, persona, estimate, as_json)


@dataset.command("build")
def dataset_build(persona: Who = "", settings: Settings = [], as_json: Json = False) -> None:  # noqa: B006 - typer copies it
    """Freeze the lines of the store as a new dataset version."""
    with _services() as services:
        done = _here(services, "dataset", persona, _parsed(settings))
        version = services.store.datasets.get(done.result["version"])
    counts = f"{version.train_samples} train, {version.held_out_samples} held out"
    text = f"{version.id}: {counts}, {version.fingerprint[:12]}"
    _answer(dict(done.result), text, as_json)


@dataset.command("export")
def dataset_export(
    version: Annotated[str, typer.Argument(help="Id of the version; `latest` for the newest.")],
    out: Annotated[Path, typer.Argument(help="File to write.")],
    form: Annotated[str, typer.Option("--format", help="Row of the table in docs/formats.md.")] = "xtuner",
    split: Annotated[str, typer.Option(help="train, held-out, or all; a zip has all by default.")] = "",
    persona: Who = "",
) -> None:
    """Write a dataset version in a format people load; a name ending in .zip adds a manifest of origins."""
    from core.domain.text import Split
    from core.stages.dataset.export import export, export_archive, origins_of

    zipped = out.suffix.casefold() == ".zip"
    split = split or ("all" if zipped else "train")
    if split not in (*Split, "all"):
        raise InvalidInputError(
            N_("{split} is not a part of a dataset version."), remedy=N_("Choose train, held-out or all."), split=split
        )
    with _services() as services:
        chosen = _version(services, version, persona)
        samples = services.store.datasets.samples(chosen.id, split=None if split == "all" else Split(split))
        her = services.store.personas.get(chosen.persona_id)
        write = export_archive if zipped else export
        known = origins_of(chosen, samples, services.store, format=form)
        content = write(chosen, samples, format=form, persona=her, origins=known)
    out.write_bytes(content)
    typer.echo(f"{out}: {len(samples)} samples of {chosen.id}")


@dataset.command("check")
def dataset_check(
    file: Annotated[Path, typer.Argument(help="A file of any format of docs/formats.md, or a zip.")],
    form: Annotated[str, typer.Option("--format", help="Row of the table; told by the content by default.")] = "",
    as_json: Json = False,
) -> None:
    """Read somebody's dataset and say what is in it, what was repaired and what was refused, line by line."""
    from core.stages.dataset.formats.upload import read_upload

    found = read_upload(_bytes(file), file.name, format=form)
    report = found.report
    counts: dict[str, Any] = {"read": report.read, "repaired": report.repaired, "refused": report.refused}
    lines = [str(finding) for finding in report.findings]
    text = f"{report.read} read, {report.repaired} of them repaired, {report.refused} refused"
    counts |= {"findings": lines, "unknown_fields": dict(report.unknown_fields)}
    _answer(counts, "\n".join([text, *lines]), as_json)


@app.command()
def finetune(
    version: Annotated[str, typer.Argument(help="Id of the dataset version; `latest` for the newest.")] = "latest",
    preset: Annotated[str, typer.Option(help="File of configs/finetuning.")] = "tiny-cpu",
    persona: Who = "",
    settings: Settings = [],  # noqa: B006 - typer copies it
    queue: Annotated[bool, typer.Option("--queue", help="Leave it to a worker and return.")] = False,
    as_json: Json = False,
) -> None:
    """Train a text model with XTuner and register it."""
    from core.stages.finetuning.settings import preset_values

    with _services() as services:
        chosen = _version(services, version, persona)
        wanted = {**preset_values(preset), "dataset_version_id": chosen.id, **_parsed(settings)}
        if queue:
            run = services.jobs.submit("finetuning", chosen.persona_id, wanted, who="cli")
            _answer({"run": run.id}, f"queued as {run.id}", as_json)
            return
        done = _here(services, "finetuning", chosen.persona_id, wanted)
    _answer({"run": done.id, **done.result}, f"{done.id}: {json.dumps(done.result, ensure_ascii=False)}", as_json)


@app.command()
def chat(
    said: Annotated[str, typer.Argument(help="What you say to her.")],
    model: Annotated[str, typer.Option(help="Id of a text model, or `retrieval`; the one in use by default.")] = "",
    wav: Annotated[Path | None, typer.Option(help="Write her voice here.")] = None,
    persona: Who = "",
    as_json: Json = False,
) -> None:
    """Say something to her and read (or hear) the answer."""
    from core.settings import stage_defaults
    from core.stages.chat.choice import choice_of, model_for
    from core.stages.chat.events import TextDelta
    from core.stages.chat.mouth import mouth_of
    from core.stages.chat.settings import ChatSettings
    from core.stages.chat.talk import answer, begin

    settings = stage_defaults("chat", ChatSettings)
    with _services() as services:
        seed(services)
        store = services.store
        her = store.personas.get(persona or services.settings.persona)
        choice = choice_of(model or None, her.id, settings=settings, store=store)
        talk = begin(her, said, settings=settings, store=store)
        events = answer(
            said,
            conversation=talk,
            persona=her,
            choice=choice,
            model=model_for(choice, her, settings=settings, store=store),
            mouth=mouth_of(settings.voice if wav else "", her, store=store),
            settings=settings,
            store=store,
        )
        for event in events:
            if isinstance(event, TextDelta) and not as_json:
                typer.echo(event.text, nl=False)
        reply = store.talks.messages(talk.id)[-1]
        if wav is not None and reply.sound_sha256:
            wav.write_bytes(store.files.read(reply.sound_sha256))
    made_by = {"text": reply.text, "backend": reply.backend, "model": reply.model_id, "line": reply.utterance_id}
    _answer(made_by, f"\n({reply.model_id or reply.backend})", as_json)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is installed, what is missing, and the remedy for each."""
    from core.doctor import examine

    with _services() as services:
        findings = examine(services)
    lines = [f"{'ok ' if one.fine else '-- '} {one.name}: {one.detail}" for one in findings]
    lines += [f"     {one.name}: {one.remedy}" for one in findings if one.remedy]
    _answer({"findings": [one.plain() for one in findings]}, "\n".join(lines), as_json)


@app.command()
def toolchains() -> None:
    """Build the environments of XTuner and OpenCompass ahead of their first run."""
    with _services() as services:
        for name in services.settings.toolchains:
            done = _here(services, "toolchain", "", {"name": name})
            typer.echo(f"{name}: {done.result['python']}")


def seed(services: Services) -> None:
    """Give a new workspace the sample corpus."""
    from core.services import seed as plant

    plant(services)


def _extract_store(method: str, settings: dict[str, Any], persona: str, estimate: bool, as_json: bool) -> None:
    from core.settings import stage_defaults
    from core.stages.dialogues.extractors import extractor
    from core.stages.dialogues.settings import ServedKor

    if method != "auto" and extractor(method).job == "kor":
        served = stage_defaults("kor", ServedKor).asking().model_dump(mode="json")
        _ask_model("kor", {**served, **settings}, persona, estimate, as_json)
        return
    with _services() as services:
        done = _here(services, "dialogues", persona, {"method": method, **settings})
    _answer(dict(done.result), f"{done.result['lines']} lines, {done.result['persona_lines']} of them hers", as_json)


def _ask_model(kind: str, settings: dict[str, Any], persona: str, only_estimate: bool, as_json: bool) -> None:
    """Say what asking a language model will come to, then do it unless that was all that was wanted."""
    with _services() as services:
        told = services.estimate(kind, persona or services.settings.persona, settings).plain()
        cost = "cost unknown" if told["cost"] is None else f"{told['cost']:.2f} {told['currency']}"
        tokens = told["prompt_tokens"] + told["completion_tokens"]
        words = f"{told['calls']} calls ({told['answered']} answered already), {tokens} tokens, {cost}, "
        words += f"about {told['minutes']:.1f} minutes" + ("" if told["measured"] else " (assumed)")
        if told["saved"]:
            words += f", {told['saved']} calls saved"
        if only_estimate:
            _answer({"estimate": told}, words, as_json)
            return
        typer.echo(words, err=True)
        done = _here(services, kind, persona, settings)
    result = done.result
    text = f"{result['lines']} lines; {result['calls']} calls, {len(result['retry'])} to ask again"
    _answer({"run": done.id, **result}, text, as_json)


@contextmanager
def _services() -> Iterator[Services]:
    from core.services import open_services

    services = open_services()
    try:
        yield services
    finally:
        services.close()


def _here(services: Services, kind: str, persona: str, settings: dict[str, Any]) -> Run:
    """Do a run in this process; its failure becomes the command's."""
    done = services.execution.here(kind, persona or services.settings.persona, settings, who="cli")
    if done.state is RunState.CANCELLED:
        raise RunCancelledError(
            N_("The run {run} was stopped."), remedy=N_("Resume it on the page of runs."), run=done.id
        )
    if done.error is not None:
        raise StudioError(done.error.message, remedy=done.error.remedy or done.error.traceback, **done.error.values)
    return done


def _version(services: Services, version: str, persona: str) -> Any:
    if version != "latest":
        return services.store.datasets.get(version)
    versions = services.store.datasets.versions(persona or services.settings.persona)
    if not versions:
        raise InvalidInputError(
            N_("There is no dataset version yet."), remedy=N_("Build one first: `python -m core dataset build`.")
        )
    return versions[0]


def _parsed(pairs: list[str]) -> dict[str, Any]:
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


def _opened(file: Path) -> Any:
    try:
        return file.open("rb")
    except OSError as error:
        raise InvalidInputError(
            N_("{name} cannot be opened: {problem}."),
            remedy=N_("Check the path and its permissions."),
            name=file.name,
            problem=error.strerror or "",
        ) from None


def _bytes(file: Path) -> bytes:
    with _opened(file) as stream:
        content: bytes = stream.read()
    return content


def _answer(content: dict[str, Any], text: str, as_json: bool) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False) if as_json else text)


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
