"""Taking a version along in the formats people load, and reading what others have made, with a report of the check."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import streamlit as st

from core.domain.persona import Persona
from core.domain.text import DatasetVersion
from core.stages.dataset.export import export_archive, origins_of
from core.stages.dataset.formats import FORMATS
from core.stages.dataset.formats.report import CheckReport, Finding, Verdict
from core.stages.dataset.formats.rows import Carried, Imported
from core.stages.dataset.formats.upload import read_upload
from core.store import Store
from core.translation import N_
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, _n, filled, moment, number
from pages.ui.labels import Colour
from pages.ui.markup import plain
from pages.ui.run_panel import stage_run, start_run
from pages.ui.samples import show_sample
from pages.ui.state import UPLOADS, VERSION

IMPORT: Final = "dataset_import"
MEGABYTES: Final = 64
"""Largest file one may bring; what is larger is checked by the command line."""
_SUFFIXES: Final = ("json", "jsonl", "csv", "tsv", "txt", "parquet", "png", "zip")
_FINDINGS: Final = 50
_SAMPLES: Final = 3
_VERDICTS: Final[Mapping[Verdict, tuple[str, Colour]]] = {
    Verdict.REFUSED: (N_("refused"), "red"),
    Verdict.REPAIRED: (N_("repaired"), "orange"),
    Verdict.NOTED: (N_("noted"), "gray"),
}
"""Verdict -> its word, its colour."""
_CARRIED: Final[Mapping[Carried, str]] = {
    Carried.TURNS: N_("every conversation, turn by turn"),
    Carried.SYSTEM: N_("the system prompt"),
    Carried.LOSS: N_("which replies are learnt"),
    Carried.SPEAKERS: N_("who speaks"),
    Carried.SPLIT: N_("the side"),
    Carried.ORIGINS: N_("where each sample comes from"),
    Carried.PERSONA: N_("the persona"),
}
"""What a format's own files can hold, in words."""


def exchange(visit: Visit, versions: Mapping[str, DatasetVersion]) -> None:
    """Show the export of a version (id -> version, newest first) and the check of a file somebody brings."""
    if versions:
        _out(visit, versions)
    _in(visit)


