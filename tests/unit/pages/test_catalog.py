"""The catalogs: equal to the code, complete, and with every value in its place."""

from __future__ import annotations

from string import Formatter

import pytest

from pages.ui import catalog

every_catalog = pytest.mark.parametrize("path", catalog.catalog_files(), ids=lambda path: path.parents[1].name)


def values_in(text):
    return {name for _text, name, _spec, _conversion in Formatter().parse(text) if name}


def ids(messages):
    return {one.id for one in messages if one.id}


@every_catalog
def test_a_catalog_holds_what_the_code_says_and_nothing_else(path):
    assert ids(catalog.read(path)) == ids(catalog.updated(path))


@every_catalog
def test_nothing_is_left_untranslated(path):
    assert catalog.untranslated(catalog.updated(path)) == []


@every_catalog
def test_a_translation_uses_only_values_that_its_message_has(path):
    wrong = []
    for message in catalog.read(path):
        original = message.id if isinstance(message.id, str) else " ".join(message.id)
        translated = message.string if isinstance(message.string, str) else " ".join(message.string)
        if message.id and not values_in(translated) <= values_in(original):
            wrong.append(original)

    assert wrong == []


def test_messages_are_found_wherever_they_are_marked():
    source = 'N_("one"); _("two" " joined"); _n("{count} line", "{count} lines", n); other("no")'

    assert list(catalog.messages_in(source, form=False)) == ["one", "two joined", ("{count} line", "{count} lines")]


def test_a_settings_form_brings_names_descriptions_and_options():
    source = 'class S(BaseModel):\n    way: Literal["a", "b"] = Field(default="a", description="How.")'

    assert list(catalog.messages_in(source, form=True)) == ["How.", "Way", "a", "b"]
    assert list(catalog.messages_in(source, form=False)) == []
