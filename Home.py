"""The entry: `streamlit run Home.py`; shows the menu for this person's roles and runs the page that was asked for."""

from __future__ import annotations

from pages.ui.menu import menu

menu().run()
