"""What every page calls first: who is here, may they, in which language, about which persona; never relies on Home."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import streamlit as st

from core.domain.persona import Persona
from core.lifecycle import EXTRA_PAGES, STAGES, ExtraPage, Role, Stage
from core.services import Services, services
from pages.ui.heap import spare_what_is_loaded
from pages.ui.i18n import LANGUAGES, _, language
from pages.ui.state import LANGUAGE, NOTICE, PERSONA, VISITING
from pages.ui.strangers import stranger_here
from pages.ui.style import dress_the_page

LOCAL_PERSON: Final = "local"
"""Who edits and starts things while there is no sign-in."""

FAVICON: Final = str(Path(__file__).with_name("favicon.svg"))
"""A file of ours: the browser would ask a stranger for the picture of a Material symbol."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One run of a page's script: what it works with."""

    studio: Services
    persona: Persona
    who: str
    name: str
    """The page's script; for a stage's page also the stage's id."""
    stranger: bool = False
    """Whether this person may only talk: the browser is who they are, and nobody else's talks are theirs to see."""

    @property
    def owner(self) -> str | None:
        """Whose talks this person may see; None for everybody's."""
        return self.who if self.stranger else None


def page(name: str) -> Visit:
    """Begin the page of that script name: check the role, set the language and persona, show title and summary."""
    entry = entries()[name]
    st.set_page_config(page_title=f"{_(entry.title)} · chat-daiyu", page_icon=FAVICON, layout="wide")
    visit = begin(name)
    if entry.role not in roles(visit.studio):
        st.error(_("This page is for another role."), icon=":material/lock:")
        st.caption(_("Ask whoever runs the app to give you the role, or choose a page from the menu."))
        st.stop()
    st.title(_(entry.title), anchor=False)
    st.caption(_(entry.summary))
    return visit


def begin(name: str) -> Visit:
    """Do what every page does before its title: the look, the sidebar, the persona, what was left to say."""
    spare_what_is_loaded()
    studio = services()
    dress_the_page()
    LANGUAGE.keep()
    PERSONA.keep()
    persona = _persona(studio)
    stranger = roles(studio) == {Role.VISITOR}
    who = stranger_here() if stranger else LOCAL_PERSON
    if visiting():
        VISITING.keep()
    else:
        _sidebar(studio, persona)
    if notice := NOTICE.get():
        st.toast(notice, icon=":material/check:")
        NOTICE.clear()
    return Visit(studio, persona, who, name, stranger)


def roles(studio: Services) -> frozenset[Role]:
    """Return the roles of the person in front of the screen."""
    return frozenset(studio.settings.access.roles) & ({Role.VISITOR} if visiting() else frozenset(Role))


def visiting() -> bool:
    """Tell whether this person came by the link that shows nothing but the chat."""
    return VISITING.get() == "visitor"


def entries() -> dict[str, Stage | ExtraPage]:
    """Return every page of the map by its script's name."""
    everything: tuple[Stage | ExtraPage, ...] = (*STAGES, *EXTRA_PAGES)
    return {PurePosixPath(one.page).stem: one for one in everything}


def script(entry: Stage | ExtraPage) -> str:
    """Return a page's script as links name it: its whole path, so that it does not matter which script runs."""
    return str(Path(__file__).parents[1] / entry.page)


def say_next(text: str) -> None:
    """Draw the page anew and say `text` on it."""
    NOTICE.set(text)
    st.rerun()


def coming(name: str) -> None:
    """Say what this room will do and does not yet, as the map tells."""
    if text := entries()[name].coming:
        st.caption(f":material/construction: {_('Coming here:')} {_(text)}")


def empty(text: str, *, icon: str, link: str = "", label: str = "") -> None:
    """Say that there is nothing here yet and where to go for it."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f":material/{icon}: {text}", width="content")
        if link:
            st.page_link(
                script(entries()[link]), label=label or _(entries()[link].title), icon=":material/arrow_forward:"
            )


def _persona(studio: Services) -> Persona:
    everybody = {one.id: one for one in studio.store.personas.all()}
    chosen = PERSONA.get() or studio.settings.persona
    return everybody[chosen] if chosen in everybody else studio.store.personas.get(studio.settings.persona)


def _sidebar(studio: Services, persona: Persona) -> None:
    everybody = studio.store.personas.all()
    with st.sidebar:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="portrait"):
            if persona.portrait:
                st.image(persona.portrait, width=52)
            st.markdown(f"**{persona.name}**  \n:gray[:small[{persona.book}]]", width="content")
        if len(everybody) > 1:
            names = {one.id: one.name for one in everybody}
            chosen = st.selectbox(
                _("Persona"), list(names), index=list(names).index(persona.id), format_func=names.__getitem__
            )
            if chosen != persona.id:
                PERSONA.set(chosen)
                st.rerun()
        tongue = st.segmented_control(
            _("Language"),
            list(LANGUAGES),
            default=language(),
            format_func=LANGUAGES.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
        if tongue and tongue != language():
            LANGUAGE.set(tongue)
            st.rerun()
