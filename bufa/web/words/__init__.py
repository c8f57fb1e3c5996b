"""Codes of the domain in the operator's words. The domain says what is so; how it is said stands here only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bufa.domain import carriers
from bufa.domain.outcome import Why
from bufa.web.words import carrier_side, customer_side, deeds, gate, groups, hints, many, reasons, telling, trade
from bufa.web.words.groups import where as where

GROUPS: Mapping[str, trade.Words] = {
    **trade.GROUPS,
    **deeds.GROUPS,
    **carrier_side.GROUPS,
    **customer_side.GROUPS,
    **gate.GROUPS,
    **groups.GROUPS,
    **many.GROUPS,
    **hints.GROUPS,
    **telling.GROUPS,
}

# Params whose value is itself a code, and where its words are.
_PARAM_GROUPS = {
    "rule": "rule",
    "measure": "measure",
    "claim": "claim",
    "state": "case",
    "number_state": "number",
    "finding_state": "finding",
    "action": "action",
    "reissue_state": "reissue",
    "consent": "consent",
    "purpose": "purpose",
    "outcome": "outcome",
    "permission": "permission",
    "role": "role",
    "roles": "role",
    "reason": "reason",
    "stage": "stage",
    "name": "parameter",
    "kind": "connection_kind",
    "distance": "distance",
    "channel": "channel",
    "from": "channel",
    "approval": "approval",
    "problems": "problem",
    "source": "source",
    "route": "route",
    "step": "step",
    "missing": "part",
    "checks": "check",
    "names": "value",
    "failure": "failure",
    "by": "by",
    "remedy": "remedy",
    "payer": "payer",
    **carrier_side.PARAMS,
    **customer_side.PARAMS,
}


def word(group: str, code: str) -> str:
    """The word for a code; a code without words shows itself (a test keeps that from happening)."""
    return str(GROUPS.get(group, {}).get(code, code))


def label(group: str, code: str) -> str:
    """The word where it stands for itself; languages with capital letters begin it with one."""
    return capfirst(word(group, code))


def say(why: Why) -> str:
    """A reason as a sentence."""
    text = str(reasons.TEXTS.get(why.code, why.code))
    return fill(text, why.params)


def moved(parts: Sequence[Mapping[str, Any]]) -> str:
    """What made a clock stand still, and for how long: `parts` as evidence holds them (code, name, hours)."""
    return _("；").join(
        _("%(what)s：时限顺延 %(hours)s 小时")
        % {"what": part.get("name") or word("pause", str(part.get("code"))), "hours": f"{part.get('hours', 0):g}"}
        for part in parts
    )


def entry(kind: str, params: Mapping[str, Any]) -> str:
    """A line of the timeline."""
    return fill(word("entry", kind), params)


def fill(text: str, params: Mapping[str, Any]) -> str:
    """Put params into a text of the tables; one that is missing leaves nothing behind."""
    return (text % _Shown(params)).strip(" ：") if "%(" in text else text.replace("%%", "%")


def has_words(code: str) -> bool:
    return code in reasons.TEXTS


def as_why(stored: Why | Mapping[str, Any]) -> Why:
    """What a JSON column holds (`{"code": …, "params": …}`) as a reason."""
    if isinstance(stored, Why):
        return stored
    return Why(str(stored.get("code", "")), stored.get("params") or {})


class _Shown(dict[str, str]):
    """Params in words, looked up as a text asks for them."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        super().__init__()
        self._params = params

    def __missing__(self, name: str) -> str:
        if name in self._params:
            return shown(name, self._params[name])
        fen = self._params.get(f"{name}_fen")
        return yuan(fen) if isinstance(fen, int) else ""


def shown(name: str, value: Any) -> str:
    """One param in words: a code by its table, an instant in the shop's time, money, a list with its words joined."""
    if value is None:
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _("、").join(shown(name, each) for each in value)
    if name in ("carrier", "fits"):
        return carrier(str(value))
    if name == "place":
        return place(str(value))
    if name.endswith("_fen") and isinstance(value, int):
        return yuan(value)
    if isinstance(value, datetime):
        return moment(value)
    text = str(value)
    if group := _PARAM_GROUPS.get(name):
        return word(group, text)
    if len(text) >= 19 and text[4:5] == "-" and "T" in text:
        try:
            return moment(datetime.fromisoformat(text))
        except ValueError:
            return text
    return text


def place(found: str) -> str:
    """Where a parcel is, short: providers write 陕西省,西安市,长安区, people say 西安市长安区."""
    parts = [part.strip() for part in found.replace("，", ",").split(",") if part.strip()]
    return "".join(dict.fromkeys(parts[1:] if len(parts) > 1 else parts))


def yuan(fen: int) -> str:
    """1250 → ¥12.50, 300 → ¥3."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}¥{whole:,}" + (f".{rest:02d}" if rest else "")


def moment(at: datetime | None) -> str:
    """11-23 14:05 in the shop's time, with the year where it is another one."""
    if at is None:
        return "–"
    here = localtime(at)
    from bufa.lib import clock

    return here.strftime("%m-%d %H:%M" if here.year == localtime(clock.now()).year else "%Y-%m-%d %H:%M")


def span(length: timedelta | None) -> str:
    """3 小时 12 分: at most two units."""
    if length is None:
        return "–"
    minutes = max(0, int(length.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return _("%(d)d 天 %(h)d 时") % {"d": days, "h": hours} if hours else _("%(d)d 天") % {"d": days}
    if hours:
        return _("%(h)d 时 %(m)d 分") % {"h": hours, "m": minutes} if minutes else _("%(h)d 小时") % {"h": hours}
    return _("%(m)d 分钟") % {"m": minutes}


def carrier(code: str) -> str:
    """A carrier's name by Doudian's company_code; the code itself where we have no name."""
    known = carriers.get(code)
    if known is None:
        return code
    return known.name if (get_language() or "zh").startswith("zh") else known.english


def carrier_choices() -> list[tuple[str, str]]:
    """Every carrier we know, for forms."""
    return [(code, carrier(code)) for code in carriers.carriers()]


def works(opens: int, closes: int, days: str) -> str:
    """Working hours in words. `opens`, `closes`: minutes after midnight; `days`: ISO weekdays as digits."""
    span_ = (
        _("全天")
        if (opens, closes) == (0, 1440)
        else f"{opens // 60:02d}:{opens % 60:02d}–{closes // 60:02d}:{closes % 60:02d}"
    )
    if days == "1234567":
        return _("每天 %(span)s") % {"span": span_}
    together = days in "1234567" and len(days) > 2
    named = [word("weekday", day) for day in days]
    shown = f"{named[0]}–{named[-1]}" if together else "、".join(named)
    return f"{shown} {span_}"
