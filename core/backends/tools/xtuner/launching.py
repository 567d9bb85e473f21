"""Starts a training where it is to run: one process, several under torchrun on one machine or more, or Slurm.

Several machines under torchrun are numbered by hand and not as they come: number 0 writes checkpoints and curves,
and that must be the machine of the run. DeepSpeed goes through torchrun on one GPU too, which tells it all that it
would else ask MPI.
"""

from __future__ import annotations

import shlex
import zlib
from pathlib import Path

from core.domain.recipe import Recipe

IN_GROUP = "train_in_group.py"
"""Our program that each of several processes runs."""

_THIS_MACHINE = "--node_rank=0"
_ANOTHER_MACHINE = '--node_rank="$1"'

_SCRIPT = """\
#!/bin/sh
# Start this on each of the other machines with its number, 1 to {last}:  sh {name} 1
# They need this folder and XTuner's environment at the same paths as here. Start it again after a resume.
cd {folder} || exit
exec env {environment} {command}
"""


def in_group(recipe: Recipe) -> bool:
    """Whether the processes of the training, even if it is a single one, are started as a group."""
    launcher = recipe.launcher
    return launcher.processes > 1 or launcher.scheduler == "slurm" or launcher.deepspeed != ""


def training(recipe: Recipe, python: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that starts a training with those arguments, all of it or this machine's part."""
    launcher = recipe.launcher
    if not in_group(recipe):
        return python, "-m", "xtuner.tools.train", *arguments
    more = ("--deepspeed", launcher.deepspeed) if launcher.deepspeed else ()
    if launcher.scheduler == "slurm":
        return *_srun(recipe), python, IN_GROUP, *arguments, *more, "--launcher", "slurm"
    return *_torchrun(recipe, python), IN_GROUP, *arguments, *more, "--launcher", "pytorch"


def environment(recipe: Recipe, folder: Path) -> dict[str, str]:
    """Return the variables it needs: under Slurm a port of its own, so that two trainings do not meet on a machine."""
    if recipe.launcher.scheduler != "slurm":
        return {}
    return {"MASTER_PORT": str(20_000 + zlib.crc32(folder.name.encode()) % 10_000)}


def elsewhere(recipe: Recipe) -> bool:
    """Whether somebody must start the training on other machines too."""
    return recipe.launcher.machines > 1 and recipe.launcher.scheduler == "torchrun"


def script_for_others(recipe: Recipe, command: tuple[str, ...], env: dict[str, str], folder: Path, name: str) -> str:
    """Return what the other machines run, as a shell script of that name."""
    parts = [_ANOTHER_MACHINE if part == _THIS_MACHINE else shlex.quote(part) for part in command]
    return _SCRIPT.format(
        last=recipe.launcher.machines - 1,
        name=name,
        folder=shlex.quote(str(folder)),
        environment=" ".join(shlex.quote(f"{key}={value}") for key, value in env.items()),
        command=" ".join(parts),
    )


def _torchrun(recipe: Recipe, python: str) -> tuple[str, ...]:
    launcher = recipe.launcher
    address, _, port = launcher.rendezvous.partition(":")
    several = (f"--nnodes={launcher.machines}", _THIS_MACHINE, f"--master_addr={address}", f"--master_port={port}")
    where = ("--standalone",) if launcher.machines == 1 else several
    return python, "-m", "torch.distributed.run", *where, f"--nproc_per_node={launcher.devices}"


def _srun(recipe: Recipe) -> tuple[str, ...]:
    launcher = recipe.launcher
    gpus = (f"--gres=gpu:{launcher.devices}",) if recipe.device == "gpu" else ()
    return (
        "srun",
        f"--nodes={launcher.machines}",
        f"--ntasks={launcher.processes}",
        f"--ntasks-per-node={launcher.devices}",
        *gpus,
        "--kill-on-bad-exit=1",
        *launcher.slurm_options,
    )
