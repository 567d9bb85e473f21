"""Arena: two unnamed replies to the same words, votes by button or key, and the ratings they come to."""

from __future__ import annotations

import streamlit as st

from pages.ui.arena_duel import duel, names_of, wishes
from pages.ui.arena_keys import listen_for_votes
from pages.ui.arena_results import results
from pages.ui.decisions import tell
from pages.ui.frame import empty, page
from pages.ui.i18n import _

visit = page("arena")
tell()
listen_for_votes()

titles = names_of(visit)
if len(visit.studio.chat.arena_choices(visit.persona)) < 2:
    empty(
        _(
            "A duel needs two who answer, and so far there are only her own lines. Fine-tune a model, or name a chat "
            "server in configs/chat.yaml (endpoint_url)."
        ),
        icon="balance",
        link="finetuning",
    )
else:
    with st.container(border=True):
        wanted = wishes(visit, titles)
    duel(visit, wanted, titles)

results(visit, titles)
