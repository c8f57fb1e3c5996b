"""An appeal against a deduction of the platform: what can happen to it, one table; its clocks and grounds, dated data.

A deduction can be appealed from the moment of its notice; whether it still can be is a question of time alone, so
"lapsed" is never written anywhere: it is what an open appeal is once its days are over.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from bufa.domain.outcome import Refused
from bufa.domain.penalties import Penalty
from bufa.domain.rulebook import SHOP_ZONE


class AppealState(StrEnum):
    """Where an appeal is. `open`: not handed in yet; `lapsed`: it no longer can be; `back`: the money came back."""

    OPEN = "open"
    LAPSED = "lapsed"
    SENT = "sent"
    GRANTED = "granted"
    REFUSED = "refused"
    BACK = "back"
    WAIVED = "waived"


class AppealAct(StrEnum):
    """What people do about it."""

    PREPARE = "prepare"
    SEND = "send"
    GRANT = "grant"
    REFUSE = "refuse"
    PAY_BACK = "pay_back"
    WAIVE = "waive"
    REOPEN = "reopen"


_S, _A = AppealState, AppealAct

TABLE: Mapping[tuple[AppealState, AppealAct], AppealState] = {
    (_S.OPEN, _A.PREPARE): _S.OPEN,
    (_S.OPEN, _A.SEND): _S.SENT,
    (_S.OPEN, _A.WAIVE): _S.WAIVED,
    (_S.OPEN, _A.PAY_BACK): _S.BACK,
    (_S.LAPSED, _A.WAIVE): _S.WAIVED,
    (_S.LAPSED, _A.SEND): _S.SENT,
    (_S.LAPSED, _A.PAY_BACK): _S.BACK,
    (_S.SENT, _A.GRANT): _S.GRANTED,
    (_S.SENT, _A.REFUSE): _S.REFUSED,
    (_S.SENT, _A.PAY_BACK): _S.BACK,
    (_S.GRANTED, _A.PAY_BACK): _S.BACK,
    (_S.GRANTED, _A.REFUSE): _S.REFUSED,
    (_S.REFUSED, _A.SEND): _S.SENT,
    (_S.REFUSED, _A.PREPARE): _S.REFUSED,
    (_S.REFUSED, _A.PAY_BACK): _S.BACK,
    (_S.BACK, _A.PAY_BACK): _S.BACK,
    (_S.WAIVED, _A.REOPEN): _S.OPEN,
    (_S.WAIVED, _A.PAY_BACK): _S.BACK,
}
"""(state, act) → the next state; the likeliest act of each state first.

`send` needs a day within the window, also when it is written down later; `pay_back` stays in `granted` while less than
what was granted has come.
"""

FILES = ("branch_paper", "chats", "video", "weights", "carrier_letter", "other")
"""What a file can be proof of; the rest of what grounds want is written or known."""

WANTS_REASON = frozenset({_A.REFUSE, _A.WAIVE})
WANTS_AMOUNT = frozenset({_A.GRANT, _A.PAY_BACK})


@dataclass(frozen=True, slots=True)
class AppealFacts:
    """What the next move depends on; money in fen. `noticed_at`: when the platform told of the deduction.

    `taken_fen`: what it took, None where the notice names none. `due`: until when the platform answers.
    """

    state: AppealState
    noticed_at: datetime
    kind: Penalty
    taken_fen: int | None = None
    ground: str = ""
    sent_at: datetime | None = None
    due: datetime | None = None
    granted_fen: int = 0
    back_fen: int = 0


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long an appeal can be handed in, and how long its answer takes."""

    since: date
    days: int
    answer_workdays: int
    mark: str
    source: str


@dataclass(frozen=True, slots=True)
class Ground:
    """A reason that the platform hears. `wants`: codes of what its evidence must hold."""

    id: str
    kinds: tuple[Penalty, ...]
    wants: tuple[str, ...]
    mark: str
    source: str


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(files("bufa.domain").joinpath("rulebooks/appeals.toml").read_text(encoding="utf-8"))


@cache
def all_clocks() -> tuple[Clocks, ...]:
    """All rows, the oldest first."""
    return tuple(sorted((Clocks(**row) for row in _data()["clock"]), key=lambda one: one.since))


def clocks(noticed_at: datetime) -> Clocks:
    """The clocks that hold for a notice of that day; before the first row its own."""
    on = noticed_at.astimezone(SHOP_ZONE).date()
    fitting = [one for one in all_clocks() if one.since <= on]
    return fitting[-1] if fitting else all_clocks()[0]


@cache
def grounds() -> Mapping[str, Ground]:
    """All grounds by id, in the order of the file."""
    return {
        row["id"]: Ground(
            row["id"], tuple(Penalty(one) for one in row.get("kinds", ())), tuple(row["wants"]), row["mark"],
            row["source"],
        )
        for row in _data()["ground"]
    }  # fmt: skip


