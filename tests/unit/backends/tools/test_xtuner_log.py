"""What XTuner says and leaves behind, read from recordings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.backends.tools import StepReport
from core.backends.tools.xtuner.log import explain, measurements, probes, read_line

RECORDED = Path(__file__).parents[3] / "data" / "tools" / "xtuner-0.2.0"
TROUBLES = RECORDED / "troubles"


def test_every_training_line_tells_step_total_and_loss():
    lines = (RECORDED / "train.log").read_text(encoding="utf-8").splitlines()
    reports = [report for report in map(read_line, lines) if report]

    assert [report.step for report in reports] == [1, 5, 10, 15, 20, 25, 30, 35, 40]
    assert {report.steps for report in reports} == {60}
    assert reports[0].loss == 3.1595


def test_a_line_of_the_base_model_is_read_too():
    line = '{"step": 10, "steps": 300, "loss": 5.5, "lr": 0.001}'

    assert read_line(line) == StepReport(10, 300, 5.5)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("0:00:12", 12.0), ("3:02:01", 10_921.0), ("1 day, 0:00:05", 86_405.0), ("11 days, 1:00:00", 954_000.0)],
)
def test_the_trainers_own_time_left_is_read(told: str, seconds: float):
    report = read_line(f"Iter(train) [ 5/150]  lr: 1.0000e-03  eta: {told}  time: 0.2  loss: 6.2900")

    assert report == StepReport(5, 150, 6.29, seconds)


def test_tokens_a_second_are_those_of_a_step_over_its_time(tmp_path: Path):
    file = tmp_path / "20261123_000000" / "vis_data" / "scalars.json"
    file.parent.mkdir(parents=True)
    file.write_text(
        '{"loss": 2.0, "time": 0.25, "tokens": 1000.0, "memory": 640.5, "step": 1}\n'
        '{"loss": 2.0, "tokens": 1000.0, "step": 2}\n'
    )
    found = dict(measurements(tmp_path, after=0))

    assert found[1] == {"loss": 2.0, "step_seconds": 0.25, "tokens_per_second": 4000.0, "memory_mb": 640.5}
    assert found[2] == {"loss": 2.0}


@pytest.mark.parametrize("after", [0, 1, 1_999, 4_990, 5_000])
def test_of_a_long_file_no_step_is_missed(tmp_path: Path, after: int):
    file = tmp_path / "20261123_000000" / "vis_data" / "scalars.json"
    file.parent.mkdir(parents=True)
    file.write_text("".join(f'{{"loss": 2.0, "time": 0.1, "step": {step}}}\n' for step in range(1, 5_001)))

    assert [step for step, _ in measurements(tmp_path, after)] == list(range(after + 1, 5_001))


def test_other_lines_say_nothing():
    for line in ("", "Saving checkpoint at 20 iterations", "{'step': 1}", '{"parameters": 7}', "Iter(val) [1/2]"):
        assert read_line(line) is None


def test_a_loss_that_is_no_number_is_none():
    assert read_line("Iter(train) [ 7/60]  lr: 1.0e+00  loss: nan") == StepReport(7, 60, None)
    assert read_line('{"step": 7, "steps": 60, "loss": NaN}') == StepReport(7, 60, None)


def test_a_resumed_training_gives_each_step_once_in_order():
    found = measurements(RECORDED / "work", after=0)

    assert [step for step, _ in found] == [1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60]
    assert set(found[0][1]) == {"loss", "learning_rate", "grad_norm", "step_seconds"}


def test_only_what_is_new_is_read_again():
    assert [step for step, _ in measurements(RECORDED / "work", after=50)] == [55, 60]


def test_a_line_still_being_written_waits(tmp_path: Path):
    file = tmp_path / "20261123_000000" / "vis_data" / "scalars.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"loss": 1.5, "step": 1}\n{"loss": 1.4, "st')

    assert measurements(tmp_path, after=0) == [(1, {"loss": 1.5})]


def test_a_value_that_is_no_number_is_left_out(tmp_path: Path):
    file = tmp_path / "20261123_000000" / "vis_data" / "scalars.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"loss": 2.0, "grad_norm": NaN, "step": 1}\n')
    found = measurements(tmp_path, after=0)

    assert json.loads(json.dumps(found)) == [[1, {"loss": 2.0}]]


def test_sample_answers_come_without_their_prompt():
    found = probes(RECORDED / "work", after=0)

    assert [step for step, _ in found] == [20, 40]
    assert found[0][1] == ["不必，我宁可一直静着。", "不必，心里有事的人才那样换气。"]


def test_only_new_rounds_of_answers_are_read():
    assert [step for step, _ in probes(RECORDED / "work", after=20)] == [40]


def test_a_training_that_has_not_begun_has_nothing(tmp_path: Path):
    assert measurements(tmp_path / "work", after=0) == []
    assert probes(tmp_path / "work", after=0) == []


@pytest.mark.parametrize(
    ("recording", "said"),
    [
        ("no_samples.log", "No sample was left"),
        ("loss_ran_off.log", "stopped being a number"),
        ("wrong_target.log", "no layers of the names"),
        ("unknown_template.log", "no chat form"),
    ],
)
def test_a_recorded_trouble_is_known(recording: str, said: str):
    trouble = explain((TROUBLES / recording).read_text(encoding="utf-8"))

    assert trouble is not None
    assert said in str(trouble)


@pytest.mark.parametrize(
    ("end", "remedy"),
    [
        ("ModuleNotFoundError: No module named 'mmengine'", "make toolchains"),
        ("ValueError: the warm-up is shorter than two steps", "0 as warm-up ratio"),
        ("ValueError: end should be larger than begin, but got begin=0, end=0", "0 as warm-up ratio"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", "qlora"),
        ("RuntimeError: [enforce fail] . DefaultCPUAllocator: can't allocate memory", "qlora"),
        ("worker 1 ended\ntraceback : Signal 9 (SIGKILL) received by PID 4711", "qlora"),
        ("ImportError: deepspeed is not installed properly, please check.", "Choose no DeepSpeed"),
        ("AssertionError: Torch not compiled with CUDA enabled", "Train on the CPU"),
        ("torch.distributed.DistNetworkError: The client socket has timed out after 600s", "rendezvous can be reached"),
        (
            "DistNetworkError: The server socket has failed to listen on [::]:29500 (errno: 98 - EADDRINUSE)",
            "another port",
        ),
        ("OSError: [Errno 28] No space left on device", "Free some space"),
        ("OSError: base does not appear to have a file named config.json.", "Download it again"),
        ("OSError: Error no file named model.safetensors found in directory base.", "Download it again"),
    ],
)
def test_a_trouble_of_the_machine_is_known(end: str, remedy: str):
    trouble = explain(end)

    assert trouble is not None
    assert remedy in str(trouble)


def test_a_warning_before_the_failure_is_not_its_cause():
    warning = "Failed to load a kernel: No module named 'kernels'. ModuleNotFoundError: No module named 'kernels'\n"
    failure = "Traceback (most recent call last)\n  …\nOSError: [Errno 28] No space left on device\n"
    trouble = explain(warning + failure)

    assert trouble is not None
    assert "disk is full" in trouble.message


def test_an_unknown_end_is_not_explained():
    assert explain("KeyError: 'something new'") is None
