"""The form that takes in texts, and what became of each file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from core.domain.run import RunState
from core.domain.text import SourceKind
from core.errors import StudioError
from core.stages.corpus.settings import Refusal
from core.stages.corpus.upload import SUFFIXES, clean_name
from pages.ui.errors import show_failure
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, filled, number
from pages.ui.labels import source_kind
from pages.ui.markup import plain
from pages.ui.run_panel import start_run
from pages.ui.state import UPLOADS, watched_run


def import_form(visit: Visit, *, unfolded: bool) -> None:
    """Show the form; files that are refused at the door do not keep the others out."""
    limit = visit.studio.settings.uploads.max_text_mb
    with (
        st.expander(_("Import texts"), icon=":material/upload_file:", expanded=unfolded),
        st.form("import", border=False),
    ):
        uploads = st.file_uploader(
            _("Texts, ebooks, documents, subtitles, or zips of them; at most {limit} MB each").format(
                limit=number(limit)
            ),
            type=SUFFIXES,
            max_upload_size=limit,
            accept_multiple_files=True,
            key=UPLOADS.key(),
            help=_(
                "TXT, Markdown, HTML, EPUB, DOCX, PDF with a text layer, SRT, ASS and VTT; told by their content. "
                "UTF-8, UTF-16, GB18030 and Big5 are recognised. The file is kept as it is."
            ),
        )
        kind = st.selectbox(
            _("Kind of text"),
            [None, *SourceKind],
            format_func=lambda one: source_kind(one) if one else _("recognise it"),
        )
        asked = st.form_submit_button(_("Import"), type="primary", icon=":material/upload:")
    if asked and not uploads:
        st.warning(_("Choose one or more files first."), icon=":material/upload_file:")
    elif asked:
        _start(visit, uploads, kind)


def import_report(visit: Visit) -> None:
    """Say which files of the last import were left out and why, and which others came in."""
    newest = visit.studio.store.runs.all(persona_id=visit.persona.id, kind="corpus", limit=1)
    watched = watched_run("corpus").get() or (newest[0].id if newest else "")
    run = visit.studio.store.runs.get(watched) if watched else None
    if run is None or run.state is not RunState.SUCCEEDED:
        return
    files: list[Mapping[str, Any]] = run.result.get("files", [])
    left_out = [one for one in files if "refused" in one]
    if not left_out:
        return
    told = _n("{count} file was left out", "{count} files were left out", len(left_out))
    with st.expander(told, icon=":material/warning:", expanded=bool(watched_run("corpus").get())):
        for file in left_out:
            why = file["refused"]
            words = plain(filled(why["message"], why["values"])), plain(filled(why["remedy"], why["values"]))
            named = "" if file["name"] in why["values"].values() else f"{plain(file['name'])}: "
            st.markdown(f"**{named}{words[0]}** {words[1]}")
        came_in = [plain(one["name"]) for one in files if "source" in one]
        st.caption(_("Imported: {names}").format(names=_(", ").join(came_in)))


def _start(visit: Visit, uploads: Iterable[Any], kind: SourceKind | None) -> None:
    received: list[dict[str, Any]] = []
    errors: list[StudioError] = []
    for upload in uploads:
        try:
            received += visit.studio.receive_texts(upload, upload.name)
        except StudioError as error:
            errors.append(error)
            received.append({"name": clean_name(upload.name), "refused": Refusal.of(error).model_dump()})
    if len(errors) == len(received):
        for refusal in errors:
            show_failure(refusal.message, refusal.remedy, refusal.values)
        return
    UPLOADS.renew()
    said = _n("{count} text received", "{count} texts received", sum(not one.get("refused") for one in received))
    start_run(visit, {"uploads": received, "kind": kind}, said)
