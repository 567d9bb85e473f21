"""Voice training: where GPT-SoVITS is, training on a set of clips, the choice by measurement, the voices, servers."""

from __future__ import annotations

from pages.ui.frame import page
from pages.ui.i18n import _
from pages.ui.part_tabs import part_tabs
from pages.ui.voice_choice import choice_room
from pages.ui.voice_registry import voices_room
from pages.ui.voice_servers import servers_room
from pages.ui.voice_tool import voice_tool_room
from pages.ui.voice_training_form import voice_training_room

visit = page("voice_training")

rooms = {
    "train": voice_training_room,
    "choose": choice_room,
    "voices": voices_room,
    "servers": servers_room,
    "tool": voice_tool_room,
}
parts = {
    "train": _("Train"),
    "choose": _("Choose"),
    "voices": _("Voices"),
    "servers": _("Server"),
    "tool": "GPT-SoVITS",
}
tabs = part_tabs(parts, first="train" if visit.studio.voice_tool_place() else "tool")

for name, room in rooms.items():
    if tabs[name].open:
        with tabs[name]:
            room(visit)
