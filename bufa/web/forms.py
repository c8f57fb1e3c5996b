"""What forms of all areas share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from django import forms


class Choices(forms.Form):
    """A form whose choice fields get their words when it is made, in the reader's language."""

    def choose(self, name: str, options: Iterable[tuple[str, str]], *, blank: str | None = None) -> None:
        """Set what a field offers; `blank` is the words of the empty choice, None for none."""
        field = cast(forms.ChoiceField, self.fields[name])
        field.choices = [*([("", blank)] if blank is not None else []), *options]
