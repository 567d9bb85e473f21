"""Published benchmarks are looked for where the settings say; what is missing is named, with where upstream has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInputError, MissingArtifactError
from core.stages.evaluation.benchmarks import chosen, look, refuse_unknown
from core.stages.evaluation.subjects import SUBJECTS

HEAD = "id,question,A,B,C,D,answer\n"


def lay_out(data: Path, subject: str, questions: int, *, splits: tuple[str, ...] = ("dev", "val", "test")) -> None:
    for split in splits:
        file = data / "ceval" / "formal_ceval" / split / f"{subject}_{split}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = "".join(f'{n},"第{n}问\n第二行？",a,b,c,d,A\n' for n in range(questions))
        file.write_text(HEAD + rows, encoding="utf-8")


def test_questions_are_counted_even_where_they_run_over_lines(tmp_path: Path) -> None:
    lay_out(tmp_path, "logic", 7)
    found = look("ceval", tmp_path)
    assert found.subjects == {"logic": 7}
    assert len(found.missing) == 3 * (sum(map(len, SUBJECTS.values())) - 1)


def test_a_subject_without_one_of_its_files_is_not_there(tmp_path: Path) -> None:
    lay_out(tmp_path, "law", 3, splits=("dev", "val"))
    found = look("ceval", tmp_path)
    assert found.subjects == {}
    assert "test/law_test.csv" in found.missing


def test_a_chosen_subject_is_asked_in_full_or_as_far_as_one_wants(tmp_path: Path) -> None:
    lay_out(tmp_path, "logic", 7)
    found = look("ceval", tmp_path)
    assert chosen(found, ["logic"], None) == {"logic": 7}
    assert chosen(found, ["logic"], 3) == {"logic": 3}
    assert chosen(found, ["anatomy"], 3) == {}, "a subject of another benchmark"


def test_what_is_missing_is_named_with_where_to_get_it(tmp_path: Path) -> None:
    lay_out(tmp_path, "logic", 7)
    with pytest.raises(MissingArtifactError, match=r"ceval-exam\.zip"):
        chosen(look("ceval", tmp_path), [], None)
    with pytest.raises(MissingArtifactError, match="cmmlu"):
        chosen(look("cmmlu", tmp_path), [], None)


def test_cmmlus_subjects_are_those_whose_files_are_there(tmp_path: Path) -> None:
    for split in ("dev", "test"):
        file = tmp_path / "cmmlu" / split / "anatomy.csv"
        file.parent.mkdir(parents=True)
        file.write_text(",Question,A,B,C,D,Answer\n0,q,a,b,c,d,A\n1,q,a,b,c,d,B\n", encoding="utf-8")
    assert look("cmmlu", tmp_path).subjects == {"anatomy": 2}


def test_a_subject_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="bamboo_studies"):
        refuse_unknown(["logic", "bamboo_studies"], [look("ceval", tmp_path)])
