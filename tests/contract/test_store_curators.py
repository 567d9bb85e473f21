"""Many curators on the same lines at once: nothing is lost, nothing is half-written; on each database."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.store import Store
from tests.contract.curators import audited, book, curate

CURATORS = 20


@pytest.mark.slow
def test_twenty_curators_lose_no_change_of_each_other(store: Store, url: str, tmp_path: Path) -> None:
    before = book(store, "a-qing", 1000)
    stores = [Store(url, tmp_path) for _ in range(CURATORS)]
    with ThreadPoolExecutor(CURATORS) as crowd:
        diaries = list(
            crowd.map(lambda n: curate(stores[n], "a-qing", f"curator-{n}", before, seconds=4), range(CURATORS))
        )

    audit = audited(store, "a-qing", before, diaries)

    assert (audit.lost_updates, audit.torn_rows, audit.history_replays) == (0, 0, True)
    assert audit.edits > CURATORS
    assert sum((diary.verbs for diary in diaries), Counter())["undo"] > 0
    for one in stores:
        one.close()
