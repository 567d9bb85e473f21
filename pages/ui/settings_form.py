"""A form drawn from a settings model: one widget per field, its description as help, its bounds kept."""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core.services import Services
from core.settings import stage_defaults
from pages.ui.i18n import _


@dataclass(frozen=True, slots=True)
class Section:
    """A nested model whose fields fold away together."""

    name: str
    title: str
    about: str
    icon: str


def settings_form(
    model: type[BaseModel],
    defaults: BaseModel | Mapping[str, Any],
    *,
    key: str,
    first: Sequence[str] = (),
    omit: Collection[str] = (),
    sections: Sequence[Section] = (),
) -> dict[str, Any]:
    """Draw a widget per field and return name -> value.

    `first` names the fields shown at once, the others fold away, each section by itself; `omit` those the page asks
    for in its own way.
    """
    start = defaults.model_dump(mode="python") if isinstance(defaults, BaseModel) else dict(defaults)
    shown = [name for name in model.model_fields if name not in omit]
    apart = {section.name for section in sections}
    later = [name for name in shown if first and name not in first and name not in apart]
    values = _widgets(model, start, [name for name in shown if name not in later and name not in apart], key)
    for section in sections:
        values |= _section(model, start, section, key)
    if later:
        with st.expander(_("More settings"), icon=":material/tune:"):
            values |= _widgets(model, start, later, key)
    return values


def stage_form(
    studio: Services,
    stage_id: str,
    *,
    first: Sequence[str] = (),
    omit: Collection[str] = (),
    sections: Sequence[Section] = (),
    preset: str | None = None,
) -> dict[str, Any]:
    """Draw the form of a stage's settings, starting from `configs/<stage>.yaml` or one of its presets."""
    model = studio.jobs.table[stage_id].settings
    defaults = stage_defaults(stage_id, model, preset=preset)
    key = f"{stage_id}.{preset or 'usual'}"
    return settings_form(model, defaults, key=key, first=first, omit=omit, sections=sections)


def label_of(name: str, field: FieldInfo | None = None) -> str:
    """Return a field's translated label: its title, else its name in words."""
    return _((field.title if field else None) or name.replace("_", " ").capitalize())


def undrawn(model: type[BaseModel]) -> set[str]:
    """Return the fields no widget can ask for: records within records, as an import's list of uploads."""
    return {name for name, field in model.model_fields.items() if not _drawable(field.annotation)}


def _drawable(annotation: Any) -> bool:
    kind, _optional = _plain(annotation)
    if get_origin(kind) in (tuple, list):
        return all(one is Ellipsis or one in (str, int, float) for one in get_args(kind))
    return dict not in (kind, get_origin(kind))


def _section(model: type[BaseModel], start: Mapping[str, Any], section: Section, key: str) -> dict[str, Any]:
    with st.expander(section.title, icon=section.icon):
        st.caption(section.about)
        return {section.name: _nested(model, start, section.name, key)}


def _nested(model: type[BaseModel], start: Mapping[str, Any], name: str, key: str) -> dict[str, Any]:
    inner, _optional = _plain(model.model_fields[name].annotation)
    return settings_form(inner, start.get(name) or {}, key=f"{key}.{name}")


def _widgets(model: type[BaseModel], start: Mapping[str, Any], names: Sequence[str], key: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    nested = [name for name in names if _is_model(model.model_fields[name])]
    flat = [name for name in names if name not in nested]
    columns = st.columns(2 if len(flat) > 1 else 1)
    for index, name in enumerate(flat):
        field = model.model_fields[name]
        with columns[index % len(columns)]:
            values[name] = _widget(name, field, start.get(name, field.get_default(call_default_factory=True)), key)
    for name in nested:
        field = model.model_fields[name]
        st.markdown(f"**{label_of(name, field)}**", help=_(field.description or "") or None)
        values[name] = _nested(model, start, name, key)
    return values


def _is_model(field: FieldInfo) -> bool:
    kind, _optional = _plain(field.annotation)
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _widget(name: str, field: FieldInfo, value: Any, key: str) -> Any:
    kind, optional = _plain(field.annotation)
    label, tip, own = label_of(name, field), _(field.description or ""), f"{key}.{name}"
    options = _options(kind)
    if options is not None:
        if optional:
            options = [None, *options]
        index = options.index(value) if value in options else 0
        return st.selectbox(label, options, index=index, format_func=_option_label, help=tip, key=own)
    if kind is bool:
        return st.toggle(label, value=bool(value), help=tip, key=own)
    if kind in (int, float):
        return _number(label, field, value, kind, tip, own, optional=optional)
    if get_origin(kind) in (tuple, list):
        text = st.text_area(label, "\n".join(str(one) for one in value or ()), help=tip, key=own, height=100)
        return [line.strip() for line in text.splitlines() if line.strip()]
    text = st.text_input(label, "" if value is None else str(value), help=tip, key=own)
    return (text or None) if optional else text


def _number(label: str, field: FieldInfo, value: Any, kind: type, tip: str, own: str, *, optional: bool) -> Any:
    low, high = _bounds(field, kind)
    start = None if optional and value is None else kind(value if value is not None else low or 0)
    if kind is int:
        return st.number_input(label, min_value=low, max_value=high, value=start, step=1, help=tip, key=own)
    pattern = "%.6g"
    step = 10 ** _magnitude(float(start or 1)) / 10
    return st.number_input(
        label, min_value=low, max_value=high, value=start, step=step, format=pattern, help=tip, key=own
    )


def _magnitude(value: float) -> int:
    exponent = 0
    while value and abs(value) < 1 and exponent > -8:
        value, exponent = value * 10, exponent - 1
    return exponent


def _bounds(field: FieldInfo, kind: type) -> tuple[Any, Any]:
    low = high = None
    smallest = 1 if kind is int else 0.0
    for rule in field.metadata:
        if isinstance(rule, Ge):
            low = kind(rule.ge)
        elif isinstance(rule, Gt):
            low = kind(rule.gt) + smallest
        elif isinstance(rule, Le):
            high = kind(rule.le)
        elif isinstance(rule, Lt):
            high = kind(rule.lt) - smallest
    return low, high


def _plain(annotation: Any) -> tuple[Any, bool]:
    """Return the type without `| None`, and whether None was allowed."""
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [one for one in get_args(annotation) if one is not type(None)]
        return inner[0], len(inner) < len(get_args(annotation))
    return (str if annotation is Path else annotation), False


def _options(kind: Any) -> list[Any] | None:
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return list(kind)
    return None


def _option_label(option: Any) -> str:
    if option is None:
        return _("choose by itself")
    if option == "":
        return _("none")
    return _(str(option.value if isinstance(option, Enum) else option))
