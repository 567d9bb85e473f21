"""Reads a file in a process of its own, with a limit on time and memory; a crash there is a refusal here.

python -m core.stages.corpus.sandbox FILE OUT --name N --max-unpacked B --max-pages N --seconds S --memory B
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.domain.run import Command
from core.domain.text import TextFormat
from core.errors import InvalidInputError, ToolFailedError
from core.jobs.bounds import limit_this_process
from core.jobs.context import RunContext
from core.stages.corpus.document import Block, Document, ReadingLimits, Tick, document_of
from core.stages.corpus.readers import read_document
from core.translation import N_

_MEMORY = 4_000_000_000
"""Bytes of address space; a PDF of thousands of pages takes a tenth."""
_PROJECT = Path(__file__).resolve().parents[3]
_STEP = "read share"


def read_apart(
    data: bytes, name: str, *, number: int, limits: ReadingLimits, seconds: int, context: RunContext, tick: Tick
) -> tuple[TextFormat, Document]:
    """Read a file in a process of its own; InvalidInputError when it is refused, or breaks its reader.

    `number` tells the run's files apart, so that a run that goes on finds what it has read already. `tick` is only
    told: the process ends by its own limits, or when the run is stopped.
    """
    file, out = context.folder / f"reading-{number}", context.folder / f"reading-{number}.json"

    def command() -> Command:
        file.write_bytes(data)
        options = {"name": name, "max-unpacked": limits.max_unpacked, "max-pages": limits.max_pages}
        bounds = {"seconds": seconds, "memory": _MEMORY}
        spelled = (f"--{option}={value}" for option, value in {**options, **bounds}.items())
        return Command((sys.executable, "-m", __name__, str(file), str(out), *spelled), _PROJECT)

    def follow(line: str) -> None:
        if line.startswith(_STEP):
            tick(float(line.removeprefix(_STEP)))

    try:
        context.execute(f"read-{number}", command, on_line=follow)
        answer = json.loads(out.read_text(encoding="utf-8"))
    except ToolFailedError:
        raise InvalidInputError(
            N_("{name} broke its reader, or took more than {minutes} minutes or too much memory."),
            remedy=N_("Save it anew, print it to PDF, or import it as plain text."),
            name=name,
            minutes=max(1, seconds // 60),
        ) from None
    finally:
        file.unlink(missing_ok=True)
    if refused := answer.get("refused"):
        raise InvalidInputError(refused["message"], remedy=refused["remedy"], **refused["values"])
    blocks = [Block(**block) for block in answer["blocks"]]
    return TextFormat(answer["format"]), document_of(
        blocks, name=name, encoding=answer["encoding"], titled=answer["titled"]
    )


def forget_readings(context: RunContext) -> None:
    """Take away what was read for a run that has stored it."""
    for left in context.folder.glob("reading-*"):
        left.unlink()


def main() -> None:
    """Read the file under the limits and write what was found, or why it was refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--name", required=True)
    for bound in ("max-unpacked", "max-pages", "seconds", "memory"):
        parser.add_argument(f"--{bound}", type=int, required=True)
    asked = parser.parse_args()

    limit_this_process(cpu_seconds=asked.seconds, memory=asked.memory)
    answer = _answer(asked.file.read_bytes(), asked.name, ReadingLimits(asked.max_unpacked, asked.max_pages))
    draft = asked.out.with_suffix(".draft")
    draft.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
    draft.replace(asked.out)


def _answer(data: bytes, name: str, limits: ReadingLimits) -> Mapping[str, Any]:
    said = 0.0

    def tell(share: float) -> None:
        nonlocal said
        if share >= said:
            sys.stdout.write(f"{_STEP} {share:.2f}\n")
            sys.stdout.flush()
            said = share + 0.04

    try:
        found, document = read_document(data, name, limits=limits, tick=tell)
    except InvalidInputError as refusal:
        return {"refused": {"message": refusal.message, "remedy": refusal.remedy, "values": refusal.values}}
    return {
        "format": found,
        "encoding": document.encoding,
        "titled": document.titled,
        "blocks": [asdict(block) for block in document.blocks or ()],
    }


if __name__ == "__main__":
    main()
