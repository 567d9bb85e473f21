"""What GPT-SoVITS says, line by line."""

from __future__ import annotations

import pytest

from core.backends.tools import VoiceReport, VoiceStep
from core.backends.tools.gpt_sovits.log import explain, measurements, read_line

LOSSES = "[2.5, 2.25, 1.5, 22.0, 0.75, 1.5, 17, 9.99875e-05]"


def said(step: VoiceStep, line: str, *, epochs: int) -> VoiceReport:
    report = read_line(step, line, epochs=epochs)
    assert report is not None
    return report


def test_the_sovits_stage_tells_epoch_and_share():
    report = said(VoiceStep.SOVITS, "INFO:features:Train Epoch: 3 [50%]", epochs=8)

    assert (report.epoch, report.fraction) == (3, 2.5 / 8)


def test_the_line_after_it_tells_the_losses_and_the_step():
    report = said(VoiceStep.SOVITS, f"INFO:features:{LOSSES}", epochs=8)

    assert report.step == 17
    assert report.values["loss_mel"] == 22.0
    assert report.values["learning_rate"] == 9.99875e-05


def test_an_adapter_tells_one_loss():
    report = said(VoiceStep.SOVITS, "INFO:features:[0.5, 17, 0.0001]", epochs=2)

    assert dict(report.values) == {"loss": 0.5, "learning_rate": 0.0001}


def test_a_loss_that_is_no_number_is_left_out():
    report = said(VoiceStep.SOVITS, "INFO:features:[nan, 2.0, 1.5, inf, 0.75, 1.5, 17, 0.0001]", epochs=2)

    assert set(report.values) == {"loss_gen", "loss_fm", "loss_kl_ssl", "loss_kl", "learning_rate"}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "INFO:features:====> Epoch: 3",
        " 12%|█▏        | 3/25 [00:01<00:09,  2.3it/s]",
        "[1, 2, 3]",
        "['a']",
        "saving ckpt voice_e4:Success.",
        "[" * 5000,
    ],
)
def test_other_lines_say_nothing(line):
    assert read_line(VoiceStep.SOVITS, line, epochs=8) is None


@pytest.mark.parametrize(
    "line",
    [
        "\x1b[2KEpoch 1/3 \x1b[35m━━━━\x1b[0m 3/12 0:00:01 • 0:00:04 2.10it/s total_loss_step: 411.5 lr: 0.002",
        "Epoch 1:  25%|██▌       | 3/12 [00:01<00:04,  2.10it/s, v_num=0, total_loss_step=411.5, lr=2e-3]",
    ],
    ids=["rich", "tqdm"],
)
def test_the_gpt_stage_tells_batch_and_loss_of_an_epoch_counted_from_nought(line):
    report = said(VoiceStep.GPT, line, epochs=4)

    assert (report.epoch, report.step) == (2, 15)
    assert report.fraction == pytest.approx((1 + 3 / 12) / 4)
    assert dict(report.values) == {"loss": 411.5, "learning_rate": 0.002}


def test_a_resumed_trainings_losses_replace_the_earlier_ones(tmp_path):
    book = tmp_path / "train.log"
    head = "2026-08-01 10:00:00,000\tfeatures\tINFO\t"
    book.write_text(
        f"{head}Train Epoch: 1 [0%]\n{head}{LOSSES}\n{head}Train Epoch: 1 [9%]\n"
        f"{head}{LOSSES.replace('17', '18')}\n{head}{LOSSES.replace('22.0', '9.0')}\n"
    )

    assert [(step, values["loss_mel"]) for step, values in measurements(book, -1)] == [(17, 9.0), (18, 22.0)]
    assert [step for step, _ in measurements(book, 17)] == [18]
    assert measurements(tmp_path / "none", -1) == []


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", "memory"),
        ("No such file or directory: 'GPT_SoVITS/text/G2PWModel/g2pW.onnx'", "G2PW"),
        ("ModuleNotFoundError: No module named 'text'", "its own module text"),
        ("ModuleNotFoundError: No module named 'peft'", "lacks the module peft"),
        (
            "OSError: Error no file named pytorch_model.bin, model.safetensors found in directory /a/b.",
            "pytorch_model.bin",
        ),
        ("FileNotFoundError: /a/GPT_SoVITS/pretrained_models/s1v3.ckpt", "s1v3.ckpt"),
        ("Resource averaged_perceptron_tagger_eng not found.", "averaged_perceptron_tagger_eng"),
        ("_pickle.UnpicklingError: Weights only load failed.", "safe loading"),
        ("ZeroDivisionError: division by zero", "No clip"),
        ("lid.176.bin: no such file", "tells languages apart"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'", "ffmpeg"),
        ("RuntimeError: CUDA error: no kernel image is available", "GPU"),
        ("[Errno 98] error while attempting to bind on address ('127.0.0.1', 9880)", "port"),
    ],
)
def test_known_troubles_have_words_and_a_remedy(ending, words):
    explained = explain(f"Traceback (most recent call last):\n  File\n{ending}\n")

    assert explained is not None
    assert words in str(explained)
    assert explained.remedy


def test_an_unknown_trouble_is_not_guessed_at():
    assert explain("RuntimeError: something new") is None
