"""How a training is started on one device, several, several machines, and by Slurm: the commands as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.backends.tools.xtuner import XTuner
from core.domain.recipe import FineTuning, Recipe
from core.domain.run import Command
from core.jobs.door import run_briefly

PYTHON = Path("/env/bin/python")
TRAIN = ("xtuner_config.py", "--work-dir", "work")
TWO_MACHINES = {"devices": 4, "machines": 2, "rendezvous": "10.0.0.7:29500"}
GPU = {"device": "gpu", "precision": "bfloat16"}


def tuning(folder: Path, launcher: dict[str, Any], **recipe: Any) -> FineTuning:
    return FineTuning(folder=folder, base=Path("base"), recipe=Recipe.model_validate({"launcher": launcher, **recipe}))


def command(folder: Path, launcher: dict[str, Any], **recipe: Any) -> Command:
    return XTuner(PYTHON).train(tuning(folder, launcher, **recipe))


def test_one_device_needs_nothing_but_the_module(tmp_path: Path):
    assert command(tmp_path, {}, **GPU).argv == (str(PYTHON), "-m", "xtuner.tools.train", *TRAIN)


def test_several_devices_of_a_machine_are_started_by_torchrun(tmp_path: Path):
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=4")

    assert command(tmp_path, {"devices": 4}, **GPU).argv == (
        str(PYTHON),
        *torchrun,
        "train_in_group.py",
        *TRAIN,
        "--launcher",
        "pytorch",
    )


def test_of_several_machines_the_one_of_the_run_is_number_0(tmp_path: Path):
    argv = command(tmp_path, TWO_MACHINES, **GPU).argv

    where = ("--nnodes=2", "--node_rank=0", "--master_addr=10.0.0.7", "--master_port=29500", "--nproc_per_node=4")
    assert argv[3:8] == where


def test_deepspeed_is_named_to_xtuner_and_started_by_torchrun_even_on_one_gpu(tmp_path: Path):
    argv = command(tmp_path, {"deepspeed": "deepspeed_zero2"}, **GPU).argv

    assert argv[2:5] == ("torch.distributed.run", "--standalone", "--nproc_per_node=1")
    assert argv[-4:] == ("--deepspeed", "deepspeed_zero2", "--launcher", "pytorch")


def test_slurm_starts_a_task_for_each_gpu_and_ends_all_with_one(tmp_path: Path):
    slurm = {"devices": 8, "machines": 2, "scheduler": "slurm", "slurm_options": ["--partition=gpu", "--exclusive"]}
    started = command(tmp_path, slurm, **GPU)

    assert started.argv == (
        "srun",
        "--nodes=2",
        "--ntasks=16",
        "--ntasks-per-node=8",
        "--gres=gpu:8",
        "--kill-on-bad-exit=1",
        "--partition=gpu",
        "--exclusive",
        str(PYTHON),
        "train_in_group.py",
        *TRAIN,
        "--launcher",
        "slurm",
    )
    assert 20_000 <= int(started.env["MASTER_PORT"]) < 30_000


def test_two_trainings_under_slurm_get_ports_of_their_own(tmp_path: Path):
    ports = {command(tmp_path / f"run-{number}", {"scheduler": "slurm"}).env["MASTER_PORT"] for number in range(5)}

    assert len(ports) == 5


def test_slurm_asks_for_no_gpu_where_the_training_needs_none(tmp_path: Path):
    assert not [part for part in command(tmp_path, {"scheduler": "slurm"}).argv if "gres" in part]


@pytest.mark.parametrize("launcher", [{"devices": 2}, TWO_MACHINES, {"scheduler": "slurm"}])
def test_every_kind_of_start_goes_on_at_the_checkpoint(launcher: dict[str, Any], tmp_path: Path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "iter_40.pth").write_bytes(b"")
    (tmp_path / "work" / "last_checkpoint").write_text("/somewhere/iter_40.pth")
    argv = command(tmp_path, launcher).argv

    place = argv.index("--resume")
    assert argv[place + 1] == "work/iter_40.pth"
    assert argv.index("train_in_group.py") < place


def test_a_group_finds_its_program_and_its_wrapper_beside_the_configuration(tmp_path: Path):
    config = XTuner(PYTHON).prepare(tuning(tmp_path, {"devices": 2}))

    assert (tmp_path / "train_in_group.py").exists()
    assert "model_wrapper_cfg = dict" in config.read_text(encoding="utf-8")


def test_the_other_machines_get_a_script_that_takes_their_number(tmp_path: Path):
    python = tmp_path / "python of the tool"
    python.write_text('#!/bin/sh\necho "$PWD"\necho "$OMP_NUM_THREADS"\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    folder = tmp_path / "runs of mine"
    folder.mkdir()
    work = tuning(folder, TWO_MACHINES, threads=3)
    XTuner(python).prepare(work)
    (folder / "cache").mkdir()
    line = XTuner(python).on_other_machines(work)
    assert line is not None
    answer = run_briefly(Command(("sh", "-c", line), tmp_path), timeout=20)

    said = answer.stdout.decode().splitlines()
    assert said[:2] == [str(folder), "3"]
    assert said[2:8] == ["-m", "torch.distributed.run", "--nnodes=2", "--node_rank=1", *said[6:8]]
    assert said[-5:] == [*TRAIN, "--launcher", "pytorch"]


@pytest.mark.parametrize("launcher", [{}, {"devices": 2}, {"machines": 2, "scheduler": "slurm"}])
def test_nobody_is_asked_to_start_what_starts_by_itself(launcher: dict[str, Any], tmp_path: Path):
    work = tuning(tmp_path, launcher)
    XTuner(PYTHON).prepare(work)

    assert XTuner(PYTHON).on_other_machines(work) is None
    assert not (tmp_path / "other_machines.sh").exists()


def test_by_hand_it_leaves_the_runs_own_files_alone(tmp_path: Path):
    line = XTuner(PYTHON).by_hand(tuning(tmp_path, {"devices": 2}))

    assert line.startswith("python -m torch.distributed.run")
    assert "--work-dir by_hand" in line
