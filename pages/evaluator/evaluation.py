"""Evaluation: examine a model with OpenCompass, test how far it is her, go down to every question and reply."""

from __future__ import annotations

from core.stages.evaluation.tables import is_persona_test
from pages.ui.examination_form import examination_room
from pages.ui.frame import coming, page
from pages.ui.i18n import _
from pages.ui.model_sheets import model_sheets
from pages.ui.part_tabs import part_tabs
from pages.ui.persona_test import persona_test_room
from pages.ui.question_browser import question_browser
from pages.ui.scorecards import scorecards_room

visit = page("evaluation")
cards = {card.id: card for card in visit.studio.store.scorecards.all(visit.persona.id)}
parts = {
    "scores": _("Scores"),
    "examine": _("Examine"),
    "persona": _("Is it her?"),
    "questions": _("Question by question"),
    "models": _("Model by model"),
}
tabs = part_tabs(parts, first="scores")

if tabs["scores"].open:
    with tabs["scores"]:
        scorecards_room(visit, {key: card for key, card in cards.items() if not is_persona_test(card)})
if tabs["examine"].open:
    with tabs["examine"]:
        examination_room(visit)
if tabs["persona"].open:
    with tabs["persona"]:
        persona_test_room(visit, cards)
if tabs["questions"].open:
    with tabs["questions"]:
        question_browser(visit, list(cards.values()))
if tabs["models"].open:
    with tabs["models"]:
        model_sheets(visit)

coming("evaluation")
