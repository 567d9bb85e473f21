"""A loopback server that speaks as Hugging Face and ModelScope do, as far as their own clients ask, good and bad."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.loopback import Handler, Loopback

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_LARGE = 4096
"""Files from so many bytes on are kept in LFS, as the hubs do with weights."""
_BLOCK = 1 << 12


class HubServer(Loopback):
    """Serves repositories (owner/name -> file -> content) at one commit, and counts what it sends.

    Large files are sent from another host name, as from the hubs' own storage; `storage_keys` holds the tokens that
    came along there, of which there must be none.
    """

    def __init__(self, repositories: Mapping[str, Mapping[str, bytes]], *, gated: str = "") -> None:
        self.repositories = {name: dict(files) for name, files in repositories.items()}
        self.gated = gated
        """The token that everybody must show; empty for none."""
        self.sent: Counter[str] = Counter()
        """File -> bytes of it sent."""
        self.ranges: list[tuple[str, int]] = []
        """File and first byte of each request for a part of one."""
        self.damaged: set[str] = set()
        """Files that arrive with a byte changed."""
        self.told_size: dict[str, int] = {}
        """Files that are listed with another size than they have."""
        self.cut: dict[str, int] = {}
        """File -> bytes after which the connection breaks, once."""
        self.hold: dict[str, int] = {}
        """File -> bytes after which the server waits until it is let go on."""
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.portal = b""
        """The page that answers every request, as in a network that wants a login first."""
        self.storage_keys: list[str] = []
        self.paths: list[str] = []
        super().__init__(_Handler)

    @property
    def storage(self) -> str:
        return f"http://localhost:{self.port}/storage"

    def let_go(self) -> None:
        self.go_on.set()


class _Handler(Handler[HubServer]):
    """Answers for the server it was made for."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        double = self.double
        double.paths.append(self.path)
        if double.portal:
            self._answer(200, "text/html", double.portal)
            return
        place = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        for pattern, answer in _ROUTES:
            match = re.fullmatch(pattern, unquote(place.path))
            if match:
                answer(self, double, match.groupdict(), asked)
                return
        self._json(404, {"error": "not found"})

    def huggingface_list(self, double: HubServer, place: dict[str, str], asked: dict[str, str]) -> None:
        files = self._open_repository(double, place["repository"], "X-Error-Code", "GatedRepo", 401)
        if files is None:
            return
        if place.get("revision") not in (None, "main", COMMIT):
            self._json(404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"})
            return
        siblings = [_sibling(double, name, content) for name, content in files.items()]
        self._json(200, {"id": place["repository"], "sha": COMMIT, "siblings": siblings, "tags": []})

    def huggingface_file(self, double: HubServer, place: dict[str, str], asked: dict[str, str]) -> None:
        files = self._open_repository(double, place["repository"], "X-Error-Code", "GatedRepo", 401)
        if files is None:
            return
        if place["file"] not in files:
            self._json(404, {"error": "no such file"}, {"X-Error-Code": "EntryNotFound"})
            return
        self._file(double, place["repository"], place["file"], files[place["file"]])

    def modelscope_list(self, double: HubServer, place: dict[str, str], asked: dict[str, str]) -> None:
        files = self._open_repository(double, place["repository"], "X-Request-Id", "1", 403)
        if files is None:
            return
        if asked["Revision"] != "master":
            self._json(404, {"Code": 404, "Message": "revision not found", "Success": False})
            return
        listed = [
            {
                "Path": name,
                "Name": name,
                "Type": "blob",
                "Size": double.told_size.get(name, len(content)),
                "Sha256": hashlib.sha256(content).hexdigest(),
                "Revision": COMMIT,
            }
            for name, content in files.items()
        ]
        self._json(200, {"Code": 200, "Data": {"Files": listed}, "Success": True})

    def modelscope_file(self, double: HubServer, place: dict[str, str], asked: dict[str, str]) -> None:
        files = self._open_repository(double, place["repository"], "X-Request-Id", "1", 403)
        if files is None:
            return
        if asked["FilePath"] not in files:
            self._json(404, {"Code": 404, "Message": "file not found", "Success": False})
            return
        self._file(double, place["repository"], asked["FilePath"], files[asked["FilePath"]])

    def stored(self, double: HubServer, place: dict[str, str], asked: dict[str, str]) -> None:
        double.storage_keys.extend(self.headers[name] for name in ("Authorization", "Cookie") if self.headers[name])
        self._bytes(double, place["file"], double.repositories[place["repository"]][place["file"]])

    def _open_repository(
        self, double: HubServer, repository: str, header: str, code: str, status: int
    ) -> dict[str, bytes] | None:
        if double.gated and self.headers.get("Authorization") != f"Bearer {double.gated}":
            self._json(status, {"Code": status, "Message": "Access denied", "Success": False}, {header: code})
            return None
        if repository not in double.repositories:
            told = {"Code": 404, "Message": "not found", "Success": False}
            self._json(404, told, {"X-Error-Code": "RepoNotFound"})
            return None
        return double.repositories[repository]

    def _file(self, double: HubServer, repository: str, name: str, content: bytes) -> None:
        if len(content) < _LARGE:
            self._bytes(double, name, content)
            return
        self.send_response(302)
        self.send_header("Location", f"{double.storage}/{repository}/{name}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _bytes(self, double: HubServer, name: str, content: bytes) -> None:
        if name in double.damaged:
            content = content[:-1] + bytes([content[-1] ^ 1])
        begin = 0
        if told := self.headers.get("Range"):
            begin = int(told.removeprefix("bytes=").partition("-")[0])
            double.ranges.append((name, begin))
        self.send_response(206 if told else 200)
        if told:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        self._sent(double, name, content, begin)

    def _sent(self, double: HubServer, name: str, content: bytes, at: int) -> None:
        while at < len(content):
            if at >= double.hold.get(name, len(content)):
                double.reached.set()
                double.go_on.wait(60)
            if at >= double.cut.get(name, len(content)):
                double.cut.pop(name)
                self.close_connection = True
                return
            block = content[at : at + _BLOCK]
            double.sent[name] += len(block)  # first: who has got it may look at once
            try:
                self.wfile.write(block)
            except OSError:
                double.sent[name] -= len(block)
                self.close_connection = True
                return
            at += len(block)

    def _json(self, status: int, told: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        self._answer(status, "application/json", json.dumps(told).encode(), headers)

    def _answer(self, status: int, kind: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


_REPOSITORY = r"(?P<repository>[^/]+/[^/]+)"
_ROUTES = (
    (rf"/api/models/{_REPOSITORY}(/revision/(?P<revision>.+))?", _Handler.huggingface_list),
    (rf"/{_REPOSITORY}/resolve/[^/]+/(?P<file>.+)", _Handler.huggingface_file),
    (rf"/api/v1/models/{_REPOSITORY}/repo/files", _Handler.modelscope_list),
    (rf"/api/v1/models/{_REPOSITORY}/repo", _Handler.modelscope_file),
    (rf"/storage/{_REPOSITORY}/(?P<file>.+)", _Handler.stored),
)


def _sibling(double: HubServer, name: str, content: bytes) -> dict[str, Any]:
    size = double.told_size.get(name, len(content))
    blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
    told: dict[str, Any] = {"rfilename": name, "size": size, "blobId": blob}
    if len(content) >= _LARGE:
        told["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": size, "pointerSize": 130}
    return told
