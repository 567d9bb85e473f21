"""Keeps what the program has loaded out of Python's collections of garbage.

Streamlit collects after every run of a page, and meanwhile no thread goes on: neither another visitor's page nor the
voice of a reply. With all that the studio loads, that is a tenth to a fifth of a second each time.
"""

from __future__ import annotations

import gc
import sys

_spared_modules = 0


def spare_what_is_loaded() -> None:
    """Leave what is in memory now out of later collections; does nothing unless modules came since the last time."""
    global _spared_modules
    if len(sys.modules) != _spared_modules:
        _spared_modules = len(sys.modules)
        gc.collect()
        gc.freeze()
