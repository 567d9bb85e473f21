"""Hugging Face through its own library; mirrors speak the same protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, get_session, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]  # not marked

from core.backends.hubs import HubFile, HubSource, Snapshot, Stream, absent, first_byte, gated, unreachable
from core.errors import StudioError

_CONNECT_SECONDS, _READ_SECONDS = 10, 30
_PIECE = 1 << 16
_TITLE = "Hugging Face"


class HuggingFace:
    """Lists and hands out files; the token is the one given, never one that lies on this machine."""

    name = "huggingface"

    def __init__(self, source: HubSource) -> None:
        token = source.token or False
        self._api = HfApi(endpoint=source.endpoint or None, token=token)
        # sizes are of the bytes on the hub: nothing may be packed on the way
        self._headers = {**build_hf_headers(token=token), "Accept-Encoding": "identity"}

    def snapshot(self, repository: str, revision: str = "") -> Snapshot:
        """List the repository; the revision becomes the commit it stands for now."""
        try:
            found = self._api.model_info(
                repository, revision=revision or None, files_metadata=True, timeout=_READ_SECONDS
            )
        except (HfHubHTTPError, httpx2.HTTPError, OSError, ValueError) as error:
            raise self._told(error, repository, revision) from error
        files = tuple(
            HubFile(one.rfilename, one.size, one.lfs.sha256 if one.lfs else "", "" if one.lfs else one.blob_id or "")
            for one in found.siblings or ()
            if one.size is not None
        )
        return Snapshot(repository, found.sha or revision, files)

    @contextmanager
    def open(self, repository: str, revision: str, file: str, begin: int = 0) -> Iterator[Stream]:
        """Ask for the file's bytes; the token stays with this hub where it sends us on to another server."""
        address = hf_hub_url(repository, file, revision=revision, endpoint=self._api.endpoint)
        headers = {**self._headers, **({"Range": f"bytes={begin}-"} if begin else {})}
        patience = httpx2.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
        try:
            with get_session().stream("GET", address, headers=headers, timeout=patience) as answer:
                hf_raise_for_status(answer)
                starts = first_byte(answer.status_code, answer.headers.get("Content-Range"), begin)
                yield Stream(starts, answer.iter_bytes(_PIECE))
        except (HfHubHTTPError, httpx2.HTTPError, OfflineModeIsEnabled) as error:
            raise self._told(error, f"{repository}/{file}", revision) from error

    def _told(self, error: Exception, repository: str, revision: str) -> StudioError:
        status = error.response.status_code if isinstance(error, HfHubHTTPError) else 0
        if isinstance(error, GatedRepoError) or status == 403:
            return gated(_TITLE, repository)
        missing = (RepositoryNotFoundError, RevisionNotFoundError, EntryNotFoundError, HFValidationError)
        if isinstance(error, missing) or status == 404:
            return absent(_TITLE, repository, revision)
        if status == 401:
            return gated(_TITLE, repository)
        return unreachable(_TITLE, urlsplit(self._api.endpoint).netloc, error)
