"""Which channel a notice takes, and when: the shop's order, quiet hours, limits, wishes to be left alone, budget.

Only the decision. It is asked before a notice is queued, again when one that was held is due, and once more when one
was refused, failed or has no receipt in time. Money is counted in li, a thousandth of a yuan: an SMS costs 3 to 5 fen
with a fraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bufa.domain.notices import BY_HAND, RINGS, SMS_CHANNELS, Channel
from bufa.domain.outcome import Why
from bufa.domain.rulebook import SHOP_ZONE

DAY_MINUTES = 24 * 60
DEFAULT_ORDER = (Channel.SMS, Channel.ALIYUN_SMS, Channel.TENCENT_SMS, Channel.EMAIL)
DEFAULT_PRICES: Mapping[Channel, int] = {
    Channel.SMS: 45,
    Channel.ALIYUN_SMS: 45,
    Channel.TENCENT_SMS: 50,
    Channel.VOICE: 110,
}
"""Li a segment, or a call: the vendors' list prices of 2026; each shop writes its own."""

POLICY = "telling"
"""The entry of the shop's policy that holds these rules, as `Rules.stored` writes them."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A shop's rules of telling. `quiet_from`, `quiet_to`: minutes of the shop's day, equal for no quiet hours.
    `per_day`: messages to one person a day, 0 for no limit. `budget_li`: what a day may cost, None for no limit; a
    warning from `warn_percent` of it on. `receipt_minutes`: how long a receipt is waited for before the next channel
    is taken. `urgent`: a deadline that falls within the quiet hours breaks them."""

    order: tuple[Channel, ...] = DEFAULT_ORDER
    quiet_from: int = 21 * 60
    quiet_to: int = 8 * 60
    urgent: bool = False
    per_day: int = 3
    receipt_minutes: int = 30
    budget_li: int | None = None
    warn_percent: int = 80
    prices: Mapping[Channel, int] = field(default_factory=lambda: dict(DEFAULT_PRICES))

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Rules:
        """From the shop's policy; what makes no sense is the default, never a guess."""
        told = stored.get(POLICY)
        told = told if isinstance(told, Mapping) else {}
        known = {one.value: one for one in Channel}
        order = tuple(dict.fromkeys(known[one] for one in _texts(told.get("order")) if one in known))
        said = told.get("prices")
        prices: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
        usual, budget = cls(), _number(told.get("budget_li"), -1, 0, 10**12)
        return cls(
            order=order or DEFAULT_ORDER,
            quiet_from=_number(told.get("quiet_from"), usual.quiet_from, 0, DAY_MINUTES - 1),
            quiet_to=_number(told.get("quiet_to"), usual.quiet_to, 0, DAY_MINUTES - 1),
            urgent=told.get("urgent") is True,
            per_day=_number(told.get("per_day"), usual.per_day, 0, 100),
            receipt_minutes=_number(told.get("receipt_minutes"), usual.receipt_minutes, 5, 7 * DAY_MINUTES),
            budget_li=budget if budget >= 0 else None,
            warn_percent=_number(told.get("warn_percent"), usual.warn_percent, 1, 100),
            prices={one: _number(prices.get(one.value), DEFAULT_PRICES[one], 0, 10**6) for one in DEFAULT_PRICES},
        )

    def stored(self) -> dict[str, Any]:
        """As JSON for the policy."""
        return {
            "order": [one.value for one in self.order],
            "quiet_from": self.quiet_from,
            "quiet_to": self.quiet_to,
            "urgent": self.urgent,
            "per_day": self.per_day,
            "receipt_minutes": self.receipt_minutes,
            "budget_li": self.budget_li,
            "warn_percent": self.warn_percent,
            "prices": {one.value: price for one, price in self.prices.items()},
        }

    def cost(self, channel: Channel, segments: int) -> int:
        """Li that one message costs: by the segment for SMS, by the call for a voice, nothing elsewhere."""
        price = self.prices.get(channel, 0)
        return price * max(segments, 1) if channel in SMS_CHANNELS else price


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else []


def _number(value: object, default: int, least: int, most: int) -> int:
    fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
    return value if fits and isinstance(value, int) else default


