"""What the trainer will see of a version: a sample's tokens by their loss, how long the samples are, what is cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, Final

import streamlit as st

from core.domain.recipe import TINY
from core.domain.text import DatasetVersion, Split
from core.stages.dataset.preview import Preview, TokenLengths, preview, reader_of, token_lengths
from core.stages.finetuning.settings import PRESETS, preset_values
from core.store import Store
from pages.ui import charts
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit
from pages.ui.i18n import _, moment, number
from pages.ui.state import VERSION, Trail
from pages.ui.tables import pager, place_of

PLACES: Final = Trail("preview")


@dataclass(frozen=True, slots=True)
class _Trainer:
    """What decides how a sample is read."""

    base: str
    template: str
    vocabulary: int
    max_length: int

    def reading(self) -> dict[str, Any]:
        """Return what its reader wants to know."""
        return {"base": self.base, "template": self.template, "vocabulary": self.vocabulary}


@st.fragment
def sample_preview(visit: Visit) -> None:
    """Show a sample token by token and how long all of them are, for a base model and its longest sequence."""
    versions = {one.id: one for one in visit.studio.store.datasets.versions(visit.persona.id)}
    if not versions:
        return
    # Lazily: the first look loads a tokenizer, which takes seconds.
    folded = st.expander(_("What the trainer will see"), icon=":material/visibility:", key="preview", on_change="rerun")
    if not folded.open:
        return
    with folded:
        version, trainer = _chosen(visit, versions)
        with told_to_the_user():
            with st.spinner(_("Reading the samples as the trainer does"), show_time=True):
                lengths = _lengths(visit.studio.store, version.id, trainer)
            _sample(visit, version, trainer)
            _overview(lengths)


def _chosen(visit: Visit, versions: Mapping[str, DatasetVersion]) -> tuple[DatasetVersion, _Trainer]:
    presets = {name: preset_values(name) for name in PRESETS}
    known = [values["base"] for values in presets.values()]
    trained = [one.base for one in visit.studio.store.models.all(visit.persona.id)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        ids = list(versions)
        now = VERSION.get() if VERSION.get() in versions else ids[0]
        chosen = st.selectbox(
            _("Version"),
            ids,
            index=ids.index(now),
            format_func=lambda one: f"{versions[one].name} · {moment(versions[one].created_at)}",
            width=240,
        )
        if chosen != now:
            VERSION.set(chosen)
        preset = presets[st.selectbox(_("Preset"), PRESETS, width=240, key="preview.preset")]
        base = st.selectbox(
            _("Base model"),
            list(dict.fromkeys([preset["base"], TINY, *known, *trained])),
            accept_new_options=True,
            help=_("“tiny”, or a folder in the workspace."),
            width=200,
            key=f"preview.base.{preset['preset']}",
        )
        longest = st.number_input(
            _("Longest sequence (tokens)"),
            min_value=16,
            value=int(preset["max_length"]),
            step=16,
            width=200,
            key=f"preview.longest.{preset['preset']}",
        )
    return versions[chosen], _trainer(preset, base, int(longest))


def _trainer(preset: Mapping[str, Any], base: str, longest: int) -> _Trainer:
    return _Trainer(base, str(preset["prompt_template"]), int(preset["tiny"]["vocabulary"]), longest)


@lru_cache(maxsize=16)
def _lengths(store: Store, version_id: str, trainer: _Trainer) -> TokenLengths:
    """Versions never change, so their samples are measured once."""
    version = store.datasets.get(version_id)
    return token_lengths(version, store, reader_of(version, store, **trainer.reading()), max_length=trainer.max_length)


def _sample(visit: Visit, version: DatasetVersion, trainer: _Trainer) -> None:
    store = visit.studio.store
    place = place_of(PLACES, version.id)
    found = store.datasets.samples(version.id, split=Split.TRAIN, after=place[0] if place else -1, limit=1)
    if not found:
        st.caption(_("There is no training sample in it."))
        return
    seen = preview(
        found[0], reader_of(version, store, **trainer.reading()), version=version, max_length=trainer.max_length
    )
    st.html(_tokens(seen))
    _told(seen)
    last = PLACES.number() >= version.train_samples
    pager(PLACES, next_cursor=None if last else (found[0].ordinal,), total=version.train_samples, per_page=1)


def _tokens(seen: Preview) -> str:
    """Return the tokens as HTML, neighbours told apart by their gaps, kinds by their colours."""
    kinds = ["learnt" if token.loss else "read" for token in seen.seen] + ["cut"] * len(seen.cut)
    parts = [
        f'<span class="{kind}" title="{token.id}">{_shown(token.text)}</span>'
        for token, kind in zip(seen.tokens, kinds, strict=True)
    ]
    return f'<div class="tokens">{"".join(parts)}</div>'


def _shown(text: str) -> str:
    return escape(text).replace("\n", "⏎<br>") or "·"


def _told(seen: Preview) -> None:
    words = [
        _("{count} tokens").format(count=number(len(seen.tokens))),
        _(":green[green: {count} with loss, learnt]").format(count=number(seen.learnt)),
        _("gray: only read"),
    ]
    if seen.cut:
        words.append(
            _(":red[struck out: {count} beyond the longest sequence, never seen]").format(count=number(len(seen.cut)))
        )
    st.caption(" · ".join(words))
    if seen.like_a_chat is False:
        st.warning(
            _("A chat with this model puts other tokens around the words than the training does."),
            icon=":material/difference:",
        )


def _overview(lengths: TokenLengths) -> None:
    measured = len(lengths.lengths)
    told: Sequence[str] = [
        _("{count} of {total} samples are longer than {longest} tokens and are cut").format(
            count=number(lengths.cut), total=number(measured), longest=number(lengths.max_length)
        ),
        _("{count} tokens with loss").format(count=number(lengths.learnt)),
    ]
    if lengths.lost:
        told = [*told, _("{count} samples lose every reply and teach nothing").format(count=number(lengths.lost))]
    if measured < lengths.samples:
        told = [*told, _("measured: {count} drawn by lot").format(count=number(measured))]
    charts.columns(
        {str(start): count for start, count in lengths.histogram(bars=24).items()},
        title=_("How long the samples are"),
        x_title=_("tokens, from"),
        key="preview-lengths",
    )
    st.caption(" · ".join(told))
