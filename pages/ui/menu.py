"""The menu, built from the map for the roles of the person in front of the screen."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from core.lifecycle import ROLE_TITLES, ExtraPage, Role, Stage, pages_of, stage
from core.services import services
from pages.ui.frame import FAVICON, roles, script, visiting
from pages.ui.i18n import _
from pages.ui.overview import overview


def menu() -> StreamlitPage:
    """Draw the menu and return the page that was asked for."""
    st.set_page_config(page_title="chat-daiyu", page_icon=FAVICON, layout="wide")
    mine = roles(services())
    if visiting():
        # A page that is alone would be found at the root only.
        door = st.Page(_to_the_chat, title=_("Chat"), default=True)
        return st.navigation([door, *(_entry(one) for one in pages_of(mine))], position="hidden")
    sections = {"": [st.Page(overview, title=_("Home"), icon=":material/home:", default=True)]}
    for role in Role:
        entries = [one for one in pages_of(mine) if one.role is role]
        if entries:
            sections[_(ROLE_TITLES[role])] = [_entry(one) for one in entries]
    return st.navigation(sections, expanded=True)


def _to_the_chat() -> None:
    st.switch_page(script(stage("chat")))


def _entry(one: Stage | ExtraPage) -> StreamlitPage:
    return st.Page(script(one), title=_(one.title), icon=f":material/{one.icon}:")
