"""Fields are drawn to the letter as Django draws them, whatever stands in them."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from hypothesis import given
from hypothesis import strategies as st

from bufa.web.renderer import Renderer

TEXTS = st.text("a<>&\"' 中{}%\n", max_size=12) | st.just(mark_safe("<b>&amp;</b>"))
VALUES = st.none() | TEXTS | st.integers() | st.booleans()
ATTRS = st.dictionaries(st.sampled_from(["id", "class", "data-x", "aria-describedby", "disabled"]), VALUES)
CHOICES: list[tuple[Any, Any]] = [
    ("", "不限"), ("a&b", "A < B"), (3, _("案件")), ("组", [("x", mark_safe("<i>x</i>")), (None, "–")]),
]  # fmt: skip
WIDGETS = [
    forms.TextInput, forms.NumberInput, forms.EmailInput, forms.URLInput, forms.PasswordInput, forms.HiddenInput,
    forms.DateInput, forms.DateTimeInput, forms.TimeInput, forms.CheckboxInput, forms.Textarea,
]  # fmt: skip


def both(widget: forms.Widget, value: Any, attrs: dict[str, Any]) -> tuple[str, str]:
    ours, theirs = (
        widget.render("na<me", value, dict(attrs), renderer=each) for each in (Renderer(), DjangoTemplates())
    )
    return ours, theirs


@pytest.mark.parametrize("kind", WIDGETS)
@given(value=VALUES, attrs=ATTRS)
def test_inputs(kind: type[forms.Widget], value: Any, attrs: dict[str, Any]) -> None:
    ours, theirs = both(kind(), value, attrs)
    assert ours == theirs


@given(value=st.sampled_from(["", "a&b", 3, "3", "x", None, "none"]), attrs=ATTRS)
def test_choices(value: Any, attrs: dict[str, Any]) -> None:
    ours, theirs = both(forms.Select(choices=CHOICES), value, attrs)
    assert ours == theirs
    ours, theirs = both(forms.RadioSelect(choices=CHOICES), value, attrs)
    assert ours == theirs
