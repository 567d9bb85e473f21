"""What becomes of a finished model: exported with its card, squeezed, removed."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from core.domain.identity import now
from core.domain.training import Base, Model, ModelKind
from core.errors import ConflictError, InvalidInputError, MissingArtifactError, RunCancelledError, ToolFailedError
from core.stages.finetuning.models import exporting, quantising
from core.stages.finetuning.models.exporting import ModelExport, folder_name, parts_of
from core.stages.finetuning.models.quantising import QuantiseSettings
from core.stages.finetuning.registry import files_in
from core.store import Store
from core.store.model_folders import remove
from tests.contract.tiny_llama import build_tiny_llama
from tests.unit.stages.finetuning.conftest import Desk
from tests.unit.stages.runs import begun

HOSTILE = "# 竹`声`|<script>alert(1)</script>\n---\nlicense: mit\n[x](javascript:y) *a* _b_ $c$"
PARTS = ("merged", "adapter", "4bit")


FILES = ("chat_template.jinja", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")


def trained(store: Store, model_id: str = "model-00aa11bb22", *, loadable: bool = False, **changes: Any) -> Model:
    """Register a model with an adapter and a 4-bit copy beside it."""
    home = store.workspace / "models" / model_id
    (home / "adapter").mkdir(parents=True)
    if loadable:
        build_tiny_llama(home)
    else:
        (home / "model.safetensors").write_bytes(b"weights")
        for name in FILES:
            (home / name).write_text("{}")
    (home / "adapter" / "adapter_model.safetensors").write_bytes(b"adapter")
    config = {"peft_type": "LORA", "base_model_name_or_path": str(store.workspace / "bases" / "bamboo"), "r": 4}
    (home / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    files = files_in(home)
    (home / "4bit").mkdir()
    (home / "4bit" / "model.safetensors").write_bytes(b"squeezed")
    (home / "4bit" / "config.json").write_text('{"model_type": "llama", "_name_or_path": "/somewhere/private"}')
    trial = {
        "base": {"held_out_loss": 4.5, "answers": ["嗯。"]},
        "merged": {"held_out_loss": 2.25, "answers": ["竹。"]},
    }
    trial["merged"]["parameters"] = 1234
    manifest = {
        "settings": {
            "method": "qlora",
            "base": "bamboo",
            "questions": ["你是谁？"],
            "max_steps": 60,
            "adapter": {"rank": 4},
        },
        "seed": 42,
        "steps": 60,
        "first_loss": 6.0,
        "final_loss": 1.5,
        "trial": trial,
        "versions": {"xtuner": "0.2.0"},
        "commands": [{"name": "train", "argv": ["/secret/bin/python", "-m", "train"], "cwd": "/secret/run", "env": {}}],
        "files": files,
        "copies": {"4bit": {"files": files_in(home / "4bit"), "held_out_loss": {"model": 2.25, "4bit": 2.5}}},
    }
    model = Model(model_id, "a-qing", ModelKind.TEXT, "竹 One", None, None, "bamboo", f"models/{model_id}", now())
    model = replace(model, **{"manifest": manifest, **changes})
    store.models.add(model)
    return model


def from_a_hub(store: Store) -> None:
    """Let the base model be one of a hub, with a licence on its card."""
    folder = store.workspace / "bases" / "bamboo"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\nlicense_link: LICENSE\n---\n\nA base.\n")
    origin = "huggingface:grove/bamboo-1b@0123abc"
    store.bases.put(Base("bamboo", "Bamboo", origin, "bases/bamboo", "internlm2_chat", now()))


def exported(store: Store, model: Model, part: str = "merged") -> Path:
    context = begun(store, "model_export")
    found = exporting.run(ModelExport(model_id=model.id, part=part), context=context, store=store)  # type: ignore[arg-type]
    folder: Path = store.workspace / found["folder"]
    return folder


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_an_exported_model_loads_and_the_cards_own_code_runs(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    folder = exported(store, trained(store, loadable=True))
    code = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(folder)

    assert len(code) == 2
    for one in code:
        loaded: dict[str, Any] = {}
        exec(one, loaded)
        assert loaded["model"].num_parameters() > 1000
        assert loaded["reply"].shape[1] > loaded["prompt"]["input_ids"].shape[1]


def test_an_export_holds_what_the_hubs_take_and_nothing_else(store: Store):
    model = trained(store)
    home = store.workspace / model.folder
    (home / "modeling_own.py").write_text("raise SystemExit")
    (home / "training_args.bin").write_bytes(b"\x80\x04")
    (home / "extra.json").symlink_to("/etc/hostname")
    folder = exported(store, model)

    written = {"README.md", "configuration.json", "manifest.json"}
    assert {file.name for file in folder.iterdir()} == {"model.safetensors", *FILES, *written}
    assert not any(file.is_symlink() for file in folder.iterdir())
    assert json.loads((folder / "configuration.json").read_text()) == {
        "framework": "pytorch",
        "task": "text-generation",
    }


@pytest.mark.parametrize("part", PARTS)
def test_exporting_again_gives_the_same_bytes(store: Store, part: str):
    from_a_hub(store)
    model = trained(store)
    first = bytes_in(exported(store, model, part))

    assert bytes_in(exported(store, model, part)) == first
    assert [one.name for one in (store.workspace / "exports").iterdir()] == [folder_name(model, part)]


@pytest.mark.parametrize("part", PARTS)
def test_an_export_says_nothing_of_the_machine_it_was_made_on(store: Store, part: str):
    from_a_hub(store)
    folder = exported(store, trained(store), part)
    texts = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*") if file.suffix != ".safetensors")

    assert str(store.workspace) not in texts
    assert "/secret" not in texts
    assert "/somewhere/private" not in texts


@pytest.mark.parametrize("part", PARTS)
def test_the_manifest_of_an_export_has_the_sum_of_every_file(store: Store, part: str):
    folder = exported(store, trained(store), part)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    assert manifest["files"] == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in bytes_in(folder).items()
        if name != "manifest.json"
    }
    assert (manifest["model"], manifest["part"], manifest["seed"]) == ("model-00aa11bb22", part, 42)


def test_the_card_tells_both_languages_the_same_figures(store: Store):
    from_a_hub(store)
    text = (exported(store, trained(store)) / "README.md").read_text(encoding="utf-8")
    english, chinese = text.split("## 中文\n")

    for figure in (
        "4.5 → 2.25",
        "6 → 1.5",
        "grove/bamboo-1b",
        "apache-2.0",
        "1,234",
        "model-00aa11bb22",
        "嗯。",
        "竹。",
    ):
        assert figure in english
        assert figure in chinese


def test_the_head_of_the_card_is_what_a_hub_reads(store: Store):
    from_a_hub(store)
    head = ModelCard.load(exported(store, trained(store), "adapter") / "README.md").data.to_dict()

    assert head["language"] == ["zh"]
    assert (head["base_model"], head["base_model_relation"]) == ("grove/bamboo-1b", "adapter")
    assert (head["license"], head["library_name"], head["pipeline_tag"]) == ("apache-2.0", "peft", "text-generation")
    assert {"chat-daiyu", "qlora", "role-play"} <= set(head["tags"])
    assert "license_link" not in head


def test_a_licence_that_is_not_known_is_not_made_up(store: Store):
    card = exported(store, trained(store)) / "README.md"

    assert {"license", "base_model"}.isdisjoint(ModelCard.load(card).data.to_dict())
    assert "No licence is stated" in card.read_text(encoding="utf-8")


def test_whatever_a_name_or_a_note_holds_it_stays_words_on_the_card(store: Store):
    model = trained(store, name=HOSTILE, note=HOSTILE)
    card = ModelCard.load(exported(store, model) / "README.md")

    assert "license" not in card.data.to_dict()
    assert card.text.count("\n---") == 0
    assert re.findall(r"(?<!\\)<", card.text) == []
    assert (
        r"\# 竹\`声\`\|\<script\>alert(1)\</script\> --- license: mit \[x\](javascript:y) \*a\* \_b\_ \$c\$"
        in card.text
    )
    assert folder_name(model, "merged") == "script-alert-1-script-license-mit-x-java-00aa11bb22-merged"


def test_an_adapter_names_its_base_as_the_hub_does(store: Store):
    from_a_hub(store)
    folder = exported(store, trained(store), "adapter")
    config = json.loads((folder / "adapter_config.json").read_text())

    assert config == {
        "peft_type": "LORA", "base_model_name_or_path": "grove/bamboo-1b", "r": 4, "revision": "0123abc"
    }  # fmt: skip
    assert (folder / "adapter_model.safetensors").read_bytes() == b"adapter"
    assert (folder / "tokenizer.json").exists()
    assert not (folder / "model.safetensors").exists()


def test_an_adapter_of_a_base_from_nowhere_names_it_without_a_path(store: Store):
    folder = exported(store, trained(store), "adapter")

    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "bamboo"


def test_what_a_model_has_not_cannot_be_exported(store: Store):
    model = trained(store, manifest={"settings": {"method": "full"}})

    assert parts_of(model) == ("merged",)
    with pytest.raises(MissingArtifactError, match="4bit"):
        exported(store, model, "4bit")


def test_a_damaged_file_is_not_passed_on_and_the_last_export_stays(store: Store):
    model = trained(store)
    before = bytes_in(exported(store, model))
    with (store.workspace / model.folder / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\x00")
    with pytest.raises(InvalidInputError, match=r"model\.safetensors"):
        exported(store, model)

    [folder] = (store.workspace / "exports").iterdir()
    assert bytes_in(folder) == before


def test_a_stopped_export_leaves_nothing_behind(store: Store):
    model = trained(store)
    context = begun(store, "model_export")
    store.runs.request_stop(context.run.id)
    with pytest.raises(RunCancelledError):
        exporting.run(ModelExport(model_id=model.id), context=context, store=store)

    assert list((store.workspace / "exports").iterdir()) == []


def test_what_an_export_killed_at_its_end_left_behind_does_not_stop_the_next_attempt(store: Store):
    model = trained(store)
    first = exported(store, model)
    aside = first.with_name(f".{first.name}.run-0000000001.before")
    shutil.copytree(first, aside)

    assert exported(store, model) == first
    assert [one.name for one in first.parent.iterdir()] == [first.name]


def test_a_removed_model_loses_its_files_and_keeps_its_record(store: Store):
    model, other = trained(store), trained(store, "model-cc33dd44ee")
    remove(model.id, store=store, who="anna")

    assert not (store.workspace / model.folder).exists()
    assert (store.workspace / other.folder / "config.json").exists()
    assert store.models.get(model.id).removed_at is not None
    with pytest.raises(MissingArtifactError):
        exported(store, model)


def test_a_removal_that_broke_off_is_finished_by_the_next_one(store: Store):
    model, other = trained(store), trained(store, "model-cc33dd44ee")
    store.models.remove(model.id, who="anna")  # and then the process was killed
    remove(other.id, store=store, who="anna")

    assert list((store.workspace / "models").iterdir()) == []


def test_a_model_in_use_keeps_its_files(store: Store):
    model = trained(store)
    store.models.use(model.id, who="anna")
    with pytest.raises(ConflictError):
        remove(model.id, store=store, who="anna")

    assert (store.workspace / model.folder / "model.safetensors").exists()


@pytest.mark.parametrize("folder", ["", "models", "models/../runs"])
def test_a_folder_that_is_no_models_is_never_deleted(store: Store, folder: str):
    model = replace(trained(store), id="model-odd", folder=folder)
    store.models.add(model)
    with pytest.raises(MissingArtifactError):
        remove("model-odd", store=store, who="anna")

    assert (store.workspace / "models" / "model-00aa11bb22" / "config.json").exists()


def squeezed(desk: Desk, model_id: str) -> dict[str, Any]:
    context = begun(desk.store, "quantising", run_id="run-00000squeeze")
    settings = QuantiseSettings(model_id=model_id)
    return quantising.run(settings, context=context, store=desk.store, environment=lambda name: desk.python)


def test_a_finished_training_keeps_its_adapter_beside_the_model(desk: Desk):
    home = desk.store.workspace / "models" / desk.finetune()["model"]

    assert (home / "adapter" / "model.safetensors").read_bytes() == b"weights"
    assert "adapter/model.safetensors" in json.loads((home / "manifest.json").read_text())["files"]
    assert not (desk.store.workspace / "runs" / "run-0123456789" / "merged").exists()


def test_a_full_training_has_no_adapter(desk: Desk):
    model = desk.store.models.get(desk.finetune(method="full")["model"])

    assert not (desk.store.workspace / model.folder / "adapter").exists()
    assert parts_of(model) == ("merged",)


def test_a_4_bit_copy_lies_beside_the_model_and_in_its_manifest(desk: Desk):
    model_id = desk.finetune()["model"]
    result = squeezed(desk, model_id)

    model = desk.store.models.get(model_id)
    home = desk.store.workspace / model.folder
    copy = model.manifest["copies"]["4bit"]
    assert result["bytes"] == copy["bytes"] == {"model": 700, "4bit": 200}
    assert result["held_out_loss"] == {"model": 3.0, "4bit": 3.25}
    assert copy["files"] == files_in(home / "4bit")
    assert json.loads((home / "manifest.json").read_text()) == model.manifest
    assert parts_of(model) == ("merged", "adapter", "4bit")
    request = json.loads((desk.store.workspace / "runs" / "run-00000squeeze" / "quantise_request.json").read_text())
    assert [one["conversation"][0]["output"] for one in request["held_out"]] == ["第2答。"]


def test_a_copy_made_anew_takes_the_place_of_the_one_before(desk: Desk):
    model_id = desk.finetune()["model"]
    squeezed(desk, model_id)
    stale = desk.store.workspace / "models" / model_id / "4bit" / "stale"
    stale.touch()
    context = begun(desk.store, "quantising", run_id="run-0000another")
    settings = QuantiseSettings(model_id=model_id)
    quantising.run(settings, context=context, store=desk.store, environment=lambda name: desk.python)

    assert not stale.exists()
    assert (stale.parent / "model.safetensors").exists()


def test_a_copy_placed_before_a_crash_is_registered_by_the_next_attempt(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    model_id = desk.finetune()["model"]
    with monkeypatch.context() as crash:
        crash.setattr(desk.store.models, "put_copy", _crash)
        with pytest.raises(KeyboardInterrupt):
            squeezed(desk, model_id)
    squeezed(desk, model_id)

    assert len(desk.started("quantise.py")) == 1
    assert "4bit" in desk.store.models.get(model_id).manifest["copies"]


def _crash(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_machine_that_cannot_squeeze_says_so_plainly(desk: Desk):
    model_id = desk.finetune()["model"]
    desk.goes_wrong(quantise={"say": "4-bit copies do not work here: ImportError: no bitsandbytes"})
    with pytest.raises(ToolFailedError, match="no bitsandbytes") as failure:
        squeezed(desk, model_id)

    assert "make toolchains" in failure.value.remedy
    assert not (desk.store.workspace / "models" / model_id / "4bit").exists()
