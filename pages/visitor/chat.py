"""Chat: choose who answers and with which voice, write or speak to her, read and hear her answer."""

from __future__ import annotations

import json

import streamlit as st

from core.domain.chat import Speaker
from core.settings import stage_defaults
from core.stages.chat.choice import choice_of, model_for, prepare
from core.stages.chat.live import under_way
from core.stages.chat.settings import ChatSettings
from core.stages.chat.talk import Interlocutor, answer, answer_again
from pages.ui.chat_tools import how, visitor_link, which_voice, who_answers
from pages.ui.conversation import follow, history, open_talk, sending, show_words, stage_for_sound, told
from pages.ui.decisions import tell
from pages.ui.errors import told_to_the_user
from pages.ui.frame import page
from pages.ui.i18n import _
from pages.ui.message_box import message_box, short_take
from pages.ui.state import AGAIN, CONVERSATION, SAID_INSTEAD
from pages.ui.talk_list import talk_keeping, talk_list

visit = page("chat")
tell()
studio, persona = visit.studio, visit.persona
settings = stage_defaults("chat", ChatSettings)
choice, voice = choice_of(None, persona.id, settings=settings, store=studio.store), settings.voice
talk = open_talk(visit)

tools = st.container(horizontal=True, vertical_alignment="bottom")
with tools:
    if not visit.stranger:
        choice, voice = who_answers(visit, settings), which_voice(visit)
        settings = how(settings)
    talk_list(visit)
    taken = short_take(visit, settings)
    if not visit.stranger:
        visitor_link()

speech, messages, trouble = st.container(gap=None), st.container(), st.container()
prepare(choice, persona, settings=settings, store=studio.store)
studio.chat.prepare_voice(voice, persona)
said = message_box(visit, settings, trouble) or taken
again, wish = AGAIN.get(), {"words": said} if said else json.loads(SAID_INSTEAD.get() or "{}")
AGAIN.clear()
SAID_INSTEAD.clear()

live = under_way(talk.id) if talk else None
with sending(visit, wish, trouble):
    if again or wish:
        studio.chat.admit(visit.who)
        model = model_for(choice, persona, settings=settings, store=studio.store)
        her = Interlocutor(
            persona, choice, model, studio.chat.mouth(voice, persona), settings, studio.store, studio.chat.guard()
        )
        if wish:
            live = answer(wish["words"], her, talk, instead_of=wish.get("message"), owner=visit.who)
        else:
            live = answer_again(again, her)
        talk = talk or studio.store.talks.conversation(live.conversation_id)
        CONVERSATION.set(talk.id)

if talk:
    with tools:
        talk_keeping(visit, talk)
        st.button(_("New talk"), icon=":material/add_comment:", on_click=CONVERSATION.clear)
with speech:
    stage = stage_for_sound(live)
with messages, told_to_the_user():
    if talk:
        history(visit, told(visit, talk, reply=live))
    elif persona.greeting:
        show_words(visit, Speaker.PERSONA, persona.greeting)
    if live:
        follow(visit, live, stage)
