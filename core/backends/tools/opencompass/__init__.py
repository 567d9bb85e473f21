"""OpenCompass 0.5 as an examiner: one generated configuration, one process that asks, judges and sums up.

Its quirks end here. It may exit with 0 when tasks fail, so results are counted; it writes into its working folder,
which is the run's; it cannot work in a folder with a space in its path.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.backends.tools.examiner import Standing
from core.backends.tools.opencompass import outputs
from core.backends.tools.opencompass.configuration import CONFIG, OUT, TOKENIZER, render
from core.backends.tools.troubles import DISK_FULL, Trouble, recognised
from core.domain.evaluation import Answer
from core.domain.examination import Examination
from core.domain.run import Command
from core.errors import InvalidInputError, StudioError, ToolFailedError
from core.jobs.door import run_briefly
from core.translation import N_

PROGRAMS = Path(__file__).parent.parent / "opencompass_programs"
_VERSIONS = """
import importlib.metadata as installed, json
print(json.dumps({name: installed.version(name) for name in ("opencompass", "torch", "transformers", "datasets")}))
"""
_LETTER = re.compile(r"[A-Z]")
_GENERAL_CLASSES = ("TokenizersBackend", "PreTrainedTokenizerFast")
"""What transformers 5, and 4, call the class of any tokenizer.json; OpenCompass wants transformers 4."""
_INPUTS = ["input_ids", "attention_mask"]
"""What transformers 5 gives a model by default; 4 adds token_type_ids, which a causal model refuses."""
_TROUBLES: tuple[Trouble, ...] = (
    DISK_FULL,
    (
        r"out of memory|OutOfMemoryError|Cannot allocate memory|\bMemoryError\b|\bKilled\b",
        N_("There was not enough memory to ask this model."),
        N_("Make the batch smaller, end other programs, or choose a smaller model; then press Resume."),
    ),
    (
        r"Connection error|APIConnectionError|Connection refused",
        N_("The model's server does not answer."),
        N_("Look whether it runs and whether its address is right, then press Resume."),
    ),
    (
        r"AuthenticationError|401 Unauthorized|Error code: 401",
        N_("The model's server refuses the key."),
        N_("Set the environment variable that the settings name, start the app anew, then press Resume."),
    ),
    (
        r"chat_template",
        N_("The model has no chat template."),
        N_("Examine the fine-tuned model, or one for chats."),
    ),
)


@dataclass(frozen=True)
class OpenCompass:
    """OpenCompass in the environment of the given interpreter."""

    python: Path

    def versions(self) -> dict[str, str]:
        """Return the versions of OpenCompass, torch, transformers and datasets; ToolFailedError if it cannot start."""
        asked = run_briefly(Command((str(self.python), "-W", "ignore", "-c", _VERSIONS), PROGRAMS), timeout=120)
        if asked.returncode != 0:
            raise ToolFailedError(
                N_("OpenCompass's environment does not start: {reason}"),
                remedy=N_("Build the environment again with make toolchains."),
                reason=asked.stderr.decode(errors="replace").strip().rpartition("\n")[2],
            )
        versions: dict[str, str] = json.loads(asked.stdout)
        return versions

    def prepare(self, work: Examination) -> Path:
        """Write the configuration, and a tokenizer that counts characters where a served model is asked.

        Raises InvalidInputError where the folder's path has a space, with which every task would fail.
        """
        if " " in str(work.folder):
            raise InvalidInputError(
                N_("OpenCompass cannot work in {folder}: the path has a space in it."),
                remedy=N_("Move the workspace to a folder without spaces (setting workspace)."),
                folder=work.folder,
            )
        work.folder.mkdir(parents=True, exist_ok=True)
        if work.examinee.folder is None:
            _write_tokenizer(work.folder / TOKENIZER)
        elif _of_a_general_class(work.examinee.folder):
            _copy_tokenizer(work.examinee.folder, work.folder / TOKENIZER)
        file = work.folder / CONFIG
        file.write_text(render(work, shlex.join(self._arguments(work))), encoding="utf-8")
        return file

    def command(self, work: Examination) -> Command:
        """Return what asks, judges and sums up; what an earlier attempt has is used again."""
        served = work.examinee.served
        key = served.key_name if served else "OPENAI_API_KEY"
        argv = (str(self.python), str(PROGRAMS / "with_key.py"), key, *self._arguments(work)[1:])
        environment = {
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(work.folder / "huggingface"),
            "DATASET_SOURCE": "",
            "OMP_NUM_THREADS": str(work.threads),
            "TOKENIZERS_PARALLELISM": "false",
            "PYTHONUNBUFFERED": "1",
        }
        return Command(argv, work.folder, environment)

    def standing(self, work: Examination) -> Standing:
        """Count the replies and the scores there are."""
        attempt = outputs.newest(work.folder / OUT)
        if attempt is None:
            return Standing({}, 0, 0, frozenset())
        answered: dict[str, int] = {}
        right = lettered = 0
        for dataset in work.datasets:
            replies = outputs.replies(attempt, work.examinee.id, dataset)
            if replies:
                answered[dataset] = len(replies)
            for one in replies:
                wanted = str(one.get("gold", ""))
                if _LETTER.fullmatch(wanted):
                    lettered += 1
                    begun = _LETTER.search(str(one.get("prediction", "")))
                    right += begun is not None and begun[0] == wanted
        return Standing(answered, right, lettered, frozenset(self._scored(work)))

    def unscored(self, work: Examination) -> Sequence[str]:
        """Return each dataset without a score."""
        scored = self._scored(work)
        return [dataset for dataset in work.datasets if dataset not in scored]

    def answers(self, work: Examination) -> Iterator[Answer]:
        """Yield every question that was judged."""
        attempt = outputs.newest(work.folder / OUT)
        for dataset in work.datasets if attempt else ():
            assert attempt is not None
            yield from outputs.answers(attempt, work.examinee.id, dataset)

    def summary(self, work: Examination) -> bytes:
        """Return the newest summary table."""
        attempt = outputs.newest(work.folder / OUT)
        file = outputs.summary_file(attempt) if attempt else None
        if file is None:
            raise ToolFailedError(
                N_("OpenCompass ended without a summary."),
                remedy=N_("Read the end of the run's log, then press Resume."),
            )
        return file.read_bytes()

    def explain(self, log_end: str) -> StudioError | None:
        """Return the trouble that the end of the log, or a task's error, tells of."""
        return recognised(log_end, _TROUBLES)

    def _scored(self, work: Examination) -> set[str]:
        attempt = outputs.newest(work.folder / OUT)
        files = outputs.judged(attempt, work.examinee.id) if attempt else {}
        return {name for name, file in files.items() if name in work.datasets and "error" not in outputs.score_of(file)}

    def _arguments(self, work: Examination) -> list[str]:
        attempt = outputs.newest(work.folder / OUT)
        again = ["-r", attempt.name] if attempt else []
        # In one process, with its output in our log: without --debug it is three, each of which imports all datasets.
        return ["opencompass", CONFIG, "-w", OUT, "--debug", *again]


