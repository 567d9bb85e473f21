"""The real XTuner on a CPU: a tiny model is built, trained, converted, merged, registered and talked to."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.backends.tools.xtuner.configuration import render
from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.recipe import FineTuning
from core.domain.run import Command, Run, RunState
from core.domain.text import DatasetVersion, Sample, Split, Turn, TurnRole
from core.errors import ToolFailedError
from core.jobs.context import RunContext
from core.jobs.door import run_briefly
from core.settings import load_settings
from core.stages.finetuning.run import inputs, run
from core.stages.finetuning.settings import FinetuneSettings, preset_values
from core.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.tools, pytest.mark.timeout(1800)]

EXCHANGES = Path(__file__).parents[1] / "data" / "tools" / "exchanges.json"
EXAMINE = Path(__file__).with_name("examine_in_xtuner.py")
SYSTEM = "你是沈青。"


@dataclass
class Trained:
    """A finished fine-tuning."""

    store: Store
    folder: Path
    result: dict[str, Any]

    @property
    def home(self) -> Path:
        """The registered model's folder."""
        return self.store.workspace / self.store.models.get(self.result["model"]).folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    workspace = tmp_path_factory.mktemp("workspace")
    opened = Store(f"sqlite:///{workspace / 'store.db'}", workspace)
    opened.personas.put(Persona("a-qing", "沈青", "竹声", SYSTEM, "你来了。"))
    exchanges = json.loads(EXCHANGES.read_text(encoding="utf-8"))
    samples = [_sample(number, *texts) for number, texts in enumerate(exchanges)]
    version = DatasetVersion("dsv-1", "a-qing", "第一版", "", "f" * 64, SYSTEM, {}, len(samples) - 4, 4, now())
    opened.datasets.add(version, samples)
    yield opened
    opened.close()


def _sample(number: int, asked: str, answered: str) -> Sample:
    turns = (Turn(TurnRole.COUNTERPART, "陆远", asked), Turn(TurnRole.PERSONA, "沈青", answered))
    return Sample(number, "src-1", 1, Split.HELD_OUT if number % 6 == 5 else Split.TRAIN, turns)


@pytest.fixture(scope="module")
def python(store: Store) -> Path:
    """XTuner's interpreter: of the settings, or built once in the project's own workspace."""
    from core.backends.tools.toolchains import ensure

    return ensure("xtuner", settings=load_settings(), context=_context(store, "run-environment"))


def _context(
    store: Store,
    run_id: str,
    attempt: int = 1,
    settings: dict[str, Any] | None = None,
    read: dict[str, Any] | None = None,
) -> RunContext:
    record = Run(
        id=run_id,
        kind="finetuning",
        persona_id="a-qing",
        queue="gpu",
        state=RunState.RUNNING,
        settings=settings or {},
        inputs=read or {},
        created_at=now(),
        created_by="test",
        attempt=attempt,
    )
    if attempt == 1:
        store.runs.add(record)
    return RunContext(record, store=store, folder=store.workspace / "runs" / run_id, poll=0.2)


def _finetune(store: Store, python: Path, run_id: str, attempt: int = 1, **changes: Any) -> Trained:
    settings = FinetuneSettings.model_validate({**preset_values("tiny-cpu"), "questions": ["冷么？"], **changes})
    context = _context(store, run_id, attempt, settings.model_dump(mode="json"), inputs(settings, store, "a-qing"))
    result = run(settings, context=context, store=store, environment=lambda name: python)
    return Trained(store, context.folder, result)


@pytest.fixture(scope="module")
def qlora(store: Store, python: Path) -> Trained:
    """The default: QLoRA on the tiny model, shortened."""
    return _finetune(store, python, "run-qlora", max_steps=60, tiny={"steps": 120})


@pytest.fixture(scope="module")
def examined(qlora: Trained, python: Path) -> dict[str, Any]:
    """What only XTuner's own environment can tell of that run."""
    preset = FinetuneSettings.model_validate(preset_values("internlm2-chat-1.8b-qlora"))
    internlm = FineTuning(folder=qlora.folder, base=Path("base"), recipe=preset.recipe(), system="{", questions=("}",))
    (qlora.folder / "internlm2_config.py").write_text(render(internlm, "python"), encoding="utf-8")
    command = Command(
        (str(python), str(EXAMINE), str(qlora.home)), qlora.folder, {"OMP_NUM_THREADS": "1", "PYTHONPATH": "."}
    )
    answer = run_briefly(command, timeout=300)
    assert answer.returncode == 0, answer.stderr.decode()
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def test_the_loss_falls_and_never_runs_off(qlora: Trained):
    points = [json.loads(line) for line in (qlora.folder / "metrics.jsonl").read_text().splitlines()]
    losses = [point["loss"] for point in points if "loss" in point]

    assert losses[-1] < losses[0] / 2
    assert max(losses) < losses[0] + 0.5


