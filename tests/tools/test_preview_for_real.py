"""The preview shows what the real XTuner trains on: the same tokens, loss on the same ones, the same cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.backends.tools import ReaderSource
from core.backends.tools.toolchains import python_of
from core.backends.tools.xtuner import PROGRAMS
from core.backends.tools.xtuner.encoding import FORMS, reader
from core.domain.conversations import xtuner_conversations
from core.domain.identity import now
from core.domain.run import Command
from core.domain.text import DatasetVersion, Sample, Split, Turn, TurnRole
from core.jobs.door import run_briefly
from core.settings import load_settings

pytestmark = [pytest.mark.slow, pytest.mark.tools, pytest.mark.timeout(900)]

EXAMINE = Path(__file__).with_name("examine_samples_in_xtuner.py")
EXCHANGES = Path(__file__).parents[1] / "data" / "tools" / "exchanges.json"
MAX_LENGTH = 200
SYSTEM = "你是沈青，{住在}竹声里。"
VERSION = DatasetVersion("ver-1", "a-qing", "v1", "", "f" * 64, SYSTEM, {}, 1, 0, now())


def _conversations() -> list[dict[str, Any]]:
    """Return talks of one round and of several, some replies only context, one far too long."""
    exchanges = json.loads(EXCHANGES.read_text(encoding="utf-8"))
    samples = []
    for number in range(0, len(exchanges) - 3, 3):
        turns: list[Turn] = []
        rounds = 1 + number // 3 % 3
        for place, (asked, answered) in enumerate(exchanges[number : number + rounds]):
            context = place < rounds - 1 and number % 2 == 0
            turns += [
                Turn(TurnRole.COUNTERPART, "陆远", asked),
                Turn(TurnRole.PERSONA, "沈青", answered, context=context),
            ]
        samples.append(Sample(number, "src-1", 1, Split.TRAIN, tuple(turns)))
    asked = "𠮷emoji🌧" + "".join(map(chr, range(0x5000, 0x5100)))
    far = Turn(TurnRole.COUNTERPART, "陆远", asked), Turn(TurnRole.PERSONA, "沈青", "太长了。")
    return xtuner_conversations(VERSION, [*samples, Sample(99, "src-1", 1, Split.TRAIN, far)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("preview")
    (made / "conversations.json").write_text(json.dumps(_conversations(), ensure_ascii=False), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def theirs(folder: Path) -> dict[str, Any]:
    """What XTuner makes of the samples, for every chat form the preview knows."""
    python = python_of("xtuner", load_settings())
    if python is None:
        pytest.skip("XTuner's environment is not built")
    environment = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(PROGRAMS)}
    arguments = (str(python), str(EXAMINE), str(MAX_LENGTH), *FORMS)
    answer = run_briefly(Command(arguments, folder, environment), timeout=600)
    assert answer.returncode == 0, answer.stderr.decode()
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("base", ["tiny", "folder"])
def test_tokens_losses_and_cuts_are_those_of_xtuner(form: str, base: str, folder: Path, theirs: dict[str, Any]):
    conversations = _conversations()
    source = ReaderSource(folder / "tokenizer" if base == "folder" else None, form, conversations, vocabulary=800)
    ours = reader(source)

    seen = []
    for conversation in conversations:
        tokens = ours.tokens(conversation)[:MAX_LENGTH]
        labels = [token.id if token.loss else -100 for token in tokens]
        if any(token.loss for token in tokens):
            seen.append([[token.id for token in tokens], labels])
    assert seen == theirs["samples"][form]
    assert 0 < len(seen) < len(conversations)
    assert [len(loss) for loss in ours.losses(conversations)] == [len(ours.tokens(one)) for one in conversations]


def test_the_chat_forms_are_those_of_xtuner(theirs: dict[str, Any]):
    for name, form in FORMS.items():
        known = theirs["templates"][name]
        assert (form.system, form.instruction) == (known["SYSTEM"], known["INSTRUCTION"])
        assert (form.suffix, form.separator) == (known.get("SUFFIX", ""), known.get("SEP", ""))
        assert form.suffix_ends == known.get("SUFFIX_AS_EOS", False)
