"""How soon a visitor hears her in Chromium after the Enter key, with the default backends, and how whole the speech is.

    python -m benchmarks.first_sound [--messages 10] [--json]

The real app on a new workspace: her own lines answer, the built-in voice speaks. Measured at the AudioContext: the
moment a buffer is to be heard, on the page's clock. `gaps` are pauses of more than 50 ms between two chunks of a reply,
`overlaps` chunks that begin before the last has ended, `disorder` chunks heard out of their order. `stop_ms`: from the
press of Stop, amid a reply, until all sound was ended; `stop_model_ms`: until the model's server, amid a reply of its
own, sees that nobody reads it any more (median of a few, and the worst).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.browser.running_app import RunningApp, program
from tests.browser.visitor import Visitor, chromium, chromium_path
from tests.contract.openai_server import OpenAIServer

EARS = """
window.ears = { sent: 0, heard: [], pressed: 0, pressedAt: 0, ended: 0 };
addEventListener("keydown", (event) => { if (event.key === "Enter") window.ears.sent = performance.now(); }, true);
addEventListener("pointerdown", () => {
  Object.assign(window.ears, { pressed: performance.now(), pressedAt: Date.now() });
}, true);
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...when) {
  const lead = Math.max((when[0] ?? 0) - this.context.currentTime, 0);
  const after = performance.now() + lead * 1000 - window.ears.sent;
  window.ears.heard.push({ turn: window.studioSpeech.turn, after, at: when[0], seconds: this.buffer.duration });
  return start.apply(this, when);
};
const stop = AudioBufferSourceNode.prototype.stop;
AudioBufferSourceNode.prototype.stop = function (...when) {
  window.ears.ended = performance.now();
  return stop.apply(this, when);
};
"""
SERVED = "bamboo"
SAID = ("昨夜的雨可停了？", "你近来可好些？", "外头风大，你不冷么？", "你在写什么？", "我给你带了一本书来。")


def main() -> None:
    """Print the table, and with `--json` one JSON object last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if chromium_path() is None:
        raise SystemExit("There is no Chromium here; install the system package `chromium`.")
    with (
        tempfile.TemporaryDirectory() as folder,
        OpenAIServer("竹影摇窗。", hang=True) as server,
        sync_playwright() as playwright,
        chromium(playwright) as browser,
    ):
        chat = f"endpoint_url: {server.base_url}\nendpoint_model: {SERVED}\nmessages_per_minute: 0\n"
        copy = program(Path(folder) / "program", {"chat.yaml": chat})
        app = RunningApp(Path(folder) / "workspace", project=copy)
        try:
            context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
            context.add_init_script(EARS)
            tab = Visitor(context.new_page(), app.url)
            tab.open("chat")
            replies = [_asked(tab, SAID[number % len(SAID)]) for number in range(options.messages + 1)][1:]
            stopped = _stopped(tab)
            ended = sorted(_model_stopped(tab, server) for _ in range(5))
        finally:
            app.stop()
    figures = _figures(replies) | {
        "stop_ms": round(stopped),
        "stop_model_ms": round(median(ended)),
        "stop_model_ms_worst": round(ended[-1]),
    }
    for name, value in figures.items():
        print(f"{name:24}{value:>10}")
    if options.json:
        print(json.dumps(figures))


def _asked(tab: Visitor, words: str) -> list[dict[str, Any]]:
    """Say something to her and return what was heard of her reply, but for what was still heard of the last."""
    tab.page.evaluate("window.ears.heard = []")
    before: str = tab.page.evaluate("window.studioSpeech?.turn ?? ''")
    field = tab.page.get_by_placeholder("Write to")
    field.fill(words)
    field.press("Enter")
    tab.page.wait_for_function("last => window.ears.heard.some(one => one.turn !== last)", arg=before, timeout=30_000)
    tab.settled()
    heard: list[dict[str, Any]] = tab.page.evaluate("window.ears.heard")
    return [one for one in heard if one["turn"] != before]


def _stopped(tab: Visitor) -> float:
    """Stop her while she is heard; return the milliseconds it took."""
    _asked(tab, SAID[0])
    tab.page.get_by_role("button", name="Stop", exact=True).click()
    tab.page.wait_for_function("window.ears.ended > window.ears.pressed", timeout=10_000)
    taken: float = tab.page.evaluate("window.ears.ended - window.ears.pressed")
    return taken


def _model_stopped(tab: Visitor, server: OpenAIServer) -> float:
    """Stop her while the server is in mid-reply; return the milliseconds until it saw that."""
    server.client_left.clear()
    tab.open("chat")
    tab.choose("Who answers", SERVED)
    tab.settled()
    field = tab.page.get_by_placeholder("Write to")
    field.fill(SAID[0])
    field.press("Enter")
    tab.sees(server.reply[:2])
    tab.page.locator("[class*=st-key-speech-stage]").get_by_role("button", name="Stop").click()
    assert server.client_left.wait(20), "the model went on"
    pressed: float = tab.page.evaluate("window.ears.pressedAt")
    tab.settled()
    return server.left_at * 1000 - pressed


def _figures(replies: list[list[dict[str, Any]]]) -> dict[str, float]:
    firsts = sorted(reply[0]["after"] / 1000 for reply in replies)
    pairs = [pair for reply in replies for pair in pairwise(reply)]
    pauses = [later["at"] - earlier["at"] - earlier["seconds"] for earlier, later in pairs]
    return {
        "first_sound_s": round(median(firsts), 3),
        "first_sound_s_worst": round(firsts[-1], 3),
        "replies": len(replies),
        "chunks": sum(map(len, replies)),
        "gaps": sum(pause > 0.05 for pause in pauses),
        "overlaps": sum(pause < -0.001 for pause in pauses),
        "disorder": sum(later["at"] < earlier["at"] for earlier, later in pairs),
    }


if __name__ == "__main__":
    main()
