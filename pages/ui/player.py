"""Speech while the text still streams: chunks of sound, in order and without gaps, in the visitor's browser.

Each chunk is one headless element; all share one AudioContext. A chunk starts when the last one ends;
a chunk seen twice is ignored; a new turn silences the old one. `window.studioSpeech.log` keeps what was scheduled.
The stop button silences in the browser at once, and tells the page, which stops what still speaks.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Final

import streamlit as st

from pages.ui.i18n import _

_LEAD_SECONDS: Final = 0.03
_SHARED: Final = """
const shared = (window.studioSpeech ??= {
  turn: "", until: 0, heard: new Set(), stopped: new Set(), playing: [], log: [], queue: Promise.resolve(),
});

function silence() {
  for (const source of shared.playing) { try { source.stop(); } catch (ended) { /* it ended by itself */ } }
  shared.playing = [];
  shared.until = 0;
}
"""
_CHUNK: Final = (
    _SHARED
    + """
async function schedule(turn, sequence, wav) {
  const unwanted = () => turn !== shared.turn || shared.stopped.has(turn);
  if (unwanted()) return;
  const context = (shared.context ??= new AudioContext());
  if (context.state === "suspended") context.resume();
  const sound = await context.decodeAudioData(wav);
  if (unwanted()) return;
  const source = context.createBufferSource();
  source.buffer = sound;
  source.connect(context.destination);
  const start = Math.max(context.currentTime + LEAD, shared.until);
  source.start(start);
  shared.until = start + sound.duration;
  source.onended = () => { shared.playing = shared.playing.filter((other) => other !== source); };
  shared.playing.push(source);
  shared.log.push({ turn, sequence, start, seconds: sound.duration });
}

export default function ({ data }) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const { turn, sequence } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const name = `${turn}/${sequence}`;
  if (shared.heard.has(name)) return;
  shared.heard.add(name);
  if (turn !== shared.turn) { silence(); shared.turn = turn; }
  shared.page = location.pathname;
  const wav = bytes.slice(4 + length).buffer;
  if (wav.byteLength) {
    shared.queue = shared.queue
      .then(() => schedule(turn, sequence, wav))
      .catch((problem) => console.error("speech", problem));
  }
  return () => setTimeout(() => { if (location.pathname !== shared.page) silence(); }, 300);
}
""".replace("LEAD", str(_LEAD_SECONDS))
)
_STOP: Final = (
    _SHARED
    + """
export default function ({ data, parentElement, setTriggerValue }) {
  const button = parentElement.querySelector("button");
  button.lastElementChild.textContent = data.label;
  const sounds = () => shared.context && shared.until > shared.context.currentTime;
  const look = () => { button.hidden = !(data.busy || sounds()); };
  button.onclick = () => {
    silence();
    shared.stopped.add(shared.turn);
    if (data.busy) setTriggerValue("pressed", true);
    data.busy = false;
    look();
  };
  look();
  const looking = setInterval(look, 200);
  return () => clearInterval(looking);
}
"""
)
_STOP_LOOK: Final = """
button {
  position: fixed; z-index: 90; right: 2rem; bottom: 9rem; display: flex; align-items: center; gap: .5rem;
  padding: .35rem .95rem; border-radius: 999px; cursor: pointer; font: inherit; font-size: .9rem;
  color: var(--st-text-color); background: var(--st-background-color);
  border: 1px solid var(--st-primary-color); box-shadow: 0 2px 10px rgb(0 0 0 / 18%);
}
button[hidden] { display: none; }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
i { width: .7rem; height: .7rem; border-radius: 2px; background: var(--st-primary-color); }
@media (max-width: 640px) { button { right: 1rem; } }
"""

_player = st.components.v2.component("studio_speech", js=_CHUNK)
_stop = st.components.v2.component(
    "studio_speech_stop", html="<button type=button><i></i><span></span></button>", css=_STOP_LOOK, js=_STOP
)


def framed(turn: str, sequence: int, wav: bytes) -> bytes:
    """Return what the browser gets: the header's length (little-endian, 4 bytes), the header as JSON, the WAV file."""
    header = json.dumps({"turn": turn, "sequence": sequence}).encode()
    return struct.pack("<I", len(header)) + header + wav


def play(turn: str, sequence: int, wav: bytes) -> None:
    """Play a chunk after those before it; an empty one only ends what is still heard of the last turn."""
    _player(key=f"speech.{turn}.{sequence}", data=framed(turn, sequence, wav), height=1)


def stop_button(name: str, *, busy: bool, pressed: Callable[[], None]) -> None:
    """Draw the button that stops her; it shows while the page is `busy` with her reply, or she is still heard.

    The sound ends in the browser at once; `pressed` is called where the page is busy, to stop what makes it.
    """
    _stop(
        key=f"stop.{name}",
        data={"busy": busy, "label": _("Stop")},
        on_pressed_change=pressed,
        height=1,
    )
