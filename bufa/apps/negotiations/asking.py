"""Many parcels of one carrier at once: what the sheet, the group text and the carrier's page say of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q

from bufa.apps.cases.letter_words import reason_words
from bufa.apps.cases.models import Case
from bufa.apps.cases.rows import case_row, case_rows
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.negotiations.models import CarrierAnswer
from bufa.apps.orders.views import order_views
from bufa.apps.parcels import sites
from bufa.apps.parcels.views import parcel_views
from bufa.domain.carrier_messages import Ask
from bufa.domain.carrier_rules import CarrierRule, Library, Mark, Topic
from bufa.domain.case_facts import Claim
from bufa.domain.cases import CaseState
from bufa.domain.group_texts import AskedParcel
from bufa.domain.kinds import Measure
from bufa.domain.notices import Language
from bufa.domain.parcels import ParcelState
from bufa.domain.rulebook import SHOP_ZONE
from bufa.lib import clock
from bufa.lib.tenancy import reading

MOST = 500
_ASKS = {
    Measure.REISSUE: Ask.CONSENT,
    Measure.REFUND: Ask.CONSENT,
    Measure.REDELIVER: Ask.REDELIVER,
    Measure.INTERCEPT: Ask.INTERCEPT,
}


@dataclass(frozen=True, slots=True)
class CarrierRow:
    """One carrier with open cases. `waiting`: those that wait for its answer; `answers`: read and not decided."""

    carrier: str
    cases: int
    asking: int
    waiting: int
    answers: int


def carriers(shops: Sequence[int]) -> tuple[CarrierRow, ...]:
    """Carriers with open cases, the most first; two queries."""
    with reading(shops):
        open_cases = Case.objects.filter(shop_id__in=shops).exclude(state=CaseState.CLOSED).exclude(parcel__carrier="")
        rows = open_cases.values("parcel__carrier").annotate(
            cases=Count("id"),
            asking=Count("id", filter=Q(state=CaseState.ASKING)),
            waiting=Count("id", filter=Q(waiting_for="carrier")),
        )
        answers = CarrierAnswer.objects.filter(shop_id__in=shops, state="open").values("case__parcel__carrier")
        told = {row["case__parcel__carrier"]: row["n"] for row in answers.annotate(n=Count("id"))}
        return tuple(
            CarrierRow(
                row["parcel__carrier"], row["cases"], row["asking"], row["waiting"], told.get(row["parcel__carrier"], 0)
            )
            for row in rows.order_by("-asking", "-cases", "parcel__carrier")
        )


def cases_at(shop_id: int, carrier: str, *, asking: bool = True, limit: int = MOST) -> tuple[CaseRow, ...]:
    """Open cases of a carrier's parcels: those in talk with it (`asking`), or all; the most urgent first."""
    with reading([shop_id]):
        rows = case_rows([shop_id]).exclude(state=CaseState.CLOSED).filter(parcel__carrier=carrier)
        rows = rows.filter(state=CaseState.ASKING) if asking else rows
        return tuple(case_row(row) for row in rows.order_by("due_at", "id")[:limit])


def parcels_of(shop_id: int, case_ids: Sequence[int], book: Library | None = None) -> tuple[AskedParcel, ...]:
    """What a carrier needs to know of each case's parcel, in the order given; nothing of the buyer but the region.
    `book`: the rules to cite from, None for none."""
    today = clock.now().astimezone(SHOP_ZONE).date()
    with reading([shop_id]):
        rows = {row.pk: row for row in case_rows([shop_id]).filter(id__in=list(case_ids)[:MOST])}
        orders = order_views([shop_id], [row.order_id for row in rows.values()])
        at_fault = {key: _at_fault(row) for key, row in rows.items()}
        parcels = parcel_views([shop_id], sorted(set(at_fault.values())))
        at = sites.newest(shop_id, sorted(parcels))
    found = []
    for case_id in case_ids:
        row = rows.get(case_id)
        if row is None or not parcels[at_fault[case_id]].number:
            continue
        parcel, order = parcels[at_fault[case_id]], orders[row.order_id]
        said = str(row.facts.get("claim") or row.verdict.get("claim") or "")
        claim = Claim(said) if said in set(Claim) else None
        measure = Measure(row.measure) if row.measure else None
        state = ParcelState.from_json(parcel.state)
        cited = cite(book, parcel.carrier, claim, today) if book else None
        found.append(
            AskedParcel(
                number=parcel.number,
                case_code=row.code,
                order_tail=order.number[-4:],
                reason=reason_words(claim, Language.ZH),
                reason_en=reason_words(claim, Language.EN),
                ask=_ASKS.get(measure, Ask.LOCATE) if measure else Ask.LOCATE,
                place=at.get(parcel.parcel_id, parcel.place),
                collected_at=state.collected_at,
                last_scan_at=parcel.last_scan_at,
                destination="".join(dict.fromkeys(p for p in (order.recipient.province, order.recipient.city) if p)),
                contents="、".join(f"{line.title} × {line.quantity}" for line in order.lines),
                value_fen=order.paid_fen,
                regulation=cited.text(Language.ZH) if cited else "",
                regulation_en=cited.text(Language.EN) if cited else "",
            )
        )
    return tuple(found)


def cite(book: Library, carrier: str, claim: Claim | None, on: date) -> CarrierRule | None:
    """The rule that an ask rests on, about paying or answering: the shop's own, else one of a law, else one that is
    public. What is only our reading is not cited."""
    fitting = [one for one in book.of(carrier, claim, on) if one.mark is not Mark.INFERRED and one.topic in _CITABLE]
    ranks = {Mark.OWN: 0, Mark.VERIFIED: 1, Mark.SEEN: 2}
    return min(fitting, key=lambda one: (ranks[one.mark], _CITABLE.index(one.topic)), default=None)


_CITABLE = (Topic.AMOUNT, Topic.ANSWER)


def _at_fault(case: Case) -> int:
    boxes: list[int] = [case.parcel_id, *case.facts.get("reissue_parcels", [])]
    return boxes[min(case.round, len(boxes)) - 1]
