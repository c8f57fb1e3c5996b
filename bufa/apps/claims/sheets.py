"""Carriers' sheets: what they paid, what they bill, what was insured, laid against claims and parcels by waybill.

A payment that finds its claim is entered there at once, by whoever brought the sheet; what finds nothing stays listed
until somebody places it or sets it aside. The same row brought twice counts once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.claims import actions
from bufa.apps.claims.models import SHEET_KINDS, Claim, Sheet, SheetLine
from bufa.apps.parcels.models import Parcel
from bufa.domain.claims import ClaimAct, ClaimState
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.domain.rulebook import SHOP_ZONE
from bufa.domain.waybills import clean
from bufa.lib import clock
from bufa.lib.crypto import seal
from bufa.lib.tenancy import writing

MOST_ROWS = 20_000
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PaidRow:
    """One row of a sheet. `row`: as a spreadsheet counts; `number`: the waybill; `on`: the day it names, if any."""

    row: int
    number: str
    amount_fen: int
    on: date | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a sheet's rows."""

    sheet_id: int
    rows: int
    matched: int
    unmatched: int
    repeated: int
    paid_fen: int


def take_sheet(
    *, shop_id: int, kind: str, carrier: str, name: str, rows: Sequence[PaidRow], by: Actor, now: datetime | None = None
) -> Placed:
    """Keep a sheet's rows and place those that can be placed. `kind`: paid, bill or insured.

    Raises Refused: sheet_empty, sheet_too_long, parameter_unknown, not_allowed.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CLAIM)
    if kind not in SHEET_KINDS:
        raise Refused("parameter_unknown", name="kind", value=kind)
    if not rows:
        raise Refused("sheet_empty")
    if len(rows) > MOST_ROWS:
        raise Refused("sheet_too_long", rows=len(rows), most=MOST_ROWS)
    with writing([shop_id]):
        key = secrets.token_hex(16)
        sheet = Sheet.objects.create(
            shop_id=shop_id, kind=kind, carrier=carrier, key=key, rows=len(rows), by=by.name, at=now,
            name=seal(shop_id, name[:120].encode(), where=f"claims_sheet.name:{key}"),
        )  # fmt: skip
        fresh = _fresh(shop_id, kind, carrier, rows)
        numbers = {clean(row.number) for _, row in fresh}
        claims = _claims(shop_id, carrier, numbers)
        parcels = _parcels(shop_id, carrier, numbers)
        matched = paid = 0
        for digest, row in fresh:
            number = clean(row.number)
            line = SheetLine(
                shop_id=shop_id, sheet=sheet, row=row.row, number=number[:40], amount_fen=row.amount_fen, on=row.on,
                reference=row.reference[:80], parcel_id=parcels.get(number), state="unmatched", digest=digest,
            )  # fmt: skip
            claim = claims.get(number)
            if kind == "paid" and claim is not None and _pay(line, claim, by, now):
                matched, paid = matched + 1, paid + row.amount_fen
                continue
            if kind != "paid" and line.parcel_id is not None:
                line.state, matched = "matched", matched + 1
            line.save()
        if kind != "paid":
            open_ = Claim.objects.filter(shop_id=shop_id, state=ClaimState.OPEN, parcel_id__in=parcels.values())
            open_.update(case_seen=NEVER)  # reckoned anew with the real freight, or what was insured
        said = {"kind": kind, "rows": len(rows), "matched": matched}
        audit.record(shop_id, by.ref, "claim.sheet", f"sheet:{sheet.pk}", said)
    repeated = len(rows) - len(fresh)
    return Placed(sheet.pk, len(rows), matched, len(fresh) - matched, repeated, paid)


def place_line(*, shop_id: int, line_id: int, claim_id: int, by: Actor, now: datetime | None = None) -> None:
    """A person says which claim an unmatched payment belongs to. Raises Refused: line_is_placed, claim_not_now."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CLAIM)
    with writing([shop_id]):
        line = _unmatched(shop_id, line_id)
        claim = Claim.objects.get(shop_id=shop_id, id=claim_id)
        if line.sheet.kind != "paid" or not _pay(line, claim, by, now):
            raise Refused("claim_not_now", act=ClaimAct.PAY.value, claim_state=claim.state)


