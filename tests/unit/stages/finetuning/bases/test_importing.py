"""A base model comes whole or not at all, from a hub or a folder, with a record of where it came from."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.backends.hubs import HUBS, HubSource
from core.backends.rows import Row, build
from core.backends.tools import BASE_CONVERTERS, BaseComparison, StepReport
from core.domain.run import Command, RunState
from core.errors import ConflictError, InvalidInputError, MissingArtifactError, RunCancelledError, StudioError
from core.jobs.context import RunContext
from core.stages.finetuning.bases.importing import run
from core.stages.finetuning.bases.planning import plan_import
from core.stages.finetuning.bases.removing import remove_base
from core.stages.finetuning.bases.settings import BaseImport, HubAddress, Hubs
from core.store import Store
from tests.hub_server import COMMIT, HubServer
from tests.little_base import CONFIG, INTERNLM2, base_files, safetensors, shapes, write_base
from tests.unit.stages.runs import begun

REPOSITORY = "bamboo/Little.Base-1_8B"

_CONVERT = """
import json, pathlib, shutil, sys
source, target, wanted = map(pathlib.Path, sys.argv[1:4])
target.mkdir(exist_ok=True)
for file in source.iterdir():
    shutil.copy(file, target) if not file.name.startswith("LICENSE") else None
(target / "config.json").write_text(wanted.read_text())
print("step 1 of 1")
"""


class Converter:
    """Stands for XTuner's environment: copies the weights and names another architecture."""

    def __init__(self, place: Path, *, equal: bool = True) -> None:
        self.equal = equal
        self.config = place / "llama.json"
        self.config.write_text(json.dumps(CONFIG))
        self.asked: list[str] = []

    def convert(self, source: Path, target: Path, folder: Path) -> Command:
        self.asked.append("convert")
        return Command((sys.executable, "-c", _CONVERT, str(source), str(target), str(self.config)), folder)

    def compare(self, source: Path, target: Path, folder: Path) -> Command:
        self.asked.append("compare")
        return Command((sys.executable, "-c", "print('compared')"), folder)

    def comparison(self, folder: Path) -> BaseComparison:
        unequal = () if self.equal else ("黛玉道：",)
        return BaseComparison(self.equal, 0.0 if self.equal else 0.5, 12.5, 40, unequal)

    def read_line(self, line: str) -> StepReport | None:
        return StepReport(1, 1, None) if line.startswith("step") else None


