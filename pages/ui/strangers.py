"""Who somebody is that may only talk: whoever has this browser, as long as it keeps its cookie.

The cookie is a secret, and the store never sees it: talks belong to what is made of it, which is in exports and events.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

import streamlit as st

from pages.ui.state import VISITOR

COOKIE: Final = "daiyu_visitor"
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{32}")
_REMEMBER: Final = """
export default function ({ data }) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${data.name}=${data.secret}; path=/; max-age=31536000; samesite=strict${secure}`;
}
"""
_remember = st.components.v2.component("studio_visitor", js=_REMEMBER)


def stranger_here() -> str:
    """Return the id of the stranger in front of the screen, and have the browser remember it for the next time."""
    brought = str(st.context.cookies.get(COOKIE, ""))
    known = brought if _SECRET.fullmatch(brought) else ""
    secret = VISITOR.get() or known or secrets.token_urlsafe(24)
    VISITOR.set(secret)
    if secret != known:
        with st.container(key="headless-visitor", gap=None):
            _remember(key="visitor", data={"name": COOKIE, "secret": secret}, height=1)
    return f"visitor-{hashlib.sha256(secret.encode()).hexdigest()[:16]}"