def set_aside(*, shop_id: int, line_id: int, by: Actor) -> None:
    """A person says that a row belongs to nothing here."""
    if by.role is not None:
        check(by.role, Permission.WORK_CLAIM)
    with writing([shop_id]):
        line = _unmatched(shop_id, line_id)
        line.state = "set_aside"
        line.save(update_fields=["state"])
        audit.record(shop_id, by.ref, "claim.line_set_aside", f"line:{line_id}", {"amount_fen": line.amount_fen})


def claim_by_number(shop_id: int, text: str) -> int | None:
    """The claim on a waybill, or of a case named by its code."""
    with writing([shop_id]):
        rows = Claim.objects.filter(shop_id=shop_id).exclude(state=ClaimState.NONE)
        by_number = rows.filter(number=clean(text)).order_by("-id").values_list("id", flat=True).first()
        by_case = rows.filter(case__code=text.strip().upper()).order_by("-id").values_list("id", flat=True).first()
        return by_number or by_case


def _unmatched(shop_id: int, line_id: int) -> SheetLine:
    line = SheetLine.objects.select_for_update(of=("self",)).select_related("sheet").get(shop_id=shop_id, id=line_id)
    if line.state != "unmatched":
        raise Refused("line_is_placed")
    return line


def _pay(line: SheetLine, claim: Claim, by: Actor, now: datetime) -> bool:
    """Enter a payment; False where the claim can take none."""
    if claim.state == ClaimState.NONE:
        return False
    line.state, line.claim = "matched", claim
    line.save()
    at = datetime.combine(line.on, time(12), SHOP_ZONE) if line.on else now
    at = min(at + timedelta(microseconds=line.pk % 1_000_000), now)
    actions.act(
        shop_id=line.shop_id, claim_id=claim.pk, act=ClaimAct.PAY, by=by, amount_fen=line.amount_fen,
        reference=line.reference, line_id=line.pk, at=at, now=now,
    )  # fmt: skip
    return True


def _fresh(shop_id: int, kind: str, carrier: str, rows: Sequence[PaidRow]) -> list[tuple[str, PaidRow]]:
    """Rows that were never brought before, each with its digest. Equal rows of one sheet are told apart by their count:
    a carrier may pay twice the same for one parcel, and bringing the sheet again must not."""
    seen: dict[str, int] = {}
    named: dict[str, PaidRow] = {}
    for row in rows:
        said = f"{kind}|{carrier}|{clean(row.number)}|{row.amount_fen}|{row.on or ''}|{row.reference.strip()}"
        seen[said] = seen.get(said, 0) + 1
        digest = hashlib.blake2b(f"{said}|{seen[said]}".encode(), digest_size=20).hexdigest()
        named[digest] = row
    there = set(SheetLine.objects.filter(shop_id=shop_id, digest__in=list(named)).values_list("digest", flat=True))
    return [(digest, row) for digest, row in named.items() if digest not in there]


def _claims(shop_id: int, carrier: str, numbers: set[str]) -> Mapping[str, Claim]:
    rows = Claim.objects.filter(shop_id=shop_id, number__in=numbers).exclude(number="")
    rows = rows.filter(carrier=carrier) if carrier else rows
    return {row.number: row for row in rows.order_by("id")}


def _parcels(shop_id: int, carrier: str, numbers: set[str]) -> Mapping[str, int]:
    rows = Parcel.objects.filter(shop_id=shop_id, number__in=numbers).exclude(number="")
    rows = rows.filter(carrier=carrier) if carrier else rows
    return dict(rows.order_by("id").values_list("number", "id"))
