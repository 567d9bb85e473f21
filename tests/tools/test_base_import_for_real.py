"""An InternLM2 of a hub arrives in the Llama form: downloaded, converted and compared by the real programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.backends.tools.toolchains import python_of
from core.backends.tools.xtuner import PROGRAMS
from core.domain.run import Command, RunState
from core.jobs.door import run_briefly
from core.services import open_services
from core.settings import ToolchainSettings, load_settings
from core.stages.finetuning.bases.inspecting import inspect_base
from tests.hub_server import HubServer

pytestmark = [pytest.mark.slow, pytest.mark.tools, pytest.mark.timeout(1800)]

HERE = Path(__file__).parent
EXCHANGES = json.loads((HERE.parent / "data" / "tools" / "exchanges.json").read_text(encoding="utf-8"))
ENGLISH = "She closed the window, and the lamp went out before anybody had said a word."
LITTLE = {
    "vocab_size": 1024,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "shards": 2,
}
REPOSITORY = "Shanghai_AI_Laboratory/internlm2-chat-little"


@pytest.fixture
def checkpoint(tmp_path: Path) -> dict[str, bytes]:
    """The files of an InternLM2 of random weights, as its makers publish one."""
    python = python_of("xtuner", load_settings())
    if python is None:
        pytest.skip("XTuner's environment is not built")
    texts = [text for exchange in EXCHANGES for text in exchange] + [ENGLISH] * 8
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    environment = {"PYTHONPATH": str(PROGRAMS), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    arguments = ("sources", "texts.json", json.dumps({"little": LITTLE}))
    command = Command((str(python), str(HERE / "random_internlm2.py"), *arguments), tmp_path, environment)
    built = run_briefly(command, timeout=300)
    assert built.returncode == 0, built.stderr.decode()
    return {file.name: file.read_bytes() for file in (tmp_path / "sources" / "little").iterdir()}


def test_an_internlm2_of_a_hub_is_registered_in_the_llama_form_with_what_was_compared(
    checkpoint: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {"LICENSE": b"Apache 2.0", "modeling_internlm2.py": b"raise SystemExit('never run')"}
    settings = load_settings()
    xtuner = ToolchainSettings(python=python_of("xtuner", settings))
    services = open_services(
        settings.model_copy(update={"workspace": tmp_path / "workspace", "toolchains": {"xtuner": xtuner}})
    )
    with HubServer({REPOSITORY: {**checkpoint, **theirs}}) as server:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", server.url)
        wanted: dict[str, object] = {"source": "modelscope", "repository": REPOSITORY}
        done = services.execution.here("base_model", services.settings.persona, wanted, who="test")

        assert done.state is RunState.SUCCEEDED, done.error
        assert "modeling_internlm2.py" not in server.sent
    [base] = services.store.bases.all()
    home = services.settings.workspace / base.folder
    report = inspect_base(home)

    assert base.id == "internlm2-chat-little"
    assert (report.architecture, report.problems) == ("LlamaForCausalLM", ())
    assert report.prompt_template == base.prompt_template == "internlm2_chat"
    assert report.parameters == inspect_base(tmp_path / "sources" / "little").parameters
    assert base.manifest["converted"] == "InternLM2ForCausalLM"
    assert base.manifest["comparison"]["equal"]
    assert base.manifest["comparison"]["texts"] > 0
    assert (home / "LICENSE").read_bytes() == b"Apache 2.0"
    assert not list(home.glob("*.py"))
    assert not (services.settings.runs / done.id / "fetched").exists()
    services.close()
