"""An expected failure keeps its template, its values and its remedy, also across a process border."""

from __future__ import annotations

import pickle

from core.errors import InvalidInputError, StudioError


def test_an_error_reads_as_a_sentence_and_a_remedy() -> None:
    error = InvalidInputError("{name} is empty.", remedy="Choose another file than {name}.", name="a.txt")

    assert str(error) == "a.txt is empty. Choose another file than a.txt."


def test_an_error_survives_being_handed_to_another_process() -> None:
    error = InvalidInputError("{name} is empty.", remedy="Choose another.", name="{braces}.txt")

    again = pickle.loads(pickle.dumps(error))

    assert isinstance(again, StudioError)
    assert type(again) is InvalidInputError
    assert str(again) == "{braces}.txt is empty. Choose another."
