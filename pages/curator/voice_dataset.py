"""Voice dataset: bring recordings in, cut clips of her voice out of them, listen and decide, freeze sets."""

from __future__ import annotations

import streamlit as st

from core.store.clips import ClipFilter
from pages.ui.choosing import chosen_record
from pages.ui.clip_bulk import SOUND, WORDS
from pages.ui.clip_desk import clip_desk
from pages.ui.clip_sets import sets_room
from pages.ui.frame import empty, page
from pages.ui.i18n import _, duration
from pages.ui.part_tabs import part_tabs
from pages.ui.recorder import imports, recording_form
from pages.ui.recording_desk import headline, recording_desk
from pages.ui.run_panel import stage_run
from pages.ui.state import CLIP, RECORDING

visit = page("voice_dataset")
studio, persona = visit.studio, visit.persona
recordings = {one.id: one for one in studio.store.voice.recordings(persona.id)}

if not recordings:
    recording_form(visit, unfolded=True)
    imports(visit)
    empty(_("There is no recording yet. Add one above."), icon="graphic_eq")
    st.stop()

clips = studio.store.clips.count(ClipFilter(persona.id))
parts = {"recordings": _("Recordings"), "clips": _("Clips"), "sets": _("Sets")}
tabs = part_tabs(parts, first="clips" if CLIP.get() else "recordings")

if tabs["recordings"].open:
    with tabs["recordings"]:
        recording_form(visit, unfolded=False)
        imports(visit)
        recording = chosen_record(
            _("Recording"), recordings, RECORDING, lambda one: f"{one.name} · {duration(one.seconds)}"
        )
        headline(visit, recording)
        recording_desk(visit, recording)
        stage_run(visit)
if tabs["clips"].open:
    with tabs["clips"]:
        for kind in (SOUND, WORDS):
            stage_run(visit, kind=kind)
        if clips:
            clip_desk(visit, recordings)
        else:
            empty(_("No clip yet. Cut some out of a recording."), icon="content_cut")
if tabs["sets"].open:
    with tabs["sets"]:
        sets_room(visit, recordings)
