"""Stands in for the interpreter of XTuner's environment: leaves the same files and lines behind, in no time.

`behaviour.json` beside the launcher says how to go wrong: `{"train": {"die_at": 60}}` ends with SIGKILL after
that step's checkpoint, `{"train": {"say": "…"}}` prints and exits with 1; a trouble happens once.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

BEHAVIOUR = Path(os.environ["STAND_IN"]) / "behaviour.json"
PACE = float(os.environ.get("PACE", "0"))
"""Seconds that a step of the training takes."""
CALLS = Path(os.environ["STAND_IN"]) / "calls.jsonl"


def trouble(name: str) -> dict[str, Any]:
    if not BEHAVIOUR.exists():
        return {}
    planned = json.loads(BEHAVIOUR.read_text())
    mine: dict[str, Any] = planned.pop(name, {})
    BEHAVIOUR.write_text(json.dumps(planned))
    if "say" in mine:
        sys.exit(f"Traceback (most recent call last):\n{mine['say']}")
    return mine


def model(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "model.safetensors").write_bytes(b"weights")


def versions(arguments: list[str]) -> None:
    print('{"python": "3.11.9", "xtuner": "0.2.0", "torch": "2.13.0"}')  # noqa: T201


def build_base(arguments: list[str]) -> None:
    trouble("base")
    for step in (10, 20):
        print(json.dumps({"step": step, "steps": 20, "loss": 8.0 / step, "lr": 0.001}))  # noqa: T201
    model(Path(arguments[1]))


def train(arguments: list[str]) -> None:
    planned = trouble("train")
    work = Path(arguments[2])
    config = Path(arguments[0]).read_text()
    steps = int(re.findall(r"max_iters = (\d+)", config)[0])
    begin = int(re.findall(r"iter_(\d+)", arguments[4])[0]) if "--resume" in arguments else 0
    place = work / f"20261123_00000{len(list(work.glob('2026*')))}"
    (place / "vis_data").mkdir(parents=True)
    for step in range(begin + 1, steps + 1):
        entry = {"lr": 0.001, "grad_norm": 1.0, "loss": 6.0 / step, "time": 0.1, "iter": step, "step": step}
        entry |= {"tokens": 500.0, "memory": 640.0}
        with (place / "vis_data" / "scalars.json").open("a") as scalars:
            scalars.write(json.dumps(entry) + "\n")
        print(f"11/23 00:00:00 - mmengine - INFO - Iter(train) [{step:3d}/{steps}]  lr: 1e-3  loss: {6.0 / step:.4f}")  # noqa: T201
        if step % 20 == 0 or step == steps:
            (work / f"iter_{step}.pth").write_bytes(b"checkpoint")
            (work / "last_checkpoint").write_text(f"/somewhere/else/iter_{step}.pth")
            answers = "".join(f"Eval output {n}:\n<|im_start|>assistant\n答{n}<|im_end|>\n\n" for n in (1, 2))
            (place / "vis_data" / f"eval_outputs_iter_{step - 1}.txt").write_text(answers)
        time.sleep(PACE)
        if planned.get("die_at") == step:
            os.kill(os.getpid(), signal.SIGKILL)
        if planned.get("wait_at") == step:
            sys.stdout.flush()
            time.sleep(60)


def train_group(arguments: list[str]) -> None:
    train(arguments[arguments.index("train_in_group.py") + 1 :])


def convert(arguments: list[str]) -> None:
    trouble("convert")
    model(Path(arguments[2]))


def merge(arguments: list[str]) -> None:
    trouble("merge")
    model(Path(arguments[2]))


def try_out(arguments: list[str]) -> None:
    trouble("trial")
    request = json.loads(Path(arguments[0]).read_text())
    found = {
        name: {
            "parameters": 7,
            "held_out_loss": 9.0 - len(name),
            "held_out_nats_per_character": 6.0,
            "answers": ["嗯。" for _ in request["questions"]],
        }
        for name in request["models"]
    }
    Path(request["out"]).write_text(json.dumps(found))


def quantise(arguments: list[str]) -> None:
    trouble("quantise")
    request = json.loads(Path(arguments[0]).read_text())
    model(Path(request["copy"]))
    answers = ["嗯。" for _ in request["questions"]]
    both = {"model": {"held_out_loss": 3.0, "bytes": 700}, "copy": {"held_out_loss": 3.25, "bytes": 200}}
    found = {name: {**figures, "answers": answers} for name, figures in both.items()}
    Path(request["out"]).write_text(json.dumps({**found, "versions": {"bitsandbytes": "0.50.2"}, "device": "cpu"}))


PROGRAMS = {
    "list_versions.py": versions,
    "build_tiny_model.py": build_base,
    "xtuner.tools.train": train,
    "torch.distributed.run": train_group,
    "xtuner.tools.model_converters.pth_to_hf": convert,
    "xtuner.tools.model_converters.merge": merge,
    "try_models.py": try_out,
    "quantise.py": quantise,
}

if __name__ == "__main__":
    arguments = [one for one in sys.argv[1:] if one != "-m"]
    with CALLS.open("a") as calls:
        calls.write(json.dumps(sys.argv[1:]) + "\n")
    PROGRAMS[Path(arguments[0]).name](arguments[1:])
