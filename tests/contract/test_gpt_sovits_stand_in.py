"""The stand-in is as untrustworthy as what it stands for: each lie that our adapter must see through, told once."""

from __future__ import annotations

import io
import json
import os
import signal
import wave
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL

import httpx
import psutil
import pytest
import yaml

from core.backends.tools import VoiceStep
from core.domain.run import Command
from tests.standins.gpt_sovits.world import (
    code_of,
    done,
    end_hard,
    ended,
    pid_of,
    pretrained_voice,
    serving,
    started,
    through,
    training,
    until,
)

SENTENCE = "你来了？外头冷，快坐下罢。"


def asked(voice, text=SENTENCE, **more):
    return {
        "text": text,
        "text_lang": "zh",
        "ref_audio_path": str(voice.reference),
        "prompt_lang": "zh",
        "prompt_text": "好",
        **more,
    }


@pytest.mark.parametrize("step", [VoiceStep.TEXT, VoiceStep.FEATURES, VoiceStep.SOVITS])
def test_without_its_paths_a_script_does_not_find_its_modules(trainer, tmp_path, step):
    work = training(tmp_path / "run")
    trainer.prepare(work)
    command = trainer.start(work, step)

    lost = ended(replace(command, env={**command.env, "PYTHONPATH": ""}), tmp_path / "lost")

    assert lost.returncode == 1
    assert "No module named" in lost.said


def test_texts_without_the_model_of_readings_end_well_with_one_empty_line(stand_in, trainer, tmp_path):
    model = stand_in.checkout / "GPT_SoVITS/text/G2PWModel/g2pW.onnx"
    work = training(tmp_path / "run")
    trainer.prepare(work)
    model.rename(model.with_suffix(".away"))

    text = done(trainer, work, VoiceStep.TEXT)
    model.with_suffix(".away").rename(model)

    assert text.returncode == 0
    assert (work.folder / "features/2-name2text-0.txt").read_text() == "\n"


def test_a_training_of_the_same_epochs_does_nothing_successfully(trainer, tmp_path):
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.SOVITS)
    first = done(trainer, work, VoiceStep.SOVITS)
    (work.folder / "weights/sovits/voice_e1_s25.pth").unlink()

    second = done(trainer, work, VoiceStep.SOVITS)

    assert (first.returncode, second.returncode) == (0, 0)
    assert "Train Epoch" in first.said
    assert "Train Epoch" not in second.said


def test_weights_that_cannot_be_written_are_only_mentioned(trainer, tmp_path):
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.SOVITS)
    command = trainer.start(work, VoiceStep.SOVITS)
    (work.folder / "weights/sovits").rmdir()

    lost = ended(command, tmp_path / "lost")

    assert lost.returncode == 0
    assert "saving ckpt voice_e1:Traceback" in lost.said


def test_ending_the_main_process_alone_leaves_its_seven_children_training(stand_in, trainer, tmp_path):
    stand_in.behave(s2_step_seconds=0.5)
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.SOVITS)
    command = trainer.start(work, VoiceStep.SOVITS)
    # not through the door: its launcher would end the whole group
    program = psutil.Popen(
        command.argv,
        cwd=command.cwd,
        env={**os.environ, **command.env},
        stdout=DEVNULL,
        stderr=DEVNULL,
        process_group=0,
    )
    try:
        until(lambda: len(program.children(recursive=True)) == 7)
        children = program.children(recursive=True)
        program.send_signal(signal.SIGTERM)

        assert program.wait(10) == -signal.SIGTERM
        assert all(child.is_running() for child in children)
    finally:
        os.killpg(program.pid, signal.SIGKILL)


def test_ending_gpt_training_looks_like_success(stand_in, trainer, tmp_path):
    stand_in.behave(s1_step_seconds=0.5)
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.GPT)
    program, log = started(trainer.start(work, VoiceStep.GPT), tmp_path / "gpt")
    until(lambda: "Epoch 0/1" in log.read_text(encoding="utf-8"))

    os.kill(pid_of(tmp_path / "gpt"), signal.SIGTERM)
    until(lambda: not program.alive())

    assert code_of(program) == 0
    assert list((work.folder / "weights/gpt").iterdir()) == []


def test_gpt_training_goes_on_only_when_told_to_trust_its_checkpoint(trainer, tmp_path):
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.GPT)
    command = trainer.start(work, VoiceStep.GPT)
    first = ended(command, tmp_path / "first")

    second = ended(command, tmp_path / "second")

    assert first.returncode == 0
    assert second.returncode == 1
    assert "Weights only load failed" in second.said


