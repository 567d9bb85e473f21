"""Print the versions of what decides a fine-tuning's result, one JSON object; imports nothing heavy."""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import platform
from importlib import metadata

NAMES = ("xtuner", "mmengine", "torch", "transformers", "tokenizers", "peft", "bitsandbytes", "datasets", "accelerate")


def main() -> None:
    """Print name -> version; what is not installed is left out."""
    installed = {name: metadata.version(name) for name in NAMES if _has(name)}
    print(json.dumps({"python": platform.python_version(), **installed}))  # noqa: T201


def _has(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
