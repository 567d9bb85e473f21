"""Lines are cleaned, versions built, read, compared, put back, and taken along."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.domain.identity import now
from core.domain.training import Model, ModelKind
from core.services import Services
from tests.browser.conftest import House
from tests.browser.little_book import LITTLE_BOOK
from tests.browser.running_app import RunningApp
from tests.browser.visitor import PATIENCE, Visitor

OpenTab = Callable[..., Visitor]

ANOTHER_EDITION = LITTLE_BOOK.replace("你", "您").replace("，", "、")
"""The same book, printed otherwise."""


@pytest.fixture(scope="module")
def printed_twice(
    start_app: Callable[..., RunningApp], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningApp, Services]]:
    """An app that holds a book in two editions, lines extracted, searched for near-duplicates, one version built."""
    app = start_app()
    services = app.services()
    here, persona = services.execution.here, services.settings.persona
    for name, text in (("one.txt", LITTLE_BOOK), ("other.txt", ANOTHER_EDITION)):
        file = tmp_path_factory.mktemp("books") / name
        file.write_text(text, encoding="utf-8")
        with file.open("rb") as stream:
            here("corpus", persona, {"uploads": services.receive_texts(stream, name)}, who="test")
    here("dialogues", persona, {}, who="test")
    here("cleaning", persona, {}, who="test")
    here("dataset", persona, {"name": "first"}, who="test")
    yield app, services
    services.close()


@pytest.fixture
def curator(printed_twice: tuple[RunningApp, Services], open_tab: OpenTab) -> Visitor:
    """A tab on the app with the two editions."""
    return open_tab(printed_twice[0])


@pytest.fixture
def services(printed_twice: tuple[RunningApp, Services]) -> Services:
    """The same workspace seen from here."""
    return printed_twice[1]


def test_a_cluster_is_decided_about_and_the_decision_taken_back(curator: Visitor, services: Services) -> None:
    duplicates, persona = services.store.duplicates, services.settings.persona
    curator.open("dataset?part=clean")
    waiting = duplicates.count(persona)
    assert waiting > 1

    curator.press("Keep 1 of 2")
    curator.sees("1 line stays, 1 left out")
    curator.settled()
    assert duplicates.count(persona) == waiting - 1
    curator.press("Undo")
    curator.sees("The last decision is taken back.")
    curator.settled()

    assert duplicates.count(persona) == waiting


@pytest.mark.slow
def test_a_version_built_after_cleaning_says_what_differs_and_why_and_can_be_rolled_back(
    curator: Visitor, services: Services
) -> None:
    persona, datasets = services.settings.persona, services.store.datasets
    first = datasets.versions(persona)[0]
    curator.open("dataset?part=clean")
    curator.unfold("Search the lines")
    curator.starts_and_sees_succeed("Search")
    curator.press("Decide many")
    curator.press("Decide them as proposed")
    curator.sees("decided as proposed")
    curator.settled()

    curator.page.get_by_role("tab", name="Build").click()
    curator.unfold("Build a version")
    curator.write("Name", "cleaned")
    curator.starts_and_sees_succeed("Build")
    curator.press("Look into it")
    curator.page.get_by_test_id("stMain").get_by_role("radio", name="Differences").click()
    curator.sees("near-duplicates were decided")
    curator.settled()

    curator.open(f"dataset?part=versions&version={first.id}")
    curator.press("Roll back to it")
    curator.write("Why?", "the cleaning took too much")
    curator.press("Roll back", within=curator.page.get_by_test_id("stPopoverBody"))
    curator.sees("is on top now")
    curator.settled()

    newest = datasets.versions(persona)[0]
    assert (newest.id != first.id, newest.fingerprint) == (True, first.fingerprint)
    assert "the cleaning took too much" in newest.note


def test_a_version_in_use_cannot_be_deleted_and_says_by_what(curator: Visitor, services: Services) -> None:
    persona, datasets = services.settings.persona, services.store.datasets
    for name in ("used", "unused"):
        services.execution.here("dataset", persona, {"name": name}, who="test")
    unused, used = datasets.versions(persona)[:2]
    services.store.models.add(
        Model("mod-bamboo", persona, ModelKind.TEXT, "bamboo", None, used.id, "tiny", "models/bamboo", now())
    )

    curator.open(f"dataset?part=versions&version={used.id}")
    curator.press("Delete")
    curator.sees("It is in use and cannot be deleted: bamboo.")
    expect(curator.page.get_by_role("button", name="Delete used")).to_have_count(0)
    curator.open(f"dataset?part=versions&version={unused.id}")
    curator.press("Delete")
    curator.press("Delete unused")
    curator.sees("unused is deleted.")
    curator.settled()

    assert datasets.versions(persona)[0].id == used.id


def test_an_export_is_a_zip_with_its_origins_and_comes_back_with_a_report(
    house: House, visitor: Visitor, tmp_path: Path
) -> None:
    version = house.services.store.datasets.get(house.version_id)
    visitor.open(f"dataset?part=exchange&version={house.version_id}")

    visitor.choose("Format", re.compile("ShareGPT"))
    with visitor.page.expect_download() as expected:
        visitor.page.locator("[class*='-sharegpt'] button").click()
    taken = tmp_path / expected.value.suggested_filename
    expected.value.save_as(taken)
    with zipfile.ZipFile(taken) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["dataset_version"]["fingerprint"] == version.fingerprint

    visitor.give(taken)
    report = visitor.page.locator(".st-key-import-report")
    expect(report).to_contain_text(str(version.train_samples + version.held_out_samples), timeout=PATIENCE)
    expect(report.get_by_test_id("stMetricValue").last).to_have_text("0")
    visitor.write("Name", "brought back")
    visitor.starts_and_sees_succeed("Make a version of it")

    again = house.services.store.datasets.versions(house.persona)[0]
    assert (again.name, again.fingerprint) == ("brought back", version.fingerprint)


def test_both_sides_of_a_version_can_be_read(house: House, visitor: Visitor) -> None:
    visitor.open(f"dataset?part=versions&version={house.version_id}")

    samples = visitor.page.locator("[class*='st-key-sample-']")
    expect(samples.first).to_be_visible()
    trained = samples.first.inner_text()
    visitor.page.get_by_test_id("stMain").get_by_role("radio", name="held out").click()

    expect(samples.first).not_to_have_text(trained, timeout=PATIENCE)


@pytest.mark.slow
def test_the_trainers_view_shows_what_is_learnt(house: House, visitor: Visitor) -> None:
    visitor.open("dataset?part=build")
    visitor.unfold("What the trainer will see")

    learnt = visitor.page.locator(".tokens .learnt")
    expect(learnt.first).to_be_visible(timeout=4 * PATIENCE)
    visitor.sees("How long the samples are")
    visitor.settled()