@dataclass(frozen=True, slots=True)
class Scene:
    """What is so at the moment of the decision. `closed`: channels that can't be used and why. `tried`: those that this
    message went by already. `opted_out`: those on which this person wants nothing. `told_today`: messages that this
    person had today. `spent_li`: what today has cost so far. `segments`: by channel. `urgent_by`: when silence alone
    makes it worse."""

    now: datetime
    closed: Mapping[Channel, Why] = field(default_factory=dict)
    tried: frozenset[Channel] = frozenset()
    opted_out: frozenset[Channel] = frozenset()
    told_today: int = 0
    spent_li: int = 0
    segments: Mapping[Channel, int] = field(default_factory=dict)
    urgent_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`channel` None: nothing can be used; `skipped` says why, channel by channel. `hold_until`: not before then, for
    the reason `why`. `warns`: the day's budget is nearly spent once this has left."""

    channel: Channel | None
    skipped: Mapping[Channel, Why] = field(default_factory=dict)
    cost_li: int = 0
    hold_until: datetime | None = None
    why: Why | None = None
    warns: bool = False

    @property
    def leaves(self) -> bool:
        return self.channel is not None and self.hold_until is None


def choose(rules: Rules, scene: Scene, wanted: Channel | None = None) -> Plan:
    """The first channel of the order that is open, or the one that a person wanted; when it may leave.

    A person's wish takes another channel than the order's, and no more: quiet hours, limits, the wish to be left alone
    and the budget hold for it, too. Tasks for people (`BY_HAND`) are never held: they ring when somebody works.
    """
    skipped: dict[Channel, Why] = {}
    for channel in (wanted,) if wanted is not None else rules.order:
        why = _closed(rules, scene, channel)
        if why is not None:
            skipped[channel] = why
            continue
        cost = rules.cost(channel, scene.segments.get(channel, 1))
        warns = rules.budget_li is not None and _share(scene.spent_li + cost, rules.budget_li) >= rules.warn_percent
        until, reason = (None, None) if channel in BY_HAND else _held(rules, scene, channel)
        return Plan(channel, skipped, cost, until, reason, warns and cost > 0)
    return Plan(None, skipped)


def _closed(rules: Rules, scene: Scene, channel: Channel) -> Why | None:
    if channel in scene.tried:
        return Why("tried_already")
    if channel in scene.closed:
        return scene.closed[channel]
    if channel in scene.opted_out:
        return Why("opted_out")
    cost = rules.cost(channel, scene.segments.get(channel, 1))
    if rules.budget_li is not None and cost > 0 and scene.spent_li + cost > rules.budget_li:
        return Why("notice_budget_spent", {"spent_li": scene.spent_li, "budget_li": rules.budget_li})
    return None


def _held(rules: Rules, scene: Scene, channel: Channel) -> tuple[datetime | None, Why | None]:
    """Until when it waits, and for what."""
    if rules.per_day and scene.told_today >= rules.per_day:
        tomorrow = day_starts(scene.now, 1)
        until = quiet_until(rules, tomorrow) if channel in RINGS else None
        return until or tomorrow, Why("limit_of_the_day", {"most": rules.per_day})
    if channel not in RINGS:
        return None, None
    until = quiet_until(rules, scene.now)
    if until is None or (rules.urgent and scene.urgent_by is not None and scene.urgent_by <= until):
        return None, None
    return until, Why("quiet_hours", {"from": clock_text(rules.quiet_from), "to": clock_text(rules.quiet_to)})


def quiet_until(rules: Rules, moment: datetime) -> datetime | None:
    """When the quiet hours that `moment` falls into end; None outside of them."""
    if rules.quiet_from == rules.quiet_to:
        return None
    local = moment.astimezone(SHOP_ZONE)
    minute = local.hour * 60 + local.minute
    over_night = rules.quiet_from > rules.quiet_to
    is_quiet = (
        minute >= rules.quiet_from or minute < rules.quiet_to
        if over_night
        else rules.quiet_from <= minute < rules.quiet_to
    )
    if not is_quiet:
        return None
    later = 1 if over_night and minute >= rules.quiet_from else 0
    return day_starts(moment, later) + timedelta(minutes=rules.quiet_to)


def day_starts(moment: datetime, later: int = 0) -> datetime:
    """Midnight of the shop's day, or of one `later` days after it."""
    local = moment.astimezone(SHOP_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return local + timedelta(days=later)


def shop_date(moment: datetime) -> date:
    """The day that a message counts to."""
    return moment.astimezone(SHOP_ZONE).date()


def clock_text(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _share(spent: int, budget: int) -> int:
    return 100 if budget <= 0 else spent * 100 // budget


LOOKS = (timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=15))
"""When a receipt that was not pushed is asked for, counted from the moment the message left; then every 15 minutes."""


def next_look(sent_at: datetime, due_at: datetime, now: datetime) -> datetime | None:
    """The next moment at which to ask for a receipt; None once it is no longer waited for. The last one is when the
    time is up, so that nobody is told twice for want of asking once more."""
    if now >= due_at:
        return None
    for pause in LOOKS:
        if sent_at + pause > now:
            return min(sent_at + pause, due_at)
    return min(now + LOOKS[-1], due_at)
