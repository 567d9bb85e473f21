"""What people call the models and voices behind a reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.chat import Message
from core.translation import N_
from pages.ui.frame import Visit
from pages.ui.i18n import _, number

VOICE_NAMES = {
    "formant": N_("placeholder voice"),
    "openai": N_("a speech server's voice"),
    "clip": N_("her own recording"),
    "": N_("silent"),
}
MODEL_NAMES = {
    "retrieval": N_("her own lines"),
}


@dataclass(frozen=True, slots=True)
class Makers:
    """The registry's names, read once for a drawing of the page."""

    names: Mapping[str, str]
    """Id of a model or voice -> its name, removed ones too."""

    def voice(self, voice: str) -> str:
        """Return what people call a voice: a backend of its own, or a trained one by its id."""
        return _(VOICE_NAMES[voice]) if voice in VOICE_NAMES else self.names.get(voice, voice)

    def model(self, message: Message) -> str:
        """Return what people call the model behind a reply."""
        if message.model_id:
            return self.names.get(message.model_id, message.model_id)
        return _(MODEL_NAMES.get(message.backend or "", message.backend or ""))

    def told(self, message: Message) -> str:
        """Return what made a reply and how soon, in one line."""
        told = [self.model(message)]
        if message.voice:
            told.append(self.voice(message.voice))
        for name, words in (
            ("first_word", _("first word {seconds} s")),
            ("first_audio", _("first sound {seconds} s")),
        ):
            if (seconds := message.timings.get(name)) is not None:
                told.append(words.format(seconds=number(seconds, "0.00")))
        return " · ".join(told)


def makers(visit: Visit) -> Makers:
    """Read the names of the persona's models and voices."""
    models = visit.studio.store.models.all(visit.persona.id, removed=True)
    return Makers({model.id: model.name for model in models})
