"""What customers can answer on their page, and what each answer is to a case: a dated statement, and a reason to look.

Nothing is done because a customer said so: the answer stands among the evidence, and the case comes up again. Two
answers are facts that the case waits for and may go on with: that the goods are there, where the shop's policy waits
for that word before it closes; and how satisfied they were, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bufa.domain.case_facts import Claim
from bufa.domain.kinds import Measure, Stage


class Answer(StrEnum):
    """What can be said on the customer's page."""

    RECEIVED = "received"
    NOT_RECEIVED = "not_received"
    DAMAGED = "damaged"
    REFUND = "refund"
    WAIT = "wait"
    ADDRESS_OK = "address_ok"
    ADDRESS_WRONG = "address_wrong"
    RATED = "rated"


@dataclass(frozen=True, slots=True)
class Meaning:
    """`claim` None: no statement about a parcel. `wish`: the measure asked for. `wakes`: a person should look.

    `reopens`: a case that is closed comes back for it.
    """

    claim: Claim | None = None
    wish: Measure | None = None
    wakes: bool = False
    reopens: bool = False


def meaning(answer: Answer, stage: Stage, weighed: Claim | None) -> Meaning:
    """What the answer says of a case whose newest parcel is in `stage` and that so far is about `weighed`."""
    match answer:
        case Answer.RECEIVED:
            return Meaning(Claim.DELIVERED)
        case Answer.NOT_RECEIVED:
            signed = stage is Stage.DELIVERED
            return Meaning(Claim.SIGNED_NOT_RECEIVED if signed else Claim.LATE, wakes=True, reopens=True)
        case Answer.DAMAGED:
            return Meaning(Claim.DAMAGED, wakes=True, reopens=True)
        case Answer.REFUND:
            return Meaning(weighed or Claim.LATE, Measure.REFUND, wakes=True)
        case Answer.WAIT:
            return Meaning(weighed or Claim.LATE, Measure.WAIT)
        case Answer.ADDRESS_WRONG:
            return Meaning(wakes=True)
        case _:
            return Meaning()


def offered(stage: Stage, *, is_closed: bool, settled: bool, asks_address: bool) -> tuple[Answer, ...]:
    """What the page offers, the likeliest first. `settled`: money was decided on, there is nothing to wait for.

    `asks_address`: a reissue is not on its way yet, so that an address can still be put right.
    """
    here = stage in (Stage.DELIVERED, Stage.READY_FOR_PICKUP)
    if settled and not here:
        return (Answer.RECEIVED,)
    first = (Answer.RECEIVED, Answer.NOT_RECEIVED, Answer.DAMAGED)
    if is_closed or here:
        return first
    return (*first, Answer.WAIT, Answer.REFUND, *((Answer.ADDRESS_OK, Answer.ADDRESS_WRONG) if asks_address else ()))


TIMES: Mapping[Answer, int] = {
    Answer.RECEIVED: 3,
    Answer.NOT_RECEIVED: 6,
    Answer.DAMAGED: 6,
    Answer.REFUND: 3,
    Answer.WAIT: 3,
    Answer.ADDRESS_OK: 3,
    Answer.ADDRESS_WRONG: 3,
    Answer.RATED: 1,
}
"""How often one answer may be given about one case in one day: enough to correct oneself, and no nuisance."""
