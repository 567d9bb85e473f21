"""How she is talked with: who answers, with which voice and settings; the link that shows nothing but the chat."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from core.stages.chat.choice import Choice, choices, usual_choice
from core.stages.chat.settings import ChatSettings
from core.translation import N_
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.makers import makers
from pages.ui.state import VISITING

_RANGES: Final = {
    "temperature": (N_("Freedom"), 0.0, 2.0, 0.05),
    "top_p": (N_("Share of the likeliest words"), 0.05, 1.0, 0.05),
    "repetition_penalty": (N_("Against going in circles"), 1.0, 2.0, 0.05),
    "max_tokens": (N_("Longest reply, in tokens"), 16, 1024, 16),
}


def who_answers(visit: Visit, settings: ChatSettings) -> Choice:
    """Let one choose who answers."""
    offered = {one.id: one for one in choices(visit.persona.id, settings=settings, store=visit.studio.store)}
    usual = usual_choice(visit.persona.id, store=visit.studio.store).id
    chosen = st.selectbox(
        _("Who answers"),
        list(offered),
        index=list(offered).index(usual),
        format_func=lambda one: _(offered[one].title),
        width=260,
    )
    return offered[chosen]


def which_voice(visit: Visit) -> str:
    """Let one choose who speaks."""
    names = makers(visit)
    return st.selectbox(_("Voice"), visit.studio.chat.voice_choices(visit.persona), format_func=names.voice, width=260)


def how(settings: ChatSettings) -> ChatSettings:
    """Let one change how replies are made; a model of her own lines heeds only the seed."""
    changed: dict[str, float | int | None] = {}
    with st.popover(_("Adjust"), icon=":material/tune:"):
        for name, (label, least, most, step) in _RANGES.items():
            value = getattr(settings, name)
            changed[name] = st.slider(_(label), least, most, value, step, key=f"how.{name}")
        seed = st.number_input(
            _("Seed"), 0, 2**31 - 1, settings.seed, key="how.seed", placeholder=_("empty for variety"), step=1
        )
        changed["seed"] = seed
    return settings.model_copy(update=changed)


def visitor_link() -> None:
    """Draw the button that shows the link for visitors."""
    with st.popover(_("Link"), icon=":material/share:"):
        here = urlsplit(st.context.url or "")
        st.caption(_("This link shows the chat alone, without menu and settings:"))
        st.code(f"{here.scheme}://{here.netloc}/chat?{VISITING.link}=visitor", language=None)
        st.caption(
            _(
                "It hides the rest, but does not lock it: for strangers start a second app with "
                "DAIYU_ACCESS__ROLES='[\"visitor\"]' on the same workspace."
            )
        )
