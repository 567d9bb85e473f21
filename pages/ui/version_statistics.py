"""What a dataset version holds, drawn: who speaks to her, how long, from where, how much is reviewed or synthetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import streamlit as st

from core.domain.text import DatasetVersion, Split
from core.translation import N_
from pages.ui import charts
from pages.ui.i18n import _, number
from pages.ui.labels import split_name

_PEOPLE: Final = 12
_LEFT_OUT: Final[Mapping[str, str]] = {
    "near_duplicates": N_("near-duplicates, as decided"),
    "repeated": N_("the same exchange again"),
    "near_held_out": N_("too like what evaluation asks"),
}
"""Reason in the statistics -> in words."""


def counts(version: DatasetVersion) -> None:
    """Show a version in numbers."""
    known = version.statistics
    shares = {
        _("Reviewed"): known.get("reviewed_share"),
        _("Synthetic"): known.get("synthetic_share"),
    }
    with st.container(horizontal=True, gap="xsmall", key="version-counts"):
        _figure(_("Training samples"), number(version.train_samples), width=168)
        _figure(_("Held out"), number(version.held_out_samples))
        _figure(_("Her replies"), number(known.get("exchanges", 0)))
        _figure(
            _("Typical reply"),
            _("{count} ch.").format(count=number(known.get("reply_characters", {}).get("median", 0))),
        )
        for title, share in shares.items():
            if share is not None:
                _figure(title, number(share, "#,##0 %"))


def statistics(version: DatasetVersion) -> None:
    """Draw the charts of a version."""
    known = version.statistics
    left, right = st.columns(2)
    with left:
        people = dict(list(known.get("counterparts", {}).items())[:_PEOPLE])
        charts.bars(people, title=_("Who speaks to her"), key="counterparts")
    with right:
        charts.columns(
            known.get("reply_lengths", {}),
            title=_("Length of her replies"),
            x_title=_("characters, from"),
            key="lengths",
        )
    charts.stacked(list(_by_chapter(known)), title=_("Samples by chapter"), x_title=_("chapter"), key="chapters")
    left, right = st.columns(2)
    with left:
        _sources(known)
        _shares(known)
    with right:
        if exchanges := known.get("exchanges_per_sample"):
            charts.columns(
                exchanges, title=_("Length of the conversations"), x_title=_("replies of hers"), key="exchanges"
            )
        _left_out(known)


def _figure(title: str, value: str, *, width: int = 132) -> None:
    st.metric(title, value, border=True, width=width)


def _by_chapter(known: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield chapter, side and samples, chapter by chapter, over all texts."""
    found = Counter[tuple[int, str]]()
    for row in known.get("by_chapter", ()):
        found[row["chapter"], row["split"]] += row["samples"]
    chapters = sorted({chapter for chapter, _side in found})
    for side in Split:
        yield from ((str(chapter), split_name(side), found[chapter, side]) for chapter in chapters)


def _sources(known: Mapping[str, Any]) -> None:
    sources = {name or _("persona's facts"): count for name, count in known.get("by_source", {}).items()}
    if sources:
        charts.bars(sources, title=_("Samples by text"), key="sources")


def _shares(known: Mapping[str, Any]) -> None:
    if "reviewed_share" not in known:
        return
    shares = {
        _("reviewed replies"): 100 * known["reviewed_share"],
        _("synthetic samples"): 100 * known.get("synthetic_share", 0),
        _("samples held out"): 100 * known.get("held_out_share", 0),
    }
    charts.compared({_("Share"): shares}, title=_("Shares, per cent"), key="shares")


def _left_out(known: Mapping[str, Any]) -> None:
    found = {_(_LEFT_OUT.get(name, name)): count for name, count in known.get("left_out", {}).items() if count}
    if found:
        charts.bars(found, title=_("Replies left out, and why"), key="left-out")
