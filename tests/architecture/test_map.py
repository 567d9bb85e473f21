"""The map (`core/lifecycle.py`) and the house are the same."""

from __future__ import annotations

from core.lifecycle import EXTRA_PAGES, STAGES, Artifact, ExtraPage, Role, Stage
from tests.architecture.source_files import PROJECT

PAGES: tuple[Stage | ExtraPage, ...] = (*STAGES, *EXTRA_PAGES)


def test_every_stage_on_the_map_has_a_room_and_every_room_a_stage():
    rooms = {file.parent.name for file in PROJECT.glob("core/stages/*/__init__.py")}

    assert rooms == {stage.id for stage in STAGES}


def test_every_page_on_the_map_has_a_script_and_every_script_a_place_on_the_map():
    scripts = {
        file.relative_to(PROJECT / "pages").as_posix()
        for file in PROJECT.glob("pages/*/*.py")
        if file.parent.name != "ui" and file.name != "__init__.py"
    }

    assert scripts == {one.page for one in PAGES}


def test_the_folders_of_pages_are_named_by_roles():
    folders = {one.page.partition("/")[0] for one in PAGES}

    assert folders <= set(Role)


def test_nothing_lies_directly_in_pages():
    # Streamlit serves scripts lying there by itself on a fresh server, without Home.py
    assert {file.name for file in PROJECT.glob("pages/*.py")} <= {"__init__.py"}


def test_what_a_stage_reads_was_written_by_an_earlier_one():
    made: set[Artifact] = {Artifact.FILES, Artifact.RECORDINGS}
    unknown = {}
    for stage in STAGES:
        unknown[stage.id] = set(stage.reads) - made
        made |= set(stage.writes)

    assert {stage: missing for stage, missing in unknown.items() if missing} == {}


def test_ids_and_pages_are_unique():
    ids = [stage.id for stage in STAGES]
    pages = [one.page for one in PAGES]

    assert len(set(ids)) == len(ids)
    assert len(set(pages)) == len(pages)
