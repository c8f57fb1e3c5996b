"""Form fields drawn without templates: the plain ones, of which a case's page has dozens, exactly as Django draws them.

Django renders each by four templates inside one another, which takes longer than asking the database. Whatever is not
named here (a group of radio buttons, a file with its preview) goes to Django's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

Widget = Mapping[str, Any]

_INPUTS = ("text", "number", "email", "url", "password", "hidden", "date", "datetime", "time", "checkbox", "file")


class Renderer(DjangoTemplates):
    def render(self, template_name: str, context: Mapping[str, Any], request: Any = None) -> str:
        draw = _DRAWN.get(template_name)
        if draw is None:
            return super().render(template_name, dict(context), request)
        return SafeString(draw(context["widget"]).strip())


def _attributes(widget: Widget) -> str:
    said = []
    for name, value in widget["attrs"].items():
        if value is not False:
            said.append(f" {conditional_escape(name)}" + ("" if value is True else f'="{_text(value)}"'))
    return "".join(said)


def _text(value: Any) -> str:
    """As `|stringformat:"s"` gives it, escaped."""
    return conditional_escape(value if isinstance(value, SafeString) else str(value))


def _input(widget: Widget) -> str:
    value = "" if widget["value"] is None else f' value="{_text(widget["value"])}"'
    kind, name = conditional_escape(widget["type"]), conditional_escape(widget["name"])
    return f'<input type="{kind}" name="{name}"{value}{_attributes(widget)}>'


def _textarea(widget: Widget) -> str:
    value = conditional_escape(widget["value"]) if widget["value"] else ""
    return f'<textarea name="{conditional_escape(widget["name"])}"{_attributes(widget)}>\n{value}</textarea>'


def _select(widget: Widget) -> str:
    said = [f'<select name="{conditional_escape(widget["name"])}"{_attributes(widget)}>']
    for group, options, _ in widget["optgroups"]:
        if group:
            said.append(f'\n  <optgroup label="{_text(group)}">')
        said += [f"\n  {_option(one)}\n" for one in options]
        if group:
            said.append("\n  </optgroup>")
    return "".join([*said, "\n</select>"])


def _option(widget: Widget) -> str:
    label = conditional_escape(widget["label"])
    return f'<option value="{_text(widget["value"])}"{_attributes(widget)}>{label}</option>'


_DRAWN: Mapping[str, Callable[[Widget], str]] = {
    **{f"django/forms/widgets/{name}.html": _input for name in _INPUTS},
    "django/forms/widgets/textarea.html": _textarea,
    "django/forms/widgets/select.html": _select,
}