def _of_a_general_class(folder: Path) -> bool:
    file = folder / "tokenizer_config.json"
    told = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return told.get("tokenizer_class") in _GENERAL_CLASSES


def _copy_tokenizer(source: Path, folder: Path) -> None:
    """Copy a tokenizer under the name by which transformers 4 knows its class, with the inputs it has in 5."""
    folder.mkdir(exist_ok=True)
    for name in ("tokenizer.json", "special_tokens_map.json", "chat_template.jinja"):
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    told = json.loads((source / "tokenizer_config.json").read_text(encoding="utf-8"))
    told = {"model_input_names": _INPUTS, **told, "tokenizer_class": "PreTrainedTokenizerFast"}
    if isinstance(told.get("extra_special_tokens"), list):
        told.pop("extra_special_tokens", None)  # 4 wants a mapping, and they stand in tokenizer.json anyway
    (folder / "tokenizer_config.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def _write_tokenizer(folder: Path) -> None:
    """Write a tokenizer of single characters: replies are cut by length, and a server keeps its own to itself."""
    folder.mkdir(exist_ok=True)
    told = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": False},
        "model": {"type": "WordLevel", "vocab": {"<unk>": 0}, "unk_token": "<unk>"},
    }
    (folder / "tokenizer.json").write_text(json.dumps(told), encoding="utf-8")
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>", "model_max_length": 1_000_000}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
