"""What each case's carrier may owe, and until when it can be asked: reckoned for many cases at once, again when one
changes. A window that nobody used is said to have lapsed, on the case and in the list; it never just goes by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM
from bufa.apps.cases.models import Case
from bufa.apps.cases.weighing import FREIGHT_FEN
from bufa.apps.claims.models import Claim, ClaimEntry, SheetLine
from bufa.apps.orders.models import Line
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops.models import Shop
from bufa.domain import carrier_rules
from bufa.domain.carrier_rules import CLAIMABLE, Library, Moments
from bufa.domain.case_facts import Claim as Kind
from bufa.domain.claims import ClaimAct, ClaimState
from bufa.domain.money import share_half_up
from bufa.domain.parcels import ParcelState
from bufa.lib.tenancy import for_shops, writing

BATCH = 200
LOOK_BACK = timedelta(days=90)

_MONEY = ("kind", "value_fen", "freight_fen", "low_fen", "high_fen", "ask_fen", "rule_id", "window_rule", "until")


def reckon_due(shop_id: int, book: Library, now: datetime, limit: int = BATCH) -> int:
    """Cases that changed since their claim was reckoned, or have none yet; returns how many were looked at."""
    mine = Q(case=OuterRef("pk")) | Q(parcel=OuterRef("parcel"))
    seen = Claim.objects.filter(mine, shop_id=shop_id, case_seen__gte=OuterRef("changed_at"))
    # A parcel whose case was closed may get another one; what it is owed is that one's business then.
    later = Case.objects.filter(shop_id=shop_id, parcel=OuterRef("parcel"), id__gt=OuterRef("pk"))
    rows = Case.objects.filter(~Exists(seen), ~Exists(later), shop_id=shop_id, changed_at__gt=now - LOOK_BACK)
    with for_shops([shop_id]):
        if not rows.exists():  # the turn to write is not taken for nothing
            return 0
    with writing([shop_id]):
        found = list(rows.order_by("changed_at", "id")[:limit])
        if found:
            _reckon(shop_id, found, book, now)
        return len(found)


def reckon_case(shop_id: int, case_id: int, book: Library, now: datetime) -> Claim:
    """The claim on the parcel that this case is about now, reckoned afresh."""
    with writing([shop_id]):
        case = Case.objects.get(shop_id=shop_id, id=case_id)
        _reckon(shop_id, [case], book, now)
        return Claim.objects.get(shop_id=shop_id, parcel_id=_at_fault(case))


def lapse_due(shop_id: int, now: datetime, limit: int = BATCH) -> int:
    """Windows that have just ended without anybody asking; returns how many."""
    with for_shops([shop_id]):
        over = Claim.objects.filter(shop_id=shop_id, state=ClaimState.OPEN, until__lte=now)
        if not over.exists():
            return 0
    with writing([shop_id]):
        rows = list(over.select_for_update(of=("self",)).order_by("until", "id")[:limit])
        for row in rows:
            row.state, row.changed_at, row.version = ClaimState.LAPSED, now, row.version + 1
            row.save(update_fields=["state", "changed_at", "version"])
            ClaimEntry.objects.create(
                shop_id=shop_id, claim=row, act=ClaimAct.LAPSE, amount_fen=row.ask_fen, by=SYSTEM.name, at=now
            )
            said = {"until": row.until.isoformat() if row.until else "", "amount_fen": row.ask_fen}
            cases.log(shop_id=shop_id, case_id=row.case_id, kind="claim_lapsed", by=SYSTEM, now=now, data=said)
        return len(rows)


@dataclass(frozen=True, slots=True)
class _Around:
    """What a batch of cases needs, read in a handful of queries."""

    parcels: Mapping[int, Parcel]
    lines: Mapping[int, Mapping[str, Line]]
    billed: Mapping[int, int]
    insured: Mapping[int, int]
    freight_fen: int
    claims: Mapping[int, Claim]


def _reckon(shop_id: int, found: Sequence[Case], book: Library, now: datetime) -> None:
    around = _look(shop_id, found)
    made: list[Claim] = []
    for case in found:
        parcel = around.parcels[_at_fault(case)]
        row = around.claims.get(parcel.pk)
        money = _money(case, parcel, around, book, now)
        if row is None:
            state = ClaimState.OPEN if money["kind"] else ClaimState.NONE
            made.append(
                Claim(
                    shop_id=shop_id, case=case, parcel=parcel, carrier=parcel.carrier, number=parcel.number,
                    state=state, opened_at=now, changed_at=now, case_seen=_seen(case, now), **money,
                )
            )  # fmt: skip
            continue
        row.case_seen, row.carrier, row.number = _seen(case, now), parcel.carrier, parcel.number
        if row.state in (ClaimState.OPEN, ClaimState.NONE):
            row.case = case
            row.state = ClaimState.OPEN if money["kind"] else ClaimState.NONE
            for name, value in money.items():
                setattr(row, name, value)
        row.save()
    Claim.objects.bulk_create(made)


def _seen(case: Case, now: datetime) -> datetime:
    """Up to when the case has been reckoned with. What changed in this very instant may change in it once more, so it
    is looked at again later."""
    return case.changed_at if case.changed_at < now else case.changed_at - timedelta(microseconds=1)


def _look(shop_id: int, found: Sequence[Case]) -> _Around:
    ids = [_at_fault(case) for case in found]
    lines: dict[int, dict[str, Line]] = {}
    for line in Line.objects.filter(shop_id=shop_id, order_id__in=[case.order_id for case in found]):
        lines.setdefault(line.order_id, {})[line.line_id] = line
    told = SheetLine.objects.filter(shop_id=shop_id, parcel_id__in=ids, sheet__kind__in=["bill", "insured"])
    told = told.select_related("sheet").order_by("id")
    claims = {row.parcel_id: row for row in Claim.objects.filter(shop_id=shop_id, parcel_id__in=ids)}
    stored = Shop.objects.values_list("policy", flat=True).get(id=shop_id).get("freight_fen", FREIGHT_FEN)
    return _Around(
        parcels={row.pk: row for row in Parcel.objects.filter(shop_id=shop_id, id__in=ids).select_related("order")},
        lines=lines,
        billed={row.parcel_id: row.amount_fen for row in told if row.parcel_id and row.sheet.kind == "bill"},
        insured={row.parcel_id: row.amount_fen for row in told if row.parcel_id and row.sheet.kind == "insured"}
        | {key: row.insured_fen for key, row in claims.items() if row.insured_fen is not None},
        freight_fen=stored if isinstance(stored, int) and stored > 0 else FREIGHT_FEN,
        claims=claims,
    )


def _at_fault(case: Case) -> int:
    """The parcel that this round is about: the original in the first, the first reissue in the second, and so on. A
    reissue on its way is nobody's claim yet."""
    boxes: list[int] = [case.parcel_id, *case.facts.get("reissue_parcels", [])]
    return boxes[min(case.round, len(boxes)) - 1]


