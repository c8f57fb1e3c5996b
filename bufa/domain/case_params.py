"""What the moves of a case are given, and how a missing or unknown parameter is refused."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from bufa.domain.outcome import Refused

E = TypeVar("E", bound=StrEnum)
Params = Mapping[str, Any]
Changes = dict[str, Any]


def text_of(params: Params, name: str) -> str:
    """A parameter that must hold words; Refused names it when it does not."""
    value = str(params.get(name) or "").strip()
    if not value:
        raise Refused("parameter_missing", name=name)
    return value


def choice_of(kind: type[E], params: Params, name: str) -> E:
    """A parameter that must be one of an enum's values."""
    value = text_of(params, name)
    try:
        return kind(value)
    except ValueError:
        raise Refused("parameter_unknown", name=name, value=value) from None
