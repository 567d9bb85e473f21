"""The search for dialogues: by rules, or by a language model with its price told first; and what it could not do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from core.domain.run import Run, RunState
from core.domain.text import SourceKind
from core.settings import stage_defaults
from core.stages.dialogues.extractors import EXTRACTORS
from core.stages.dialogues.settings import KorSettings, ServedKor
from pages.ui.errors import told_to_the_user
from pages.ui.estimates import estimate_of, show_estimate
from pages.ui.frame import Visit, entries, say_next, script
from pages.ui.i18n import _, _n, number
from pages.ui.markup import plain
from pages.ui.run_panel import begun, last_run, stage_run, start_run
from pages.ui.settings_form import settings_form, stage_form
from pages.ui.state import watched_run

MODEL: Final = "kor"
_FIRST: Final = ("base_url", "model", "only_uncertain", "concurrency")
_MOST_SHOWN: Final = 200


def find_dialogues(visit: Visit, sources: Mapping[str, str]) -> None:
    """Show the search and its runs; `sources` are the names of the persona's texts by id."""
    ever = begun(visit) or bool(last_run(visit, MODEL))
    with st.expander(_("Find the dialogues"), icon=":material/forum:", expanded=not ever):
        way = st.segmented_control(
            _("How"),
            ["rules", MODEL],
            default="rules",
            format_func={"rules": _("By rules, offline"), MODEL: _("By a language model")}.__getitem__,
            required=True,
            label_visibility="collapsed",
            key="find.way",
        )
        if way == MODEL:
            _by_model(visit, sources)
        else:
            _by_rules(visit, sources)
    stage_run(visit)
    stage_run(visit, kind=MODEL)
    outcome(visit)


def _by_rules(visit: Visit, sources: Mapping[str, str]) -> None:
    with st.form("extract", border=False):
        values = stage_form(visit.studio, "dialogues", omit={"source_ids"})
        chosen = _texts(sources, "find.texts")
        asked = st.form_submit_button(_("Start"), type="primary", icon=":material/play_arrow:")
    if asked:
        start_run(visit, {**values, "source_ids": chosen})


@st.fragment
def _by_model(visit: Visit, sources: Mapping[str, str]) -> None:
    st.caption(_(EXTRACTORS[MODEL].summary))
    served = stage_defaults("kor", ServedKor)
    values = settings_form(KorSettings, served.model_dump(), key="kor.usual", first=_FIRST, omit={"source_ids"})
    told_apart = {one.id: one.kind for one in visit.studio.store.corpus.sources(visit.persona.id)}
    read = {one: name for one, name in sources.items() if told_apart.get(one) is not SourceKind.QUOTES}
    chosen = _texts(read, "find.model_texts")
    if not (values["base_url"] and values["model"] and chosen):
        st.info(_("Give the address of a server and a model's name to see what asking it would come to."))
        return
    wanted = {**values, "source_ids": chosen}
    told: Mapping[str, Any] | None = None
    with told_to_the_user():
        told = estimate_of(visit, MODEL, wanted)
        show_estimate(told, served.endpoint_key)
    ready = told is not None and told["questions"] > 0
    if st.button(_("Ask the model"), type="primary", icon=":material/send:", disabled=not ready, key="find.ask"):
        start_run(visit, wanted, kind=MODEL)


def _texts(sources: Mapping[str, str], key: str) -> list[str]:
    return st.multiselect(
        _("Texts"), list(sources), default=list(sources), format_func=lambda one: sources.get(one, one), key=key
    )


def outcome(visit: Visit, kind: str = MODEL) -> None:
    """Say what the last run that asked a model could not do: pieces to ask again, lines that are not in the book."""
    watched = last_run(visit, kind)
    run = visit.studio.store.runs.get(watched) if watched else None
    if run is None or run.state is not RunState.SUCCEEDED:
        return
    if retry := run.result.get("retry", []):
        _retry(visit, run, retry)
    file = visit.studio.settings.runs / run.id / "report.json"
    if kind == MODEL and file.exists():
        _slips(json.loads(file.read_text(encoding="utf-8")))


def _retry(visit: Visit, run: Run, retry: Sequence[Mapping[str, str]]) -> None:
    told = _n("{count} question has no answer yet", "{count} questions have no answer yet", len(retry))
    with st.expander(told, icon=":material/replay:", expanded=True):
        if st.button(
            _("Ask these again"),
            icon=":material/replay:",
            key=f"retry.{run.id}",
            help=_("The same run again: what is answered already is not asked again and costs nothing."),
        ):
            with told_to_the_user():
                fresh = visit.studio.jobs.again(run.id, who=visit.who)
                watched_run(run.kind).set(fresh.id)
                say_next(_("The run is queued."))
        for place, one in enumerate(retry[:_MOST_SHOWN]):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                _link(one["subject"], f"retry.{run.id}.{place}", quote=run.kind != MODEL)
                st.caption(plain(one["problem"]))


def _slips(slips: Sequence[Mapping[str, Any]]) -> None:
    """Show the model's words beside the book's; what is nowhere in the book became no line."""
    missing = [one for one in slips if one["match"] == "not-found"]
    repaired = [one for one in slips if one["match"] != "not-found"]
    if missing:
        told = _n("{count} line is not in the book", "{count} lines are not in the book", len(missing))
        with st.expander(told, icon=":material/search_off:"):
            st.caption(_("The model gave these words, and the text has nothing like them: no line was made of them."))
            for place, one in enumerate(missing[:_MOST_SHOWN]):
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    _link(one["passage_id"], f"missing.{place}")
                    st.markdown(f"**{plain(one['role'])}** {plain(one['words'])}", width="stretch")
    if repaired:
        told = _n("{count} line was put right by the book", "{count} lines were put right by the book", len(repaired))
        with st.expander(told, icon=":material/healing:"):
            st.dataframe(
                {
                    _("The model"): [one["words"] for one in repaired],
                    _("The book"): [one["text"] for one in repaired],
                    _("Alike"): [number(one["similarity"], "#,##0 %") for one in repaired],
                    _("Speaker"): [one["role"] for one in repaired],
                },
                hide_index=True,
            )


def _link(subject: str, key: str, *, quote: bool = False) -> None:
    page, name = ("dialogues", "line") if quote else ("corpus", "passage")
    st.page_link(
        script(entries()[page]),
        label=_("See the place"),
        icon=":material/menu_book:",
        query_params={name: subject},
        width="content",
    )
