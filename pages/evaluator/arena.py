"""Arena: what it will be, and what there is to compare already."""

from __future__ import annotations

import streamlit as st

from core.domain.training import ModelKind
from pages.ui.frame import coming, page
from pages.ui.i18n import _, moment

visit = page("arena")

models = visit.studio.store.models.all(visit.persona.id, ModelKind.TEXT)
st.markdown(_("Who could meet here:"))
st.markdown(f"- {_('her own lines (retrieval)')}")
for model in models:
    st.markdown(f"- **{model.name}** · {model.base} · {moment(model.created_at)}")

coming("arena")
