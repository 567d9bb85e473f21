from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.evaluation import Scorecard
from core.errors import InvalidInputError
from core.settings import stage_defaults
from core.stages.evaluation.scorecards import import_summary
from core.stages.evaluation.settings import EvaluationSettings
from core.stages.evaluation.subjects import Group
from core.stages.evaluation.tables import (
    group_bars,
    hard_bars,
    missing_of,
    models_of,
    other_bars,
    side_by_side,
    subject_bars,
)
from core.store import Store

DATA = Path(__file__).parents[3] / "data" / "evaluation"
SETTINGS = EvaluationSettings()
ORIGINAL = {
    "stem": 34.55,
    "social-science": 57.98,
    "humanities": 52.66,
    "other": 43.77,
    "hard": 26.19,
    "average": 44.84,
}


def imported(store: Store, file: str, *, name: str | None = None) -> Scorecard:
    """Import a sample file for the fixture's persona."""
    with (DATA / file).open("rb") as stream:
        return import_summary(stream, name or file, persona_id="a-qing", settings=SETTINGS, store=store)


def test_an_imported_summary_is_stored_with_its_file(store):
    card = imported(store, "summary_2024.csv", name="../x/summary_2024.csv")

    assert store.scorecards.get(card.id) == card
    assert (card.name, card.origin) == ("summary_2024", "import")
    assert store.files.read(card.sha256) == (DATA / "summary_2024.csv").read_bytes()


def test_the_2024_summary_charts_as_the_groups_it_was_published_with(store):
    card = imported(store, "summary_2024.csv")

    assert group_bars(card) == {"daiyu-1_8b": ORIGINAL}
    assert list(group_bars(card)["daiyu-1_8b"]) == list(ORIGINAL)


def test_the_current_summary_charts_the_same_groups_once(store):
    card = imported(store, "summary_current.csv")

    assert group_bars(card)["daiyu-1_8b"] == ORIGINAL


def test_subjects_chart_by_group(store):
    card = imported(store, "summary_2024.csv")
    stem = subject_bars(card, Group.STEM)["daiyu-1_8b"]
    social = subject_bars(card, Group.SOCIAL_SCIENCE)["daiyu-1_8b"]

    assert (len(stem), stem["advanced_mathematics"]) == (20, 5.26)
    assert (len(social), social["middle_school_geography"]) == (10, 91.67)
    assert len(hard_bars(card)["daiyu-1_8b"]) == 8


def test_a_missing_value_is_left_out_and_named_never_zero(store):
    card = imported(store, "summary_current.csv")
    base = subject_bars(card, Group.HUMANITIES)["base-1_8b"]

    assert "logic" not in base
    assert len(base) == 10
    assert "humanities" not in group_bars(card)["base-1_8b"]
    assert {(score.dataset, score.model) for score in missing_of(card)} == {
        ("ceval-logic", "base-1_8b"),
        ("ceval-humanities", "base-1_8b"),
        ("ceval", "base-1_8b"),
    }


def test_what_is_not_c_eval_charts_apart(store):
    assert other_bars(imported(store, "summary_current.csv")) == {
        "daiyu-1_8b": {"persona-mcq (accuracy)": 61.5},
        "base-1_8b": {"persona-mcq (accuracy)": 40.0},
    }
    assert other_bars(imported(store, "summary_2024.csv")) == {}


def test_models_of_several_cards_stand_side_by_side_under_different_names(store):
    old, new = imported(store, "summary_2024.csv"), imported(store, "summary_current.csv")

    assert models_of(new) == ("daiyu-1_8b", "base-1_8b")
    assert list(side_by_side([old, new], group_bars)) == [
        "daiyu-1_8b (summary_2024)",
        "daiyu-1_8b (summary_current)",
        "base-1_8b",
    ]


def test_a_file_too_large_for_a_summary_is_refused(store, tmp_path):
    large = tmp_path / "large.csv"
    large.write_bytes(b"dataset,version,metric,mode,m\n" + b"x,1,a,gen,7\n" * 400_000)

    with large.open("rb") as stream, pytest.raises(InvalidInputError, match="larger"):
        import_summary(stream, "large.csv", persona_id="a-qing", settings=SETTINGS, store=store)


def test_a_refused_file_leaves_nothing(store, tmp_path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(b"a,b\n")
    with wrong.open("rb") as stream, pytest.raises(InvalidInputError):
        import_summary(stream, "wrong.csv", persona_id="a-qing", settings=SETTINGS, store=store)

    assert store.scorecards.all("a-qing") == []
    assert [path for path in (store.workspace / "files").rglob("*") if path.is_file()] == []


def test_the_shipped_configuration_is_valid():
    assert stage_defaults("evaluation", EvaluationSettings).max_summary_kb > 100
