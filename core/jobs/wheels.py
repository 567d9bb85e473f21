"""Where packages come from: pip's configuration in uv's words, the pins of a lock, the build of torch for a machine.

Pure functions on the standard library alone: `core/jobs/environments.py` needs them before anything is installed.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_GPU_ONLY = re.compile(r"^(nvidia-|cuda-|triton)")
_PIP_LINE = re.compile(r"^(?P<section>[^.]+)\.(?P<key>[\w-]+)=(?P<value>.+)$")


@dataclass(frozen=True)
class TorchChoice:
    """Which build of torch to ask for, and why."""

    arguments: tuple[str, ...]
    note: str


def parse_pip_config(listing: str) -> dict[str, str]:
    """Return pip's settings from `pip config list`: the environment beats `[install]`, which beats `[global]`."""
    rank = {"global": 0, "install": 1, ":env:": 2}
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        match = _PIP_LINE.match(line)
        if match is None or match["section"] not in rank:
            continue
        entry = (rank[match["section"]], str(ast.literal_eval(match["value"])))
        found[match["key"]] = max(entry, found.get(match["key"], (-1, "")))
    return {key: value for key, (_, value) in found.items()}


def translated(pip: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings as uv's variables; what is already set for uv stays as it is."""
    wanted = {
        "UV_FIND_LINKS": ",".join(os.path.expanduser(link) for link in pip.get("find-links", "").split()),  # noqa: PTH111 - may be a URL
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_INDEX": " ".join(pip.get("extra-index-url", "").split()),
        # pip looks at all indexes and takes the newest; uv by itself stops at the first that knows the name
        "UV_INDEX_STRATEGY": "unsafe-best-match" if pip.get("extra-index-url") else "",
        "UV_NO_INDEX": "1" if pip.get("no-index", "").lower() in ("1", "true", "yes", "on") else "",
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", "").split()),
        "UV_HTTP_TIMEOUT": pip.get("timeout", pip.get("default-timeout", "")),
        "SSL_CERT_FILE": pip.get("cert", ""),
        "SSL_CLIENT_CERT": pip.get("client-cert", ""),
        "ALL_PROXY": pip.get("proxy", ""),
    }
    older_names = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
    return {
        name: value
        for name, value in wanted.items()
        if value and name not in environ and older_names.get(name, name) not in environ
    }


def pinned(package: str, lock: str) -> str | None:
    """Return the version a lock's text pins for a package, or None."""
    match = re.search(rf"^{re.escape(package)}==([^\s;+]+)", lock, re.MULTILINE)
    return match[1] if match else None


def without_gpu_packages(lock: str) -> str:
    """Return the lock's text without what only a CUDA build of torch needs; that build brings its own."""
    return "".join(line for line in lock.splitlines(keepends=True) if not _GPU_ONLY.match(line))


def choose_torch(
    version: str, *, linux: bool, gpu: bool, resolves: Callable[[str, Sequence[str]], bool]
) -> TorchChoice:
    """Choose the build of torch for this machine; `resolves` tells whether uv finds a requirement, given arguments."""
    cpu_build = f"torch=={version}+cpu"
    if not linux:
        return TorchChoice((), "the package index has the one build for this system")
    if gpu:
        if resolves(f"torch=={version}", ("--torch-backend", "auto")):
            return TorchChoice(("--torch-backend", "auto"), "the build for this machine's NVIDIA driver")
        return TorchChoice((), "PyTorch's own index cannot be reached: the package index's CUDA build")
    if resolves(cpu_build, ()):
        return TorchChoice((cpu_build,), "the CPU build that pip's configuration offers")
    if resolves(f"torch=={version}", ("--torch-backend", "cpu")):
        return TorchChoice(("--torch-backend", "cpu"), "PyTorch's CPU build")
    return TorchChoice(
        (),
        "PyTorch's own index cannot be reached and pip's configuration offers no CPU build: "
        "the package index's build, which brings several GB of CUDA that this machine does not use",
    )
