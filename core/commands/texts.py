"""Commands about texts: import, extract, expand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.terminal import Estimate, Json, Settings, Who, answered, content, done_here, opened, parsed, studio


def import_text(file: Path, persona: Who = "", kind: str = "", as_json: Json = False) -> None:
    """Import a text (or a zip of texts) into the corpus."""
    with studio() as services:
        with opened(file) as stream:
            wanted: dict[str, Any] = {"uploads": services.receive_texts(stream, file.name)}
        done = done_here(services, "corpus", persona, wanted | ({"kind": kind} if kind else {}))
        found = [services.store.corpus.source(one) for one in done.result["sources"]]
    lines = [f"{one.id}  {one.name}: {one.kind}, {one.encoding}, {one.chapters} chapters" for one in found]
    answered(dict(done.result), "\n".join(lines), as_json)


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
        _extract_store(method, parsed(settings), persona, estimate, as_json)
        return
    from core.stages.corpus.run import read_passages
    from core.stages.dialogues.export import row_of
    from core.stages.dialogues.extractors import extractor

    cast = json.loads(content(aliases)) if aliases else {}
    passages = read_passages(content(file), file.name, source_id=file.stem)
    rows = [row_of(line) for line in extractor(method).extract(passages, cast)]
    if jsonl is not None:
        draft = jsonl.with_name(jsonl.name + ".draft")
        draft.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        draft.replace(jsonl)
    named = sum(row["speaker"] is not None for row in rows)
    counts = {"utterances": len(rows), "with_speaker": named}
    answered(counts, f"{len(rows)} utterances, {named} with a speaker", as_json)


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
    _ask_model("expansion", {**served, **parsed(settings)}, persona, estimate, as_json)


def _extract_store(method: str, settings: dict[str, Any], persona: str, estimate: bool, as_json: bool) -> None:
    from core.settings import stage_defaults
    from core.stages.dialogues.extractors import extractor
    from core.stages.dialogues.settings import ServedKor

    if method != "auto" and extractor(method).job == "kor":
        served = stage_defaults("kor", ServedKor).asking().model_dump(mode="json")
        _ask_model("kor", {**served, **settings}, persona, estimate, as_json)
        return
    with studio() as services:
        done = done_here(services, "dialogues", persona, {"method": method, **settings})
    answered(dict(done.result), f"{done.result['lines']} lines, {done.result['persona_lines']} of them hers", as_json)


def _ask_model(kind: str, settings: dict[str, Any], persona: str, only_estimate: bool, as_json: bool) -> None:
    """Say what asking a language model will come to, then do it unless that was all that was wanted."""
    with studio() as services:
        told = services.estimate(kind, persona or services.settings.persona, settings).plain()
        cost = "cost unknown" if told["cost"] is None else f"{told['cost']:.2f} {told['currency']}"
        tokens = told["prompt_tokens"] + told["completion_tokens"]
        words = f"{told['calls']} calls ({told['answered']} answered already), {tokens} tokens, {cost}, "
        words += f"about {told['minutes']:.1f} minutes" + ("" if told["measured"] else " (assumed)")
        if told["saved"]:
            words += f", {told['saved']} calls saved"
        if only_estimate:
            answered({"estimate": told}, words, as_json)
            return
        typer.echo(words, err=True)
        done = done_here(services, kind, persona, settings)
    result = done.result
    text = f"{result['lines']} lines; {result['calls']} calls, {len(result['retry'])} to ask again"
    answered({"run": done.id, **result}, text, as_json)
