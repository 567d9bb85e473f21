"""One process of a training on several devices: what torchrun or Slurm starts; copied beside a configuration.

    python -m torch.distributed.run --standalone --nproc_per_node=2 train_in_group.py CONFIG … --launcher pytorch

XTuner's own training with two additions that it needs to be trusted with.
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys

import torch

PR_SET_PDEATHSIG = 1


def end_with_the_starter() -> None:
    """Have the kernel end this process with the one that started it.

    torchrun gives each of its processes a session of its own: killed itself, it would leave them training on.
    """
    if sys.platform == "linux":
        starter = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != starter:  # it was killed just before
            os.kill(os.getpid(), signal.SIGKILL)


def choose_no_gpu_where_there_is_none() -> None:
    """Make nothing of a choice that mmengine makes for every process, and that fails on a CPU."""
    if not torch.cuda.is_available():
        torch.cuda.set_device = lambda device: None


if __name__ == "__main__":
    end_with_the_starter()
    choose_no_gpu_where_there_is_none()
    runpy.run_module("xtuner.tools.train", run_name="__main__", alter_sys=True)
