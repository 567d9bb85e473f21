"""What runs for every visit: the menu for this person's roles, then the page that was asked for."""

from __future__ import annotations

from pages.ui.errors import told_to_the_user
from pages.ui.menu import menu

with told_to_the_user():  # what no page expected, e.g. a mistake in the settings, is told here
    menu().run()
