"""What customers are told: one text per purpose and language, filled with checked values, cut to a channel."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from bufa.domain.case_facts import Purpose
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import shop_day

__all__ = ["Channel", "Language", "Purpose", "Rendered", "date_range", "notice_key", "render", "segments", "variables"]


class Channel(StrEnum):
    """How a notice travels. `phone` is a task for a person, with a script."""

    SMS = "sms"
    EMAIL = "email"
    PHONE = "phone"


class Language(StrEnum):
    """The languages that notices are written in."""

    ZH = "zh-hans"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A notice ready to go. `segments`: how many SMS it costs (0 on other channels). `script`: steps of a phone call.

    `values` are the values used, by the template's names: what a platform SMS template takes as its parameters.
    """

    subject: str
    text: str
    segments: int
    script: tuple[str, ...]
    values: Mapping[str, str]


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((files("bufa.domain") / "rulebooks" / "notices.toml").read_text("utf-8"))


def _template(purpose: Purpose, language: Language) -> dict[str, str]:
    template: dict[str, str] = _texts()[purpose.value][language.value]
    return template


def variables(purpose: Purpose, language: Language = Language.ZH) -> tuple[str, ...]:
    """The names that `render` needs for this purpose: the shop, then in the order of the text."""
    template = _template(purpose, language)
    names: dict[str, None] = {"shop": None}  # who writes is never left out
    for part in (template["text"], template["subject"]):
        names |= {name: None for _, name, _, _ in string.Formatter().parse(part) if name and name != "eta"}
        if "{eta}" in part:
            names |= {"eta_from": None, "eta_to": None}
    return tuple(names)


def render(
    purpose: Purpose, channel: Channel, language: Language, values: Mapping[str, str | date | datetime]
) -> Rendered:
    """The notice. Values: shop, order_tail, reason, measure, reissue (our number), number, carrier, eta_from, eta_to,
    link.

    Reason, measure and carrier come in as words, already in the notice's language. Refused("notice_values_missing",
    names) names what the text needs and did not get. A link is added at the end where one is given.
    """
    missing = [name for name in variables(purpose, language) if not values.get(name)]
    if missing:
        raise Refused("notice_values_missing", names=missing, purpose=purpose.value)
    filled = {name: value for name, value in values.items() if isinstance(value, str)}
    if values.get("eta_from") and values.get("eta_to"):
        filled["eta"] = date_range(_day(values["eta_from"]), _day(values["eta_to"]), language)
    template = _template(purpose, language)
    text = template["text"].format_map(filled)
    if filled.get("link"):
        text += " " + filled["link"]
    subject = template["subject"].format_map(filled)
    used = {name: filled[name] for name in (*variables(purpose, language), "eta") if name in filled}
    match channel:
        case Channel.SMS:
            signed = f"【{filled['shop']}】{text}" if language is Language.ZH else f"[{filled['shop']}] {text}"
            return Rendered("", signed, segments(signed), (), used)
        case Channel.EMAIL:
            frame = _texts()["frame"][language.value]
            return Rendered(subject, frame["mail"].format(text=text, shop=filled["shop"]), 0, (), used)
        case Channel.PHONE:
            script = tuple(
                step.format_map({"shop": filled["shop"], "text": text})
                for step in _texts()["frame"][language.value]["call"]
            )
            return Rendered(subject, text, 0, script, used)


def segments(text: str) -> int:
    """How many SMS a text costs: one up to 70 characters, then one for each 67 (UTF-16 units, as carriers count)."""
    units = len(text.encode("utf-16-be")) // 2
    return 1 if units <= 70 else -(-units // 67)


def date_range(first: date, last: date, language: Language) -> str:
    """`11月26日至28日`, `11月29日至12月2日`, `Nov 26–28`; one day alone when both are the same."""
    first, last = min(first, last), max(first, last)
    if language is Language.EN:
        if first == last:
            return f"{first:%b} {first.day}"
        end = str(last.day) if (first.year, first.month) == (last.year, last.month) else f"{last:%b} {last.day}"
        return f"{first:%b} {first.day}–{end}"
    start = f"{first.month}月{first.day}日"
    if first == last:
        return start
    if first.year != last.year:
        return f"{start}至{last.year}年{last.month}月{last.day}日"
    return f"{start}至{last.day}日" if first.month == last.month else f"{start}至{last.month}月{last.day}日"


def notice_key(case_id: int, purpose: Purpose, recipient: str, round_: int) -> str:
    """What makes a notice unique: once per case, purpose, recipient and round, on whatever channel."""
    return f"notice:{case_id}:{round_}:{purpose.value}:{recipient}"


def _day(value: str | date | datetime) -> date:
    if isinstance(value, datetime):
        return shop_day(value)
    return date.fromisoformat(value) if isinstance(value, str) else value
