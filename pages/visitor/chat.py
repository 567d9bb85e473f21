"""Chat: choose who answers and with which voice, write to her, read and hear her answer."""

from __future__ import annotations

import streamlit as st

from core.domain.chat import Speaker
from core.settings import stage_defaults
from core.stages.chat.choice import choices, model_for, prepare, usual_choice
from core.stages.chat.live import under_way
from core.stages.chat.settings import ChatSettings
from core.stages.chat.talk import answer, begin
from pages.ui.conversation import follow, history, show_words, voice_name
from pages.ui.errors import told_to_the_user
from pages.ui.frame import coming, page
from pages.ui.i18n import _, moment
from pages.ui.state import CONVERSATION

visit = page("chat")
studio, persona = visit.studio, visit.persona
settings = stage_defaults("chat", ChatSettings)
answerers = {one.id: one for one in choices(persona.id, settings=settings, store=studio.store)}
talks = {talk.id: talk for talk in studio.store.talks.conversations(persona.id)}
talk = talks.get(CONVERSATION.get())

tools = st.container(horizontal=True, vertical_alignment="bottom")
with tools:
    chosen = st.selectbox(
        _("Who answers"),
        list(answerers),
        index=list(answerers).index(usual_choice(persona.id, store=studio.store).id),
        format_func=lambda one: _(answerers[one].title),
        width=260,
    )
    voice = st.selectbox(
        _("Voice"), studio.voice_choices(persona), format_func=lambda one: voice_name(visit, one), width=260
    )
    with st.popover(_("Talks"), icon=":material/history:"):
        if not talks:
            st.caption(_("There was no talk yet."))
        for one in talks.values():
            if st.button(f"{one.title} · {moment(one.created_at)}", type="tertiary", key=f"open.{one.id}"):
                CONVERSATION.set(one.id)
                st.rerun()

prepare(answerers[chosen], persona, settings=settings, store=studio.store)
studio.prepare_voice(voice, persona)

live = under_way(talk.id) if talk else None
if talk:
    told = studio.store.talks.messages(talk.id)
    # Her words are stored before they are all spoken: a reply under way is drawn by who follows it.
    history(visit, told[:-1] if live and told[-1].speaker is Speaker.PERSONA else told)
elif persona.greeting:
    show_words(visit, Speaker.PERSONA, persona.greeting)

said = st.chat_input(_("Write to {name}").format(name=persona.name), max_chars=settings.max_characters)
if said:
    with told_to_the_user():
        talk = talk or begin(persona, said, settings=settings, store=studio.store)
        CONVERSATION.set(talk.id)
        show_words(visit, Speaker.VISITOR, said)
        live = answer(
            said,
            conversation=talk,
            persona=persona,
            choice=answerers[chosen],
            model=model_for(answerers[chosen], persona, settings=settings, store=studio.store),
            mouth=studio.mouth(voice, persona),
            settings=settings,
            store=studio.store,
        )
if live:
    follow(visit, live)

if not talk:
    coming("chat")
elif tools.button(_("New talk"), icon=":material/add_comment:"):
    CONVERSATION.clear()
    st.rerun()
