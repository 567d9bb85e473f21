"""The real OpenCompass examines a served model and a tiny one, offline; its scores are counted again by hand."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.domain.training import Model, ModelKind
from core.errors import ToolFailedError
from core.jobs.context import RunContext
from core.settings import load_settings
from core.stages.evaluation.run import run
from core.stages.evaluation.settings import EvaluationSettings
from core.store import Store
from tests.conftest import persona_a_qing
from tests.contract.openai_server import OpenAIServer
from tests.contract.tiny_llama import build_tiny_llama

pytestmark = [pytest.mark.slow, pytest.mark.tools, pytest.mark.timeout(900)]

SUBJECTS = ("logic", "law")
LETTERS = "ABCD"
KEY, SECRET = "BAMBOO_API_KEY", "bamboo-shoots-in-spring"
OWN = [
    {"question": "竹子空心还是实心？", "A": "实心", "B": "空心", "C": "水做的", "D": "没有心", "answer": "B"},
    {"question": "雨从哪里来？", "A": "井里", "B": "竹叶上", "C": "云里", "D": "灯里", "answer": "C"},
    {"question": "夜里照路的是什么？", "A": "茶", "B": "灯", "C": "纸", "D": "墨", "answer": "B"},
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    workspace = tmp_path_factory.mktemp("workspace")
    opened = Store(f"sqlite:///{workspace / 'store.db'}", workspace)
    opened.personas.put(persona_a_qing())
    write_ceval(workspace / "benchmarks" / "ceval" / "formal_ceval")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def python(store: Store) -> Path:
    """OpenCompass's interpreter: of the settings, or built once in the project's own workspace."""
    from core.backends.tools.toolchains import ensure

    return ensure("opencompass", settings=load_settings(), context=begun(store, "run-environment", {}))


def write_ceval(folder: Path) -> None:
    """Write questions in the form of C-Eval: each letter is the right one once."""
    for split, count in (("dev", 5), ("val", 4), ("test", 1)):
        (folder / split).mkdir(parents=True)
        columns = ["id", "question", *LETTERS, *(["answer"] if split != "test" else [])]
        columns += ["explanation"] if split == "dev" else []
        for subject in SUBJECTS:
            with (folder / split / f"{subject}_{split}.csv").open("w", encoding="utf-8", newline="") as file:
                table = csv.writer(file)
                table.writerow(columns)
                for number in range(count):
                    row = [number, f"第{number}问，说的是{subject}，竹子有几节？", "一节", "两节", "三节", "四节"]
                    row += [LETTERS[number % 4]] if split != "test" else []
                    table.writerow([*row, *(["数一数便知。"] if split == "dev" else [])])


def begun(store: Store, run_id: str, settings: Mapping[str, Any], attempt: int = 1) -> RunContext:
    record = Run(
        id=run_id,
        kind="evaluation",
        persona_id="a-qing",
        queue="gpu",
        state=RunState.RUNNING,
        settings=settings,
        inputs={},
        created_at=now(),
        created_by="test",
        attempt=attempt,
    )
    if attempt == 1:
        store.runs.add(record)
    return RunContext(record, store=store, folder=store.workspace / "runs" / run_id, poll=0.2, grace=5)


def examined(store: Store, python: Path, run_id: str, settings: Mapping[str, Any], attempt: int = 1) -> dict[str, Any]:
    usual = {"benchmarks": ("ceval",), "subjects": SUBJECTS, "reply_tokens": 8}
    wanted = EvaluationSettings.model_validate({**usual, **settings})
    context = begun(store, run_id, wanted.model_dump(mode="json"), attempt)
    return run(wanted, context=context, store=store, environment=lambda name: python)


def own_set(store: Store) -> tuple[dict[str, str], ...]:
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in OWN)
    return ({"name": "竹子 bamboo.jsonl", "sha256": store.files.put(content.encode())},)


def counted_by_hand(folder: Path) -> dict[str, float]:
    """Count a run's replies again: the first capital letter of each beside the right one, in per cent."""
    counts = {}
    for file in folder.glob("examination/out/*/predictions/*/*.json"):
        rows = json.loads(file.read_text(encoding="utf-8")).values()
        firsts = [re.search(r"[A-Z]", row["prediction"]) for row in rows]
        right = [first is not None and first[0] == row["gold"] for first, row in zip(firsts, rows, strict=True)]
        counts[file.stem] = 100 * sum(right) / len(right)
    return counts


