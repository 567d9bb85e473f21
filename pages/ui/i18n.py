"""Chinese and English: gettext catalogs, compiled in memory; the browser's locale decides, a switch overrules."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from string import Formatter
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from babel.dates import format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from pages.ui.state import LANGUAGE

LOCALES: Final = Path(__file__).parent / "locale"
LANGUAGES: Final[Mapping[str, str]] = {"zh_CN": "中文", "en": "English"}
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


@cache
def catalog(language: str) -> NullTranslations:
    """Return the catalog of a language; English speaks for itself."""
    path = LOCALES / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return GNUTranslations(compiled)


def language() -> str:
    """Return the language of this session: the one chosen, else the browser's, else English."""
    chosen = LANGUAGE.get()
    if chosen in LANGUAGES:
        return chosen
    return "zh_CN" if (st.context.locale or "").lower().startswith("zh") else "en"


def _(message: str) -> str:
    """Translate a message."""
    return catalog(language()).gettext(message) if message else ""


def _n(singular: str, plural: str, count: int, **values: str) -> str:
    """Translate a message that counts, and fill in `{count}` and what else it names."""
    return catalog(language()).ngettext(singular, plural, count).format(count=number(count), **values)


def filled(template: str, values: Mapping[str, object]) -> str:
    """Translate a template and fill its values in; numbers without a format are written the reader's way."""
    text: str = _SPOKEN.vformat(_(template), (), values)
    return text


def number(value: float, pattern: str = "#,##0.##") -> str:
    """Write a number with the language's separators."""
    text: str = format_decimal(value, format=pattern, locale=language())
    return text


def size_of(count: float) -> str:
    """Write a number of bytes in the largest unit that leaves at least 1 of it, e.g. `3.8 GB`."""
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{number(count, '0.#' if count < 10 else '0')} {_UNITS[unit]}"


def duration(seconds: float) -> str:
    """Write a length of time in words, e.g. `3 minutes`."""
    if seconds < 1:
        return _("under a second")
    return format_timedelta(timedelta(seconds=round(seconds)), threshold=2, locale=language())


def moment(when: datetime) -> str:
    """Write a point in time as the reader's clock shows it."""
    return format_datetime(when.astimezone(_zone()), "yyyy-MM-dd HH:mm", locale=language())


def _zone() -> ZoneInfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


class _Spoken(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        plain_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number(value) if plain_number and not format_spec else format(value, format_spec)


_SPOKEN: Final = _Spoken()
