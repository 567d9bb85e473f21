from __future__ import annotations

import pytest

from core.stages.evaluation.subjects import GROUP_TITLES, HARD_SUBJECTS, SUBJECTS, Group, ceval_part, title_of


def test_c_eval_has_52_subjects_each_in_one_group():
    names = [subject for subjects in SUBJECTS.values() for subject in subjects]

    assert len(names) == len(set(names)) == 52
    assert {group: len(SUBJECTS[group]) for group in Group} == {
        Group.STEM: 20,
        Group.SOCIAL_SCIENCE: 10,
        Group.HUMANITIES: 11,
        Group.OTHER: 11,
    }


def test_the_hard_subjects_are_eight_of_stem():
    assert len(HARD_SUBJECTS) == 8
    assert set(SUBJECTS[Group.STEM]) >= HARD_SUBJECTS


@pytest.mark.parametrize(
    ("dataset", "part"),
    [
        ("ceval", "average"),
        ("ceval-stem", "stem"),
        ("ceval-social-science", "social-science"),
        ("ceval-hard", "hard"),
        ("ceval-logic", "logic"),
        ("ceval-test-logic", "logic"),
        ("ceval-alchemy", None),
        ("cmmlu-logic", None),
        ("", None),
    ],
)
def test_a_row_of_a_summary_is_recognised(dataset, part):
    assert ceval_part(dataset) == part


def test_everything_has_a_title():
    assert all(title_of(part) for part in GROUP_TITLES)
    assert all(title_of(subject) for subjects in SUBJECTS.values() for subject in subjects)
