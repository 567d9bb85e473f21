"""Stands for the writing of small weights: the head of the file tells the model, and failures are only returned."""

from __future__ import annotations

import traceback
from typing import Any

from faults import my_save, packed  # type: ignore[import-not-found]  # lies beside it in the checkout
from tools.i18n.i18n import I18nAuto  # type: ignore[import-not-found]

i18n = I18nAuto()
HEADS = {"v3": b"03", "v4": b"04", "v2Pro": b"05", "v2ProPlus": b"06"}
VERSIONS = {head: version for version, head in HEADS.items()}


def savee(content: dict[str, Any], name: str, folder: str, version: str) -> str:
    """Save the weights; say `Success.`, or how it failed."""
    try:
        if version in HEADS:
            with open(f"{folder}/{name}.pth", "wb") as file:
                file.write(HEADS[version] + packed(content)[2:])
        else:
            my_save(content, f"{folder}/{name}.pth")
    except Exception:  # as upstream does it
        return traceback.format_exc()
    return "Success."
