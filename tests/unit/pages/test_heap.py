"""What the program has loaded is left out of the collections that Streamlit makes after every run of a page."""

from __future__ import annotations

import gc
import sys
import types

import pytest

from pages.ui import heap


@pytest.fixture(autouse=True)
def _as_it_was():
    before = heap._spared_modules
    yield
    heap._spared_modules = before
    gc.unfreeze()


def test_what_is_loaded_is_spared_once_and_again_when_more_was_loaded(monkeypatch):
    monkeypatch.setattr(heap, "_spared_modules", 0)
    heap.spare_what_is_loaded()
    spared, left = gc.get_freeze_count(), len(gc.get_objects())
    later: list[list[int]] = [[] for _ in range(1000)]
    heap.spare_what_is_loaded()

    assert spared > 50_000
    assert left < spared / 10
    assert gc.get_freeze_count() <= spared, "nothing new was loaded"

    monkeypatch.setitem(sys.modules, "loaded_later", types.ModuleType("loaded_later"))
    heap.spare_what_is_loaded()

    assert gc.get_freeze_count() >= spared + len(later) - 100
