"""What changes a claim: one front door, one table (domain.claims), an entry of the ledger and a line on the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.claims.models import Claim, ClaimEntry
from bufa.domain.claims import ANSWER_WITHIN, ClaimAct, ClaimFacts, ClaimState, step
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.crypto import seal
from bufa.lib.tenancy import writing

ENTRY: Mapping[ClaimAct, str] = {
    ClaimAct.ASK: "claim_asked",
    ClaimAct.ANSWER: "claim_answered",
    ClaimAct.REFUSE: "claim_refused",
    ClaimAct.PAY: "claim_paid",
    ClaimAct.ACCEPT: "claim_settled",
    ClaimAct.WAIVE: "claim_waived",
    ClaimAct.REOPEN: "claim_reopened",
}


@dataclass(frozen=True, slots=True)
class Moved:
    """A claim after an act: its state, and what is still missing of what was asked."""

    claim_id: int
    state: ClaimState
    short_fen: int


def act(
    *,
    shop_id: int,
    claim_id: int,
    act: ClaimAct,
    by: Actor,
    amount_fen: int | None = None,
    reason: str = "",
    reference: str = "",
    answer_within: timedelta = ANSWER_WITHIN,
    version: int | None = None,
    line_id: int | None = None,
    at: datetime | None = None,
    now: datetime | None = None,
) -> Moved:
    """Do one thing to a claim. `at`: when it happened outside, such as the day of a payment.

    Raises Refused: claim_not_now, claim_amount, claim_reason_missing, claim_changed, not_allowed.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CLAIM)
    with writing([shop_id]):
        row = Claim.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=claim_id)
        if version is not None and row.version != version:
            raise Refused("claim_changed")
        before = ClaimFacts(ClaimState(row.state), row.asked_fen, row.offered_fen, row.paid_fen, row.due_at)
        new = step(before, act, amount_fen=amount_fen, reason=reason, now=now, answer_within=answer_within)
        row.state, row.asked_fen, row.offered_fen = new.state, new.asked_fen, new.offered_fen
        row.paid_fen, row.due_at, row.changed_at, row.version = new.paid_fen, new.due, now, row.version + 1
        if act is ClaimAct.ASK:
            row.asked_at = now
        row.save()
        _write(row, act, by, at or now, amount_fen or 0, reason, reference, line_id)
        said = {"amount_fen": amount_fen or 0, "short_fen": new.short_fen, "claim_state": new.state.value}
        cases.log(
            shop_id=shop_id, case_id=row.case_id, kind=ENTRY[act], by=by, now=now, data=said, words=reason.strip()
        )
        audit.record(shop_id, by.ref, f"claim.{act.value}", f"claim:{claim_id}", {"amount_fen": amount_fen or 0})
        return Moved(row.pk, new.state, new.short_fen)


def insure(
    *, shop_id: int, claim_id: int, insured_fen: int | None, by: Actor, version: int | None = None,
    now: datetime | None = None,
) -> None:  # fmt: skip
    """Write down what the parcel was insured for, None for "nothing was entered"; the claim is reckoned with it next.

    Raises Refused: claim_not_now (it has been asked for), claim_amount, claim_changed, not_allowed.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CLAIM)
    if insured_fen is not None and insured_fen <= 0:
        raise Refused("claim_amount")
    with writing([shop_id]):
        row = Claim.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=claim_id)
        if version is not None and row.version != version:
            raise Refused("claim_changed")
        if row.state not in (ClaimState.OPEN, ClaimState.NONE):
            raise Refused("claim_not_now", act="insure", claim_state=row.state)
        row.insured_fen, row.changed_at, row.version = insured_fen, now, row.version + 1
        row.save(update_fields=["insured_fen", "changed_at", "version"])
        said = {"amount_fen": insured_fen or 0}
        cases.log(shop_id=shop_id, case_id=row.case_id, kind="claim_insured", by=by, now=now, data=said)
        audit.record(shop_id, by.ref, "claim.insure", f"claim:{claim_id}", said)


def _write(
    row: Claim, act: ClaimAct, by: Actor, at: datetime, amount_fen: int, reason: str, reference: str, line: int | None
) -> None:
    at = at.astimezone(UTC)
    words = reason.strip()
    ClaimEntry.objects.create(
        shop_id=row.shop_id,
        claim=row,
        act=act,
        amount_fen=amount_fen,
        reference=reference.strip()[:80],
        words=seal(row.shop_id, words.encode(), where=words_place(row.pk, at)) if words else b"",
        line_id=line,
        by=by.name,
        at=at,
    )


def words_place(claim_id: int, at: datetime) -> str:
    """Where an entry's sealed words belong."""
    return f"claims_claimentry.words:{claim_id}.{at.astimezone(UTC).isoformat()}"
