"""Voice dataset: bring in a recording, see its waveform, cut clips of her voice, hear them."""

from __future__ import annotations

import streamlit as st

from core.settings import stage_defaults
from core.stages.voice_dataset.clips import make_clip
from core.stages.voice_dataset.recordings import import_recording
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.waveform import envelope_of
from core.store.utterances import UtteranceFilter
from pages.ui.choosing import chosen_record
from pages.ui.clips import proposed_stretch, show_clip
from pages.ui.errors import told_to_the_user
from pages.ui.frame import coming, empty, page, say_next
from pages.ui.i18n import _, duration
from pages.ui.recorder import incoming_sound
from pages.ui.run_panel import stage_run
from pages.ui.state import RECORDING, RECORDINGS
from pages.ui.waveform import choose_stretch

visit = page("voice_dataset")
studio, persona = visit.studio, visit.persona
settings = stage_defaults("voice_dataset", VoiceDatasetSettings)
recordings = {one.id: one for one in studio.store.voice.recordings(persona.id)}
clips = studio.store.voice.clips(persona.id)

with st.expander(_("Add a recording"), icon=":material/mic:", expanded=not recordings):
    incoming = incoming_sound(studio.settings.uploads.max_audio_mb)
    if incoming and st.button(_("Keep it"), type="primary", icon=":material/save:"):
        with told_to_the_user():
            kept = import_recording(
                *incoming,
                persona_id=persona.id,
                settings=settings,
                max_megabytes=studio.settings.uploads.max_audio_mb,
                store=studio.store,
                who=visit.who,
            )
            RECORDING.set(kept.id)
            RECORDINGS.renew()
            say_next(_("{name} is kept, {time} long.").format(name=kept.name, time=duration(kept.seconds)))

if not recordings:
    empty(_("There is no recording yet. Add one above."), icon="graphic_eq")
    coming("voice_dataset")
    st.stop()

recording = chosen_record(_("Recording"), recordings, RECORDING, lambda one: f"{one.name} · {duration(one.seconds)}")

with told_to_the_user():
    drawn = envelope_of(recording, store=studio.store)
    st.caption(_("Draw a box over the words you want; double-click to take it back."))
    stretch = choose_stretch(drawn.lows, drawn.highs, seconds=drawn.seconds, key=f"wave.{recording.id}")
    st.audio(
        str(studio.store.files.path(recording.sha256)),
        start_time=stretch[0] if stretch else 0,
        end_time=stretch[1] if stretch else None,
    )
    proposed = proposed_stretch(visit, recording, drawn.seconds)
    start, end = stretch or proposed or (0.0, min(drawn.seconds, settings.longest_clip))
    where, what = st.columns([1, 2])
    start = where.number_input(
        _("From (s)"), 0.0, drawn.seconds, min(round(start, 2), drawn.seconds), step=0.1, key=f"from.{start:.3f}"
    )
    end = where.number_input(
        _("To (s)"), 0.0, drawn.seconds, min(round(end, 2), drawn.seconds), step=0.1, key=f"to.{end:.3f}"
    )
    text = what.text_input(_("Words spoken"), placeholder=_("exactly as they are heard"))
    found = studio.store.utterances.page(UtteranceFilter(persona.id, speaker=persona.name, text=text), limit=20).rows
    line = what.selectbox(
        _("Line of the book"),
        [one.id for one in found] if text else [],
        index=None,
        format_func=lambda one: next(line.text for line in found if line.id == one),
        placeholder=_("none; choose one and the chat speaks that line with this clip"),
    )
    if st.button(_("Make a clip"), type="primary", icon=":material/content_cut:", disabled=not text):
        clip = make_clip(
            recording,
            start,
            end,
            text=text,
            speaker=persona.name,
            settings=settings,
            store=studio.store,
            utterance_id=line,
            who=visit.who,
        )
        say_next(_("The clip is made: {text}").format(text=clip.text))

stage_run(visit)

st.subheader(_("Clips"), anchor=False)
if not clips:
    st.caption(_("No clip yet."))
for clip in clips[:30]:
    show_clip(visit, clip)

coming("voice_dataset")
