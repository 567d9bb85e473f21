"""Stands for `2-get-sv.py`: speaker vectors of the sounds that the step before has written."""

from __future__ import annotations

import os
import sys
import traceback

sys.path.append(os.getcwd())
sys.path.append(f"{os.getcwd()}/GPT_SoVITS/eres2net")
from ERes2NetV2 import ERes2NetV2  # type: ignore[import-not-found]
from tools.my_utils import clean_path  # type: ignore[import-not-found]

from faults import misfortune, my_save, say  # type: ignore[import-not-found]


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
                    my_save({"bytes": len(sound.read())}, place, env["i_part"])
        except Exception:  # as upstream does it
            say(f"{line} {traceback.format_exc()}")


if __name__ == "__main__":
    main()