def test_gpt_training_shows_its_progress_to_a_terminal_only(trainer, tmp_path):
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.GPT)
    command = trainer.start(work, VoiceStep.GPT)

    blind = ended(replace(command, pty=False), tmp_path / "blind")

    assert "Epoch 0/1" not in blind.said


def test_the_server_keeps_its_word_and_its_quirks(stand_in, trainer, tmp_path):
    voice = pretrained_voice(stand_in, tmp_path)
    with serving(trainer, tmp_path / "serve") as address, httpx.Client(base_url=address, timeout=10) as server:
        streamed = server.post("/tts", json=asked(voice, streaming_mode=1)).content
        whole = server.post("/tts", json=asked(voice)).content
        mute = server.post("/tts", json=asked(voice, "……。"))

        assert (int.from_bytes(streamed[4:8], "little"), int.from_bytes(streamed[40:44], "little")) == (36, 0)
        assert streamed[44:] == whole[44:]
        with wave.open(io.BytesIO(mute.content)) as silence:
            assert (silence.getframerate(), silence.getnframes()) == (16_000, 16_000)
        assert server.get("/health").status_code == 404
        assert server.post("/tts", json=asked(voice, text_lang="xx")).status_code == 400
        assert server.post("/tts", json=asked(voice, top_k="many")).status_code == 422
        assert server.post("/tts", json=asked(voice, text_lang="ZH")).status_code == 400
        assert server.get("/tts", params=asked(voice, text_lang="ZH")).status_code == 200
        assert server.get("/tts", params={"text": "好", "prompt_lang": "zh"}).status_code == 500
        with pytest.raises(httpx.RemoteProtocolError):
            server.post("/tts", json=asked(voice, ref_audio_path="/nowhere.wav", streaming_mode=1))


def test_a_take_in_one_piece_keeps_everybody_waiting(stand_in, trainer, tmp_path):
    voice = pretrained_voice(stand_in, tmp_path)
    with serving(trainer, tmp_path / "serve") as address, httpx.Client(base_url=address) as server:
        stand_in.behave(tts_seconds=30)
        with pytest.raises(httpx.ReadTimeout):
            server.post("/tts", json=asked(voice), timeout=0.5)

        with pytest.raises(httpx.ReadTimeout):
            server.get("/docs", timeout=0.5)


def test_a_replaced_reference_is_not_heard(stand_in, trainer, tmp_path):
    voice = pretrained_voice(stand_in, tmp_path)
    with serving(trainer, tmp_path / "serve") as address, httpx.Client(base_url=address) as server:
        before = server.post("/tts", json=asked(voice)).content
        (tmp_path / "other.wav").write_bytes(b"not even a sound")
        (tmp_path / "other.wav").replace(voice.reference)

        assert server.post("/tts", json=asked(voice)).content == before


def test_weights_that_are_not_there_spoil_the_next_start(stand_in, trainer, tmp_path):
    with serving(trainer, tmp_path / "serve") as address, httpx.Client(base_url=address) as server:
        refused = server.get("/set_gpt_weights", params={"weights_path": "/nowhere.ckpt"})
        server.get("/set_sovits_weights", params={"weights_path": str(pretrained_voice(stand_in, tmp_path).sovits)})
        kept = yaml.safe_load((tmp_path / "serve/tts_infer.yaml").read_text())

    assert refused.status_code == 400
    assert kept["custom"]["t2s_weights_path"] == "/nowhere.ckpt"


def test_a_taken_port_is_code_3_after_everything_was_loaded(trainer, tmp_path):
    with serving(trainer, tmp_path / "serve"):
        spec = json.loads((tmp_path / "serve/program/command.json").read_text())
        second = ended(Command(tuple(spec["argv"]), Path(spec["cwd"]), spec["env"]), tmp_path / "second")

    assert second.returncode == 3
    assert "Loading VITS weights" in second.said


def test_told_to_exit_it_answers_500_and_ends_by_the_signal(trainer, tmp_path):
    with serving(trainer, tmp_path / "serve") as address:
        answer = httpx.get(f"{address}/control", params={"command": "exit"})
        until(lambda: (tmp_path / "serve/program/exit.json").exists())
        code = json.loads((tmp_path / "serve/program/exit.json").read_text())["returncode"]
    end_hard(tmp_path / "serve/program")

    assert (answer.status_code, code) == (500, -signal.SIGTERM)
