"""A tool's environment as a trainer sees it: ready or not, which versions, built here or somebody's own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import streamlit as st

from core.domain.run import RunState
from core.services import Services
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.run_panel import run_panel, start_run

_BUILDING: Final = "toolchain"
_FRESH: Final = 60
"""Seconds a look at an environment is remembered: asking its interpreter takes a moment."""


def toolchain_line(visit: Visit, name: str, title: str) -> None:
    """Say in one line whether the tool is ready, with its versions, a check and a way to build it folded in."""
    report = _looked_at(visit.studio, str(visit.studio.settings.workspace), name, imports=False)
    if report["absent"]:
        _looked_at.clear()  # a run may build it any moment
    words, symbol = _headline(report)
    builds = visit.studio.store.runs.all(persona_id=visit.persona.id, kind=_BUILDING)
    build = next((run for run in builds if run.settings.get("name") == name), None)
    line = _("{title}: {words}").format(title=title, words=words)
    with st.expander(line, icon=f":material/{symbol}:", expanded=build is not None and not build.state.over):
        if report["fine"]:
            st.code(report["detail"], language=None, wrap_lines=True)
        elif not report["absent"]:
            st.warning(_told(report), icon=":material/error:")
        st.caption(
            _("An environment of your own is taken instead when `toolchains.{name}.python` names its Python.").format(
                name=name
            )
        )
        _buttons(visit, name, report)
        if build is not None and build.state is not RunState.SUCCEEDED:
            run_panel(visit, build.id)


def _buttons(visit: Visit, name: str, report: dict[str, Any]) -> None:
    with st.container(horizontal=True), told_to_the_user():
        if report["absent"] and st.button(_("Build it now"), icon=":material/build:", key=f"build.{name}"):
            start_run(visit, {"name": name}, kind=_BUILDING)
        if report["fine"] and st.button(_("Try it out"), icon=":material/stethoscope:", key=f"try.{name}"):
            with st.spinner(_("Starting the tool, up to half a minute")):
                tried = _looked_at(visit.studio, str(visit.studio.settings.workspace), name, imports=True)
            if tried["fine"]:
                st.success(_("It starts."), icon=":material/check:")
            else:
                st.error(_told(tried), icon=":material/error:")


def _headline(report: dict[str, Any]) -> tuple[str, str]:
    """Return the words and the symbol the line begins with."""
    if report["fine"]:
        shown = list(report["versions"].items())[:3]
        return " · ".join(f"{package} {version}" for package, version in shown), "check_circle"
    if report["absent"]:
        return _("not built yet: the first run builds it, a few minutes"), "deployed_code_update"
    return _("does not work"), "error"


def _told(report: dict[str, Any]) -> str:
    return f"{report['detail']} {_(report['remedy'])}"


@st.cache_data(ttl=_FRESH, show_spinner=False, max_entries=20)
def _looked_at(_studio: Services, workspace: str, name: str, *, imports: bool) -> dict[str, Any]:
    report = _studio.toolchain(name, imports=imports)
    return {**asdict(report), "python": str(report.python or "")}