def test_a_served_model_is_examined_and_its_scores_equal_those_counted_by_hand(
    store: Store, python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    with OpenAIServer("B") as server:
        served = {"endpoint_url": server.base_url, "endpoint_model": "bamboo", "endpoint_key": KEY}
        result = examined(store, python, "run-served", {"own": own_set(store), **served})
        keys = set(server.keys)

    card = store.scorecards.get(result["scorecard_id"])
    scores = {one.dataset: one.value for one in card.scores if one.metric == "accuracy"}
    by_hand = counted_by_hand(store.workspace / "runs" / "run-served")
    assert by_hand == {"ceval-logic": 25.0, "ceval-law": 25.0, "bamboo": pytest.approx(200 / 3)}
    assert {name: scores[name] for name in by_hand} == pytest.approx(by_hand, abs=0.01)
    assert scores["ceval-selected"] == 25.0
    assert {one.model for one in card.scores} == {"bamboo"}

    tallies = store.scorecards.tallies(card.id)
    assert {name: 100 * one.right / one.asked for name, one in tallies.items()} == pytest.approx(by_hand)
    page = store.scorecards.answers(card.id, dataset="bamboo")
    assert [one.wanted for one in page.rows] == ["B", "C", "B"]
    assert "竹子空心还是实心" in page.rows[0].prompt
    assert all("数一数便知" not in one.prompt for one in page.rows)
    assert keys == {f"Bearer {SECRET}"}
    files = [one for one in (store.workspace / "runs" / "run-served").rglob("*") if one.is_file()]
    assert not [one for one in files if SECRET.encode() in one.read_bytes()]


def test_a_server_that_refuses_fails_the_run_though_the_program_ends_well_and_resume_goes_on(
    store: Store, python: Path
) -> None:
    with OpenAIServer("C", status=401) as server:
        served = {"endpoint_url": server.base_url, "endpoint_model": "bamboo"}
        with pytest.raises(ToolFailedError, match="refuses the key"):
            examined(store, python, "run-refused", served)
        server.status = 200
        result = examined(store, python, "run-refused", served, attempt=2)
    tallies = store.scorecards.tallies(result["scorecard_id"])
    assert {name: one.asked for name, one in tallies.items()} == {"ceval-logic": 4, "ceval-law": 4}


def test_a_tiny_model_is_examined_and_its_scores_equal_those_counted_by_hand(store: Store, python: Path) -> None:
    home = store.workspace / "models" / "model-tiny"
    build_tiny_llama(home, context=2048)
    model = Model(
        id="model-tiny",
        persona_id="a-qing",
        kind=ModelKind.TEXT,
        name="竹 tiny",
        base="tiny",
        run_id=None,
        dataset_version_id=None,
        folder="models/model-tiny",
        created_at=now(),
    )
    store.models.add(model, who="test")

    asked = {"own": own_set(store), "model_id": "model-tiny", "most": 3}
    result = examined(store, python, "run-tiny", asked)

    card = store.scorecards.get(result["scorecard_id"])
    scores = {one.dataset: one.value for one in card.scores if one.metric == "accuracy"}
    tallies = store.scorecards.tallies(card.id)
    by_hand = counted_by_hand(store.workspace / "runs" / "run-tiny")
    assert {name: one.asked for name, one in tallies.items()} == {"ceval-logic": 3, "ceval-law": 3, "bamboo": 3}
    for subject in ("ceval-logic", "ceval-law"):
        assert scores[subject] == pytest.approx(by_hand[subject], abs=0.01)
        assert 100 * tallies[subject].right / tallies[subject].asked == pytest.approx(by_hand[subject])
    assert card.model_id == "model-tiny"
    assert {one.model for one in card.scores} == {"竹 tiny"}
