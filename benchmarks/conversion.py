"""How much memory and time it takes to convert InternLM2-1.8B to the Llama form and to prove both equal.

    python -m benchmarks.conversion --json
    python -m benchmarks.conversion --layers 4 --folder /somewhere/large

A checkpoint of the true shapes is made of random weights (3.8 GB, two files), converted and compared by the programs
the app starts, in XTuner's environment. Memory is the most that a program and its children held at once, mapped files
included. Needs 8 GB of disk in `--folder`, which is given back.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks.peak_memory import peak
from core.backends.tools.toolchains import python_of
from core.backends.tools.xtuner import PROGRAMS
from core.backends.tools.xtuner.conversion import InternLM2Conversion
from core.domain.run import Command
from core.settings import load_settings

MAKER = Path(__file__).parents[1] / "tests" / "tools" / "random_internlm2.py"
TEXTS = [f"第{number}回，窗外的竹子响了一夜。The rain went on for {number} hours." for number in range(400)]
TRUE_SIZE: dict[str, Any] = {
    "vocab_size": 92544,
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "shards": 2,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=24, help="depth of the model; 24 is the true one")
    parser.add_argument("--folder", type=Path, help="where there is room on the disk")
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    arguments = parser.parse_args()
    python = python_of("xtuner", load_settings())
    if python is None:
        raise SystemExit("XTuner's environment is not built: make toolchains")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        found = measured(Path(folder), python, {**TRUE_SIZE, "num_hidden_layers": arguments.layers})
    for name, value in found.items():
        print(f"{name:28} {value}")
    if arguments.json:
        print(json.dumps(found))


def measured(folder: Path, python: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Make the checkpoint, convert and compare it; return what it took and whether both forms are equal."""
    (folder / "texts.json").write_text(json.dumps(TEXTS), encoding="utf-8")
    make = (str(python), str(MAKER), ".", "texts.json", json.dumps({"source": settings}))
    watched(Command(make, folder, {"PYTHONPATH": str(PROGRAMS), "HF_HUB_OFFLINE": "1"}))
    source, target, converter = folder / "source", folder / "target", InternLM2Conversion(python)
    convert_peak, convert_seconds = watched(converter.convert(source, target, folder))
    compare_peak, compare_seconds = watched(converter.compare(source, target, folder))
    comparison = converter.comparison(folder)
    return {
        "checkpoint_mb": round(sum(file.stat().st_size for file in source.glob("*.safetensors")) / 1e6),
        "disk_free_mb": round(shutil.disk_usage(folder).free / 1e6),
        "convert_peak_mb": convert_peak,
        "compare_peak_mb": compare_peak,
        "convert_seconds": convert_seconds,
        "compare_seconds": compare_seconds,
        "equal": comparison.equal,
        "logits_difference": comparison.logits_difference,
        "logits_scale": comparison.logits_scale,
        "unequal_texts": len(comparison.unequal_texts),
    }


def watched(command: Command) -> tuple[int, float]:
    """Run a program and return the most memory it held, in MB, and how many seconds it took."""
    began = time.perf_counter()
    most = peak(command, _held)
    return round(most / 1e6), round(time.perf_counter() - began, 1)


def _held(pid: int) -> int:
    """Return what a program and its children hold at this moment, in bytes; 0 when it has just ended."""
    with suppress(psutil.NoSuchProcess):
        program = psutil.Process(pid)
        return sum(int(one.memory_info().rss) for one in (program, *program.children(recursive=True)))
    return 0


if __name__ == "__main__":
    main()
