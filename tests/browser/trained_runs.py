"""A finished fine-tuning as its record and files say, for pages that show runs; nothing is trained."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.services import Services

QUESTIONS = ("你是谁？", "竹子还青么？")


def trained(services: Services, run_id: str, changes: Mapping[str, Any], *, steps: int) -> Run:
    """Store a fine-tuning of that many steps that succeeded, with curves, probe answers and a configuration."""
    wanted = {"questions": QUESTIONS, "name": run_id, "max_steps": steps, **changes}
    draft = services.jobs.draft("finetuning", services.settings.persona, wanted, who="test")
    started = now() - timedelta(hours=1)
    run = Run(
        id=run_id,
        kind=draft.kind,
        persona_id=draft.persona_id,
        queue=draft.queue,
        state=RunState.SUCCEEDED,
        settings=draft.settings,
        inputs={},  # whoever counts what a dataset version is used for must not meet these
        created_at=started,
        created_by="test",
        started_at=started,
        finished_at=started + timedelta(seconds=2 * steps),
        versions={"xtuner": "0.2.0"},
        result={
            "steps": steps,
            "first_loss": 6.5,
            "final_loss": 6.5 * math.exp(-steps / 100),
            "held_out_loss": {"base": 7.25, "merged": 4.5},
            "held_out_nats_per_character": {"base": 6.1, "merged": 4.1, "unigram": 5.6, "bigram": 4.9},
            "answers": {
                "base": dict.fromkeys(QUESTIONS, "竹竹竹"),
                "merged": dict(zip(QUESTIONS, ("我是竹外人。", "青得很。"), strict=True)),
            },
        },
    )
    services.store.runs.add(run)
    folder = services.settings.runs / run_id
    folder.mkdir(parents=True)
    points = [_point(step, steps) for step in range(1, steps + 1)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points), encoding="utf-8")
    rounds = [{"step": step, "answers": [f"{run_id}第{step}步", "青。"]} for step in range(20, steps + 1, 20)]
    (folder / "probes.json").write_text(json.dumps(rounds, ensure_ascii=False), encoding="utf-8")
    (folder / "xtuner_config.py").write_text("lr = 0.004\n", encoding="utf-8")
    return run


def _point(step: int, steps: int) -> dict[str, float]:
    wave = math.sin(step) / 5
    return {
        "step": step,
        "loss": 6.5 * math.exp(-step / 100) + wave / 2,
        "learning_rate": 0.004 * (1 + math.cos(math.pi * step / steps)) / 2,
        "grad_norm": 1.5 + wave,
        "step_seconds": 1.2,
        "tokens_per_second": 850 + 100 * wave,
        "memory_mb": 690 + step / 10,
    }
