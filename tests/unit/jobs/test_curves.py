"""A run's curves are read as they grow, and a long run's are thinned out before anybody draws them."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from core.jobs.curves import MOST_POINTS, GrowingCurve, curve, smoothed


def written(file, points):
    with file.open("a", encoding="utf-8") as curves:
        curves.writelines(json.dumps(point) + "\n" for point in points)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "metrics.jsonl"


def test_a_run_that_measures_nothing_has_no_curve(file):
    assert curve(file) == []


def test_a_point_that_is_still_being_written_is_left_for_the_next_look(file):
    file.write_text('{"step": 1, "loss": 2.5}\n{"step": 2, "lo', encoding="utf-8")
    growing = GrowingCurve(file)

    assert growing.points() == [{"step": 1, "loss": 2.5}]

    with file.open("a", encoding="utf-8") as curves:
        curves.write('ss": 2.0}\n')

    assert growing.points() == [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.0}]


def test_half_a_line_that_a_full_disk_left_behind_costs_that_point_only(file):
    file.write_text('{"step": 1, "loss": 2.5}\n{"step": 2, "lo\n{"step": 3, "loss": 1.5}\n', encoding="utf-8")

    assert [point["step"] for point in curve(file)] == [1, 3]


def test_what_was_read_is_not_read_again(file):
    written(file, [{"step": 1, "loss": 2.5}])
    growing = GrowingCurve(file)
    growing.points()
    # same length: whoever reads from the beginning again would see it
    file.write_text('{"step": 1, "loss": 9.9}\n', encoding="utf-8")
    written(file, [{"step": 2, "loss": 2.0}])

    assert growing.points() == [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.0}]


def test_a_file_that_began_anew_is_read_anew(file):
    written(file, [{"step": step, "loss": 1.0} for step in range(1, 9)])
    growing = GrowingCurve(file)
    growing.points()
    file.write_text('{"step": 1, "loss": 3.0}\n', encoding="utf-8")

    assert growing.points() == [{"step": 1, "loss": 3.0}]


def test_a_long_run_yields_a_bounded_picture_with_its_first_and_its_last_point(file):
    written(file, [{"step": step, "loss": 1 / step} for step in range(1, 100_001)])

    steps = [point["step"] for point in curve(file)]

    assert MOST_POINTS / 3 < len(steps) <= MOST_POINTS
    assert steps[0] == 1
    assert steps[-1] == 100_000
    gaps = {later - earlier for earlier, later in pairwise(steps[:-1])}
    assert len(gaps) == 1


def test_a_picture_taken_in_the_middle_changes_nothing_later(file, tmp_path):
    once, often = GrowingCurve(file, most=50), GrowingCurve(file, most=50)
    for start in range(1, 2001, 100):
        written(file, [{"step": step, "loss": 0.5} for step in range(start, start + 100)])
        often.points()

    assert often.points() == once.points()


def test_each_kind_of_point_is_thinned_by_itself(file):
    written(file, [{"step": step, "base_loss": 1.0} for step in range(1, 5001)])
    written(file, [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}])

    assert [point["loss"] for point in curve(file) if "loss" in point] == [2.0, 1.0]


def test_a_moving_average_starts_at_the_first_value_and_follows():
    assert smoothed([4.0, 4.0, 4.0]) == pytest.approx([4.0, 4.0, 4.0])
    assert smoothed([0.0, 1.0], weight=0.5) == pytest.approx([0.0, 2 / 3])
