"""From a file to clips, as one process: decoded, sliced and written as audio.py clocks it beside its peer.

python benchmarks/audio_clips.py SOUND OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.stages.voice_dataset.sound.activity import Profile
from core.stages.voice_dataset.sound.decoding import ACTIVITY, SOUND, decode
from core.stages.voice_dataset.sound.slicing import Silence, cuts
from core.stages.voice_dataset.sound.sound_file import resampled, stretch_of, wav_of

TRAINER = 32_000


def main() -> None:
    """Cut the file."""
    files_of(Path(sys.argv[1]), Path(sys.argv[2]))


def files_of(sound: Path, out: Path) -> None:
    """Decode, slice and write clips as ours are: mono, 16 bits, at the trainer's rate."""
    found = decode(sound, out, name=sound.name, max_minutes=600)
    source = out / SOUND if found.copied else sound
    rate = found.sample_rate
    for number, one in enumerate(cuts(Profile.load(out / ACTIVITY, found.seconds), Silence())):
        first = round(one.start * rate)
        piece = stretch_of(source, sound.name, first, round(one.end * rate) - first)
        (out / f"{number:05}.wav").write_bytes(wav_of(resampled(piece, rate, TRAINER), TRAINER))


if __name__ == "__main__":
    main()