def _money(case: Case, parcel: Parcel, around: _Around, book: Library, now: datetime) -> dict[str, Any]:
    none: dict[str, Any] = dict.fromkeys(_MONEY, 0) | {"kind": "", "rule_id": "", "window_rule": "", "until": None}
    said = str(case.facts.get("claim") or case.verdict.get("claim") or "")
    if said not in CLAIMABLE or not parcel.carrier:
        return none
    state = ParcelState.from_json(parcel.state)
    moments = Moments(state.collected_at, state.delivered_at)
    kind = carrier_rules.claimed_as(Kind(said), moments, now)
    value = _value(parcel, around.lines.get(case.order_id, {}))
    freight = around.billed.get(parcel.pk, around.freight_fen)
    amount = carrier_rules.amount(
        book, parcel.carrier, kind, value_fen=value, freight_fen=freight, now=now, whole_value_fen=value,
        insured_fen=around.insured.get(parcel.pk),
    )  # fmt: skip
    window = carrier_rules.window(book, parcel.carrier, kind, moments, now)
    return {
        "kind": kind.value,
        "value_fen": value,
        "freight_fen": freight,
        "low_fen": amount.low_fen,
        "high_fen": amount.high_fen,
        "ask_fen": amount.ask_fen,
        "rule_id": amount.rule.rule_id if amount.rule else "",
        "window_rule": window.rule.rule_id if window else "",
        "until": window.ends if window else None,
    }


def _value(parcel: Parcel, lines: Mapping[str, Line]) -> int:
    """What the buyer paid for what is in the box; for the whole order where its contents are not known."""
    inside = [(lines[str(line)], int(count)) for line, count in parcel.contents if str(line) in lines]
    if not inside:
        return int(parcel.order.paid_fen)
    return sum(share_half_up(line.paid_fen, min(count, line.quantity), line.quantity) for line, count in inside)
