"""Money asked from a carrier: what can happen to a claim, one table, and what a payment makes of it.

A claim runs beside the case and outlives it: a reissue may have been delivered long before the carrier pays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bufa.domain.outcome import Refused

ANSWER_WITHIN = timedelta(days=7)
"""How long a carrier has to answer, where the library tells nothing else."""

SOON = timedelta(hours=72)
"""How long before its end a window is shown to everybody."""


class ClaimState(StrEnum):
    """Where a claim is. `none`: nothing is owed now; it comes back when the case changes."""

    NONE = "none"
    OPEN = "open"
    LAPSED = "lapsed"
    ASKED = "asked"
    ANSWERED = "answered"
    REFUSED = "refused"
    SHORT_PAID = "short_paid"
    PAID = "paid"
    SETTLED = "settled"
    WAIVED = "waived"


class ClaimAct(StrEnum):
    """What can happen to it. The system does `lapse` only."""

    ASK = "ask"
    ANSWER = "answer"
    REFUSE = "refuse"
    PAY = "pay"
    ACCEPT = "accept"
    WAIVE = "waive"
    LAPSE = "lapse"
    REOPEN = "reopen"


_S, _A = ClaimState, ClaimAct

TABLE: Mapping[tuple[ClaimState, ClaimAct], ClaimState] = {
    (_S.OPEN, _A.ASK): _S.ASKED,
    (_S.OPEN, _A.PAY): _S.PAID,
    (_S.OPEN, _A.WAIVE): _S.WAIVED,
    (_S.OPEN, _A.LAPSE): _S.LAPSED,
    (_S.LAPSED, _A.ASK): _S.ASKED,
    (_S.LAPSED, _A.PAY): _S.PAID,
    (_S.LAPSED, _A.WAIVE): _S.WAIVED,
    (_S.ASKED, _A.ANSWER): _S.ANSWERED,
    (_S.ASKED, _A.PAY): _S.PAID,
    (_S.ASKED, _A.REFUSE): _S.REFUSED,
    (_S.ASKED, _A.ASK): _S.ASKED,
    (_S.ASKED, _A.WAIVE): _S.WAIVED,
    (_S.ANSWERED, _A.PAY): _S.PAID,
    (_S.ANSWERED, _A.ANSWER): _S.ANSWERED,
    (_S.ANSWERED, _A.REFUSE): _S.REFUSED,
    (_S.ANSWERED, _A.ASK): _S.ASKED,
    (_S.ANSWERED, _A.WAIVE): _S.WAIVED,
    (_S.REFUSED, _A.ASK): _S.ASKED,
    (_S.REFUSED, _A.PAY): _S.PAID,
    (_S.REFUSED, _A.WAIVE): _S.WAIVED,
    (_S.SHORT_PAID, _A.PAY): _S.PAID,
    (_S.SHORT_PAID, _A.ASK): _S.ASKED,
    (_S.SHORT_PAID, _A.REFUSE): _S.REFUSED,
    (_S.SHORT_PAID, _A.ACCEPT): _S.SETTLED,
    (_S.PAID, _A.PAY): _S.PAID,
    (_S.SETTLED, _A.PAY): _S.PAID,
    (_S.SETTLED, _A.REOPEN): _S.SHORT_PAID,
    (_S.WAIVED, _A.PAY): _S.PAID,
    (_S.WAIVED, _A.REOPEN): _S.OPEN,
}
"""(state, act) → the next state; the likeliest act of each state first.

`pay` ends in `short_paid` while less than asked has come.
"""

WANTS_REASON = frozenset({_A.REFUSE, _A.WAIVE, _A.ACCEPT, _A.REOPEN})
LIVE = frozenset({_S.OPEN, _S.LAPSED, _S.ASKED, _S.ANSWERED, _S.REFUSED, _S.SHORT_PAID})
"""States in which somebody still has something to do or to wait for."""


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """What the next move depends on; money in fen. `due`: until when the carrier has to answer."""

    state: ClaimState
    asked_fen: int = 0
    offered_fen: int | None = None
    paid_fen: int = 0
    due: datetime | None = None

    @property
    def short_fen(self) -> int:
        """What is still missing of what was asked."""
        return max(0, self.asked_fen - self.paid_fen)


def allowed(state: ClaimState) -> tuple[ClaimAct, ...]:
    """What people can do now, in the order of the table."""
    return tuple(act for (at, act) in TABLE if at is state and act is not ClaimAct.LAPSE)


def step(
    facts: ClaimFacts,
    act: ClaimAct,
    *,
    amount_fen: int | None = None,
    reason: str = "",
    now: datetime,
    answer_within: timedelta = ANSWER_WITHIN,
) -> ClaimFacts:
    """The claim after `act`.

    `amount_fen`: what is asked, offered or has been paid (more than 0, for an offer 0 or more). Raises Refused:
    claim_not_now (act, claim_state), claim_amount, claim_reason_missing.
    """
    state = TABLE.get((facts.state, act))
    if state is None:
        raise Refused("claim_not_now", act=act.value, claim_state=facts.state.value)
    if act in WANTS_REASON and not reason.strip():
        raise Refused("claim_reason_missing")
    if act in (_A.ASK, _A.PAY) and (amount_fen is None or amount_fen <= 0):
        raise Refused("claim_amount")
    if act is _A.ANSWER and (amount_fen is None or amount_fen < 0):
        raise Refused("claim_amount")
    if act is _A.ASK:
        return replace(facts, state=state, asked_fen=amount_fen or 0, due=now + answer_within)
    if act is _A.ANSWER:
        return replace(facts, state=state, offered_fen=amount_fen, due=now + answer_within)
    if act is _A.PAY:
        paid = facts.paid_fen + (amount_fen or 0)
        asked = facts.asked_fen or paid
        whole = paid >= asked
        return replace(facts, state=state if whole else _S.SHORT_PAID, asked_fen=asked, paid_fen=paid, due=None)
    if act is _A.REOPEN and state is _S.OPEN and facts.asked_fen:
        return replace(facts, state=_S.ASKED, due=now + answer_within)
    return replace(facts, state=state, due=None)
