"""What people say about a finding: look at it later, it is none, or take that back. Each with a reason, each undone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions, taking_in
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case, Finding
from bufa.apps.parcels.models import Parcel
from bufa.domain.cases import Action, CaseState, Outcome
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.domain.personal import strip_personal
from bufa.lib import clock
from bufa.lib.tenancy import writing

LONGEST = timedelta(days=30)
NO_SCAN = timedelta(days=3)
"""When what was put off until the next scan comes back although none came."""

_NEVER_SCANNED = datetime(1970, 1, 1, tzinfo=UTC)


def snooze(
    *,
    shop_id: int,
    finding_id: int,
    by: Actor,
    reason: str,
    until: datetime | None = None,
    now: datetime | None = None,
) -> None:
    """Put an open finding off until a time, or with None until the parcel's next scan (`NO_SCAN` at the latest).

    Its money stays at risk and is still shown; its case waits. Raises Refused `parameter_missing` (reason),
    `until_is_past`, `snooze_too_long`, `finding_not_open`; Finding.DoesNotExist for one that is not this shop's.
    """
    now = now or clock.now()
    if until is not None and until <= now:
        raise Refused("until_is_past", until=until.isoformat())
    if until is not None and until > now + LONGEST:
        raise Refused("snooze_too_long", days=LONGEST.days)
    said = _reason(by, reason)
    with writing([shop_id]):
        row = _locked(shop_id, finding_id)
        if row.state not in ("open", "snoozed"):
            raise Refused("finding_not_open", finding_state=row.state)
        row.state, row.snoozed_by, row.snoozed_why = "snoozed", by.name, said
        row.snoozed_until = until or now + NO_SCAN
        row.snoozed_scan = None if until is not None else _newest_scan(row)
        row.save(update_fields=["state", "snoozed_by", "snoozed_why", "snoozed_until", "snoozed_scan"])
        params = {"rule": row.rule, "until": row.snoozed_until.isoformat()}
        _tell(row, by, now, "finding_snoozed" if until else "finding_snoozed_scan", params, reason)
        taking_in.judge_again(shop_id=shop_id, parcel_ids=[row.parcel_id], now=now)  # its deadline is the waking
        _look_again(row, now)


def dismiss(*, shop_id: int, finding_id: int, by: Actor, reason: str, now: datetime | None = None) -> None:
    """Say that a finding is none; it stays dismissed while it lasts. Raises Refused as `snooze` does."""
    now = now or clock.now()
    said = _reason(by, reason)
    with writing([shop_id]):
        row = _locked(shop_id, finding_id)
        if row.state not in ("open", "snoozed"):
            raise Refused("finding_not_open", finding_state=row.state)
        row.state, row.dismissed_by, row.dismissed_why = "dismissed", by.name, said
        row.save(update_fields=["state", "dismissed_by", "dismissed_why"])
        _tell(row, by, now, "finding_dismissed", {"rule": row.rule}, reason)
        _look_again(row, now)


def bring_back(*, shop_id: int, finding_id: int, by: Actor, now: datetime | None = None) -> None:
    """Take back a snooze or a dismissal: the parcel is judged anew, and a case that was closed by it opens again."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        row = _locked(shop_id, finding_id)
        if row.state not in ("dismissed", "snoozed"):
            raise Refused("finding_not_put_off")
        was_dismissed = row.state == "dismissed"
        # Judging opens it again if it still stands; if not, it is over and stays cleared.
        row.state, row.cleared_at = "cleared", now
        row.save(update_fields=["state", "cleared_at"])
        _tell(row, by, now, "finding_back", {"rule": row.rule})
        if was_dismissed and row.case_id is not None:
            _reopen(shop_id, row.case_id, by, now)
        taking_in.judge_again(shop_id=shop_id, parcel_ids=[row.parcel_id], now=now)


def _reopen(shop_id: int, case_id: int, by: Actor, now: datetime) -> None:
    """The case that closed itself because all that was found was dismissed; another one may be open by now."""
    case = Case.objects.get(shop_id=shop_id, id=case_id)
    others = Case.objects.filter(shop_id=shop_id, parcel_id=case.parcel_id).exclude(state=CaseState.CLOSED)
    if case.outcome == Outcome.DISMISSED and not others.exists():
        actions.act(shop_id=shop_id, case_id=case_id, action=Action.REOPEN, by=by, now=now, reason="finding_back")


def _reason(by: Actor, reason: str) -> str:
    if not reason.strip():
        raise Refused("parameter_missing", name="reason")
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    return strip_personal(reason.strip())[:200]


def _locked(shop_id: int, finding_id: int) -> Finding:
    # Parcels are locked before their findings, as judging does it.
    parcel_id = Finding.objects.values_list("parcel_id", flat=True).get(shop_id=shop_id, id=finding_id)
    Parcel.objects.select_for_update().get(shop_id=shop_id, id=parcel_id)
    return Finding.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=finding_id)


def _newest_scan(row: Finding) -> datetime:
    newest = Parcel.objects.values_list("last_scan_at", flat=True).get(shop_id=row.shop_id, id=row.parcel_id)
    return newest or _NEVER_SCANNED


def _tell(row: Finding, by: Actor, now: datetime, kind: str, params: dict[str, Any], words: str = "") -> None:
    audit.record(row.shop_id, by.ref, kind.replace("_", ".", 1), f"finding:{row.pk}", {"rule": row.rule})
    if row.case_id is not None:
        actions.log(
            shop_id=row.shop_id, case_id=row.case_id, kind=kind, by=by, now=now, data=params, words=words.strip()
        )


def _look_again(row: Finding, now: datetime) -> None:
    if row.case_id is not None:
        actions.look_again(shop_id=row.shop_id, case_id=row.case_id, now=now)
