"""Settings that people write, checked: what is wrong is answered in one line, with the nearest names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from lissnas.errors import UserError
from lissnas.formats.hints import nearest

__all__ = ["check_settings", "in_our_words", "read_settings"]

Model = TypeVar("Model", bound=BaseModel)


def read_settings(model: type[Model], given: Mapping[Any, Any], where: str) -> Model:
    """``given`` as a ``model``; ``where`` is what messages call the place it was written in.

    Raises:
        UserError: a setting that does not exist, at any depth (the nearest are named), is missing, or has a wrong value.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        path = [str(part) for part in first["loc"] if part != "[key]"]
        name = ".".join(path)
        if first["type"] in ("extra_forbidden", "invalid_key", "unexpected_keyword_argument"):
            known = _fields_at(model, path[:-1])
            raise UserError(f"{where}: there is no setting '{name}': {nearest(path[-1], known)}") from None
        whole = first.get("ctx", {}).get("error")
        if isinstance(whole, UserError):  # settings that do not go together, in the words of whoever checks them
            raise UserError(f"{where}: the settings of '{name}' are wrong: {whole}") from None
        raise UserError(f"{where}: the setting '{name}' is wrong: {_rule(first)}, but got {_shown(first['input'])}") from None


def check_settings(kind: type, name: str, settings: Mapping[str, Any], taken: Mapping[str, str]) -> None:
    """Refuse ``settings`` that the dataclass ``kind``, called ``name``, does not have, or of another type than it says.

    Args:
        taken: settings that are given elsewhere: name -> how.

    Raises:
        UserError: the setting, the rule, and the nearest names.
    """
    if not is_dataclass(kind):
        return
    known = [field.name for field in fields(kind) if field.init and field.repr and field.name not in taken]
    hints = get_type_hints(kind)
    for setting, value in settings.items():
        if setting in taken:
            raise UserError(f"'{setting}' is not given as a setting of the method, but by {taken[setting]}")
        if setting not in known:
            raise UserError(f"the method '{name}' has no setting '{setting}': {nearest(setting, known)}")
        try:
            TypeAdapter(hints[setting]).validate_python(value, strict=True)
        except ValidationError as error:
            rule = _rule(error.errors()[0])
            raise UserError(f"the setting '{setting}' is wrong: {rule}, but got {_shown(value)}") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"the setting '{setting}' is wrong: it must be finite, but got {value}")


def _fields_at(model: type[BaseModel], path: list[str]) -> list[str]:
    """The settings of the model, or of the dataclass, that stands at ``path`` inside ``model``."""
    for part in path:
        kind: Any = model.model_fields[part].annotation
        if is_dataclass(kind):
            return [field.name for field in fields(kind)]
        inner = [k for k in (kind, *get_args(kind)) if isinstance(k, type) and issubclass(k, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)


# Pydantic's words, and those of the other messages.
_WORDS = {
    "Value error, ": "",
    "Input should be": "it must be",
    "a valid integer": "a whole number",
    "a valid boolean": "true or false",
    "a valid string": "a text",
    "a valid number": "a number",
    "a valid list": "a list",
}


def _rule(error: Any) -> str:
    """What pydantic says, in the words of the other messages."""
    if error["type"] == "missing":
        return "it must be given"
    if error["type"] in ("model_type", "dataclass_type"):
        return "it must be a group of settings, {name: value}"
    return in_our_words(error["msg"])


def in_our_words(message: str) -> str:
    """A rule of pydantic's, in the words of the other messages."""
    text = message.partition(", unable to parse")[0]
    for theirs, ours in _WORDS.items():
        text = text.replace(theirs, ours)
    return text


def _shown(value: Any) -> str:
    if isinstance(value, str) and value.lower() == "none":
        return f"the text {value!r}: none is written null"
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
