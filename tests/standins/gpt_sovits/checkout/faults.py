"""What goes wrong in this checkout, as `behaviour.json` in its root says; and files as upstream writes them."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import signal
import sys
import time
import zipfile
from pathlib import Path
from typing import Any


def behaviour(name: str, default: Any = None) -> Any:
    """Return what is to happen; the file is read each time, so a test may change its mind."""
    file = Path("behaviour.json")
    return json.loads(file.read_text(encoding="utf-8")).get(name, default) if file.exists() else default


def say(words: str, end: str = "\n") -> None:
    """Print at once, as with PYTHONUNBUFFERED."""
    sys.stdout.write(words + end)
    sys.stdout.flush()


def misfortune(script: str, done: int) -> None:
    """Let the trouble happen that is due after `done` items of a script: `{"die": {"s2_train": 3}}` and the like."""
    for kind in ("die", "oom", "full"):
        if (behaviour(kind) or {}).get(script) == done:
            _happen(kind)


def packed(content: dict[str, Any]) -> bytes:
    """Return what torch would save: a zip."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(content, protocol=2))
    return whole.getvalue()


def unpacked(path: str) -> dict[str, Any]:
    """Return what is saved there; an error for what is no such file."""
    with open(path, "rb") as file:
        content = file.read()
    with zipfile.ZipFile(io.BytesIO(b"PK" + content[2:])) as file:
        saved: dict[str, Any] = pickle.loads(file.read("archive/data.pkl"))
    return saved


def my_save(content: dict[str, Any], path: str, part: str = "") -> None:
    """Save under the time's name where we stand, then move: a kill in between leaves that file there."""
    draft = f"{time.time()}{part}.pth"
    Path(draft).write_bytes(packed(content))
    if behaviour("die_while_saving") == Path(path).name:
        os.kill(os.getpid(), signal.SIGKILL)
    shutil.move(draft, f"{os.path.dirname(path)}/{os.path.basename(path)}")


def _happen(kind: str) -> None:
    if kind == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "full":
        raise OSError(28, "No space left on device")
    raise MemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
