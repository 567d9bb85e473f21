"""What the tiny model learns from a whole novel: how well it foresees lines of the persona that it has never met.

    python -m benchmarks.tiny_model --text ../shared/data/hongloumeng.txt [--preset NAME] [--set KEY=VALUE] [--json]

The whole path in an empty workspace, with the real XTuner: import, extract, build a dataset version, train. The figures
are nats per character of the persona's held-out replies, less is better; each is foreseen from the talk before it, and
its end counts as a character. `unigram` and `bigram` are models that only count characters: they have read all that the
tiny model has, and may weigh the persona's own replies as suits them best. `base` has only read; `merged` has been
fine-tuned to talk as well.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from core.backends.tools.toolchains import python_of
from core.commands.terminal import parsed
from core.domain.run import RunState
from core.services import Services, open_services
from core.settings import Settings, ToolchainSettings, load_settings
from core.stages.finetuning.settings import PRESETS, preset_values

QUESTIONS = ["你是谁？", "今日天气可好？", "你在读什么书？", "二哥哥来了没有？"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True, help="The novel.")
    parser.add_argument("--preset", default=PRESETS[0], choices=PRESETS)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", action="store_true", help="Print one JSON object last.")
    asked = parser.parse_args()
    wanted = {**preset_values(asked.preset), "questions": QUESTIONS, **parsed(asked.settings)}
    with tempfile.TemporaryDirectory() as folder:
        services = open_services(_settings(Path(folder)))
        found = measured(services, asked.text, wanted)
        services.close()
    for name in ("unigram", "bigram", "base", "merged"):
        print(f"{name:10} {found[name]:6.3f} nats per character")
    for question, answers in found["answers"].items():
        print(f"{question}\n  base     {answers['base']}\n  merged   {answers['merged']}")
    print(f"answers changed: {found['answers_changed']}; {found['seconds']} seconds of training")
    if asked.json:
        print(json.dumps(found, ensure_ascii=False))


def measured(services: Services, text: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """Take the novel along the whole path; `seconds` is the fine-tuning's, from its data to the registered model."""
    with text.open("rb") as stream:
        _run(services, "corpus", {"uploads": services.receive_texts(stream, text.name)})
    _run(services, "dialogues", {})
    _run(services, "dataset", {})
    begun = time.perf_counter()
    result = _run(services, "finetuning", wanted)
    seconds = time.perf_counter() - begun
    base, merged = result["answers"]["base"], result["answers"]["merged"]
    return {
        **{name: round(value, 4) for name, value in result["held_out_nats_per_character"].items()},
        "answers_changed": base != merged,
        "seconds": round(seconds),
        "parameters": result["parameters"],
        "answers": {question: {"base": base[question], "merged": merged[question]} for question in base},
    }


def _run(services: Services, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    done = services.execution.here(kind, services.settings.persona, settings, who="benchmark")
    if done.state is not RunState.SUCCEEDED:
        raise SystemExit(f"{kind} did not succeed: {done.error}")
    return dict(done.result)


def _settings(workspace: Path) -> Settings:
    """Return settings for an empty workspace that uses the project's own environment of XTuner, where it is built."""
    python = python_of("xtuner", load_settings())
    return Settings(workspace=workspace, toolchains={"xtuner": ToolchainSettings(python=python)} if python else {})


if __name__ == "__main__":
    main()
