from __future__ import annotations

import sys
import unicodedata

from core.domain.unseen import UNSEEN


def test_every_format_character_and_every_variation_selector_is_unseen():
    everything = map(chr, range(sys.maxunicode + 1))
    hidden = [one for one in everything if unicodedata.category(one) == "Cf"]
    selectors = [*map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0)), "\u034f"]

    assert [one for one in (*hidden, *selectors) if not UNSEEN.match(one)] == []


def test_letters_signs_spaces_and_accents_are_seen():
    assert UNSEEN.search("话 a1。，<|>\t\n\r\u3000\u00a0\u0301\U0001f338") is None
