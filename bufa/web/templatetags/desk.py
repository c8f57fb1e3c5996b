"""What templates use to show states, clocks and money, always the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django import template
from django.forms import BoundField, CheckboxInput, RadioSelect
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from heroicons.templatetags.heroicons import heroicon_mini, heroicon_outline

from bufa.apps.cases.queries import COUNTED
from bufa.domain.carrier_rules import CarrierRule
from bufa.domain.notices import Language
from bufa.domain.outcome import Why
from bufa.web import words

register = template.Library()

_TONE_WORDS = {
    "case": "determining:warn numbering:act submitting:act telling:act closed:ok",
    "effect": "accepted:ok rejected:bad unknown:warn ready:act sending:act",
    "notice": "sent:ok delivered:ok done:ok failed:bad unknown:warn todo:warn queued:act sending:act held:act"
    " silent:warn",
    "receipt": "waiting:act delivered:ok failed:bad none:warn",
    "approval": "draft:warn submitted:act approved:ok refused:bad",
    "telling": "running:act stopped:warn done:ok",
    "telling_row": "told:ok refused:bad",
    "remedy": "under_way:act todo:warn unknown:warn failed:bad done:ok",
    "reissue": "submitting:act unknown:warn accepted:ok rejected:bad delivered:ok wrong:bad",
    "bulk": "refused:bad ready:act submitting:act unknown:warn accepted:ok rejected:bad failed:bad stopped:warn",
    "bulk_run": "checked:warn running:act stopped:warn done:ok",
    "stage": "delivered:ok returning:bad returned:bad ready_for_pickup:warn",
    "finding": "open:bad cleared:ok",
    "certainty": "suspected:warn confirmed:bad",
    "connection": "connected:ok failing:bad new:warn",
    "message": "sent:ok received:ok failed:bad unknown:warn queued:act bounced:bad to_copy:act",
    "talk_state": "asked:act chased:warn escalated:bad answered:act promised:act consented:ok refused:bad",
    "consent": "given:ok refused:bad overridden:warn",
    "after_sale": "6:warn 8:act 14:ok",
    "label": "booked:ok failed:bad unknown:warn wanted:act cancelling:act",
    "appeal_state": "open:warn lapsed:bad sent:act granted:ok refused:bad back:ok",
    "request_state": "asked:act done:ok failed:bad late:bad",
    "claim_state": "open:warn lapsed:bad asked:act answered:act refused:bad short_paid:bad paid:ok settled:ok",
    "answer_state": "open:act accepted:ok",
    "rule_mark": "verified:ok seen:act inferred:warn",
    "together": "done:ok refused:bad undo:act todo:act",
    "run_row": "ready:act closed:warn waiting:act done:ok failed:bad stopped:warn",
    "pasted": "case:act unknown:warn",
    "promise": "kept:ok broken:bad moved:warn",
    "gate": "pass:ok refused:bad punished_later:warn cannot_tell:warn",
}
TONES = {group: dict(pair.split(":") for pair in pairs.split()) for group, pairs in _TONE_WORDS.items()}
"""Which state has which colour; what is not named is grey."""


@register.filter
def yuan(fen: int | None) -> str:
    """1250 → ¥12.50, 300 → ¥3."""
    if fen is None:
        return "–"
    whole, rest = divmod(abs(fen), 100)
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{whole:,}" + (f".{rest:02d}" if rest else "")


@register.filter
def capped(count: int) -> str:
    """1234 → 1,234; what was not counted further (`cases.queries.COUNTED`) → 10,000+."""
    return f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"


@register.filter
def capped_at(count: int, most: int) -> str:
    """The same for another limit."""
    return f"{most:,}+" if count > most else f"{count:,}"


@register.filter
def when(at: datetime | None) -> str:
    """11-23 14:05 in the shop's time."""
    return words.moment(at)


@register.filter
def day(at: datetime | None) -> str:
    return "–" if at is None else localtime(at).strftime("%m-%d")


@register.filter
def last_day(until: datetime | None) -> str:
    """The day whose end an instant is: midnight belongs to the day before."""
    return "–" if until is None else localtime(until - timedelta(seconds=1)).strftime("%m-%d")


@register.filter
def hour(at: datetime | None) -> str:
    return "–" if at is None else localtime(at).strftime("%H:%M")


@register.filter
def lasting(span: timedelta | None) -> str:
    """3 小时 12 分."""
    return words.span(span)


@register.filter
def hours(count: int | None) -> str:
    """48 → 2 天, 5 → 5 小时."""
    return "" if count is None else words.span(timedelta(hours=count))


@register.simple_tag
def since(start: datetime, end: datetime) -> str:
    return words.span(end - start)


@register.simple_tag(takes_context=True)
def clock(context: Mapping[str, Any], at: datetime | None, *, start: datetime | None = None) -> SafeString | str:
    """Time left until `at`, amber from half of the way, red from four fifths, or when it is over.

    Without a known start the last twelve and the last three hours count.
    """
    if at is None:
        return format_html('<span class="faint">{}</span>', "–")
    now = context["now"]
    left = at - now
    whole = at - start if start else timedelta(hours=24)
    if left <= timedelta(0):
        tone, text = "bad", _("已过 %(span)s") % {"span": words.span(-left)}
    else:
        used = 1 - left / whole if whole > timedelta(0) else 1
        tone = "bad" if used >= 0.8 and left < timedelta(hours=24) else "warn" if used >= 0.5 else ""
        text = _("还剩 %(span)s") % {"span": words.span(left)}
    return format_html(
        '<time class="clock {}" datetime="{}" data-clock title="{}">{}</time>',
        tone,
        at.isoformat(),
        words.moment(at),
        text,
    )


