"""Texts with `{names}`: filled in one pass, checked before they are kept, written for each vendor's approval.

A name is nothing but a name: no attribute, no index, no format. What is filled in is never looked at again, so a value
that looks like a name stays the text it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import count

from bufa.domain.outcome import Why

KNOWN = ("shop", "order_tail", "reason", "measure", "reissue", "carrier", "number", "eta", "link")
"""What a text may name, in the order in which the editor offers it."""

MOST_VALUE = 200
MOST_SMS = 500
MOST_TEXT = 2000
MOST_SUBJECT = 120

_NAME = re.compile(r"\{([^{}]*)\}")
_ADDRESS = re.compile(r"https?://|www\.", re.IGNORECASE)


def names(text: str) -> tuple[str, ...]:
    """The names in a text, each once, in order."""
    return tuple(dict.fromkeys(_NAME.findall(text)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its names replaced; one that has no value becomes empty."""
    return _NAME.sub(lambda match: values.get(match[1], ""), text)


def clean(value: str) -> str:
    """A value as it may stand in a message: one line, no control characters, no second signature, not endless."""
    plain = "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs") else char for char in value)
    plain = plain.replace("【", "[").replace("】", "]")
    return re.sub(r" {2,}", " ", plain).strip()[:MOST_VALUE]


def problems(text: str, subject: str, *, is_sms: bool, is_voice: bool, needs: Sequence[str] = ()) -> tuple[Why, ...]:
    """Why a text can't be kept; empty when it can. `needs`: names that the message would say nothing without."""
    found: list[Why] = []
    if not text.strip():
        return (Why("wording_empty"),)
    if any(bracket in _NAME.sub("", part) for part in (text, subject) for bracket in "{}"):
        found.append(Why("wording_brackets"))
    unknown = [name for name in dict.fromkeys((*names(text), *names(subject))) if name not in KNOWN]
    if unknown:
        found.append(Why("wording_unknown_name", {"names": unknown, "known": list(KNOWN)}))
    missing = [name for name in needs if name not in names(text)]
    if missing:
        found.append(Why("wording_needs_name", {"names": missing}))
    if any(unicodedata.category(char) == "Cc" and char not in "\r\n\t" for char in text + subject):
        found.append(Why("wording_control"))
    if "\n" in subject or "\r" in subject or len(subject) > MOST_SUBJECT:
        found.append(Why("wording_subject", {"most": MOST_SUBJECT}))
    most = MOST_SMS if is_sms else MOST_TEXT
    if len(text) > most:
        found.append(Why("wording_too_long", {"length": len(text), "most": most}))
    if is_sms and ("【" in text or "】" in text):
        found.append(Why("wording_signature"))
    if is_voice and (_ADDRESS.search(text) or "link" in names(text)):
        found.append(Why("wording_address_spoken"))
    return _once(found)


def _once(found: Sequence[Why]) -> tuple[Why, ...]:
    kept: dict[str, Why] = {}
    for why in found:
        kept.setdefault(why.code, why)
    return tuple(kept.values())


def for_vendor(text: str, *, by_position: bool) -> str:
    """The text as the vendor's console wants it for approval: `${reason}`, or `{1}` by position."""
    if not by_position:
        return _NAME.sub(lambda match: f"${{{match[1]}}}", text)
    numbers = count(1)
    order = {name: next(numbers) for name in names(text)}
    return _NAME.sub(lambda match: f"{{{order[match[1]]}}}", text)


def parameters(text: str, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What the vendor is given for an approved text: (name, value), in the order of the names."""
    return tuple((name, values.get(name, "")) for name in names(text))


_OUT = frozenset(
    {"t", "td", "n", "0000", "退订", "退定", "拒收", "取消订阅", "别发了", "不要再发", "不要再发了", "stop"}
)


def wants_out(reply: str) -> bool:
    """Whether a reply says: write to me no more. A whole answer, not a word in a sentence: "T恤没收到" is none."""
    told = unicodedata.normalize("NFKC", reply).strip().strip("\"'“”‘’。.!！,， ").lower()
    return told in _OUT or told.removeprefix("回复").strip() in _OUT
