"""What OpenCompass leaves behind is read in both forms of its details, while it grows and when it failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.backends.tools.opencompass import OpenCompass, outputs
from core.domain.examination import Examination, Examinee, QuestionFile, ServedModel, SubjectData
from core.errors import InvalidInputError, ToolFailedError

STAMP = "20261126_170746"


@pytest.fixture
def work(tmp_path: Path) -> Examination:
    return Examination(
        folder=tmp_path / "examination",
        examinee=Examinee("served", served=ServedModel("http://127.0.0.1:1/v1", "bamboo", "BAMBOO_API_KEY")),
        subjects=(SubjectData("ceval", tmp_path / "it's ceval", {"logic": 2, "law": 2}),),
        own=(QuestionFile("own", tmp_path / "own.jsonl", "mcq", 1),),
    )


def write(work: Examination, place: str, content: Any) -> Path:
    file = work.folder / "out" / STAMP / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def replied(prediction: str, gold: str) -> dict[str, Any]:
    prompt = [{"role": "HUMAN", "prompt": "问？"}, {"role": "BOT", "prompt": ""}]
    return {"origin_prompt": prompt, "prediction": prediction, "gold": gold}


def finish(work: Examination) -> None:
    write(work, "predictions/served/ceval-logic.json", {"0": replied("选B。", "B"), "1": replied("A", "C")})
    told = [("B", "B"), ("A", "C")]
    details = {str(n): {"predictions": chosen, "references": wanted} for n, (chosen, wanted) in enumerate(told)}
    write(work, "results/served/ceval-logic.json", {"accuracy": 50.0, "details": {"type": "GEN", **details}})
    write(work, "predictions/served/own.json", {"0": replied("空心", "B")})
    judged = {"pred": ["空心"], "parsed": ["B"], "refr": ["B"], "correct": [True]}
    write(work, "results/served/own.json", {"accuracy": 100.0, "details": [judged]})


def test_answers_are_read_from_both_forms_of_details(work: Examination) -> None:
    finish(work)
    found = list(OpenCompass(Path("python")).answers(work))
    assert [(one.dataset, one.chosen, one.wanted, one.correct) for one in found] == [
        ("ceval-logic", "B", "B", True),
        ("ceval-logic", "A", "C", False),
        ("own", "B", "B", True),
    ]
    assert found[0].prompt == "[HUMAN]\n问？\n[BOT]\n"
    assert found[0].reply == "选B。"


def test_replies_that_come_in_are_counted_the_half_written_one_is_not(work: Examination) -> None:
    finish(work)
    line = json.dumps(replied("C", "C"))
    write(work, "predictions/served/tmp_ceval-law.jsonl", f"{line}\n{line[:20]}")
    found = OpenCompass(Path("python")).standing(work)
    assert found.answered == {"ceval-logic": 2, "ceval-law": 1, "own": 1}
    assert (found.right, found.lettered) == (2, 4)
    assert found.judged == {"ceval-logic", "own"}


def test_parts_of_a_dataset_are_joined_in_their_order(work: Examination) -> None:
    for part in (10, 2, 0):
        write(work, f"predictions/served/ceval-law_{part}.json", {"0": replied(str(part), "A")})
    write(work, "predictions/served/ceval-law_school.json", {"0": replied("x", "A")})
    found = outputs.replies(work.folder / "out" / STAMP, "served", "ceval-law")
    assert [one["prediction"] for one in found] == ["0", "2", "10"]


def test_what_has_no_score_is_told_whatever_its_file_says(work: Examination) -> None:
    finish(work)
    write(work, "results/served/ceval-law.json", {"error": "different length"})
    assert OpenCompass(Path("python")).unscored(work) == ["ceval-law"]


def test_a_server_that_does_not_answer_is_told_from_the_log() -> None:
    known = OpenCompass(Path("python")).explain("openai.APIConnectionError: Connection error.")
    assert known is not None
    assert "server does not answer" in str(known)


def test_the_newest_attempt_and_its_newest_summary_count(work: Examination) -> None:
    finish(work)
    write(work, "summary/summary_20261126_170746.csv", "old")
    newer = write(work, "summary/summary_20261126_180000.csv", "new")
    assert OpenCompass(Path("python")).summary(work) == newer.read_bytes()


def test_no_summary_at_all_is_a_failure_with_a_remedy(work: Examination) -> None:
    with pytest.raises(ToolFailedError, match="without a summary"):
        OpenCompass(Path("python")).summary(work)


def test_a_second_attempt_uses_the_replies_of_the_first(work: Examination) -> None:
    tool = OpenCompass(Path("python"))
    assert "-r" not in tool.command(work).argv
    finish(work)
    assert tool.command(work).argv[-2:] == ("-r", STAMP)


def test_the_key_is_named_never_written(work: Examination, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAMBOO_API_KEY", "bamboo-shoots")
    tool = OpenCompass(Path("python"))
    text = tool.prepare(work).read_text(encoding="utf-8")
    command = tool.command(work)
    assert command.argv[2] == "BAMBOO_API_KEY"
    assert "bamboo-shoots" not in text + repr(command)


def test_names_of_people_are_literals_in_the_configuration_never_code(work: Examination) -> None:
    text = OpenCompass(Path("python")).prepare(work).read_text(encoding="utf-8")
    compile(text, "config", "exec")
    assert '''"it's ceval"''' in text or "it's ceval\"" in text


def test_only_what_is_asked_of_published_benchmarks_is_imported(work: Examination, tmp_path: Path) -> None:
    tool = OpenCompass(Path("python"))
    assert tool.prepare(work).read_text(encoding="utf-8").count("    from opencompass.configs") == 2
    alone = Examination(folder=tmp_path / "alone", examinee=work.examinee, own=work.own)
    assert "read_base" not in tool.prepare(alone).read_text(encoding="utf-8"), "an empty block of imports is refused"


def test_a_folder_with_a_space_is_refused_since_every_task_would_fail(work: Examination, tmp_path: Path) -> None:
    spaced = Examination(folder=tmp_path / "my work", examinee=work.examinee, own=work.own)
    with pytest.raises(InvalidInputError, match="space"):
        OpenCompass(Path("python")).prepare(spaced)


def test_files_that_are_being_written_or_just_went_are_not_there_yet(tmp_path: Path) -> None:
    folder = tmp_path / "predictions" / "m"
    folder.mkdir(parents=True)
    growing, whole = folder / "tmp_law.jsonl", folder / "law.json"
    growing.write_text('{"prediction": "A", "gold": "A"}\n{"predic', encoding="utf-8")
    for written in ("", '{"0": {"prediction": "A", "go', '{"0": {"prediction": "竹'):
        whole.write_bytes(written.encode()[: -1 if "竹" in written else None])
        assert len(outputs.replies(tmp_path, "m", "law")) == 1
    growing.unlink()
    assert outputs.replies(tmp_path, "m", "law") == []
    whole.write_text('{"0": {"prediction": "A", "gold": "A"}, "1": {"prediction": "B", "gold": "A"}}', encoding="utf-8")
    assert [one["prediction"] for one in outputs.replies(tmp_path, "m", "law")] == ["A", "B"]


def test_a_result_that_is_half_written_is_no_score(tmp_path: Path) -> None:
    file = tmp_path / "law.json"
    file.write_text('{"accuracy": 25.0, "deta', encoding="utf-8")
    assert "error" in outputs.score_of(file)
    file.write_text('{"accuracy": 25.0}', encoding="utf-8")
    assert "error" not in outputs.score_of(file)
