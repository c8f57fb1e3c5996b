"""What changes an appeal: one front door, one table (domain.appeals), an entry of the ledger, a line on the case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.claims.models import Appeal, AppealEntry
from bufa.apps.parcels.models import PenaltyNotice
from bufa.domain.appeals import AppealAct, AppealFacts, AppealState, step
from bufa.domain.outcome import Refused
from bufa.domain.penalties import Penalty
from bufa.domain.permissions import Permission, check
from bufa.lib import clock, holidays
from bufa.lib.crypto import seal
from bufa.lib.tenancy import writing

MOST_WORDS = 2_000

ENTRY: Mapping[AppealAct, str] = {
    AppealAct.SEND: "appeal_sent",
    AppealAct.GRANT: "appeal_granted",
    AppealAct.REFUSE: "appeal_refused",
    AppealAct.PAY_BACK: "appeal_back",
    AppealAct.WAIVE: "appeal_waived",
    AppealAct.REOPEN: "appeal_reopened",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an appeal says, as it is written. `area`: district or street; the span: from when until when it held."""

    ground: str
    words: str = ""
    area: str = ""
    begins_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """An appeal after an act."""

    state: AppealState
    granted_fen: int
    back_fen: int


def act(
    *,
    shop_id: int,
    notice_id: int,
    act: AppealAct,
    by: Actor,
    amount_fen: int | None = None,
    reason: str = "",
    reference: str = "",
    prepared: Prepared | None = None,
    version: int | None = None,
    at: datetime | None = None,
    now: datetime | None = None,
) -> Moved:
    """Do one thing to the appeal against a deduction; its row is made with the first. `at`: when it happened outside.

    `version`: the row that the person saw, 0 for none yet. Raises Refused as `domain.appeals.step` does, and
    not_allowed, appeal_changed, appeal_unplaced, appeal_span; PenaltyNotice.DoesNotExist.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CLAIM)
    with writing([shop_id]):
        rows = PenaltyNotice.objects.select_for_update(of=("self",)).select_related("parcel")
        notice = rows.get(shop_id=shop_id, id=notice_id)
        if notice.parcel_id is None:
            raise Refused("appeal_unplaced")
        row = Appeal.objects.filter(shop_id=shop_id, notice=notice).first()
        if version is not None and version != (row.version if row else 0):
            raise Refused("appeal_changed")
        row = row or Appeal(shop_id=shop_id, notice=notice, changed_at=now)
        said = prepared or Prepared(row.ground)
        new = step(
            facts_of(notice, row), act, now=now, at=at, amount_fen=amount_fen, reason=reason, ground=said.ground,
            is_workday=workdays(),
        )  # fmt: skip
        row.state, row.ground, row.sent_at, row.due_at = new.state, new.ground, new.sent_at, new.due
        row.granted_fen, row.back_fen = new.granted_fen, new.back_fen
        row.changed_at, row.version = now, row.version + 1
        if prepared is not None:
            _write_down(row, prepared)
        if act is AppealAct.SEND and reference.strip():
            row.reference = reference.strip()[:80]
        row.save()
        _entry(row, act, by, at or now, amount_fen or 0, reason, reference)
        _tell(notice, act, by, now, new, amount_fen or 0, reason)
        audit.record(shop_id, by.ref, f"appeal.{act.value}", f"notice:{notice_id}", {"amount_fen": amount_fen or 0})
        return Moved(new.state, new.granted_fen, new.back_fen)


def facts_of(notice: PenaltyNotice, row: Appeal | None) -> AppealFacts:
    """The deduction and what was done about it, as the table takes them."""
    kind = Penalty(notice.kind)
    if row is None:
        return AppealFacts(AppealState.OPEN, notice.noticed_at, kind, notice.amount_fen)
    return AppealFacts(
        AppealState(row.state), notice.noticed_at, kind, notice.amount_fen, row.ground, row.sent_at, row.due_at,
        row.granted_fen, row.back_fen,
    )  # fmt: skip


def workdays() -> Callable[[date], bool]:
    """Whether a day is worked, by the public calendar; in years that it does not know, by the week alone."""
    return holidays.is_workday


def words_place(notice_id: int) -> str:
    """Where an appeal's sealed words belong."""
    return f"claims_appeal.words:{notice_id}"


def entry_place(appeal_id: int, at: datetime) -> str:
    """Where an entry's sealed words belong."""
    return f"claims_appealentry.words:{appeal_id}.{at.astimezone(UTC).isoformat()}"


def _write_down(row: Appeal, said: Prepared) -> None:
    if said.begins_at is not None and said.ends_at is not None and said.ends_at < said.begins_at:
        raise Refused("appeal_span")
    words = said.words.strip()[:MOST_WORDS]
    row.area, row.begins_at, row.ends_at = said.area.strip()[:200], said.begins_at, said.ends_at
    row.words = seal(row.shop_id, words.encode(), where=words_place(row.notice_id)) if words else b""


def _entry(row: Appeal, act: AppealAct, by: Actor, at: datetime, fen: int, reason: str, reference: str) -> None:
    words = reason.strip()[:MOST_WORDS]
    AppealEntry.objects.create(
        shop_id=row.shop_id,
        appeal=row,
        act=act,
        amount_fen=fen,
        reference=reference.strip()[:80],
        words=seal(row.shop_id, words.encode(), where=entry_place(row.pk, at)) if words else b"",
        by=by.name[:80],
        at=at,
    )


def _tell(
    notice: PenaltyNotice, act: AppealAct, by: Actor, now: datetime, new: AppealFacts, fen: int, reason: str
) -> None:
    """A line on the parcel's newest case, where there is one."""
    kind = ENTRY.get(act)
    case = Case.objects.filter(shop_id=notice.shop_id, parcel=notice.parcel).order_by("-id").first()
    if kind is None or case is None:
        return
    said: dict[str, object] = {"penalty": notice.kind, "amount_fen": fen}
    if act is AppealAct.SEND and new.due is not None:
        said["due"] = new.due.isoformat()
    cases.log(shop_id=notice.shop_id, case_id=case.pk, kind=kind, by=by, now=now, data=said, words=reason.strip())
