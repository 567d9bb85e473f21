"""Speech while the text still streams: chunks of sound, in order and without gaps, in the visitor's browser.

Each chunk is one headless element; all share one AudioContext. A chunk starts when the last one ends;
a chunk seen twice is ignored; a new turn silences the old one. `window.studioSpeech.log` keeps what was scheduled.
"""

from __future__ import annotations

import json
import struct
from typing import Final

import streamlit as st

_LEAD_SECONDS: Final = 0.03
_SCRIPT: Final = """
const shared = (window.studioSpeech ??= {
  turn: "", until: 0, heard: new Set(), playing: [], log: [], queue: Promise.resolve(),
});

function silence() {
  for (const source of shared.playing) { try { source.stop(); } catch (ended) { /* it ended by itself */ } }
  shared.playing = [];
  shared.until = 0;
}

async function schedule(turn, sequence, wav) {
  if (turn !== shared.turn) return;
  const context = (shared.context ??= new AudioContext());
  if (context.state === "suspended") context.resume();
  const sound = await context.decodeAudioData(wav);
  if (turn !== shared.turn) return;
  const source = context.createBufferSource();
  source.buffer = sound;
  source.connect(context.destination);
  const start = Math.max(context.currentTime + LEAD, shared.until);
  source.start(start);
  shared.until = start + sound.duration;
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

_player = st.components.v2.component("studio_speech", js=_SCRIPT)


def framed(turn: str, sequence: int, wav: bytes) -> bytes:
    """Return what the browser gets: the header's length (little-endian, 4 bytes), the header as JSON, the WAV file."""
    header = json.dumps({"turn": turn, "sequence": sequence}).encode()
    return struct.pack("<I", len(header)) + header + wav


def play(turn: str, sequence: int, wav: bytes) -> None:
    """Play a chunk after those before it; an empty one only ends what is still heard of the last turn."""
    _player(key=f"speech.{turn}.{sequence}", data=framed(turn, sequence, wav), height=1)
