"""Commands about base models: bring one in, list them, check a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.terminal import Json, Settings, answered, done_here, parsed, studio

app = typer.Typer(no_args_is_help=True, help="Base models.")


@app.command("import")
def base_import(
    repository: Annotated[str, typer.Argument(help="owner/name on the hub, or a folder.")],
    source: Annotated[str, typer.Option(help="huggingface, modelscope or folder.")] = "modelscope",
    revision: Annotated[str, typer.Option(help="Branch, tag or commit; the newest by default.")] = "",
    name: Annotated[str, typer.Option(help="What it is called here.")] = "",
    settings: Settings = [],  # noqa: B006 - typer copies it
    as_json: Json = False,
) -> None:
    """Bring a base model in: fetched or copied, converted where it would run code of its own, checked, registered."""
    if source == "folder":
        repository = str(Path(repository).resolve())
    wanted = {"source": source, "repository": repository, "revision": revision, "name": name, **parsed(settings)}
    with studio() as services:
        done = done_here(services, "base_model", "", wanted)
        base = services.store.bases.get(done.result["base"])
    text = f"{base.id}: {base.manifest['architecture']}, {base.manifest['parameters']:,} parameters, {base.origin}"
    answered({"run": done.id, **done.result}, text, as_json)


@app.command("list")
def base_list(as_json: Json = False) -> None:
    """Say which base models are here."""
    with studio() as services:
        bases = services.store.bases.all()
    lines = [f"{one.id}  {one.manifest.get('architecture', '-')}  {one.origin}" for one in bases]
    told: list[dict[str, Any]] = [
        {"id": one.id, "name": one.name, "origin": one.origin, "folder": one.folder, "form": one.prompt_template}
        for one in bases
    ]
    answered({"bases": told}, "\n".join(lines) or "-", as_json)


@app.command("check")
def base_check(folder: Annotated[Path, typer.Argument(help="A model's folder.")], as_json: Json = False) -> None:
    """Read a model's folder without loading it: what it is, and what stands in the way of training from it."""
    from core.stages.finetuning.bases.inspecting import inspect_base

    report = inspect_base(folder)
    problems = [f"{one.message.format(**one.values)} {one.remedy.format(**one.values)}" for one in report.problems]
    kind = f"{report.architecture or '-'}, {report.parameters:,} parameters, {report.dtype or '-'}"
    form = f"chat form {report.prompt_template or '-'}, context {report.context}"
    converted = ["It is converted to the Llama form when it is brought in."] if report.needs_conversion else []
    text = "\n".join([f"{kind}, {form}", *converted, *problems])
    answered({**asdict(report), "problems": problems}, text, as_json)
