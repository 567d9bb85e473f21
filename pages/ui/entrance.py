"""What runs for every visit: the menu for this person's roles, then the page that was asked for."""

from __future__ import annotations

from pages.ui.menu import menu

menu().run()