@st.fragment
def _out(visit: Visit, versions: Mapping[str, DatasetVersion]) -> None:
    st.subheader(_("Export"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        ids = list(versions)
        now = VERSION.get() if VERSION.get() in versions else ids[0]
        chosen = st.selectbox(
            _("Version"),
            ids,
            index=ids.index(now),
            format_func=lambda one: f"{versions[one].name} · {moment(versions[one].created_at)}",
            width=300,
        )
        format = st.selectbox(
            _("Format"), list(FORMATS), format_func=lambda one: _(FORMATS[one].title), width=360, key="export.format"
        )
        version = versions[chosen]
        st.download_button(
            _("Download the zip"),
            lambda: _packed(visit, version, format),
            file_name=f"{visit.persona.id}-{version.name}.{format}.zip",
            mime="application/zip",
            icon=":material/folder_zip:",
            type="primary",
            on_click="ignore",
            # The key names what is in the zip: a click on the button of another choice would find nothing.
            key=f"export.{version.id}.{format}",
        )
    row = FORMATS[format]
    carried = _(", ").join(_(_CARRIED[one]) for one in Carried if one in row.carries)
    st.caption(_("In it: {parts}.").format(parts=carried) + (f" {_('Not in it:')} {_(row.loses)}" if row.loses else ""))
    st.caption(
        _("The zip has a file for each side, and manifest.json: where every sample comes from, down to the lines.")
    )


def _packed(visit: Visit, version: DatasetVersion, format: str) -> bytes:
    store = visit.studio.store
    samples = store.datasets.samples(version.id)
    origins = origins_of(version, samples, store, format=format)
    return export_archive(version, samples, format=format, persona=visit.persona, origins=origins)


@st.fragment
def _in(visit: Visit) -> None:
    st.subheader(_("Import"), anchor=False)
    stage_run(visit, kind=IMPORT)
    upload = st.file_uploader(
        _("A dataset or a character card, at most {limit} MB").format(limit=number(MEGABYTES)),
        type=list(_SUFFIXES),
        max_upload_size=MEGABYTES,
        key=UPLOADS.key(),
        help=_("Its format is told by its content; a zip may hold several files. It is checked before anything else."),
    )
    format = st.selectbox(
        _("Its format"),
        ["", *FORMATS],
        format_func=lambda one: _(FORMATS[one].title) if one else _("recognise it"),
        width=360,
        key="import.format",
    )
    if upload is None:
        return
    with told_to_the_user(), st.spinner(_("Checking"), show_time=True):
        sha256 = visit.studio.store.files.put(upload)
        found = _read(visit.studio.store, sha256, upload.name, format)
        _report(found.report)
        if found.samples:
            _make_a_version(visit, {"sha256": sha256, "file": upload.name, "format": format})
        _look_into(visit, found)


@lru_cache(maxsize=4)
def _read(store: Store, sha256: str, name: str, format: str) -> Imported:
    """The same content reads the same, so it is read once."""
    return read_upload(store.files.read(sha256), name, format=format)


def _make_a_version(visit: Visit, wanted: Mapping[str, str]) -> None:
    with st.form("import", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input(_("Name"), help=_("The version's name; empty to number it."), max_chars=100, width=220)
        note = st.text_input(_("Note"), help=_("What this version is for."), max_chars=500, width=340)
        asked = st.form_submit_button(_("Make a version of it"), type="primary", icon=":material/play_arrow:")
    if asked:
        UPLOADS.renew()
        start_run(visit, {**wanted, "name": name.strip(), "note": note.strip()}, kind=IMPORT)


def _persona(visit: Visit, persona: Persona) -> None:
    with st.container(border=True, key="import-persona"):
        st.markdown(f"**{plain(persona.name)}**")
        st.markdown(plain(persona.system_prompt))
        if persona.greeting:
            st.caption(plain(persona.greeting))
        if any(one.id == persona.id for one in visit.studio.store.personas.all()):
            st.caption(_("This persona is here already; nothing of hers is changed."))
        elif st.button(_("Add this persona"), icon=":material/person_add:", key="import.persona"):
            visit.studio.store.personas.put(persona)
            say_next(_("{name} can be chosen in the sidebar now.").format(name=persona.name))


def _look_into(visit: Visit, found: Imported) -> None:
    if found.persona is not None:
        _persona(visit, found.persona)
    for sample in found.samples[:_SAMPLES]:
        show_sample(sample)
    if more := len(found.samples[_SAMPLES:]):
        st.caption(_n("and {count} more sample", "and {count} more samples", more))


def _report(report: CheckReport) -> None:
    with st.container(horizontal=True, gap="small", key="import-report"):
        for title, count in (
            (_("Samples read"), report.read),
            (_("Repaired among them"), report.repaired),
            (_("Refused"), report.refused),
        ):
            st.metric(title, number(count), border=True, width=170)
    if report.unknown_fields:
        fields = _(", ").join(f"`{name}` ({number(count)})" for name, count in report.unknown_fields.items())
        st.caption(_("Fields nobody here knows, left behind: {fields}").format(fields=fields))
    if report.findings:
        with st.expander(_("What was found, record by record"), icon=":material/fact_check:", expanded=True):
            st.markdown("  \n".join(_finding(one) for one in report.findings[:_FINDINGS]))
            if more := len(report.findings[_FINDINGS:]):
                st.caption(_n("and {count} more", "and {count} more", more))


def _finding(one: Finding) -> str:
    word, colour = _VERDICTS[one.verdict]
    place = f":gray[{plain(one.place.file)}:{one.place.line}] " if one.place else ""
    return f"{place}:{colour}[{_(word)}] {plain(filled(one.message, one.values))}"
