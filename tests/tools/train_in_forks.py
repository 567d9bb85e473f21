"""Runs XTuner's own training in each folder, two at a time; what it says goes to `train.log` there.

python train_in_forks.py FOLDER...

Each training is a process of its own, forked from one that has imported XTuner already: the import is most of what a
short training takes. Prints folder -> exit code, one JSON object.
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import os
import runpy
import sys

import datasets  # noqa: F401
import peft  # noqa: F401
import transformers  # noqa: F401
import xtuner.dataset
import xtuner.engine
import xtuner.model  # noqa: F401

AT_ONCE = 2


def train(folder):
    """Train as `python -m xtuner.tools.train` does in the folder, and end as it does."""
    os.chdir(folder)
    log = os.open("train.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.path.insert(0, folder)
    sys.argv[1:] = ["xtuner_config.py", "--work-dir", "work"]
    runpy.run_module("xtuner.tools.train", run_name="__main__", alter_sys=True)
    sys.exit()


def note_one(codes, at_work):
    """Wait for one training to end, and note how it did."""
    child, status = os.wait()
    codes[at_work.pop(child)] = os.waitstatus_to_exitcode(status)


def main():
    """Train in every folder, in `AT_ONCE` of them at once."""
    codes, at_work = {}, {}
    for folder in sys.argv[1:]:
        if len(at_work) == AT_ONCE:
            note_one(codes, at_work)
        child = os.fork()
        if child == 0:
            train(folder)
        at_work[child] = folder
    while at_work:
        note_one(codes, at_work)
    print(json.dumps(codes))  # noqa: T201


if __name__ == "__main__":
    main()
