"""evaluation."""

from __future__ import annotations

from pages.ui.frame import coming, page

visit = page("evaluation")
coming("evaluation")
