"""Near-duplicates, a cluster at a time: which lines stay, how the others differ, why they are thought the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import streamlit as st

from core.domain.cleaning import DuplicateCluster, DuplicateMember
from core.domain.text import Utterance
from core.errors import ConflictError, NotFoundError
from core.lifecycle import stage
from core.stages.dataset.near_duplicates import Reason
from pages.ui.decisions import careful
from pages.ui.frame import Visit, script
from pages.ui.i18n import _, _n, number
from pages.ui.markup import plain
from pages.ui.state import SAID, Slot, Trail
from pages.ui.word_differences import changed_words, words

CLUSTER: Final = Slot("cleaning.cluster", "", link="cluster")
"""The cluster one looks at out of turn; empty for the next one."""
DECIDED_TOO: Final = Slot("cleaning.decided", False)
"""Whether clusters somebody has decided about are shown, too."""
PLACES: Final = Trail("clusters")
ROUND: Final = Slot("cleaning.round", 0)
"""How often one has come to the end and begun again."""
_SHOWN: Final = 9
"""Lines of a cluster one sees; single digits choose among them."""


def clusters(visit: Visit, books: Mapping[str, str]) -> None:
    """Show the next cluster and what can be done about it; `books` are the texts' names by id."""
    cluster = _current(visit)
    if cluster is None:
        _nothing_left(visit)
        return
    _head(visit, cluster)
    members = _in_view(cluster)
    lines = {one.utterance_id: visit.studio.store.utterances.get(one.utterance_id) for one in members}
    with st.container(border=True, gap="small", key="cluster"):
        middle = next((one for one in cluster.members if one.proposed), cluster.members[0])
        kept = [
            one.utterance_id
            for place, one in enumerate(members, start=1)
            if _member(visit, cluster, one, middle, lines[one.utterance_id], place, books)
        ]
        if hidden := len(cluster.members) - len(members):
            st.caption(
                _n(
                    "and {count} more line like these, which only stays with all of them",
                    "and {count} more lines like these, which only stay with all of them",
                    hidden,
                )
            )
    _buttons(visit, cluster, kept)


def _current(visit: Visit) -> DuplicateCluster | None:
    duplicates = visit.studio.store.duplicates
    if wanted := CLUSTER.get():
        try:
            return duplicates.get(wanted)
        except (ConflictError, NotFoundError):  # a newer search made others of its lines
            CLUSTER.clear()
    page = duplicates.clusters(visit.persona.id, open_only=not DECIDED_TOO.get(), after=_place(), limit=1)
    if not page.rows and _place() is not None:  # the last one was decided: those that were skipped come again
        _begin_again()
        page = duplicates.clusters(visit.persona.id, open_only=not DECIDED_TOO.get(), limit=1)
    return next(iter(page.rows), None)


def _place() -> int | None:
    place = PLACES.here(f"{DECIDED_TOO.get()}.{ROUND.get()}")
    return int(place) if place else None


def _nothing_left(visit: Visit) -> None:
    total = visit.studio.store.duplicates.count(visit.persona.id, open_only=False)
    with st.container(border=True, horizontal_alignment="center", key="nothing-left"):
        told = _("Every cluster is decided.") if total else _("No line says nearly the same as another.")
        st.markdown(f":material/done_all: {told}", width="content")
        with st.container(horizontal=True, horizontal_alignment="center"):
            if total:
                st.button(_("Look at the decided ones"), key="cluster-decided", on_click=DECIDED_TOO.set, args=(True,))
            _undo_button(visit)


def _head(visit: Visit, cluster: DuplicateCluster) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="cluster-head"):
        st.markdown(
            _n("**{count} line** says nearly the same", "**{count} lines** say nearly the same", len(cluster.members)),
            width="content",
        )
        if not cluster.open:
            st.badge(_("decided by {who}").format(who=cluster.decided_by), color="green", icon=":material/check:")
        st.space("stretch")
        st.toggle(
            _("Decided ones too"),
            DECIDED_TOO.get(),
            key=f"cluster-decided-too.{DECIDED_TOO.get()}",
            on_change=_show_decided,
            args=(not DECIDED_TOO.get(),),
        )
        _many(visit)


def _in_view(cluster: DuplicateCluster) -> Sequence[DuplicateMember]:
    first = [one for one in cluster.members if one.proposed]
    return [*first, *(one for one in cluster.members if not one.proposed)][:_SHOWN]


def _member(
    visit: Visit,
    cluster: DuplicateCluster,
    member: DuplicateMember,
    middle: DuplicateMember,
    line: Utterance,
    place: int,
    books: Mapping[str, str],
) -> bool:
    """Draw a line with its box; return whether it is ticked."""
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key=f"cluster-member-{place}"):
        ticked = st.checkbox(
            _("Keep line {number}").format(number=place),
            value=member.proposed if member.kept is None else member.kept,
            key=f"keep.{cluster.id}.{cluster.revision}.{place}",
            label_visibility="collapsed",
        )
        with st.container(gap="xsmall", width="stretch"):
            same = member is middle
            st.html(words(member.text) if same else changed_words(middle.text, member.text))
            _origin(member, line, books, same=same)
        if len(cluster.members) > 1:
            st.button(
                _("Only this"),
                shortcut=str(place),
                type="tertiary",
                key=f"cluster-only-{place}",
                on_click=_decide,
                args=(visit, cluster, (member.utterance_id,)),
            )
    return ticked


