"""Voice training: what there is to train from, what is coming, and where her voice comes from until then."""

from __future__ import annotations

import streamlit as st

from core.domain.text import ReviewStatus
from core.domain.training import ModelKind
from core.store.clips import ClipFilter
from pages.ui.frame import coming, empty, page
from pages.ui.i18n import _, _n, duration, moment
from pages.ui.tables import chosen_row

visit = page("voice_training")
studio, persona = visit.studio, visit.persona

ready = ClipFilter(persona.id, status=ReviewStatus.ACCEPTED)
clips, seconds = studio.store.clips.count(ready), studio.store.clips.seconds(ready)
sets = studio.store.clip_sets.sets(persona.id)
voices = studio.store.models.all(persona.id, ModelKind.VOICE)

with st.container(horizontal=True):
    st.metric(_("Clips ready"), clips, border=True, width=200)
    st.metric(_("Sound in them"), duration(seconds) if clips else "—", border=True, width=200)
    st.metric(_("Frozen sets"), len(sets), border=True, width=200)
    st.metric(_("Voices trained"), len(voices), border=True, width=200)

if clips:
    st.markdown(
        _n("{count} clip of her voice waits for training.", "{count} clips of her voice wait for training.", clips)
    )
    if sets:
        chosen_row(
            [
                {
                    _("set"): one.name,
                    _("clips"): one.clips,
                    _("duration"): duration(one.seconds),
                    _("frozen"): moment(one.created_at),
                    _("fingerprint"): one.fingerprint[:12],
                }
                for one in sets[:50]
            ],
            key="sets.ready",
        )
else:
    empty(_("There is no clip of her voice yet."), icon="graphic_eq", link="voice_dataset", label=_("Add a recording"))

coming("voice_training")
