"""ModelScope through its own light library, modelscope-hub."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests
from modelscope_hub import HubApi, HubConfig
from modelscope_hub.errors import APIError, AuthenticationError, HubError, NotExistError, PermissionDeniedError

from core.backends.hubs import HubFile, HubSource, Snapshot, Stream, absent, first_byte, gated, unreachable
from core.errors import StudioError

_PIECE = 1 << 16
_TITLE = "ModelScope"
_MAIN = "master"
_NOWHERE = Path(os.devnull) / "modelscope"
"""For the library's own files: it would note an id of this machine in the home folder, and unpickle cookies there."""


class ModelScope:
    """Lists and hands out files; the token is the one given, never one that lies on this machine."""

    name = "modelscope"

    def __init__(self, source: HubSource) -> None:
        config = HubConfig(
            endpoint=source.endpoint or None, token=source.token, config_dir=_NOWHERE, cache_dir=_NOWHERE
        )
        self._api = HubApi(config)
        self._address = urlsplit(config.endpoint or "").netloc

    def snapshot(self, repository: str, revision: str = "") -> Snapshot:
        """List the repository; the hub tells no commit, but the sha256 of every file."""
        asked = revision or _MAIN
        try:
            found = self._api.list_repo_files(repository, "model", revision=asked)
        except (HubError, requests.RequestException, ValueError) as error:
            raise self._told(error, repository, revision) from error
        files = tuple(HubFile(one.path, one.size, one.sha256 or "") for one in found if not one.is_dir)
        return Snapshot(repository, asked, files)

    @contextmanager
    def open(self, repository: str, revision: str, file: str, begin: int = 0) -> Iterator[Stream]:
        """Ask for the file's bytes; the token stays with this hub where it sends us on to another server."""
        # sizes are of the bytes on the hub: nothing may be packed on the way
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={begin}-"} if begin else {})}
        try:
            with self._api.legacy.download_stream(repository, "model", file, revision, headers) as answer:
                starts = first_byte(answer.status_code, answer.headers.get("Content-Range"), begin)
                yield Stream(starts, answer.iter_content(_PIECE))
        except (HubError, requests.RequestException) as error:
            raise self._told(error, f"{repository}/{file}", revision) from error

    def _told(self, error: Exception, repository: str, revision: str) -> StudioError:
        status = error.status_code if isinstance(error, APIError) else None
        if isinstance(error, AuthenticationError | PermissionDeniedError):
            return gated(_TITLE, repository)
        # an answer that is no JSON is a ValueError as well, and says nothing of the repository
        unreadable = isinstance(error, requests.RequestException)
        if status == 404 or (isinstance(error, NotExistError | ValueError) and not unreadable):
            return absent(_TITLE, repository, revision)
        return unreachable(_TITLE, self._address, error)
