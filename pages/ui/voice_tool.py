"""GPT-SoVITS as a trainer sees it: where it is, whether it starts, and which pretrained files each model has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import streamlit as st

from core.domain.checkout import Checkout, CheckoutReport, FileState, ModelReport, NeededFile
from core.errors import StudioError
from core.services import Services
from core.translation import N_
from pages.ui.errors import show_failure, told_to_the_user
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, _n, size_of

_FRESH: Final = 60
"""Seconds a look at the checkout is remembered: its Python takes a moment to start."""
_STATES: Final[Mapping[FileState, str]] = {
    FileState.THERE: N_("there"),
    FileState.MISSING: N_("missing"),
    FileState.ODD: N_("there, but of another size than upstream's: perhaps half a download"),
}


def voice_tool_room(visit: Visit) -> None:
    """Ask where GPT-SoVITS is, and show what was found there."""
    place = visit.studio.voice_tool_place()
    _form(visit, place)
    if place is None:
        st.caption(
            _(
                "GPT-SoVITS is no package that could be installed for you: fetch its repository, make its environment "
                "as its README says, and put its pretrained files in place. Then give both paths here."
            )
        )
        return
    if st.button(_("Look again"), icon=":material/refresh:", key="voice-tool.again"):
        _looked_at.clear()
    with told_to_the_user(), st.spinner(_("Looking at the checkout and its Python"), show_time=True):
        _report(looked_at(visit))


def looked_at(visit: Visit) -> dict[str, Any]:
    """Return what was found of the checkout, as plain values; StudioError where nobody has said where it is."""
    place = visit.studio.voice_tool_place()
    where = f"{place.folder}|{place.python}" if place else ""
    return _looked_at(visit.studio, str(visit.studio.settings.workspace), where)


def _form(visit: Visit, place: Checkout | None) -> None:
    fixed = visit.studio.settings.voice
    with st.form("voice-tool", border=place is None), told_to_the_user():
        folder = st.text_input(
            _("Folder of the checkout"),
            str(place.folder) if place else "",
            placeholder="…/GPT-SoVITS",
            disabled=fixed.checkout is not None,
        )
        python = st.text_input(
            _("Python of its environment"),
            str(place.python) if place else "",
            placeholder="…/env/bin/python",
            disabled=fixed.python is not None,
        )
        if fixed.checkout is not None or fixed.python is not None:
            st.caption(_("What configs/app.yaml says under `voice` cannot be changed here."))
        if st.form_submit_button(_("Check and keep"), type="primary", icon=":material/check:"):
            with st.spinner(_("Looking at the checkout and its Python"), show_time=True):
                visit.studio.place_voice_tool(Path(folder.strip()), Path(python.strip()), who=visit.who)
            _looked_at.clear()
            say_next(_("GPT-SoVITS was found there."))


def _report(found: Mapping[str, Any]) -> None:
    for problem in found["problems"]:
        show_failure(problem["message"], problem["remedy"], problem["values"])
    versions = dict(found["versions"])
    with st.container(horizontal=True, key="voice-tool-facts"):
        st.metric(_("Commit"), found["commit"][:10] or "—", border=True, width=200)
        for name, version in versions.items():
            if name != "GPT-SoVITS":
                st.metric(name, version, border=True, width=200)
        st.metric(_("Computes on"), ", ".join(found["gpus"]) or _("the processor"), border=True, width=260)
    st.markdown(f"##### {_('Models')}")
    lacking = False
    for model in found["models"]:
        lacking = _model(model) or lacking
    if lacking:
        st.info(_(found["sources"]), icon=":material/download:")


def _model(model: Mapping[str, Any]) -> bool:
    """Show one version; return whether it lacks anything."""
    words, symbol = _headline(model)
    line = _("{title}: {words}").format(title=model["version"], words=words)
    with st.expander(line, icon=f":material/{symbol}:", key=f"voice-model-{model['version']}"):
        files = model["files"]
        st.dataframe(
            {
                _("file"): [one["path"] for one in files],
                _("state"): [_(_STATES[FileState(one["state"])]) for one in files],
                _("size"): [_size(one["size"]) for one in files],
                _("upstream's size"): [_size(one["expected"]) for one in files],
                _("to train"): [one["trains"] for one in files],
                _("to speak"): [one["speaks"] for one in files],
            },
            hide_index=True,
        )
    return bool(model["missing"] or model["missing_to_speak"])


def _headline(model: Mapping[str, Any]) -> tuple[str, str]:
    """Return the words and the symbol a version's line begins with."""
    missing = {*model["missing"], *model["missing_to_speak"]}
    if missing:
        words = _n("{count} file is missing", "{count} files are missing", len(missing))
        return (words if model["missing_to_speak"] else _("can speak; to train, {words}").format(words=words)), "error"
    if model["odd"]:
        count = len(model["odd"])
        return _n("{count} file is of an odd size", "{count} files are of an odd size", count), "help"
    return _("ready"), "check_circle"


def _size(count: int | None) -> str:
    return size_of(count) if count else "—"


@st.cache_data(ttl=_FRESH, show_spinner=False, max_entries=10)
def _looked_at(_studio: Services, workspace: str, where: str) -> dict[str, Any]:
    return _plain(_studio.look_at_voice_tool())


def _plain(report: CheckoutReport) -> dict[str, Any]:
    """Return the report as plain values, which can be remembered."""
    return {
        "fine": report.fine,
        "problems": [_problem(one) for one in report.problems],
        "commit": report.commit,
        "versions": dict(report.versions),
        "gpus": list(report.gpus),
        "sources": report.sources,
        "models": [_plain_model(one) for one in report.models],
    }


def _problem(one: StudioError) -> dict[str, Any]:
    return {"message": one.message, "remedy": one.remedy, "values": {k: str(v) for k, v in one.values.items()}}


def _plain_model(model: ModelReport) -> dict[str, Any]:
    return {
        "version": model.version,
        "missing": list(model.missing()),
        "missing_to_speak": list(model.missing(speaking=True)),
        "odd": list(model.odd),
        "files": [_plain_file(one) for one in model.files],
    }


def _plain_file(one: NeededFile) -> dict[str, Any]:
    return {
        "path": one.path,
        "state": one.state.value,
        "size": one.size,
        "expected": one.expected,
        "trains": one.trains,
        "speaks": one.speaks,
    }
