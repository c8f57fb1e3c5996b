"""Where the hand goes next on a case's page, and which case a new operator begins with. Pure: no page, no clock.

`point` follows the case's own next best action, so what is pointed at is never something else than what the case waits
for. The words for a `Pointer` stand in `bufa.web.words.hints`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bufa.domain.kinds import Measure


class Spot(StrEnum):
    """A control of the case's page. `NEXT` leads to another case, because this one waits for somebody else."""

    MEASURE = "measure"
    APPROVE = "approve"
    ASK = "ask"
    ANSWER = "answer"
    AGREE = "agree"
    WAYBILL = "waybill"
    SUBMIT = "submit"
    TELL = "tell"
    CALL = "call"
    REMEDY = "remedy"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Pointer:
    """`code`: what is to be said about it. `spot`: the control that does it; None where one only has to wait."""

    code: str
    spot: Spot | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What the page knows beside the case: a number stands in the reissue's form, an e-waybill is on its way, so many
    of the carrier's answers are not accepted, a phone call is to be made; nobody at the carrier is known to
    write to."""

    has_number: bool = False
    label_wanted: bool = False
    answers: int = 0
    to_phone: bool = False
    no_contact: bool = False


_BY_WHY: Mapping[str, Pointer] = {
    "case_closed": Pointer("closed", Spot.NEXT),
    "finding_open": Pointer("choose", Spot.MEASURE),
    "verdict_missing": Pointer("choose", Spot.MEASURE),
    "measure_missing": Pointer("choose", Spot.MEASURE),
    "wait_is_over": Pointer("choose", Spot.MEASURE),
    "carrier_refused": Pointer("refused", Spot.MEASURE),
    "findings_put_off": Pointer("put_off", Spot.NEXT),
    "waiting_until": Pointer("put_off", Spot.NEXT),
    "approval_waits": Pointer("approval", Spot.APPROVE),
    "carrier_not_asked": Pointer("ask", Spot.ASK),
    "carrier_silent": Pointer("ask", Spot.ASK),
    "consent_expired": Pointer("ask", Spot.ASK),
    "promise_overdue": Pointer("ask", Spot.ASK),
    "carrier_to_answer": Pointer("carrier", Spot.NEXT),
    "ticket_to_answer": Pointer("agree", Spot.AGREE),
    "ticket_missing": Pointer("ticket", Spot.TELL),
    "ticket_asked_for": Pointer("customer", Spot.NEXT),
    "number_missing": Pointer("waybill", Spot.WAYBILL),
    "number_ready": Pointer("waybill", Spot.WAYBILL),
    "number_rejected": Pointer("rejected", Spot.WAYBILL),
    "submission_under_way": Pointer("leaving"),
    "submission_unknown": Pointer("unknown"),
    "customer_not_told": Pointer("tell", Spot.TELL),
    "notice_failed": Pointer("tell", Spot.TELL),
    "notice_under_way": Pointer("telling"),
    "remedy_todo": Pointer("remedy", Spot.REMEDY),
    "remedy_unknown": Pointer("remedy", Spot.REMEDY),
    "remedy_failed": Pointer("refused", Spot.MEASURE),
    "remedy_under_way": Pointer("leaving"),
    "reissue_under_way": Pointer("followed", Spot.NEXT),
    "original_under_way": Pointer("watched", Spot.NEXT),
}
"""The reason why a case is where it is (`cases.next_best`) → what its page points at."""


def point(why: str, around: Around) -> Pointer:
    """What to do on the page of a case that is where it is for this reason."""
    found = _BY_WHY.get(why, Pointer("look"))
    if found.code == "carrier" and around.answers:
        return Pointer("answer", Spot.ANSWER)
    if found.code == "ask" and around.no_contact:
        return Pointer("contact", Spot.NEXT)
    if found.code == "telling" and around.to_phone:
        return Pointer("call", Spot.CALL)
    if found.spot is Spot.WAYBILL:
        if around.has_number:
            return Pointer("rejected" if found.code == "rejected" else "submit", Spot.SUBMIT)
        if around.label_wanted:
            return Pointer("label")
    return found


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that somebody could begin with. `owner_id`: who has taken it, None for nobody."""

    key: int
    why: str
    waiting_for: str
    measure: str
    owner_id: int | None
    due_at: datetime | None


_EASE = ("number_ready", "number_missing", "ticket_to_answer", "customer_not_told", "finding_open", "verdict_missing")
"""Cases by how soon they come to a submitted number and a customer who was told; what is left out comes last."""


def first_case(candidates: Iterable[Candidate], me: int) -> int | None:
    """The case to learn on: one that waits for the shop and that nobody else has in hand, the nearest to being solved
    first and of these the most urgent. None where there is no such case."""

    def rank(each: Candidate) -> tuple[bool, int, bool, datetime | int]:
        ease = _EASE.index(each.why) if each.why in _EASE else len(_EASE)
        other = each.why == "customer_not_told" or each.measure in (Measure.REISSUE, "")
        # Of two that are alike the one without a time comes last; a time and a key are never compared.
        return (not other, ease, each.due_at is None, each.due_at or each.key)

    mine = [each for each in candidates if each.waiting_for == "shop" and each.owner_id in (None, me)]
    return min(mine, key=rank).key if mine else None
