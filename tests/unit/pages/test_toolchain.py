"""A tool's line on the fine-tuning page tells of that tool, and of no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.identity import now
from core.domain.run import Run, RunState

SCRIPT = str(Path(__file__).resolve().parents[3] / "pages" / "trainer" / "finetuning.py")


@pytest.mark.parametrize(("name", "shown"), [("xtuner", True), ("opencompass", False)])
def test_only_a_failed_build_of_the_same_tool_is_shown(app, studio, name, shown):
    failed = Run(
        id="run-1", kind="toolchain", persona_id=studio.settings.persona, queue="cpu", state=RunState.FAILED,
        settings={"name": name}, inputs={}, created_at=now(), created_by="test",
    )  # fmt: skip
    studio.store.runs.add(failed)
    app.query_params["lang"] = "en"
    app.run()
    app.switch_page(SCRIPT).run()

    assert not app.exception
    assert any("run-1" in one.value for one in app.caption) is shown
