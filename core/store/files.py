"""Content-addressed files: a file's name is its sha256, so the same content is kept once and can't change unseen."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import fsspec  # type: ignore[import-untyped]

from core.errors import NotFoundError
from core.full_disk import full_disk
from core.translation import N_

_CHUNK = 1 << 20


class Files:
    """The content store, a folder or any fsspec URL (shared disk, S3)."""

    def __init__(self, root: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(root)
        self._fs.makedirs(self._root, exist_ok=True)

    def put(self, content: bytes | Iterable[bytes] | BinaryIO) -> str:
        """Store the content and return its sha256; nothing is left behind when the content's source fails."""
        draft = f"{self._root}/.draft-{secrets.token_hex(8)}"
        digest = hashlib.sha256()
        try:
            with self._fs.open(draft, "wb") as file:
                for chunk in _chunks(content):
                    digest.update(chunk)
                    file.write(chunk)
            sha256 = digest.hexdigest()
            final = self._place(sha256)
            if not self._fs.exists(final):
                self._fs.makedirs(final.rpartition("/")[0], exist_ok=True)
                self._fs.mv(draft, final)
        except OSError as error:
            full = full_disk(error)
            if full is None:
                raise
            raise full from error
        finally:
            if self._fs.exists(draft):
                self._fs.rm(draft)
        return sha256

    def read(self, sha256: str) -> bytes:
        """Return the whole content; NotFoundError when it is not there."""
        with self.open(sha256) as file:
            return file.read()

    def open(self, sha256: str) -> BinaryIO:
        """Open the content for reading; NotFoundError when it is not there."""
        try:
            return cast(BinaryIO, self._fs.open(self._place(sha256), "rb"))
        except FileNotFoundError:
            raise NotFoundError(
                N_("The file {sha256} is not in the content store."),
                remedy=N_("Restore the workspace from a backup, or import the file again."),
                sha256=sha256[:12],
            ) from None

    def path(self, sha256: str) -> Path:
        """Return where a local store keeps the content, for programs that need a path."""
        return Path(self._place(sha256))

    def has(self, sha256: str) -> bool:
        """Whether the content is there."""
        return bool(self._fs.exists(self._place(sha256)))

    def _place(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"


def _chunks(content: bytes | Iterable[bytes] | BinaryIO) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    elif hasattr(content, "read"):
        while chunk := content.read(_CHUNK):
            yield chunk
    else:
        yield from content


def sha256_of(file: Path) -> str:
    """Return a file's sha256 (hex), read in pieces."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def bytes_of(folder: Path) -> int:
    """Return how much a folder takes on the disk; 0 for one that is not there."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
