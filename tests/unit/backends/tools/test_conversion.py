"""The conversion of InternLM2: commands as data, what was found as a verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.backends.rows import build
from core.backends.tools import BASE_CONVERTERS, StepReport
from core.backends.tools.xtuner.conversion import InternLM2Conversion

PYTHON = Path("/env/bin/python")
CONVERTER = InternLM2Conversion(PYTHON)


def found(folder: Path, **changes: Any) -> None:
    told = {"logits_difference": 2e-5, "logits_scale": 8.0, "texts": 20, "unequal_texts": [], **changes}
    (folder / "comparison.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def test_converting_names_source_and_target_and_asks_no_hub(tmp_path: Path):
    command = CONVERTER.convert(Path("/models/internlm2"), Path("/models/llama"), tmp_path)

    assert command.argv[0] == str(PYTHON)
    assert Path(command.argv[1]).name == "convert_internlm2.py"
    assert Path(command.argv[1]).is_file()
    assert command.argv[2:] == ("/models/internlm2", "/models/llama")
    assert command.cwd == tmp_path
    assert command.env["HF_HUB_OFFLINE"] == "1"
    assert command.env["HF_HOME"] == str(tmp_path / "cache")


def test_comparing_leaves_its_findings_in_the_runs_folder(tmp_path: Path):
    command = CONVERTER.compare(Path("/models/internlm2"), Path("/models/llama"), tmp_path)

    assert Path(command.argv[1]).name == "compare_internlm2.py"
    assert Path(command.argv[1]).is_file()
    assert command.argv[2:] == ("/models/internlm2", "/models/llama", "comparison.json")
    assert command.cwd == tmp_path


def test_what_float32_leaves_is_equal(tmp_path: Path):
    found(tmp_path)
    comparison = CONVERTER.comparison(tmp_path)

    assert comparison.equal
    assert (comparison.logits_difference, comparison.logits_scale) == (2e-5, 8.0)
    assert (comparison.texts, comparison.unequal_texts) == (20, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"logits_difference": 0.01},
        {"logits_difference": 2e-5, "logits_scale": 1e-3},
        {"logits_difference": float("nan")},
        {"unequal_texts": ["竹\n"]},
    ],
)
def test_other_logits_or_other_tokens_are_not_equal(tmp_path: Path, changes: dict[str, Any]):
    found(tmp_path, **changes)

    assert not CONVERTER.comparison(tmp_path).equal


def test_a_text_that_was_cut_otherwise_is_named(tmp_path: Path):
    found(tmp_path, unequal_texts=["竹\n", ""])

    assert CONVERTER.comparison(tmp_path).unequal_texts == ("竹\n", "")


def test_a_line_of_the_programs_says_how_far_they_are():
    assert CONVERTER.read_line('{"step": 3, "steps": 27}') == StepReport(3, 27, None)
    assert CONVERTER.read_line("Weights are missing: model.safetensors.") is None


def test_the_row_builds_the_converter_for_an_interpreter():
    assert build(BASE_CONVERTERS, "internlm2", PYTHON) == CONVERTER
