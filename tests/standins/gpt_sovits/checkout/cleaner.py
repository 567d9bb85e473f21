"""Stands for the text front end: two sounds a character; Chinese needs the model of readings beside it."""

from __future__ import annotations


def clean_text(text: str, language: str, version: str | None) -> tuple[list[str], list[int] | None, str]:
    """Return sounds, sounds a character (Chinese only) and the text without marks."""
    if language == "zh":
        with open("GPT_SoVITS/text/G2PWModel/g2pW.onnx", "rb"):
            pass
    norm = "".join(character for character in text if character.isalnum())
    if not norm:
        raise ValueError("nothing left of the text")
    phones = [part for character in norm for part in (f"c{ord(character) % 40}", f"v{ord(character) % 30}")]
    return phones, [2] * len(norm) if language in ("zh", "yue") else None, norm
