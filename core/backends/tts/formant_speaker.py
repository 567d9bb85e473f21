"""A program of its own: text on standard input, a wav on standard output, spoken by eSpeak NG.

eSpeak NG is GPL-3, the rest of this project is not: nothing imports this module and it imports nothing
of ours; `formant.py` starts it, hands it text and takes the sound. Exit code 3: nothing to say.
"""

from __future__ import annotations

import argparse
import array
import ctypes
import io
import sys
import wave

import espeakng_loader

RETRIEVAL = 1  # AUDIO_OUTPUT_RETRIEVAL would be asynchronous
SYNCHRONOUS = 2
UTF8 = 1
RATE, VOLUME, PITCH, RANGE = 1, 2, 3, 4
SILENT = 8
"""Samples below this are silence."""
LEAD_MS = 15
"""Silence left before and after the words."""

Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main() -> int:
    """Speak standard input; return the exit code."""
    options = _options()
    text = sys.stdin.buffer.read().decode("utf-8")
    samples, sample_rate = spoken(text, options)
    words = _trimmed(samples, sample_rate * LEAD_MS // 1000)
    if not words:
        sys.stderr.write("nothing to say\n")
        return 3
    sys.stdout.buffer.write(_wav(words, sample_rate))
    return 0


def spoken(text: str, options: argparse.Namespace) -> tuple[array.array[int], int]:
    """Return 16-bit mono samples and their rate in hertz; RuntimeError when the library refuses."""
    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    sample_rate = library.espeak_Initialize(SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), 0)
    if sample_rate <= 0:
        raise RuntimeError("eSpeak NG did not start")
    samples = array.array("h")

    def take(wave_data: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        if count > 0:
            samples.frombytes(ctypes.string_at(wave_data, count * 2))
        return 0

    callback = Callback(take)  # kept alive while the library may call it
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(f"cmn+{options.variant}".encode()) != 0:
        raise RuntimeError(f"there is no voice cmn+{options.variant}")
    for parameter, value in ((RATE, options.rate), (PITCH, options.pitch), (RANGE, options.range)):
        library.espeak_SetParameter(parameter, value, 0)
    # Its breath is noise seeded by the clock; the same words must sound the same, so that they may be cached.
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    data = text.replace("\0", " ").encode() + b"\0"
    if library.espeak_Synth(data, len(data), 0, 1, 0, UTF8, None, None) != 0:
        raise RuntimeError("eSpeak NG could not speak this text")
    library.espeak_Synchronize()
    return samples, sample_rate


def _trimmed(samples: array.array[int], margin: int) -> array.array[int]:
    loud = [place for place, sample in enumerate(samples) if abs(sample) > SILENT]
    if not loud:
        return array.array("h")
    return samples[max(loud[0] - margin, 0) : loud[-1] + margin]


def _wav(samples: array.array[int], sample_rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(sample_rate)
        out.writeframes(samples.tobytes())
    return file.getvalue()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", default="f3")
    parser.add_argument("--pitch", type=int, default=62)
    parser.add_argument("--range", type=int, default=60)
    parser.add_argument("--rate", type=int, default=165)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
