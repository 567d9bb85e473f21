"""Voice training: what there is to train from, what is coming, and where her voice comes from until then."""

from __future__ import annotations

import streamlit as st

from core.domain.training import ModelKind
from pages.ui.frame import coming, empty, page
from pages.ui.i18n import _, _n, duration
from pages.ui.tables import chosen_row

visit = page("voice_training")
studio, persona = visit.studio, visit.persona

clips = studio.store.voice.clips(persona.id)
voices = studio.store.models.all(persona.id, ModelKind.VOICE)
seconds = sum(clip.end - clip.start for clip in clips)

with st.container(horizontal=True):
    st.metric(_("Clips ready"), len(clips), border=True, width=200)
    st.metric(_("Sound in them"), duration(seconds) if clips else "—", border=True, width=200)
    st.metric(_("Voices trained"), len(voices), border=True, width=200)

if clips:
    st.markdown(
        _n("{count} clip of her voice waits for training.", "{count} clips of her voice wait for training.", len(clips))
    )
    chosen_row(
        [{_("words"): clip.text, _("seconds"): round(clip.end - clip.start, 2)} for clip in clips[:50]],
        key="clips.ready",
    )
else:
    empty(_("There is no clip of her voice yet."), icon="graphic_eq", link="voice_dataset", label=_("Add a recording"))

coming("voice_training")
