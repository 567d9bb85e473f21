"""A Chromium that nobody listens to, for clocking the first paint of heavy pages.

A driver that enables the protocol's Runtime domain (Playwright does) makes V8 read plotly's source twice over, some
400 ms on two cores, which no visitor waits for. Here a page is opened and only its title is asked for.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

from tests.browser.visitor import chromium_path

_FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1280,900", "--remote-debugging-port=0",
)  # fmt: skip
_CLOCK: Final = """(() => {
  const look = () => {
    if (!(%s)) return requestAnimationFrame(look);
    requestAnimationFrame(() => {
      const painted = Math.round(performance.now());
      setInterval(() => { document.title = "painted " + painted; }, 50);
    });
  };
  look();
})();"""
_PATIENCE: Final = 60.0


class QuietBrowser:
    """Opens pages one after the other in one profile."""

    def __init__(self, address: str) -> None:
        """Speak to the browser that listens at `address`."""
        self._address = address

    def first_paint(self, url: str, until: str) -> float:
        """Open the page in a new tab; return milliseconds until the JavaScript expression held and was painted."""
        tab = self._ask("new?about:blank", method="PUT")
        with connect(tab["webSocketDebuggerUrl"], max_size=None) as socket:
            _say(socket, "Page.enable")
            _say(socket, "Page.addScriptToEvaluateOnNewDocument", source=_CLOCK % until)
            _say(socket, "Page.navigate", url=url)
            painted = self._title(tab["id"])
        self._ask(f"close/{tab['id']}", parsed=False)
        return painted

    def _title(self, tab_id: str) -> float:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            time.sleep(0.1)
            title = next(tab["title"] for tab in self._ask("list") if tab["id"] == tab_id)
            if title.startswith("painted "):
                return float(title.removeprefix("painted "))
        raise SystemExit("the page was not painted in a minute")

    def _ask(self, what: str, *, method: str = "GET", parsed: bool = True) -> Any:
        request = urllib.request.Request(f"{self._address}/json/{what}", method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer) if parsed else answer.read()


def _say(socket: ClientConnection, method: str, **more: str) -> None:
    """Have a command done."""
    socket.send(json.dumps({"id": 1, "method": method, "params": more}))
    while json.loads(socket.recv(timeout=_PATIENCE)).get("id") != 1:
        pass


@contextmanager
def quiet_browser() -> Iterator[QuietBrowser]:
    """Start the system's Chromium with an empty profile, and end it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        program = [str(chromium_path()), *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        browser = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = _port_in(Path(profile) / "DevToolsActivePort")
            yield QuietBrowser(f"http://127.0.0.1:{port}")
        finally:
            browser.terminate()
            browser.wait(20)


def _port_in(file: Path) -> int:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if file.exists() and (lines := file.read_text().splitlines()):
            return int(lines[0])
        time.sleep(0.1)
    raise SystemExit("Chromium did not start")
