"""From stored cases and findings to what the pages get to see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from bufa.apps.cases.models import Case, Finding
from bufa.apps.cases.shapes import CaseRow, FindingView
from bufa.domain.outcome import Why
from bufa.lib.tenancy import reading


def case_rows(shops: Sequence[int]) -> QuerySet[Case]:
    return Case.objects.filter(shop_id__in=shops).select_related("order", "parcel", "owner")


def why_from(data: dict[str, Any]) -> Why:
    """A stored reason: `{"code": …, "params": {…}}`, empty where none was given."""
    return Why(data.get("code", ""), data.get("params", {}))


def case_row(case: Case) -> CaseRow:
    owner = case.owner
    return CaseRow(
        shop_id=case.shop_id,
        case_id=case.pk,
        code=case.code,
        state=case.state,
        step=case.step,
        round=case.round,
        measure=case.measure,
        headline=case.headline,
        why=why_from(case.why),
        next_action=case.next_action,
        waiting_for=case.waiting_for,
        due_at=case.due_at,
        risk_fen=case.risk_fen,
        risk_at=case.risk_at,
        owner_id=case.owner_id,
        owner_name=(owner.display_name or owner.username) if owner else "",
        opened_at=case.opened_at,
        changed_at=case.changed_at,
        closed_at=case.closed_at,
        outcome=case.outcome,
        version=case.version,
        order_id=case.order_id,
        order_number=case.order.number,
        parcel_id=case.parcel_id,
        carrier=case.parcel.carrier,
        number=case.parcel.number,
        stage=case.parcel.stage,
        place=case.parcel.place,
        last_scan_at=case.parcel.last_scan_at,
    )


def finding_view(row: Finding) -> FindingView:
    return FindingView(
        finding_id=row.pk,
        parcel_id=row.parcel_id,
        rule=row.rule,
        certainty="confirmed" if row.is_certain else row.certainty,
        state=row.state,
        since=row.since,
        found_at=row.found_at,
        evidence=why_from(row.evidence),
        payout_fen=row.payout_fen,
        cleared_at=row.cleared_at,
        put_off_by=row.dismissed_by if row.state == "dismissed" else row.snoozed_by,
        put_off_why=row.dismissed_why if row.state == "dismissed" else row.snoozed_why,
        snoozed_until=row.snoozed_until,
        until_scan=row.snoozed_scan is not None,
        confirmed_by=row.triaged_by,
    )


def findings_of(shops: Sequence[int], parcel_ids: Sequence[int]) -> tuple[FindingView, ...]:
    """All findings on the parcels, open ones first, then newest first."""
    with reading(shops):
        rows = Finding.objects.filter(shop_id__in=shops, parcel_id__in=parcel_ids).order_by("-since", "id")
        return tuple(sorted((finding_view(row) for row in rows), key=lambda row: row.state != "open"))
