from __future__ import annotations

import subprocess
import sys

import pytest

from core.backends.tts.formant import MOST_CHARACTERS, SPEAKER, FormantVoice
from core.errors import InvalidInputError, SettingsError, ToolFailedError


def test_the_command_is_a_program_of_its_own_with_the_personas_settings():
    command = FormantVoice({"pitch": 70, "rate": 150}).command()

    assert command.argv[0] == sys.executable
    assert str(SPEAKER) in command.argv
    assert command.argv[command.argv.index("--pitch") + 1] == "70"
    assert command.argv[command.argv.index("--rate") + 1] == "150"


def test_another_pitch_is_another_recipe():
    assert dict(FormantVoice({"pitch": 40}).recipe) != dict(FormantVoice({"pitch": 80}).recipe)


def test_a_higher_pitch_sounds_different():
    low, high = (FormantVoice({"pitch": pitch}).speak("今日天气好。") for pitch in (20, 90))

    assert low.wav != high.wav


@pytest.mark.parametrize("settings", [{"pitch": 900}, {"variant": "dragon"}, {"colour": 1}])
def test_a_wrong_setting_is_named(settings):
    with pytest.raises(SettingsError) as refused:
        FormantVoice(settings)

    assert next(iter(settings)) in str(refused.value)


def test_a_text_too_long_for_one_breath_is_refused():
    with pytest.raises(InvalidInputError):
        FormantVoice({}).speak("长" * (MOST_CHARACTERS + 1))


def test_a_voice_that_takes_too_long_is_given_up():
    with pytest.raises(ToolFailedError):
        FormantVoice({"timeout": 0.001}).speak("花谢花飞" * 100)


def test_the_rest_of_the_program_never_loads_the_gpl_library():
    script = (
        "import sys; import core.backends.tts.formant as f; f.FormantVoice({}).speak('好');"
        "sys.exit('espeakng_loader' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
