"""The desk's components that are more than a word with a colour; /style/ shows each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from bufa.web import nav as places
from bufa.web import words
from bufa.web.words import yuan

register = template.Library()

CSS = Path(__file__).resolve().parents[1] / "static" / "bufa" / "css"


@cache
def sheets() -> tuple[str, ...]:
    """Tokens first, bare elements next, then every component by name: a new file needs no list to be written into."""
    return ("tokens", "base", *sorted(f"components/{path.stem}" for path in (CSS / "components").glob("*.css")))


@register.simple_tag
def styles(*components: str) -> SafeString:
    """The links to all style sheets of the desk, or for a page outside to those of a few components."""
    names = ("tokens", "base", *(f"components/{name}" for name in components)) if components else sheets()
    rows = ((static(f"bufa/css/{name}.css"),) for name in names)
    return format_html_join("\n    ", '<link rel="stylesheet" href="{}">', rows)


@register.simple_tag(takes_context=True)
def nav(context: Mapping[str, Any]) -> list[places.Link]:
    """The places of the desk for whoever sits here."""
    return places.links(context["request"], context.get("desk"))


@dataclass(frozen=True, slots=True)
class Undo:
    """Where a message is taken back, and what is sent there; no address for one that can't be."""

    url: str
    fields: tuple[tuple[str, str], ...] = ()


@register.simple_tag
def undo(message: Any) -> Undo:
    """How a flash is taken back: `desk.tell(undo=…, undo_with=…)` wrote it down as an address with a query."""
    said = str(message.extra_tags or "")
    if not said.startswith("/"):
        return Undo("")
    url, _, query = said.partition("?")
    return Undo(url, tuple(parse_qsl(query, keep_blank_values=True)))


@register.inclusion_tag("web/parts/empty.html")
def empty(title: str, text: str, url: str = "", label: str = "") -> dict[str, str]:
    """An empty state: what is not there, what makes it come, and where to go."""
    return {"title": title, "text": text, "url": url, "label": label}


@register.simple_tag
def money_change(before_fen: int, after_fen: int) -> SafeString:
    """¥0 → ¥3: what a step of the clock costs; red when it grows."""
    tone = "loss" if after_fen > before_fen else "saved" if after_fen < before_fen else ""
    shown = (tone, yuan(before_fen), yuan(after_fen))
    return format_html('<b class="money {}">{}<span class="to">→</span>{}</b>', *shown)


@register.simple_tag
def spark(values: Sequence[float], label: str, tone: str = "") -> SafeString:
    """A line through values in order, oldest first, scaled from 0 to the largest; `label` says it in words."""
    if not values:
        return SafeString("")
    top = max(max(values), 1e-9)
    step = 100 / max(1, len(values) - 1)
    at = [(round(n * step, 2), round(28 - 26 * value / top, 2)) for n, value in enumerate(values)]
    line = " ".join(f"{x},{y}" for x, y in at)
    return format_html(
        '<svg class="spark {}" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<polyline class="area" points="0,30 {} 100,30"/><polyline points="{}"/></svg>',
        tone, label, line, line,
    )  # fmt: skip


@register.simple_tag
def bars(rows: Sequence[tuple[str, float, str, str]]) -> SafeString:
    """Bars that compare: (label, value, value in words, tone or "") each, scaled to the largest."""
    top = max((value for _, value, _, _ in rows), default=0) or 1
    drawn = ((tone, label, round(100 * value / top, 1), said) for label, value, said, tone in rows)
    items = format_html_join(
        "",
        '<li class="{}"><span>{}</span>'
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8"/><rect width="{}" height="8"/></svg><b>{}</b></li>',
        drawn,
    )
    return format_html('<ul class="bars">{}</ul>', items)


@register.filter
def works(contact: Any) -> str:
    """When a contact works: 周一–周五 09:00–18:00."""
    return words.works(contact.opens, contact.closes, contact.days)


@register.filter
def li(amount: int | None) -> str:
    """Thousandths of a yuan: `¥0.045`, `¥12.3`."""
    if amount is None:
        return ""
    text = f"{amount / 1000:.3f}".rstrip("0")
    whole, _, part = text.partition(".")
    return f"¥{int(whole):,}.{part.ljust(2, '0')}"
