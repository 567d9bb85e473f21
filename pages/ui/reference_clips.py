"""Reference clips: which the ranking proposes and why, and the curator's word on them."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.domain.text import ReviewStatus
from core.domain.voice import Reference
from core.stages.voice_dataset.references import Candidate, reference_candidates
from core.store.clips import ClipFilter
from pages.ui import clip_decisions as verbs
from pages.ui.decisions import tell
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, filled, number
from pages.ui.markup import plain

_MOST: Final = 8
"""More candidates than a curator listens to."""


@st.fragment
def reference_clips(visit: Visit) -> None:
    """Show the clips fit to be references, the best first, and let each be chosen or excluded."""
    tell()
    clips = [
        clip
        for clip in visit.studio.store.clips.iterate(ClipFilter(visit.persona.id))
        if clip.status is not ReviewStatus.REJECTED
    ]
    found = reference_candidates(clips, verbs.rules().references)
    st.subheader(_("Reference clips"), anchor=False)
    st.caption(_("What a trained voice is told to sound like; the best first. Yours to overrule."))
    if not found:
        st.caption(_("No clip qualifies yet: 3 to 10 s, clean, with sure words, in her usual tone."))
    for one in found[:_MOST]:
        _candidate(visit, one)
    excluded = [clip for clip in clips if clip.reference is Reference.EXCLUDED]
    if excluded:
        with st.expander(_n("{count} excluded", "{count} excluded", len(excluded)), icon=":material/block:"):
            for clip in excluded[:_MOST]:
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.markdown(plain(clip.text), width="stretch")
                    st.button(
                        _("Let it be ranked"),
                        type="tertiary",
                        key=f"reference.open.{clip.id}",
                        on_click=verbs.refer,
                        args=(visit, clip, Reference.OPEN),
                    )


def _candidate(visit: Visit, one: Candidate) -> None:
    clip = one.clip
    with st.container(border=True, key=f"reference-{clip.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if clip.reference is Reference.CHOSEN:
                st.badge(_("chosen"), icon=":material/star:", color="blue")
            st.markdown(f"**{plain(clip.text)}**", width="stretch")
            st.caption(_("{seconds} s").format(seconds=number(clip.seconds, "0.0")), width="content")
            st.badge(number(one.score, "#,##0 %"), color="green")
        st.caption(" · ".join(plain(filled(reason.message, reason.values)) for reason in one.reasons))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.audio(str(visit.studio.store.files.path(clip.sha256)), width=280)
            chosen = clip.reference is Reference.CHOSEN
            other = Reference.OPEN if chosen else Reference.CHOSEN
            for name, title, icon, to in (
                ("choose", _("Leave it to the ranking") if chosen else _("Choose"), "star", other),
                ("exclude", _("Exclude"), "block", Reference.EXCLUDED),
            ):
                st.button(
                    title,
                    icon=f":material/{icon}:",
                    type="tertiary",
                    key=f"reference.{name}.{clip.id}",
                    on_click=verbs.refer,
                    args=(visit, clip, to),
                )
