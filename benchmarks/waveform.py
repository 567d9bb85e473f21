"""Clocks the waveform of a long recording in Chromium: until it is first painted, and at every step along it.

    python benchmarks/waveform.py [--minutes 120] [--runs 20] [--json]

The real app is started on a temporary workspace that holds the recording. First paint is clocked from opening the
page's address, in a browser that has seen the app before and that nobody listens to (quiet_browser.py), until overview
and window are on the screen; a pan from the pressed button until another waveform is. The payload is all that the
browser receives over the socket from opening the page on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.clocked_tab import CLOCK, Tab
from benchmarks.pages import p95
from benchmarks.quiet_browser import quiet_browser
from core.domain.voice import Recording
from core.services import Services
from core.settings import stage_defaults
from core.stages.voice_dataset.recordings import import_recording
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from tests.browser.running_app import RunningApp
from tests.browser.visitor import chromium, chromium_path

RATE = 44_100
_DETAIL = "[...document.querySelectorAll('.js-plotly-plot .scatterlayer path.js-line')].at(0)?.getAttribute('d')"
_PAINTED = "document.querySelectorAll('.js-plotly-plot .scatterlayer path.js-line').length >= 4"
"""Overview and window, each with its highs and lows."""


def main() -> None:
    """Print the figures, and with `--json` one JSON object last."""
    parser = argparse.ArgumentParser(description="Clock the waveform of a long recording in Chromium.")
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if chromium_path() is None:
        raise SystemExit("There is no Chromium here; install the system package `chromium`.")

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, chromium(playwright) as browser:
        app = RunningApp(Path(folder) / "workspace")
        services = app.services()
        try:
            recording = _recorded(services, Path(folder), chosen.minutes)
            payload = _payload(browser, app, recording)
            painted = _first_paint(app, recording, min(chosen.runs, 8))
            panned = _pans(browser, app, recording, chosen.runs)
        finally:
            services.close()
            app.stop()
    figures = {
        "first_paint_ms": round(statistics.median(painted)),
        "first_paint_p95_ms": round(p95(painted)),
        "pan_p50_ms": round(statistics.median(panned)),
        "pan_p95_ms": round(p95(panned)),
        "payload_kb": round(payload / 1000, 1),
        "minutes": chosen.minutes,
    }
    for name, figure in figures.items():
        print(f"{name:<22}{figure:>10}")
    if chosen.json:
        print(json.dumps(figures))


def _recorded(services: Services, folder: Path, minutes: float) -> Recording:
    """Import swelling noise of that length; made and read in pieces."""
    path = folder / "long.flac"
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for piece in _pieces(minutes):
            file.write(piece)
    with path.open("rb") as stream:
        return _imported(services, stream)


def _pieces(minutes: float) -> Iterator[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    chance = np.random.default_rng(1)
    noise = chance.standard_normal(RATE).astype(np.float32) * 0.2
    swell = np.abs(np.sin(np.arange(RATE) * (7 * np.pi / RATE))).astype(np.float32)
    for second in range(round(minutes * 60)):
        yield np.roll(noise, second * 997) * swell * np.float32(chance.uniform(0, 1))


def _imported(services: Services, stream: BinaryIO) -> Recording:
    return import_recording(
        stream,
        "long.flac",
        persona_id=services.settings.persona,
        settings=stage_defaults("voice_dataset", VoiceDatasetSettings),
        max_megabytes=services.settings.uploads.max_audio_mb,
        store=services.store,
    )


def _address(recording: Recording, start: int = 0) -> str:
    return f"voice_dataset?recording={recording.id}&from={start * 1000}&span=60000"


def _first_paint(app: RunningApp, recording: Recording, runs: int) -> list[float]:
    """Return milliseconds until it is painted, each time another part of it."""
    with quiet_browser() as browser:
        taken = [browser.first_paint(f"{app.url}/{_address(recording, n * 300)}", _PAINTED) for n in range(runs + 2)]
    return taken[2:]  # the first times fill the browser's caches, of files and of compiled code


def _payload(browser: Browser, app: RunningApp, recording: Recording) -> int:
    """Return the bytes that come over the socket for the first paint."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    tab = Tab(context.new_page(), app.url)
    got = _counted(tab)
    tab.open(_address(recording))
    tab.page.wait_for_function(_PAINTED)
    context.close()
    return got[0]


def _counted(tab: Tab) -> list[int]:
    """Return a number that grows with the bytes that come over the tab's sockets."""
    got = [0]

    def count(frame: str | bytes) -> None:
        got[0] += len(frame)

    tab.page.on("websocket", lambda socket: socket.on("framereceived", count))
    return got


def _pans(browser: Browser, app: RunningApp, recording: Recording, runs: int) -> list[float]:
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    context.add_init_script(CLOCK)
    tab = Tab(context.new_page(), app.url)
    tab.open(_address(recording, 600))
    tab.page.wait_for_function(_PAINTED)
    taken = []
    for _number in range(runs + 2):
        tab.clock_change(tab.page.locator(".st-key-wave-on button").first.click, _DETAIL)
        taken.append(tab.taken)
    context.close()
    return taken[2:]


if __name__ == "__main__":
    main()
