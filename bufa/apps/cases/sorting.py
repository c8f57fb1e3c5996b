"""Hundreds of pasted numbers at once: which of them is a case, a parcel, an order, or nothing of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bufa.apps.cases.models import Case
from bufa.apps.cases.rows import case_row, case_rows
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.orders.models import Order
from bufa.apps.parcels.models import Parcel
from bufa.domain.pasted_numbers import Pasted
from bufa.lib.tenancy import reading


@dataclass(frozen=True, slots=True)
class Sorted:
    """A pasted number. `kind`: case, parcel, order or unknown; `by`: code, waybill, order or reissue, how it was
    recognised. A parcel or order that has a case is that case. `same_as`: another number of the heap that is about the
    same case."""

    pasted: Pasted
    kind: str
    by: str = ""
    case: CaseRow | None = None
    shop_id: int = 0
    parcel_id: int = 0
    carrier: str = ""
    stage: str = ""
    same_as: str = ""


def sort_out(
    shops: Sequence[int], numbers: Sequence[Pasted], known: Mapping[str, tuple[int, str]] | None = None
) -> tuple[Sorted, ...]:
    """Each number with what it is, in their order; four queries however many there are.

    `known`: numbers that another room recognised, → (shop, case code).
    """
    known = known or {}
    written = {one.number for one in numbers} | {one.text for one in numbers}
    with reading(shops):
        orders = {
            number: (order_id, shop_id)
            for number, order_id, shop_id in Order.objects.filter(shop_id__in=shops, number__in=written).values_list(
                "number", "id", "shop_id"
            )
        }
        fields = ("number", "id", "order_id", "shop_id", "carrier", "stage", "role")
        boxes = {
            row[0]: row
            for row in Parcel.objects.filter(shop_id__in=shops, number__in=written).order_by("id").values_list(*fields)
        }
        order_ids = {order_id for order_id, _ in orders.values()} | {row[2] for row in boxes.values()}
        codes = written | {code for _, code in known.values()}
        cases = _cases(shops, order_ids, codes)
    by_code = {(row.shop_id, row.code): row for row in cases}
    code_only = {row.code: row for row in cases}
    in_turn = sorted(cases, key=lambda row: (row.is_open, row.case_id))  # the open one wins, else the newest
    by_order = {row.order_id: row for row in in_turn}
    by_parcel = {row.parcel_id: row for row in in_turn}
    first: dict[int, str] = {}
    found = []
    for one in numbers:
        made = _sort(one, known, by_code, code_only, by_order, by_parcel, boxes, orders)
        if made.case is not None:
            same = first.setdefault(made.case.case_id, one.text)
            if same != one.text:
                made = Sorted(one, made.kind, made.by, made.case, made.shop_id, made.parcel_id, same_as=same)
        found.append(made)
    return tuple(found)


def _cases(shops: Sequence[int], order_ids: Iterable[int], codes: Iterable[str]) -> list[CaseRow]:
    mine = Case.objects.filter(shop_id__in=shops)
    ids = mine.filter(order_id__in=list(order_ids)).values_list("id").union(
        mine.filter(code__in=list(codes)).values_list("id")
    )  # fmt: skip
    return [case_row(row) for row in case_rows(shops).filter(id__in=[row_id for (row_id,) in ids]).order_by("id")]


def _sort(
    one: Pasted,
    known: Mapping[str, tuple[int, str]],
    by_code: Mapping[tuple[int, str], CaseRow],
    code_only: Mapping[str, CaseRow],
    by_order: Mapping[int, CaseRow],
    by_parcel: Mapping[int, CaseRow],
    boxes: Mapping[str, tuple[str, int, int, int, str, str, str]],
    orders: Mapping[str, tuple[int, int]],
) -> Sorted:
    for text in (one.number, one.text):
        if (case := code_only.get(text)) is not None:
            return Sorted(one, "case", "code", case, case.shop_id, case.parcel_id)
        if text in known and (case := by_code.get(known[text])) is not None:
            return Sorted(one, "case", "reissue", case, case.shop_id, case.parcel_id)
        if (box := boxes.get(text)) is not None:
            _, parcel_id, order_id, shop_id, carrier, stage, role = box
            sent = role == "reissue"
            case = by_order.get(order_id) if sent else by_parcel.get(parcel_id)
            by = "reissue" if sent else "waybill"
            kind = "case" if case is not None else "parcel"
            return Sorted(one, kind, by, case, shop_id, parcel_id, carrier, stage)
        if text in orders:
            order_id, shop_id = orders[text]
            case = by_order.get(order_id)
            return Sorted(one, "case" if case is not None else "order", "order", case, shop_id)
    return Sorted(one, "unknown")
