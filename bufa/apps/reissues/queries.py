"""Reading reissues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, QuerySet

from bufa.apps.reissues.forms import Checked, Draft, ReissueForm, check_form, open_draft
from bufa.apps.reissues.models import Reissue
from bufa.domain.reissue_numbers import beginnings, find_reissue_number, spoken_groups
from bufa.lib.keyset import starts
from bufa.lib.labels import SIZES
from bufa.lib.prepared import prepared
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading

__all__ = [
    "Checked",
    "Draft",
    "Found",
    "ReissueForm",
    "ReissueView",
    "Success",
    "by_codes",
    "check_form",
    "codes_of",
    "find",
    "of_case",
    "open_draft",
    "success",
]


@dataclass(frozen=True, slots=True)
class ReissueView:
    """One reissue as the case page shows it; its effect with attempts is `effects.queries.by_id([…], [effect_id])`."""

    reissue_id: int
    round: int
    code: str
    state: str
    carrier: str
    number: str
    contents: tuple[tuple[str, int], ...]
    pickup_id: int | None
    delivery: dict[str, Any]
    route: str
    after_sale_number: str
    gate: tuple[dict[str, Any], ...]
    override_reason: str
    parcel_id: int | None
    effect_id: int | None
    eta_from: datetime | None
    eta_to: datetime | None
    by: str
    created_at: datetime
    submitted_at: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None

    @property
    def spoken(self) -> tuple[tuple[str, ...], ...]:
        """How our number is read aloud: its characters, in groups."""
        return spoken_groups(self.code)

    @property
    def label_sizes(self) -> tuple[str, ...]:
        return tuple(SIZES)


@dataclass(frozen=True, slots=True)
class Found:
    shop_id: int
    code: str
    case_code: str
    order_number: str
    carrier: str
    number: str


@prepared
def _of_case(shop_id: int, case_id: int) -> QuerySet[Reissue]:
    return Reissue.objects.filter(shop_id=shop_id, case_id=case_id).order_by("id")


@dataclass(frozen=True, slots=True)
class Success:
    """Reissues whose number the platform took in a span, and what became of them so far."""

    arrived: int
    failed: int
    under_way: int

    @property
    def share(self) -> float | None:
        """Of those that came to an end: arrived, and no further round after them."""
        ended = self.arrived + self.failed
        return self.arrived / ended if ended else None


def success(shops: Sequence[int], since: datetime, until: datetime) -> Success:
    """One that arrived and after which its case went into another round has failed: the customer did not have it."""
    with reading(shops):
        rows = Reissue.objects.filter(shop_id__in=shops, accepted_at__gte=since, accepted_at__lt=until)
        again = ExpressionWrapper(Q(case__round__gt=F("round")), output_field=BooleanField())
        sums = rows.annotate(again=again).values_list("state", "again").annotate(count=Count("id")).order_by()
        found = {(state, went_on): count for state, went_on, count in sums}
    failed = sum(
        count for (state, again), count in found.items() if state == "wrong" or (state == "delivered" and again)
    )
    under_way = found.get(("accepted", False), 0) + found.get(("accepted", True), 0)
    return Success(found.get(("delivered", False), 0), failed, under_way)


@remembered
def of_case(shop_id: int, case_id: int) -> tuple[ReissueView, ...]:
    """A case's reissues, oldest first; refused and stopped ones too."""
    with reading([shop_id]):
        return tuple(_view(row) for row in _of_case(shop_id, case_id))


def find(shops: Sequence[int], text: str, limit: int = 10) -> tuple[Found, ...]:
    """Reissues whose own number begins with the text, in any case, with or without its dashes."""
    codes = [starts("code", each) for each in beginnings(text) if len(each) >= 4]
    if not codes:
        return ()
    with reading(shops):
        rows = Reissue.objects.filter(reduce(or_, codes), shop_id__in=shops).select_related("case__order")
        return tuple(
            Found(row.shop_id, row.code, row.case.code, row.case.order.number, row.carrier, row.number)
            for row in rows.order_by("-id")[:limit]
        )


def by_codes(shops: Sequence[int], texts: Iterable[str]) -> dict[str, tuple[int, str]]:
    """What is written → (shop, case code), for those that are reissue numbers of ours, however they are written."""
    written = {text: code for text in texts if (code := find_reissue_number(text)) is not None}
    if not written:
        return {}
    with reading(shops):
        rows = Reissue.objects.filter(shop_id__in=shops, code__in=set(written.values()))
        cases = {code: (shop_id, case) for code, shop_id, case in rows.values_list("code", "shop_id", "case__code")}
    return {text: cases[code] for text, code in written.items() if code in cases}


def codes_of(shop_id: int, subjects: Iterable[str]) -> dict[str, Found]:
    """Whose holds these are: `reissue:12` → its reissue. Others are left out."""
    ids = [int(subject.partition(":")[2]) for subject in subjects if subject.startswith("reissue:")]
    with reading([shop_id]):
        rows = Reissue.objects.filter(shop_id=shop_id, id__in=ids).select_related("case__order")
        return {
            f"reissue:{row.pk}": Found(
                row.shop_id, row.code, row.case.code, row.case.order.number, row.carrier, row.number
            )
            for row in rows
        }


def _view(row: Reissue) -> ReissueView:
    return ReissueView(
        reissue_id=row.pk,
        round=row.round,
        code=row.code,
        state=row.state,
        carrier=row.carrier,
        number=row.number,
        contents=tuple((str(line), int(count)) for line, count in row.contents),
        pickup_id=row.pickup_address_id,
        delivery=row.delivery,
        route=row.route,
        after_sale_number=row.after_sale_number,
        gate=tuple(row.gate),
        override_reason=row.override_reason,
        parcel_id=row.parcel_id,
        effect_id=row.effect_id,
        eta_from=row.eta_from,
        eta_to=row.eta_to,
        by=row.by,
        created_at=row.created_at,
        submitted_at=row.submitted_at,
        accepted_at=row.accepted_at,
        ended_at=row.ended_at,
    )
