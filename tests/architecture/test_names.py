"""Names tell what things are, and nothing tracked tells on which machine it was written."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.architecture.source_files import PROJECT, modules

SAY_NOTHING = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "base",
    "manager",
    "managers",
    "legacy",
    "misc",
    "shared",
}
HOSTS = re.compile(r"pypi\.org|pythonhosted\.org|download\.pytorch\.org|registry\.npmjs\.org")
MACHINE_PATHS = re.compile(r"(?<![\w.\\-])/(?:work|opt|root|tmp|home|mnt|Users|srv)/\w\w")


@pytest.fixture(scope="session")
def tracked() -> dict[str, str]:
    """The text of every file that git knows, by its path."""
    git = shutil.which("git")
    if git is None or not (PROJECT / ".git").exists():
        pytest.skip("not a git checkout: nothing says which files are tracked")
    listing = subprocess.run([git, "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True).stdout
    texts = {}
    for name in listing.decode().split("\0"):
        file = PROJECT / name
        if name and file.is_file():
            try:
                texts[name] = file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # an image, a sound, a text in an older encoding
    return texts


def test_no_module_has_a_name_that_says_nothing():
    parts = {part for path in modules() for part in path.removesuffix(".py").split("/")}

    assert parts & SAY_NOTHING == set()


@pytest.mark.parametrize("forbidden", [HOSTS, MACHINE_PATHS], ids=["registry hosts", "machine paths"])
def test_tracked_files_name_no(forbidden, tracked):
    found = {name: match[0] for name, text in tracked.items() if (match := forbidden.search(text))}

    assert found == {}


def test_the_lock_fits_the_requirements(tracked):
    for stem in ("requirements", "requirements-dev"):
        asked = re.findall(r"^([\w-]+)(?:\[\w+\])?==([\w.]+)", tracked[f"{stem}.txt"], re.MULTILINE)

        assert [
            f"{name}=={version}" for name, version in asked if f"\n{name}=={version}" not in tracked[f"{stem}.lock"]
        ] == []


def test_locks_leave_gpu_packages_to_the_build_of_torch_that_needs_them(tracked):
    locks = {name: text for name, text in tracked.items() if name.endswith(".lock")}

    assert locks
    assert [
        name for name, text in locks.items() if re.search(r"^(nvidia-|cuda-|triton)|\+cpu", text, re.MULTILINE)
    ] == []