def test_base_and_model_are_measured_on_the_same_held_out_lines(qlora: Trained):
    # twenty lines teach a tiny model nothing general, so no claim which of the two is lower
    assert set(qlora.result["held_out_loss"]) == {"base", "merged"}
    assert all(0 < loss < 20 for loss in qlora.result["held_out_loss"].values())
    assert qlora.result["answers"]["base"] != qlora.result["answers"]["merged"]


def test_the_app_loads_the_model_and_it_says_what_it_learned(qlora: Trained):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(qlora.home, trust_remote_code=False)
    model: Any = AutoModelForCausalLM.from_pretrained(qlora.home, trust_remote_code=False, use_safetensors=True).float()
    talk = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "这盏灯怎么不点？"}]
    prompt = tokenizer.apply_chat_template(talk, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    reply = model.generate(**prompt, max_new_tokens=60, do_sample=False)[0, prompt["input_ids"].shape[1] :]

    assert reply[-1] == tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert len(tokenizer.decode(reply, skip_special_tokens=True).strip()) > 1
    assert tokenizer.decode(tokenizer.encode("𠮷字，沈青\n听雨。"), skip_special_tokens=True) == "𠮷字，沈青\n听雨。"


def test_the_manifest_names_data_commands_versions_and_seed(qlora: Trained):
    manifest = json.loads((qlora.home / "manifest.json").read_text(encoding="utf-8"))

    assert manifest["dataset_version"]["id"] == "dsv-1"
    assert [command["name"] for command in manifest["commands"]][-5:] == ["base", "train", "convert", "merge", "trial"]
    assert manifest["versions"]["xtuner"] == "0.2.0"
    assert (manifest["seed"], manifest["steps"]) == (42, 60)
    assert "model.safetensors" in manifest["files"]


def test_a_chat_has_exactly_the_form_of_the_training(examined: dict[str, Any]):
    assert examined["chat_tokens"] == examined["training_tokens"]


def test_the_merged_model_equals_base_and_adapter(examined: dict[str, Any]):
    assert examined["merge_difference"] < 0.05  # logits; XTuner merges in float16


def test_gradients_survive_the_sample_answers(examined: dict[str, Any]):
    assert examined["gradient_difference"] < 1e-5


def test_the_configuration_for_internlm2_is_one_xtuner_reads(examined: dict[str, Any]):
    assert examined["internlm2"] == {"lr": 2e-4, "rank": 64, "max_epochs": 3, "accumulate": 16}


def test_a_killed_full_training_resumes_and_ends_at_the_exact_step(store: Store, python: Path):
    changes: dict[str, Any] = {
        "method": "full",
        "max_steps": 60,
        "learning_rate": 1e-3,
        "tiny": {"steps": 20},
        "intervals": {"save_every": 20, "log_every": 5, "probe_every": 60},
    }
    killer = threading.Thread(target=_kill_the_trainer, args=(store.workspace / "runs" / "run-full",), daemon=True)
    killer.start()
    with pytest.raises(ToolFailedError):
        _finetune(store, python, "run-full", **changes)
    trained = _finetune(store, python, "run-full", attempt=2, **changes)

    commands = [command for command in store.runs.get("run-full").commands if command["name"] == "train"]
    assert "--resume" in commands[1]["argv"]
    assert trained.result["steps"] == 60
    assert trained.result["final_loss"] < trained.result["first_loss"]
    assert (trained.home / "model.safetensors").exists()


def _kill_the_trainer(folder: Path) -> None:
    """Kill the training's process group once its first checkpoint is written."""
    while not (folder / "work" / "last_checkpoint").exists():
        time.sleep(0.1)
    process = json.loads((folder / "commands" / "train" / "process.json").read_text())
    os.killpg(process["pid"], signal.SIGKILL)
