"""The carrier case: the talk with a carrier about one parcel, with its own states and clock.

Its state is a fold of what happened (messages that left, answers that were accepted, consents), so it can never say
something else than they do. One table lists every move; what the table does not list changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from bufa.domain.rulebook import SHOP_ZONE


class TalkState(StrEnum):
    """Where the talk is."""

    OPENED = "opened"
    ASKED = "asked"
    CHASED = "chased"
    ESCALATED = "escalated"
    ANSWERED = "answered"
    PROMISED = "promised"
    CONSENTED = "consented"
    REFUSED = "refused"
    CLOSED = "closed"


class Event(StrEnum):
    """What happens in a talk. Asking, reminding and escalating are ours, all else is said or decided by others."""

    ASK = "ask"
    REMIND = "remind"
    ESCALATE = "escalate"
    ANSWER = "answer"
    PROMISE = "promise"
    CONSENT = "consent"
    REFUSE = "refuse"
    CLOSE = "close"


_S, _E = TalkState, Event
WAITING = frozenset({_S.ASKED, _S.CHASED, _S.ESCALATED, _S.ANSWERED, _S.PROMISED})
"""We wait for the carrier, and its clock runs."""

_OPEN = tuple(state for state in TalkState if state is not _S.CLOSED)

TABLE: Mapping[tuple[TalkState, Event], TalkState] = {
    # ours: each reminder is "chased" until it goes over somebody's head; from there it stays "escalated"
    (_S.OPENED, _E.ASK): _S.ASKED,
    (_S.REFUSED, _E.ASK): _S.ASKED,
    (_S.ANSWERED, _E.ASK): _S.ASKED,
    (_S.PROMISED, _E.ASK): _S.ASKED,
    (_S.OPENED, _E.REMIND): _S.ASKED,
    **{(at, _E.REMIND): _S.CHASED for at in (_S.ASKED, _S.CHASED, _S.ANSWERED, _S.PROMISED, _S.REFUSED)},
    (_S.ESCALATED, _E.REMIND): _S.ESCALATED,
    **{(at, _E.ESCALATE): _S.ESCALATED for at in _OPEN if at is not _S.CONSENTED},
    # the carrier's: an answer that says neither yes nor no never undoes one that did
    **{(at, _E.ANSWER): _S.ANSWERED for at in (_S.OPENED, _S.ASKED, _S.CHASED, _S.ESCALATED, _S.ANSWERED)},
    **{(at, _E.PROMISE): _S.PROMISED for at in _OPEN if at not in (_S.CONSENTED, _S.REFUSED)},
    **{(at, _E.CONSENT): _S.CONSENTED for at in _OPEN},
    **{(at, _E.REFUSE): _S.REFUSED for at in _OPEN},
    # the case ended, its next round began, or a lead went on without the carrier's word
    **{(at, _E.CLOSE): _S.CLOSED for at in _OPEN},
}
"""Every move a carrier case can make. The diagram in docs/ and the tests are made from it."""

COVERS = ("reissue", "payment", "redeliver", "return", "search")
"""What a carrier can agree to."""

ANSWERED_HOURS = 24
"""How long "we are looking into it" is given before we ask again."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One fact. `due`: until when the carrier has to answer (ask, remind, escalate), or how long its consent holds;
    `day`: the day that it promised."""

    event: Event
    at: datetime
    due: datetime | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """What the facts come to. `due`: when silence, or a promise that was not kept, becomes our turn; None: no clock."""

    state: TalkState = TalkState.OPENED
    since: datetime | None = None
    due: datetime | None = None
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    promise_on: date | None = None
    asked: int = 0

    def is_overdue(self, now: datetime) -> bool:
        return self.state in WAITING and self.due is not None and self.due <= now


def fold(facts: Iterable[Happened], opened_at: datetime) -> Talk:
    """The state that a set of facts comes to, in whatever order they are given."""
    talk = Talk(since=opened_at)
    for fact in sorted(facts, key=_when):
        talk = move(talk, fact)
    return talk


def _when(one: Happened) -> tuple[datetime, int, date, datetime]:
    """The order of facts; of one moment, whatever decides more counts last."""
    return one.at, list(Event).index(one.event), one.day or date.min, one.due or one.at


def move(talk: Talk, fact: Happened) -> Talk:
    """One step of the fold; a fact that the table knows no move for is no news."""
    state = TABLE.get((talk.state, fact.event))
    if state is None:
        return talk
    new = replace(talk, state=state, since=fact.at)
    match fact.event:
        case Event.ASK | Event.REMIND | Event.ESCALATE:
            return replace(new, due=fact.due, asked_at=fact.at, asked=talk.asked + 1, promise_on=None)
        case Event.ANSWER:
            return replace(new, due=fact.at + timedelta(hours=ANSWERED_HOURS), answered_at=fact.at)
        case Event.PROMISE:
            end = day_end(fact.day) if fact.day else fact.at
            return replace(new, due=end, answered_at=fact.at, promise_on=fact.day)
        case Event.CONSENT:
            return replace(new, due=fact.due, answered_at=fact.at)
        case Event.REFUSE:
            return replace(new, due=None, answered_at=fact.at)
        case Event.CLOSE:
            return replace(new, due=None)


def day_end(day: date) -> datetime:
    """The first instant after a day of the shop."""
    return datetime(day.year, day.month, day.day, tzinfo=SHOP_ZONE) + timedelta(days=1)


def diagram() -> str:
    """The table as a mermaid state diagram; moves that stay where they are are left out."""
    arrows: dict[tuple[TalkState, TalkState], list[str]] = {}
    for (source, event), target in TABLE.items():
        if source is not target:
            arrows.setdefault((source, target), []).append(event.value)
    order = list(TalkState)
    lines = ["stateDiagram-v2", f"    [*] --> {TalkState.OPENED.value}"]
    for (source, target), events in sorted(arrows.items(), key=lambda one: [order.index(at) for at in one[0]]):
        lines.append(f"    {source.value} --> {target.value}: {', '.join(events)}")
    lines.append(f"    {TalkState.CLOSED.value} --> [*]")
    return "\n".join(lines) + "\n"
