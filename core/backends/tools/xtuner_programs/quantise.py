"""Make a 4-bit copy of a model (nf4, quantised twice), load it again, and measure both.

    python quantise.py REQUEST

REQUEST is a JSON file: `{"model": DIR, "copy": DIR, "system": TEXT, "questions": [TEXT], "held_out": [conversation],
"new_tokens": 48, "seed": 42, "out": FILE}`. FILE then holds `{"model", "copy"}`, each what `try_models.py` finds of one
and `bytes` of its weights, and `versions` and `device` of what made it. Where this platform cannot do it, it says so
in one line and ends with 1.
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer
from try_models import tried


class UnsupportedError(Exception):
    """This platform has no 4-bit layers that work."""


def layers() -> Any:
    """Return how the weights are squeezed, once a small layer of the kind has worked here."""
    try:
        import bitsandbytes
        from transformers import BitsAndBytesConfig

        device = where()
        layer = bitsandbytes.nn.Linear4bit(64, 64, bias=False, compute_dtype=torch.bfloat16, quant_type="nf4")
        answer = layer.to(device)(torch.ones(1, 64, dtype=torch.bfloat16, device=device))
        if not bool(torch.isfinite(answer).all()):
            raise UnsupportedError("a 4-bit layer gives no numbers")
    except (ImportError, RuntimeError, NotImplementedError, AttributeError, OSError) as error:
        raise UnsupportedError(f"{type(error).__name__}: {error}") from error
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def where() -> str:
    """Return the device that does it."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def make(source: Path, target: Path) -> None:
    """Write the copy, tokenizer included, as safetensors."""
    squeezed = layers()
    shutil.rmtree(target, ignore_errors=True)
    model = AutoModelForCausalLM.from_pretrained(
        source,
        trust_remote_code=False,
        use_safetensors=True,
        torch_dtype=torch.bfloat16,
        quantization_config=squeezed,
        device_map={"": where()},
    )
    model.save_pretrained(target, safe_serialization=True)
    AutoTokenizer.from_pretrained(source, trust_remote_code=False).save_pretrained(target)


def weight_of(folder: Path) -> int:
    """Return the bytes of a model's weights."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def versions() -> dict[str, str]:
    """Return the versions of what decides the copy."""
    import bitsandbytes

    own = {"torch": torch.__version__, "transformers": transformers.__version__}
    return {"python": platform.python_version(), **own, "bitsandbytes": bitsandbytes.__version__}


def main() -> None:
    """Make the copy and measure it beside the model."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    source, target = Path(request["model"]), Path(request["copy"])
    try:
        make(source, target)
    except UnsupportedError as reason:
        sys.exit(f"4-bit copies do not work here: {reason}")
    report: dict[str, Any] = {"versions": versions(), "device": where()}
    for name, folder in (("model", source), ("copy", target)):
        report[name] = {**tried(str(folder), request), "bytes": weight_of(folder)}
        print(json.dumps({name: report[name]}, ensure_ascii=False), flush=True)  # noqa: T201
    Path(request["out"]).write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
