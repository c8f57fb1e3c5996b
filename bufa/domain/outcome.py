"""How the trade answers: a code with its parameters, never prose. The pages hold the words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Why:
    """A reason that a page can put into words: `code` is stable, `params` are plain JSON values."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


class Refused(Exception):
    """The trade says no. `why.code` names the rule; nothing has changed."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.why = Why(code, params)
