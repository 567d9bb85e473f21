"""Stands for `2-get-sv.py`: speaker vectors of the sounds that the step before has written."""

from __future__ import annotations

import os
import shutil
import sys
import time
import traceback
import zipfile

import numpy as np

sys.path.append(os.getcwd())
sys.path.append(f"{os.getcwd()}/GPT_SoVITS/eres2net")
from ERes2NetV2 import ERes2NetV2  # type: ignore[import-not-found]
from tools.my_utils import clean_path  # type: ignore[import-not-found]

from faults import misfortune, say  # type: ignore[import-not-found]

_TENSOR = (
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00((X"
    b"\x07\x00\x00\x00storageq\x01ctorch\nFloatStorage\nq\x02X\x01\x00\x00\x00"
    b"0q\x03X\x03\x00\x00\x00cpuq\x04K\x10tq\x05QK\x00K\x01K\x10\x86q\x06K\x10K\x01\x86q\x07\x89ccol"
    b"lections\nOrderedDict\nq\x08)Rq\ttq\nRq\x0b."
)
"""The pickle of `torch.zeros(1, 16)`."""


def _save(samples: bytes, place: str, part: str) -> None:
    """Save how loud 16 bands are, as torch saves a tensor of one row; under the time's name first."""
    loudness = np.abs(np.fft.rfft(np.frombuffer(samples, np.int16).astype(np.float32)))
    bands = np.array([band.mean() for band in np.array_split(loudness[: len(loudness) // 8], 16)])
    draft = f"{time.time()}{part}.pth"
    with zipfile.ZipFile(draft, "w") as file:
        file.writestr("archive/data.pkl", _TENSOR)
        file.writestr("archive/data/0", (bands / bands.max()).astype("<f4").tobytes())
    shutil.move(draft, place)


def main() -> None:
    """Write `7-sv_cn/*.pt`."""
    env = os.environ
    opt_dir = env["opt_dir"]
    os.makedirs(f"{opt_dir}/7-sv_cn", exist_ok=True)
    os.makedirs(f"{opt_dir}/5-wav32k", exist_ok=True)
    with open(env["sv_path"], "rb"):
        ERes2NetV2()
    with open(env["inp_text"], encoding="utf8") as file:
        lines = file.read().strip("\n").split("\n")
    for number, line in enumerate(lines[int(env["i_part"]) :: int(env["all_parts"])]):
        misfortune("2-get-sv", number)
        try:
            name = os.path.basename(clean_path(line.split("|")[0]))
            place = f"{opt_dir}/7-sv_cn/{name}.pt"
            if not os.path.exists(place):
                with open(f"{opt_dir}/5-wav32k/{name}", "rb") as sound:
                    _save(sound.read()[44:], place, env["i_part"])
        except Exception:  # as upstream does it
            say(f"{line} {traceback.format_exc()}")


if __name__ == "__main__":
    main()