@register.filter
def word(code: object, group: str) -> str:
    """The word for a code: {{ parcel.stage|word:"stage" }}."""
    return words.word(group, str(code)) if code not in (None, "") else ""


@register.filter
def label(code: object, group: str) -> str:
    """The word where it stands for itself, at the head of a cell or a line: with a capital letter in English."""
    return words.label(group, str(code)) if code not in (None, "") else ""


@register.filter
def say(why: Why | Mapping[str, Any] | None) -> str:
    """A reason in words; takes `Why` or the JSON that it is stored as."""
    return words.say(words.as_why(why)) if why else ""


@register.filter
def carrier(code: str) -> str:
    return words.carrier(code)


@register.filter
def place(found: str) -> str:
    return words.place(found)


@register.filter
def hidden_names(text: str) -> str:
    """A scan's text as it is shown: where names and phones were cut out, stars stand."""
    return text.replace("<N>", "***").replace("<P>", "***")


@register.filter
def percent(share: float | None) -> str:
    return "–" if share is None else f"{round(share * 100)}%"


@register.filter
def chance(share: float | None) -> str:
    """A small chance in words that do not promise: below a half of one per cent it is only said to be less."""
    if share is None:
        return "–"
    return "<1%" if share < 0.01 else f"{round(share * 100)}%"


@register.filter
def get(mapping: Mapping[Any, Any] | None, key: Any) -> Any:
    """A value of a mapping by a key that is a variable."""
    return mapping.get(key) if mapping else None


@register.simple_tag
def badge(group: str, code: object, tone: str | None = None) -> SafeString | str:
    """A coloured word for a state."""
    text = str(code or "")
    if not text:
        return ""
    shade = TONES.get(group, {}).get(text, "") if tone is None else tone
    return format_html('<span class="badge {}">{}</span>', shade, words.label(group, text))


@register.simple_tag
@cache
def icon(name: str, size: int = 16) -> str:
    """A small icon beside words; screen readers skip it."""
    draw = heroicon_mini if size <= 20 else heroicon_outline
    return draw(name, size=size, aria_hidden="true", focusable="false")


@register.inclusion_tag("web/parts/field.html")
def field(bound: BoundField, css: str = "") -> dict[str, Any]:
    """A form field with label, hint and its own errors, tied together for screen readers."""
    if bound.errors:
        bound.field.widget.attrs["aria-invalid"] = "true"
    described = [
        f"{bound.id_for_label}-{part}" for part, there in (("hint", bound.help_text), ("error", bound.errors)) if there
    ]
    if described:
        bound.field.widget.attrs["aria-describedby"] = " ".join(described)
    widget = bound.field.widget
    return {
        "field": bound,
        "css": css,
        "is_check": isinstance(widget, CheckboxInput),
        "is_group": isinstance(widget, RadioSelect),
        "is_hidden": bound.is_hidden,
    }


@register.simple_tag(takes_context=True)
def query(context: RequestContext, **changes: object) -> str:
    """This page's query string with some parts changed; empty ones go."""
    request = context["request"]
    parts = {key: value for key, value in request.GET.items() if value}
    for key, value in changes.items():
        parts.pop(key, None)
        if value not in (None, ""):
            parts[key] = str(value)
    return "?" + urlencode(parts) if parts else "?"


@register.simple_tag(takes_context=True)
def here(context: RequestContext, area: str) -> SafeString | str:
    """`aria-current` for the part of the desk that is open."""
    match = context["request"].resolver_match
    current = match.url_name.split("_")[0].split("-")[0] if match and match.url_name else ""
    return SafeString(' aria-current="page"') if current == area else ""


@register.simple_tag(takes_context=True)
def allowed(context: Mapping[str, Any], permission: str, shop_id: int | None = None) -> str:
    """ "" when the operator may do this, else the reason in words, for a grey button."""
    here_ = context.get("desk")
    return here_.refusal(permission, shop_id) if here_ else ""


@register.simple_tag
def case_url(case_id: int) -> str:
    return reverse("case", args=[case_id])


@register.filter
def moved(why: Why | Mapping[str, Any] | None) -> str:
    """What moved the clock of a finding or a warning, in words; "" where nothing did."""
    return words.moved(words.as_why(why).params.get("moved_by") or ()) if why else ""


@register.filter
def stood_still(parts: Sequence[Mapping[str, Any]]) -> str:
    """The same of what made a clock stand still, where that is all there is."""
    return words.moved(parts)


@register.filter
def where(incident: Any) -> str:
    """What the parcels of an incident share: a hub, a branch, a lane or the carrier."""
    return words.where(incident.cause, incident.key, words.carrier(incident.carrier), words.place(incident.key))


@register.filter
def parked_why(row: Any) -> str:
    """Why an inbox message was put aside, in words."""
    return words.say(Why(row.code, row.params))


@register.filter
def rule_text(rule: CarrierRule) -> str:
    """A carrier's rule in the reader's language."""
    return rule.text(Language.ZH if (get_language() or "zh").startswith("zh") else Language.EN)


@register.filter
def timeline(entry: Any) -> str:
    """One line of what was done on a case."""
    return words.entry(entry.kind, entry.data)