def _origin(member: DuplicateMember, line: Utterance, books: Mapping[str, str], *, same: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if same:
            st.badge(_("proposed to stay"), color="green", icon=":material/bookmark:")
        else:
            st.badge(_(Reason(member.reason).label), color="blue")
            st.badge(_("{share} alike").format(share=number(member.similarity, "#,##0 %")), color="gray")
        if member.kept is not None:
            st.badge(_("stays") if member.kept else _("left out"), color="green" if member.kept else "red")
        if line.status == "accepted":
            st.badge(_("accepted"), color="green", icon=":material/check:")
        st.page_link(
            script(stage("corpus")),
            label=_origin_of(line, books),
            query_params={"passage": line.passage_id, "line": line.id},
        )


def _origin_of(line: Utterance, books: Mapping[str, str]) -> str:
    where = _("chapter {number}").format(number=number(line.chapter))
    book = [plain(books.get(line.source_id, ""))] if len(books) > 1 else []
    return f":small[{' · '.join([plain(line.speaker or '—'), where, *book])}]"


def _buttons(visit: Visit, cluster: DuplicateCluster, kept: Collection[str]) -> None:
    total = len(cluster.members)
    with st.container(horizontal=True, gap="xsmall", key="cluster-decide"):
        st.button(
            _("Keep {count} of {total}").format(count=number(len(kept)), total=number(total))
            if kept
            else _("Keep none"),
            icon=":material/check:",
            type="primary",
            shortcut="A",
            key="cluster-keep",
            help=_("The ticked lines stay; datasets leave out the others. Nothing is deleted."),
            on_click=_decide,
            args=(visit, cluster, tuple(kept)),
        )
        st.button(
            _("Keep all"),
            icon=":material/done_all:",
            shortcut="S",
            key="cluster-keep-all",
            on_click=_decide,
            args=(visit, cluster, tuple(one.utterance_id for one in cluster.members)),
        )
        st.button(
            _("Skip"),
            icon=":material/arrow_forward:",
            shortcut="J",
            key="cluster-skip",
            on_click=_skip,
            args=(visit,),
        )
        st.button(
            "",
            icon=":material/arrow_back:",
            help=_("Back to the cluster before"),
            shortcut="K",
            key="cluster-back",
            disabled=PLACES.number() == 1,
            on_click=_back,
        )
        _undo_button(visit)


def _undo_button(visit: Visit) -> None:
    st.button(
        _("Undo"),
        icon=":material/undo:",
        help=_("Take back the last decision of yours about near-duplicates."),
        shortcut="Ctrl+Z",
        type="tertiary",
        key="cluster-undo",
        on_click=_undo,
        args=(visit,),
    )


def _many(visit: Visit) -> None:
    with st.popover(_("Decide many"), icon=":material/playlist_add_check:", type="tertiary", key="cluster-many"):
        least = st.slider(
            _("As proposed, where all lines are at least so much alike (per cent)"), 80, 100, 100, key="cluster-least"
        )
        st.button(
            _("Decide them as proposed"),
            type="primary",
            key="cluster-accept-many",
            on_click=_decide_many,
            args=(visit, least / 100),
        )


@careful
def _decide(visit: Visit, cluster: DuplicateCluster, keep: Collection[str]) -> None:
    visit.studio.store.duplicates.decide(cluster.id, cluster.revision, keep=keep, who=visit.who)
    CLUSTER.clear()
    stay = _n("{count} line stays", "{count} lines stay", len(keep))
    SAID.set(_("{stay}, {gone} left out").format(stay=stay, gone=number(len(cluster.members) - len(keep))))
    if DECIDED_TOO.get():
        _go_on(visit)


@careful
def _decide_many(visit: Visit, least: float) -> None:
    decided = visit.studio.store.duplicates.accept_proposals(visit.persona.id, who=visit.who, similarity=least)
    CLUSTER.clear()
    SAID.set(_n("{count} cluster decided as proposed", "{count} clusters decided as proposed", decided))


@careful
def _skip(visit: Visit) -> None:
    _go_on(visit)


def _go_on(visit: Visit) -> None:
    looked_at = CLUSTER.get()
    CLUSTER.clear()
    page = visit.studio.store.duplicates.clusters(
        visit.persona.id, open_only=not DECIDED_TOO.get(), after=_place(), limit=1
    )
    if looked_at and page.rows and page.rows[0].id != looked_at:
        return  # back from a cluster out of turn to the one whose turn it is
    if page.next_cursor is None:
        _begin_again()
    else:
        PLACES.forward(str(page.next_cursor))


def _begin_again() -> None:
    ROUND.set(ROUND.get() + 1)


def _back() -> None:
    CLUSTER.clear()
    PLACES.back()


@careful
def _undo(visit: Visit) -> None:
    cluster = visit.studio.store.duplicates.undo(visit.who, visit.persona.id)
    if cluster is None:
        SAID.set(_("Nothing to undo"))
        return
    CLUSTER.set(cluster.id)
    SAID.set(_("The last decision is taken back."))


def _show_decided(wanted: bool) -> None:
    DECIDED_TOO.set(wanted)
    CLUSTER.clear()
