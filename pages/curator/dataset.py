"""Dataset: clean her lines, build versions from them, read and compare the versions, take them along."""

from __future__ import annotations

import streamlit as st

from core.store.utterances import UtteranceFilter
from pages.ui.cleaning import cleaning
from pages.ui.dataset_exchange import exchange
from pages.ui.frame import coming, empty, page
from pages.ui.i18n import _
from pages.ui.part_tabs import part_tabs
from pages.ui.state import VERSION
from pages.ui.version_builder import building
from pages.ui.version_list import versions_room

visit = page("dataset")
studio, persona = visit.studio, visit.persona

sources = {source.id: source.name for source in studio.store.corpus.sources(persona.id)}
versions = {version.id: version for version in studio.store.datasets.versions(persona.id)}
lines = studio.store.utterances.count(UtteranceFilter(persona.id))

if not versions and not lines:
    empty(_("There are no lines to build from yet."), icon="forum", link="dialogues", label=_("Extract the dialogues"))
    coming("dataset")
    st.stop()

parts = {"clean": _("Clean"), "build": _("Build"), "versions": _("Versions"), "exchange": _("Exchange")}
if not versions:
    parts.pop("versions")
first = "versions" if versions and (VERSION.get() or not lines) else "build"
tabs = part_tabs(parts, first=first)

if tabs["clean"].open:
    with tabs["clean"]:
        cleaning(visit, sources)
if tabs["build"].open:
    with tabs["build"]:
        building(visit, sources)
if versions and tabs["versions"].open:
    with tabs["versions"]:
        versions_room(visit)
if tabs["exchange"].open:
    with tabs["exchange"]:
        exchange(visit, versions)

coming("dataset")
