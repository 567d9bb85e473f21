"""What a machine is called, which GPUs it has for runs, and how many runs it does at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.jobs.machine import Machine, parse_gpus
from core.settings import JobSettings, QueueSettings

TWO = """\
GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-11111111-1111-1111-1111-111111111111)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-22222222-2222-2222-2222-222222222222)
"""
SLICED = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-11111111-1111-1111-1111-111111111111)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-22222222-2222-2222-2222-222222222222)
  MIG 3g.20gb     Device  0: (UUID: MIG-33333333-3333-3333-3333-333333333333)
  MIG 3g.20gb     Device  1: (UUID: MIG-44444444-4444-4444-4444-444444444444)
"""


@pytest.fixture
def nvidia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path, for an nvidia-smi of ours; nothing else tells of GPUs."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path


def says(folder: Path, listing: str, code: int = 0) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{listing}END\nexit {code}\n")
    program.chmod(0o755)


def test_whole_gpus_are_named_by_number_and_slices_by_their_id() -> None:
    assert parse_gpus(TWO) == ("0", "1")
    assert parse_gpus(SLICED) == (
        "0",
        "MIG-33333333-3333-3333-3333-333333333333",
        "MIG-44444444-4444-4444-4444-444444444444",
    )
    assert parse_gpus("No devices found.\n") == ()


def test_a_machine_is_asked_for_its_gpus_and_does_as_many_runs_at_once(nvidia: Path) -> None:
    says(nvidia, TWO)

    machine = Machine(JobSettings())

    assert machine.gpus == ("0", "1")
    assert machine.slots == {"cpu": 1, "gpu": 2, "llm": 4, "servers": 2}


def test_without_a_gpu_one_run_at_once_goes_through_the_queue(nvidia: Path) -> None:
    says(nvidia, "NVIDIA-SMI has failed\n", code=9)

    machine = Machine(JobSettings())

    assert (machine.gpus, machine.slots["gpu"]) == ((), 1)


@pytest.mark.parametrize(
    ("visible", "gpus"), [("2,3", ("2", "3")), ("GPU-11, GPU-22", ("GPU-11", "GPU-22")), ("", ()), ("-1", ())]
)
def test_what_cuda_may_see_goes_before_what_is_there(
    nvidia: Path, monkeypatch: pytest.MonkeyPatch, visible: str, gpus: tuple[str, ...]
) -> None:
    says(nvidia, TWO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    assert Machine(JobSettings()).gpus == gpus


def test_the_settings_overrule_the_machine(nvidia: Path) -> None:
    says(nvidia, TWO)

    machine = Machine(JobSettings(host="node-7", gpus=("1",), queues=QueueSettings(cpu=0, gpu=3)))

    assert (machine.name, machine.gpus) == ("node-7", ("1",))
    assert machine.slots == {"gpu": 3, "llm": 4, "servers": 2}