class Counter:
    """Brings base models in as a worker would."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.environments: list[str] = []
        self.context: RunContext | None = None

    def bring(
        self, server: HubServer | None = None, *, run_id: str = "run-0000000001", **settings: Any
    ) -> dict[str, Any]:
        """Run an import; the same id again is its next attempt."""
        context = begun(self.store, "base_model", run_id=run_id)
        attempt = self.context.run.attempt + 1 if self.context and self.context.run.id == run_id else 1
        self.context = context = RunContext(
            replace(context.run, attempt=attempt), store=self.store, folder=context.folder, poll=0.02, grace=1
        )
        address = HubAddress(endpoint=server.url if server else "http://127.0.0.1:9", token="HUB_TEST_TOKEN")
        return run(
            BaseImport(**settings),
            context=context,
            store=self.store,
            environment=self._environment,
            hub=lambda name: build(HUBS, name, HubSource(address.endpoint)),
            hubs=Hubs(huggingface=address, modelscope=address),
        )

    def _environment(self, name: str) -> Path:
        self.environments.append(name)
        return Path(sys.executable)


@pytest.fixture
def counter(store: Store) -> Counter:
    return Counter(store)


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Converter:
    made = Converter(tmp_path)
    monkeypatch.setitem(BASE_CONVERTERS, "internlm2", Row("internlm2", "", lambda python: made))
    return made


def planned(store: Store, server: HubServer | None = None, **settings: Any):
    endpoint = server.url if server else ""
    return plan_import(
        BaseImport(**settings), workspace=store.workspace, hub=lambda name: build(HUBS, name, HubSource(endpoint))
    )


@pytest.mark.parametrize("source", ["huggingface", "modelscope"])
def test_a_base_of_a_hub_comes_with_a_record_of_its_origin(store, counter, source):
    files = base_files(shards=2)
    with HubServer({REPOSITORY: {**files, "modeling.py": b"print()", "pytorch_model.bin": b"x"}}) as server:
        told = counter.bring(server, source=source, repository=REPOSITORY)
    base = store.bases.get("little.base-1_8b")
    home = store.workspace / base.folder

    assert told["base"] == base.id
    assert base.name == "Little.Base-1_8B"
    assert base.origin == f"{source}:{REPOSITORY}@{COMMIT if source == 'huggingface' else 'master'}"
    assert {one.name for one in home.iterdir()} == {*files, "manifest.json"}
    assert base.manifest["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert base.manifest["architecture"] == "LlamaForCausalLM"
    assert base.prompt_template == "internlm2_chat"
    assert any(module.endswith("_hub") for module in base.manifest["versions"])
    assert not (counter.context.folder / "fetched").exists()
    assert not counter.environments


def test_what_cannot_be_used_is_refused_before_anything_is_fetched(store, counter):
    someone = {**INTERNLM2, "model_type": "someone_elses"}
    pickles = {
        **{name: content for name, content in base_files().items() if name != "model.safetensors"},
        "a.bin": b"x",
    }
    with HubServer({"a/code": base_files(someone), "a/pickles": pickles}) as server:
        for repository, words in (("a/code", "program code"), ("a/pickles", "pickles")):
            with pytest.raises(InvalidInputError) as refused:
                counter.bring(server, run_id=f"run-{repository[2:]}", source="huggingface", repository=repository)
            assert words in refused.value.message
            assert refused.value.remedy
        assert set(server.sent) == {"config.json"}
    assert store.bases.all() == []


def test_a_model_without_room_on_the_disk_is_refused_before_anything_is_fetched(store, counter):
    with HubServer({REPOSITORY: base_files()}) as server:
        server.told_size["model.safetensors"] = 10**18
        with pytest.raises(MissingArtifactError) as refused:
            counter.bring(server, source="modelscope", repository=REPOSITORY)

        assert "model.safetensors" not in server.sent
    assert str(refused.value.values["needed"]).startswith("1000000000.")
    assert not (counter.context.folder / "commands").exists()


@pytest.mark.parametrize("name", ["../etc/passwd", "noslash", "a/b/c", "a/..", "a b/c", "https://host/a"])
def test_a_name_that_is_none_is_never_sent(store, name):
    with HubServer({}) as server, pytest.raises(InvalidInputError):
        planned(store, server, source="modelscope", repository=name)

    assert server.paths == []


def test_damage_fails_the_run_and_resuming_fetches_only_what_was_damaged(store, counter):
    with HubServer({REPOSITORY: base_files()}) as server:
        server.damaged.add("model.safetensors")
        with pytest.raises(StudioError) as failed:
            counter.bring(server, source="huggingface", repository=REPOSITORY)
        server.damaged.clear()
        server.sent.clear()
        counter.bring(server, source="huggingface", repository=REPOSITORY)

        assert failed.value.values["names"] == "model.safetensors"
        assert set(server.sent) == {"model.safetensors"}
    assert store.bases.get("little.base-1_8b")


def test_stopped_in_the_middle_the_download_ends_at_once_and_goes_on_when_resumed(store, counter):
    weights = safetensors({**shapes(), "model.layers.0.spare.weight": (64, 2048)})
    with HubServer({REPOSITORY: {**base_files(), "model.safetensors": weights}}) as server:
        server.hold["model.safetensors"] = 200_000
        begun(store, "base_model")
        _stop_when(server, store)
        with pytest.raises(RunCancelledError):
            counter.bring(server, source="huggingface", repository=REPOSITORY)
        part = counter.context.folder / "fetched" / "model.safetensors.part"
        kept = part.stat().st_size
        server.hold.clear()
        server.go_on.set()
        store.runs.end("run-0000000001", RunState.CANCELLED)
        store.runs.reopen("run-0000000001")
        counter.bring(server, source="huggingface", repository=REPOSITORY)

        assert 0 < kept < len(weights)
        assert ("model.safetensors", kept) in server.ranges
    assert store.bases.get("little.base-1_8b")


def _stop_when(server: HubServer, store: Store) -> None:
    """Ask the run to stop once the server waits in the middle of the weights and what it sent has arrived."""
    part = store.workspace / "runs" / "run-0000000001" / "fetched" / "model.safetensors.part"

    def stop() -> None:
        server.reached.wait(60)
        while not part.exists() or not part.stat().st_size:
            time.sleep(0.02)
        store.runs.request_stop("run-0000000001")

    threading.Thread(target=stop, daemon=True).start()


def test_one_that_runs_code_of_its_own_is_converted_compared_and_only_the_result_is_kept(store, counter, converter):
    with HubServer({REPOSITORY: base_files(INTERNLM2)}) as server:
        told = counter.bring(server, source="modelscope", repository=REPOSITORY, name="Daiyu's base")
    base = store.bases.get("daiyu-s-base")
    home = store.workspace / base.folder

    assert converter.asked == ["convert", "compare"]
    assert counter.environments == ["xtuner"]
    assert json.loads((home / "config.json").read_text())["architectures"] == ["LlamaForCausalLM"]
    assert (home / "LICENSE").exists()
    assert told["converted"] == base.manifest["converted"] == "InternLM2ForCausalLM"
    assert base.manifest["comparison"]["texts"] == 40
    assert (
        base.manifest["fetched"]["model.safetensors"] == hashlib.sha256(base_files()["model.safetensors"]).hexdigest()
    )
    assert base.manifest["fetched"]["config.json"] != base.manifest["files"]["config.json"]
    assert not (counter.context.folder / "fetched").exists()


def test_one_that_came_out_otherwise_is_not_registered(store, counter, converter):
    converter.equal = False
    with HubServer({REPOSITORY: base_files(INTERNLM2)}) as server, pytest.raises(StudioError) as failed:
        counter.bring(server, source="modelscope", repository=REPOSITORY)

    assert failed.value.values["difference"] == "0.5"
    assert store.bases.all() == []
    assert not (store.workspace / "bases").exists()


def test_a_crash_between_the_folder_and_its_record_is_made_good(store, counter, monkeypatch):
    write_base(store.workspace / "models-of-mine")
    put = store.bases.put
    monkeypatch.setattr(store.bases, "put", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        counter.bring(source="folder", repository="models-of-mine")
    monkeypatch.setattr(store.bases, "put", put)

    assert counter.bring(source="folder", repository="models-of-mine")["base"] == "models-of-mine"
    assert [base.id for base in store.bases.all()] == ["models-of-mine"]


def test_a_folder_is_taken_over_with_what_is_needed_and_stays_as_it_is(store, counter, tmp_path):
    folder = write_base(tmp_path / "elsewhere" / "My Base", base_files() | {"run.py": b"x", "weights.bin": b"x"})
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    counter.bring(source="folder", repository=str(folder))
    base = store.bases.get("my-base")

    assert base.origin == "folder:My Base"
    assert {file.name for file in (store.workspace / base.folder).iterdir()} == {*base_files(), "manifest.json"}
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_links_out_of_the_folder_are_refused_except_into_a_hubs_own_cache(store, counter, tmp_path):
    outside = tmp_path / "secret.json"
    outside.write_text("{}")
    stray = write_base(tmp_path / "stray", base_files())
    (stray / "generation_config.json").symlink_to(outside)
    blobs = tmp_path / "models--a--b" / "blobs"
    snapshot = tmp_path / "models--a--b" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    write_base(blobs)
    for file in blobs.iterdir():
        (snapshot / file.name).symlink_to(Path("../../blobs") / file.name)

    with pytest.raises(InvalidInputError) as refused:
        counter.bring(run_id="run-stray", source="folder", repository=str(stray))
    counter.bring(source="folder", repository=str(snapshot), name="from the cache")

    assert refused.value.values["file"] == "generation_config.json"
    home = store.workspace / store.bases.get("from-the-cache").folder
    assert not any(file.is_symlink() for file in home.iterdir())


def test_two_of_one_name_live_beside_each_other(store, counter):
    write_base(store.workspace / "given" / "base")
    counter.bring(run_id="run-1", source="folder", repository="given/base")
    counter.bring(run_id="run-2", source="folder", repository="given/base")
    counter.bring(run_id="run-3", source="folder", repository="given/base", name="tiny")

    assert {base.id for base in store.bases.all()} == {"base", "base-2", "tiny-2"}


def test_a_plan_tells_what_would_come_and_what_stands_in_its_way(store):
    with HubServer({REPOSITORY: base_files(INTERNLM2)}) as server:
        plan = planned(store, server, source="huggingface", repository=REPOSITORY)

        assert set(server.sent) == {"config.json"}
    assert plan.needs_conversion
    assert plan.problem is None
    assert plan.bytes == sum(map(len, base_files(INTERNLM2).values()))
    assert plan.needed > 2 * plan.bytes
    assert plan.free > 0
    assert plan.revision == COMMIT


def test_a_base_in_use_is_not_removed_and_goes_with_its_folder_afterwards(store, counter):
    write_base(store.workspace / "given")
    counter.bring(source="folder", repository="given")
    told = begun(store, "base_model").run
    store.runs.add(replace(told, id="run-training", kind="finetuning", settings={"base": "given"}))

    with pytest.raises(ConflictError) as refused:
        remove_base("given", store=store, who="test")
    store.runs.end("run-training", RunState.CANCELLED)
    home = store.workspace / store.bases.get("given").folder
    remove_base("given", store=store, who="test")

    assert refused.value.values["run"] == "run-training"
    assert not home.exists()
    assert store.bases.all() == []
    assert (store.workspace / "given" / "config.json").exists()
