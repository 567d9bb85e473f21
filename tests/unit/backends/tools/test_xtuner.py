"""XTuner's commands: plain data, compared."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.backends.rows import build
from core.backends.tools import FINE_TUNERS
from core.backends.tools.xtuner import XTuner
from core.domain.recipe import FineTuning, Method, Recipe, TinyBase
from core.errors import ToolFailedError

PYTHON = Path("/env/bin/python")


def tuning(folder: Path, method: Method = "qlora") -> FineTuning:
    return FineTuning(folder=folder, base=Path("base"), recipe=Recipe(method=method))


def checkpoint(folder: Path, step: int) -> None:
    (folder / "work").mkdir(exist_ok=True)
    (folder / "work" / f"iter_{step}.pth").write_bytes(b"")
    (folder / "work" / "last_checkpoint").write_text(f"/moved/since/iter_{step}.pth")


def test_training_is_a_module_never_the_xtuner_command(tmp_path: Path):
    command = XTuner(PYTHON).train(tuning(tmp_path))

    module = ("-m", "xtuner.tools.train", "xtuner_config.py", "--work-dir", "work")
    assert command.argv == (str(PYTHON), *module)
    assert command.cwd == tmp_path
    assert command.env["HF_HUB_OFFLINE"] == "1"
    assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD" not in command.env


def test_training_goes_on_at_the_checkpoint_of_this_run_wherever_it_moved(tmp_path: Path):
    checkpoint(tmp_path, 40)
    command = XTuner(PYTHON).train(tuning(tmp_path))

    assert command.argv[-2:] == ("--resume", "work/iter_40.pth")
    assert command.env["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"


def test_a_named_checkpoint_that_is_gone_is_none(tmp_path: Path):
    checkpoint(tmp_path, 40)
    (tmp_path / "work" / "iter_40.pth").unlink()

    assert XTuner(PYTHON).last_checkpoint(tuning(tmp_path)) is None


def test_a_full_training_converts_straight_to_the_model(tmp_path: Path):
    checkpoint(tmp_path, 60)
    tuner = XTuner(PYTHON)

    assert tuner.convert(tuning(tmp_path, "full")).argv[-2:] == ("merged", "--safe-serialization")
    assert tuner.convert(tuning(tmp_path)).argv[-2:] == ("adapter", "--safe-serialization")


def test_without_a_checkpoint_there_is_nothing_to_convert(tmp_path: Path):
    with pytest.raises(ToolFailedError) as failure:
        XTuner(PYTHON).convert(tuning(tmp_path))

    assert "without leaving a checkpoint" in failure.value.message


def test_merging_names_base_adapter_and_target(tmp_path: Path):
    command = XTuner(PYTHON).merge(tuning(tmp_path))

    assert command.argv[3:] == ("base", "adapter", "merged", "--safe-serialization", "--device", "cpu")


def test_the_configuration_says_how_to_run_it_by_hand_and_finds_its_modules(tmp_path: Path):
    config = XTuner(PYTHON).prepare(tuning(tmp_path))

    line = XTuner(PYTHON).by_hand(tuning(tmp_path))
    assert line == "python -m xtuner.tools.train xtuner_config.py --work-dir by_hand"
    assert line in config.read_text(encoding="utf-8")
    assert {file.name for file in tmp_path.glob("*.py")} == {
        "xtuner_config.py",
        "supervised_on_cpu.py",
        "stop_on_invalid_loss.py",
        "measure_step.py",
    }


def test_the_tiny_base_is_built_from_the_conversations_with_the_runs_seed(tmp_path: Path):
    command = XTuner(PYTHON).build_base(tuning(tmp_path), TinyBase(steps=5))

    assert command.argv[2:6] == ("conversations.json", "base", "--steps", "5")
    assert command.argv[-2:] == ("--seed", "42")


def test_an_environment_that_does_not_start_is_named_with_its_remedy(tmp_path: Path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'broken for good' >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(ToolFailedError) as failure:
        XTuner(broken).versions()

    assert "broken for good" in str(failure.value)
    assert "make toolchains" in failure.value.remedy


def test_versions_are_those_of_the_given_interpreter():
    versions = XTuner(Path(sys.executable)).versions()

    assert versions["python"].startswith("3.")
    assert "torch" in versions


def test_the_row_builds_the_tuner_for_an_interpreter():
    assert build(FINE_TUNERS, "xtuner", PYTHON) == XTuner(PYTHON)
