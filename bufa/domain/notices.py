"""What customers are told: one text per purpose and language, filled with checked values, cut to a channel."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from bufa.domain import notice_wording
from bufa.domain.case_facts import Purpose
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import shop_day

__all__ = [
    "BY_HAND",
    "HAS_RECEIPT",
    "RINGS",
    "SMS_CHANNELS",
    "VENDOR_CHANNELS",
    "Channel",
    "Language",
    "Purpose",
    "Rendered",
    "Wording",
    "date_range",
    "default_wording",
    "notice_key",
    "render",
    "segments",
    "variables",
]


class Channel(StrEnum):
    """How a notice travels, in the order in which pages show them. `sms` is the platform's, which takes its cipher;
    `aliyun_sms`, `tencent_sms` and `voice` need a number in plain; `site` is a text for the platform's chat desk and
    `phone` a call with a script: both are tasks for a person."""

    SMS = "sms"
    ALIYUN_SMS = "aliyun_sms"
    TENCENT_SMS = "tencent_sms"
    VOICE = "voice"
    SITE = "site"
    EMAIL = "email"
    PHONE = "phone"


SMS_CHANNELS = frozenset({Channel.SMS, Channel.ALIYUN_SMS, Channel.TENCENT_SMS})
VENDOR_CHANNELS = SMS_CHANNELS | {Channel.VOICE}
"""What leaves as the name of an approved template and its values."""

BY_HAND = frozenset({Channel.SITE, Channel.PHONE})
"""What a person does; a notice there is a task until they say how it went."""

RINGS = VENDOR_CHANNELS
"""What may wake somebody: kept out of the quiet hours. (A call by hand is made when somebody works.)"""

HAS_RECEIPT = VENDOR_CHANNELS
"""Where a receipt is to come. A mail has none; a task ends with its outcome."""


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


@dataclass(frozen=True, slots=True)
class Wording:
    """A text with `{names}` in it, and the subject of a mail. The shop's own, or the trade's."""

    text: str
    subject: str = ""


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((files("bufa.domain") / "rulebooks" / "notices.toml").read_text("utf-8"))


def _template(purpose: Purpose, language: Language) -> dict[str, str]:
    template: dict[str, str] = _texts()[purpose.value][language.value]
    return template


def default_wording(purpose: Purpose, language: Language = Language.ZH) -> Wording:
    """The trade's own text for a purpose."""
    template = _template(purpose, language)
    return Wording(template["text"], template["subject"])


def variables(purpose: Purpose, language: Language = Language.ZH, wording: Wording | None = None) -> tuple[str, ...]:
    """The names that `render` needs: the shop, then in the order of the text. A link is never needed."""
    wording = wording or default_wording(purpose, language)
    names: dict[str, None] = {"shop": None}  # who writes is never left out
    for part in (wording.text, wording.subject):
        for name in notice_wording.names(part):
            names |= {"eta_from": None, "eta_to": None} if name == "eta" else {name: None} if name != "link" else {}
    return tuple(names)


def render(
    purpose: Purpose,
    channel: Channel,
    language: Language,
    values: Mapping[str, str | date | datetime],
    wording: Wording | None = None,
) -> Rendered:
    """The notice. Values: shop, order_tail, reason, measure, reissue (our number), number, carrier, eta_from, eta_to,
    link; `sign` is the approved signature of an SMS where it is not the shop's name.

    Reason, measure and carrier come in as words, already in the notice's language. Refused("notice_values_missing",
    names) names what the text needs and did not get. Where a link is given it is put where the text says {link}, else
    at the end; nobody reads an address aloud.
    """
    wording = wording or default_wording(purpose, language)
    missing = [name for name in variables(purpose, language, wording) if not values.get(name)]
    if missing:
        raise Refused("notice_values_missing", names=missing, purpose=purpose.value)
    filled = {name: notice_wording.clean(value) for name, value in values.items() if isinstance(value, str)}
    if values.get("eta_from") and values.get("eta_to"):
        filled["eta"] = date_range(_day(values["eta_from"]), _day(values["eta_to"]), language)
    link = "" if channel is Channel.VOICE else filled.pop("link", "")
    text = notice_wording.fill(wording.text, filled | {"link": link}).strip()
    if link and "{link}" not in wording.text:
        text += " " + link
    subject = notice_wording.fill(wording.subject, filled | {"link": link}).strip()
    used = {name: filled[name] for name in (*variables(purpose, language, wording), "eta") if name in filled}
    if channel in SMS_CHANNELS:
        sign = filled.get("sign") or filled["shop"]
        signed = f"【{sign}】{text}" if language is Language.ZH else f"[{sign}] {text}"
        return Rendered("", signed, segments(signed), (), used)
    if channel is Channel.EMAIL:
        frame = _texts()["frame"][language.value]
        body = notice_wording.fill(frame["mail"], {"text": text, "shop": filled["shop"]})
        return Rendered(subject, body, 0, (), used)
    if channel is Channel.PHONE:
        spoken = {"shop": filled["shop"], "text": text}
        script = tuple(notice_wording.fill(step, spoken) for step in _texts()["frame"][language.value]["call"])
        return Rendered(subject, text, 0, script, used)
    return Rendered("", text, 0, (), used)


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
