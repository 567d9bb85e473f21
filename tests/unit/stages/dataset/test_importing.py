"""A dataset somebody brings becomes a version; what we exported ourselves comes back as it was."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidInputError
from core.stages.dataset.export import export_archive, origins_of
from core.stages.dataset.importing import ImportSettings, run
from core.stages.dataset.run import run as build
from core.stages.dataset.settings import DatasetSettings
from core.store import Store
from tests.unit.stages.dataset.test_cleaning import SAID, edition
from tests.unit.stages.runs import begun

BROUGHT = '[{"conversation": [{"system": "你是沈青。", "input": "下雨了。", "output": "由它下去。"}]}]'


def imported(store: Store, content: bytes, file: str, **settings: Any) -> dict[str, Any]:
    wanted = ImportSettings(sha256=store.files.put(content), file=file, **settings)
    return run(wanted, context=begun(store, "dataset_import", run_id="run-0000000008"), store=store)


def test_an_export_comes_back_with_the_same_fingerprint_and_its_lines(store, persona):
    edition(store, 1, *SAID)
    context = begun(store, "dataset", run_id="run-0000000007")
    version = store.datasets.get(build(DatasetSettings(held_out_share=0), context=context, store=store)["version"])
    samples = store.datasets.samples(version.id)
    origins = origins_of(version, samples, store, format="xtuner")
    zipped = export_archive(version, samples, format="xtuner", persona=persona, origins=origins)

    found = imported(store, zipped, "first.zip", name="again")

    again = store.datasets.get(found["version"])
    assert (again.name, again.fingerprint) == ("again", version.fingerprint)
    assert store.datasets.difference(version, again).rows == ()
    assert store.datasets.samples(again.id) == samples


def test_a_strangers_file_becomes_a_version_with_its_own_system_prompt(store):
    found = imported(store, BROUGHT.encode(), "brought.json", note="from elsewhere")

    version = store.datasets.get(found["version"])
    assert (found["samples"], version.train_samples, version.system_prompt) == (1, 1, "你是沈青。")
    assert version.note == "from elsewhere"
    assert version.statistics["by_source"] == {"brought.json": 1}


def test_a_file_without_conversations_makes_no_version(store):
    with pytest.raises(InvalidInputError):
        imported(store, b"[]", "empty.json", format="xtuner")

    assert store.datasets.versions("a-qing") == []
