"""Builds and updates a Python environment with uv: the app's own (`make run`) and one for each tool.

Runs before anything is installed, so it needs nothing but the standard library, and it must at least
start on an old Python to say which one it wants. From the project's folder:

    python3 -m core.jobs.environments build .venv --lock requirements.lock
    python3 -m core.jobs.environments lock requirements.txt requirements.lock

uv does not read pip's configuration; what people set there (mirrors, folders of wheels, certificates)
is translated. The stamp is written last: an environment without it is not finished and is built on.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import MissingToolError, StudioError, ToolFailedError
from core.jobs.wheels import choose_torch, parse_pip_config, pinned, translated, without_gpu_packages
from core.translation import N_

OLDEST_PYTHON = (3, 11)
STAMP = ".complete"


@dataclass(frozen=True)
class Step:
    """One lock file to install."""

    lock: Path
    dependencies: bool = True
    """False installs exactly what is named, whatever those packages ask for."""

    @property
    def digest(self) -> str:
        """Changes whenever what gets installed does."""
        return hashlib.sha256(self.lock.read_bytes() + bytes([self.dependencies])).hexdigest()


def fingerprint(steps: Iterable[Step], python: str | None) -> str:
    """Return what names the environment these steps make."""
    return hashlib.sha256("\n".join([str(python), *(step.digest for step in steps)]).encode()).hexdigest()


def python_in(folder: Path) -> Path:
    """Return the interpreter of the environment in that folder."""
    return folder / "bin" / "python"


def is_current(folder: Path, steps: Iterable[Step]) -> bool:
    """Tell whether every step is installed there in its present form."""
    installed = {entry["digest"] for entry in _read_stamp(folder)}
    return python_in(folder).exists() and all(step.digest in installed for step in steps)


def link_mode(cache: Path, folder: Path) -> str:
    """Return how uv should bring files from its cache: hard links cost no space but stay on one filesystem."""
    return "hardlink" if _device(cache) == _device(folder) else "copy"


def build(folder: Path, steps: Sequence[Step], python: str | None = None) -> None:
    """Make the environment hold exactly what the steps' locks say; return at once if it already does.

    An update keeps the steps that were installed before (the developers' tools beside the app).
    """
    if is_current(folder, steps):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder / ".building"):  # not .lock, which is the name of uv's own
        if is_current(folder, steps):
            return
        kept = [Step(Path(entry["lock"]), entry["dependencies"]) for entry in _read_stamp(folder)]
        steps = [*steps, *(step for step in kept if step not in steps and step.lock.exists())]
        (folder / STAMP).unlink(missing_ok=True)
        _install(folder, steps, python)
        _write_stamp(folder, steps)
    print(f"{folder} is ready.", flush=True)


def lock(requirements: Path, target: Path, constraint: Path | None = None) -> None:
    """Pin everything the requirements need, for every system, without traces of this machine."""
    uv = _uv_beside(sys.executable) or _uv_on_path()
    environ = {**os.environ, **_uv_settings(), "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    environ.pop("UV_FIND_LINKS", None)  # local builds such as torch's +cpu must not be pinned for everybody
    options = ["--universal", "--python-version", "3.11", "--annotation-style", "line", "--quiet"]
    options += ["--constraint", str(constraint)] if constraint else []
    draft = target.with_name(target.name + ".draft")
    if target.exists():
        shutil.copyfile(target, draft)  # uv keeps the versions it finds there
    _call([uv, "pip", "compile", *options, "--output-file", str(draft), str(requirements)], environ)
    draft.write_text(without_gpu_packages(draft.read_text(encoding="utf-8")), encoding="utf-8")
    draft.replace(target)


def _install(folder: Path, steps: Sequence[Step], python: str | None) -> None:
    if not _has_begun(folder):
        _create(folder, python)
    text = "\n".join(step.lock.read_text(encoding="utf-8") for step in steps)
    uv = _uv_beside(str(python_in(folder))) or _uv_beside(sys.executable) or _bootstrap(folder, pinned("uv", text))
    environ = {**os.environ, **_uv_settings()}
    cache = Path(_call([uv, "cache", "dir"], environ, output=subprocess.PIPE).strip())
    environ.setdefault("UV_LINK_MODE", link_mode(cache, folder))
    torch = _torch_for(text, uv, folder, environ)
    ordinary = [argument for step in steps if step.dependencies for argument in ("-r", str(step.lock))]
    _uv_install(uv, folder, ["--exact", *ordinary, *torch], environ)
    for step in steps:
        if not step.dependencies:
            _uv_install(uv, folder, ["--no-deps", "-r", str(step.lock)], environ)


def _has_begun(folder: Path) -> bool:
    """Tell whether the folder has an interpreter and something to install with; a creation may have been cut short."""
    installers = (folder / "bin" / "uv", folder / "bin" / "pip", Path(sys.executable).parent / "uv")
    return python_in(folder).exists() and any(one.exists() for one in installers)


def _create(folder: Path, python: str | None) -> None:
    """Make an empty environment: with uv where it is at hand, else with the standard library."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    uv = _uv_beside(sys.executable)
    print(f"Creating {folder} with Python {python or own}.", flush=True)
    if uv:
        base = sys.executable if python in (None, own) else str(python)
        _call([uv, "venv", "--quiet", "--allow-existing", "--python", base, str(folder)], os.environ)
    else:
        _call([sys.executable, "-m", "venv", str(folder)], os.environ)


def _bootstrap(folder: Path, version: str | None) -> str:
    """Install uv itself with pip, which every fresh environment has, and return its path."""
    print(f"Installing uv {version or ''}.", flush=True)
    package = f"uv=={version}" if version else "uv"
    _call(
        [str(python_in(folder)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package], os.environ
    )
    return str(folder / "bin" / "uv")


def _uv_install(uv: str, folder: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    _call([uv, "pip", "install", "--python", str(python_in(folder)), *arguments], environ)


def _torch_for(lock: str, uv: str, folder: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    version = pinned("torch", lock)
    if version is None or "UV_TORCH_BACKEND" in environ:  # the user's own choice; uv reads it itself
        return ()

    def resolves(requirement: str, arguments: Sequence[str]) -> bool:
        probe = [uv, "pip", "compile", "--quiet", "--no-deps", "--python", str(python_in(folder)), *arguments, "-"]
        patience = {"UV_HTTP_RETRIES": "1", "UV_HTTP_TIMEOUT": "20"}
        done = subprocess.run(probe, input=requirement.encode(), capture_output=True, env={**environ, **patience})
        return done.returncode == 0

    choice = choose_torch(version, linux=sys.platform == "linux", gpu=_has_nvidia_gpu(), resolves=resolves)
    print(f"torch {version}: {choice.note}.", flush=True)
    return choice.arguments


def _uv_settings() -> dict[str, str]:
    done = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    if done.returncode == 0:
        return translated(parse_pip_config(done.stdout), os.environ)
    variables = {name[4:].lower().replace("_", "-"): value for name, value in os.environ.items() if name[:4] == "PIP_"}
    return translated(variables, os.environ)  # no pip here to ask for its files


def _has_nvidia_gpu() -> bool:
    if Path("/proc/driver/nvidia/version").exists():
        return True
    program = shutil.which("nvidia-smi")
    return program is not None and subprocess.run([program, "-L"], capture_output=True).stdout.startswith(b"GPU")


def _uv_beside(python: str) -> str | None:
    candidate = Path(python).parent / "uv"
    return str(candidate) if candidate.exists() else None


def _uv_on_path() -> str:
    found = shutil.which("uv")
    if found is None:
        raise MissingToolError(N_("uv is not installed here."), remedy=N_("Build the environment first: make run."))
    return found


def _call(argv: Sequence[str], environ: Mapping[str, str], *, output: int | None = None) -> str:
    done = subprocess.run(argv, env=dict(environ), stdout=output, text=True)
    if done.returncode != 0:
        raise ToolFailedError(
            N_("{program} ended with code {code}; its last lines above say why."),
            remedy=N_(
                "Mend that and start again; what was fetched is kept. Mirrors and proxies come from pip's settings."
            ),
            program=" ".join(argv[:3]),
            code=done.returncode,
        )
    return done.stdout or ""


@contextlib.contextmanager
def _only_one(file: Path) -> Iterator[None]:
    """Let one builder in; the others wait, then find the work done. The lock goes with its process."""
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Somebody else is building this environment; waiting.", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _read_stamp(folder: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads((folder / STAMP).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return []


def _write_stamp(folder: Path, steps: Iterable[Step]) -> None:
    entries = [{"lock": str(s.lock), "dependencies": s.dependencies, "digest": s.digest} for s in steps]
    _replace(folder / STAMP, json.dumps(entries, indent=1))


def _replace(target: Path, text: str) -> None:
    draft = target.with_name(target.name + ".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(target)


def _device(path: Path) -> int:
    existing = next(place for place in (path, *path.resolve().parents) if place.exists())
    return existing.stat().st_dev


def _with_a_newer_python() -> None:
    """Start again under a Python that is new enough, or say that there is none."""
    for minor in (13, 12, 11):
        found = shutil.which(f"python3.{minor}")
        if found:
            os.execv(found, [found, "-m", "core.jobs.environments", *sys.argv[1:]])
    raise MissingToolError(
        N_("This is Python {version}; the app needs 3.11 or newer."),
        remedy=N_("Install Python 3.11 and name it: make run PYTHON=python3.11."),
        version=".".join(str(part) for part in sys.version_info[:3]),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m core.jobs.environments", description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    building = verbs.add_parser("build", help="make an environment hold what its locks say")
    building.add_argument("folder", type=Path)
    building.add_argument("--python", help="version, such as 3.11; else the one this runs with")
    building.add_argument("--lock", dest="steps", action="append", type=lambda name: Step(Path(name)))
    building.add_argument("--lock-alone", dest="steps", action="append", type=lambda name: Step(Path(name), False))
    locking = verbs.add_parser("lock", help="pin everything that requirements need")
    locking.add_argument("requirements", type=Path)
    locking.add_argument("target", type=Path)
    locking.add_argument("--constraint", type=Path)
    return parser.parse_args()


def main() -> int:
    """Do what the command line says; 2 after an expected failure, as everywhere in this app."""
    try:
        if sys.version_info < OLDEST_PYTHON:
            _with_a_newer_python()
        arguments = _arguments()
        if arguments.verb == "build":
            build(arguments.folder, arguments.steps, arguments.python)
        else:
            lock(arguments.requirements, arguments.target, arguments.constraint)
    except StudioError as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