def grounds_for(kind: Penalty) -> tuple[Ground, ...]:
    """Those that fit a deduction of that kind."""
    return tuple(one for one in grounds().values() if not one.kinds or kind in one.kinds)


def until(noticed_at: datetime) -> datetime:
    """The last moment at which the appeal can be handed in: so many times 24 hours, the careful reading of "days"."""
    return noticed_at + timedelta(days=clocks(noticed_at).days)


def current(state: AppealState, noticed_at: datetime, now: datetime) -> AppealState:
    """The state as it is now: an open one whose days are over has lapsed."""
    return AppealState.LAPSED if state is AppealState.OPEN and now > until(noticed_at) else state


def answer_due(sent_at: datetime, is_workday: Callable[[date], bool]) -> datetime:
    """The end of the last working day on which the platform should answer, counted from the day after."""
    day = sent_at.astimezone(SHOP_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    left = clocks(sent_at).answer_workdays
    while left:
        day += timedelta(days=1)
        left -= is_workday(day.date())
    return day + timedelta(days=1)


def allowed(facts: AppealFacts, now: datetime) -> tuple[AppealAct, ...]:
    """What people can do now, in the order of the table. Handing in again after a refusal needs days that are left."""
    state = current(facts.state, facts.noticed_at, now)
    over = now > until(facts.noticed_at)
    again = frozenset({_A.SEND, _A.PREPARE})
    return tuple(
        act for (at, act) in TABLE if at is state and not (state is AppealState.REFUSED and act in again and over)
    )


def step(
    facts: AppealFacts,
    act: AppealAct,
    *,
    now: datetime,
    at: datetime | None = None,
    amount_fen: int | None = None,
    reason: str = "",
    ground: str = "",
    is_workday: Callable[[date], bool] = lambda day: day.weekday() < 5,
) -> AppealFacts:
    """The appeal after `act`. `at`: when it happened outside, else now; `amount_fen`: what was granted or came back.

    Raises Refused: appeal_not_now (appeal_act, appeal_state), appeal_reason_missing, claim_amount, said_in_the_future,
    appeal_too_late (until), appeal_before_notice, appeal_ground_missing, appeal_ground_unknown, appeal_too_much.
    """
    at = at or now
    state = current(facts.state, facts.noticed_at, now)
    new = TABLE.get((state, act))
    if new is None:
        raise Refused("appeal_not_now", appeal_act=act.value, appeal_state=state.value)
    if act in WANTS_REASON and not reason.strip():
        raise Refused("appeal_reason_missing")
    if at > now:
        raise Refused("said_in_the_future", said_at=at.isoformat())
    if at < facts.noticed_at and act is not _A.PREPARE:
        raise Refused("appeal_before_notice", notice=facts.noticed_at.isoformat())
    if act in WANTS_AMOUNT:
        _check_amount(facts, act, amount_fen)
    match act:
        case _A.PREPARE | _A.SEND:
            return _written(facts, act, new, at, ground, is_workday)
        case _A.GRANT:
            return replace(facts, state=new, granted_fen=amount_fen or 0, due=None)
        case _A.PAY_BACK:
            back = facts.back_fen + (amount_fen or 0)
            short = state is _S.GRANTED and back < facts.granted_fen
            return replace(facts, state=_S.GRANTED if short else new, back_fen=back, due=None)
        case _A.REFUSE:
            return replace(facts, state=new, granted_fen=0, due=None)
        case _:
            return replace(facts, state=new)


def _check_amount(facts: AppealFacts, act: AppealAct, amount_fen: int | None) -> None:
    if amount_fen is None or amount_fen <= 0:
        raise Refused("claim_amount")
    whole = amount_fen + (facts.back_fen if act is _A.PAY_BACK else 0)
    if facts.taken_fen is not None and whole > facts.taken_fen:
        raise Refused("appeal_too_much", taken_fen=facts.taken_fen)


def _written(
    facts: AppealFacts, act: AppealAct, new: AppealState, at: datetime, ground: str,
    is_workday: Callable[[date], bool],
) -> AppealFacts:  # fmt: skip
    chosen = ground or facts.ground
    if not chosen:
        raise Refused("appeal_ground_missing")
    if chosen not in {one.id for one in grounds_for(facts.kind)}:
        raise Refused("appeal_ground_unknown")
    if act is _A.PREPARE:
        return replace(facts, state=new, ground=chosen)
    last = until(facts.noticed_at)
    if at > last:
        raise Refused("appeal_too_late", until=last.isoformat())
    return replace(facts, state=new, ground=chosen, sent_at=at, due=answer_due(at, is_workday))


def missing(ground: str, has: Collection[str]) -> tuple[str, ...]:
    """What the ground wants and is not among what is there, in its order."""
    found = grounds().get(ground)
    return tuple(one for one in found.wants if one not in has) if found else ()
