"""A 4-bit copy by the real bitsandbytes on a CPU, and an exported adapter as the real PEFT reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.backends.tools.xtuner import PROGRAMS
from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.run import Command
from core.domain.text import DatasetVersion, Sample, Split, Turn, TurnRole
from core.domain.training import Model, ModelKind
from core.jobs.door import run_briefly
from core.settings import load_settings
from core.stages.finetuning.models import exporting, quantising
from core.stages.finetuning.models.exporting import ModelExport
from core.stages.finetuning.models.quantising import QuantiseSettings
from core.stages.finetuning.registry import files_in
from core.store import Store
from tests.unit.stages.runs import begun

pytestmark = [pytest.mark.slow, pytest.mark.tools, pytest.mark.timeout(1800)]

LOAD = Path(__file__).with_name("load_adapter_in_xtuner.py")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
TALKS = (("外头下雨了么？", "下了，竹叶都湿了。"), ("冷么？", "不冷，倒有些静。"), ("灯呢？", "灯在你手里。"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    workspace = tmp_path_factory.mktemp("workspace")
    opened = Store(f"sqlite:///{workspace / 'store.db'}", workspace)
    opened.personas.put(Persona("a-qing", "沈青", "竹声", "你是沈青。", "你来了。"))
    samples = [
        Sample(number, "src-1", 1, Split.HELD_OUT, (
            Turn(TurnRole.COUNTERPART, "陆远", asked), Turn(TurnRole.PERSONA, "沈青", answered),
        ))
        for number, (asked, answered) in enumerate(TALKS)
    ]  # fmt: skip
    opened.datasets.add(
        DatasetVersion("dsv-1", "a-qing", "第一版", "", "f" * 64, "你是沈青。", {}, 0, 3, now()), samples
    )
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def python(store: Store) -> Path:
    """XTuner's interpreter: of the settings, or built once in the project's own workspace."""
    from core.backends.tools.toolchains import ensure

    context = begun(store, "toolchain", run_id="run-environment")
    return ensure("xtuner", settings=load_settings(), context=context)


@pytest.fixture(scope="module")
def model(store: Store, python: Path) -> Model:
    """A tiny model by the real builder, with an adapter that somebody else made beside it."""
    home = store.workspace / "models" / "model-00aa11bb22"
    home.mkdir(parents=True)
    talks = [{"conversation": [{"system": "", "input": asked, "output": answered}]} for asked, answered in TALKS]
    (store.workspace / "talks.json").write_text(json.dumps(talks, ensure_ascii=False), encoding="utf-8")
    sizes = ("--steps", "30", "--hidden", "128", "--layers", "2", "--vocab", "512")
    argv = (str(python), str(PROGRAMS / "build_tiny_model.py"), "talks.json", str(home), *sizes)
    built = run_briefly(Command(argv, store.workspace, ONE_THREAD), timeout=300)
    assert built.returncode == 0, built.stderr.decode()
    _put_adapter(home / "adapter")
    kept = Model(
        home.name, "a-qing", ModelKind.TEXT, "bamboo", None, "dsv-1", "tiny", f"models/{home.name}", now(),
        manifest={"settings": {"method": "lora", "questions": ["冷么？"]}, "files": files_in(home)},
    )  # fmt: skip
    store.models.add(kept)
    return kept


def _put_adapter(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    layer = "base_model.model.model.layers.0.self_attn.q_proj"
    weights = {f"{layer}.lora_A.weight": torch.ones(2, 128), f"{layer}.lora_B.weight": torch.ones(128, 2)}
    save_file(weights, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "lora_alpha": 2, "target_modules": ["q_proj"],
        "layers_to_transform": [0], "base_model_name_or_path": "/nowhere/base", "inference_mode": True,
    }  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(config))


def test_a_4_bit_copy_is_small_and_foresees_almost_as_well(store: Store, python: Path, model: Model):
    context = begun(store, "quantising", run_id="run-squeeze")
    settings = QuantiseSettings(model_id=model.id)
    result = quantising.run(settings, context=context, store=store, environment=lambda name: python)

    home = store.workspace / model.folder
    config = json.loads((home / "4bit" / "config.json").read_text())["quantization_config"]
    quantised = {"quant_type": "nf4", "use_double_quant": True}
    assert {name: config[f"bnb_4bit_{name}"] for name in quantised} == quantised
    assert result["bytes"]["4bit"] < result["bytes"]["model"] / 3
    losses: dict[str, float] = result["held_out_loss"]
    assert losses["4bit"] == pytest.approx(losses["model"], abs=0.2)
    assert losses["4bit"] != losses["model"]
    assert not (context.folder / "4bit").exists()
    assert store.models.get(model.id).manifest["copies"]["4bit"]["versions"]["bitsandbytes"]


def test_an_exported_adapter_is_one_that_peft_loads(store: Store, python: Path, model: Model):
    context = begun(store, "model_export", run_id="run-export")
    wanted = ModelExport(model_id=model.id, part="adapter")
    folder = store.workspace / exporting.run(wanted, context=context, store=store)["folder"]
    argv = (str(python), str(LOAD), str(store.workspace / model.folder), str(folder))
    answer = run_briefly(Command(argv, store.workspace, ONE_THREAD), timeout=300)
    assert answer.returncode == 0, answer.stderr.decode()

    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    assert (found["base"], found["type"]) == ("tiny", "LORA")
    assert found["difference"] > 0.001
