"""What the warehouse has to do: cases to release, reissues to pick and pack, boxes that wait for something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from bufa.apps.cases.models import Case
from bufa.apps.orders.views import LineView, order_lines
from bufa.apps.reissues.models import Pack, Reissue
from bufa.apps.shops import stock
from bufa.apps.shops.stock import Goods
from bufa.domain.packing import piece_code
from bufa.lib.tenancy import reading

_WITH_US = ("unshipped", "labelled")
MOST = 500
_TO_SUBMIT = Q(state="packed", reissue__state="draft")
_UNDONE = Q(state="undone", undone_by__in=["rejected", "taken_back"])


@dataclass(frozen=True, slots=True)
class Piece:
    """One kind of goods in one reissue. `shelf`: where it lies, "" where nobody said. `held`: kept for it; None where
    the shop does not count these goods. `counted`: pieces read into the open box."""

    sku: str
    title: str
    spec: str
    pieces: int
    shelf: str
    held: bool | None
    line: str = ""
    counted: int = 0

    @property
    def code(self) -> str:
        """What a button says for one more of them."""
        return piece_code(self.line)

    @property
    def label(self) -> str:
        return f"{self.title} {self.spec}".strip()


@dataclass(frozen=True, slots=True)
class ToPack:
    """One reissue that lies ahead of the packer. `number`: its waybill where it is known already."""

    reissue_id: int
    case_id: int
    case_code: str
    code: str
    state: str
    round: int
    carrier: str
    number: str
    order_number: str
    due_at: datetime | None
    created_at: datetime
    items: tuple[Piece, ...]

    @property
    def pieces(self) -> int:
        return sum(one.pieces for one in self.items)

    @property
    def counted(self) -> int:
        return sum(one.counted for one in self.items)


@dataclass(frozen=True, slots=True)
class PickLine:
    """One kind of goods over all reissues: what to fetch from the shelf, and for which."""

    shelf: str
    sku: str
    title: str
    spec: str
    pieces: int
    codes: tuple[str, ...]
    short: bool


@dataclass(frozen=True, slots=True)
class ToRelease:
    """A case whose reissue was decided, and which the warehouse has not been given yet."""

    case_id: int
    code: str
    order_number: str
    due_at: datetime | None
    risk_fen: int


@dataclass(frozen=True, slots=True)
class Packed:
    """One box that was packed. `undone_by` says why it is open again, "" while it is not."""

    pack_id: int
    reissue_id: int
    code: str
    case_code: str
    state: str
    carrier: str
    number: str
    by: str
    packed_at: datetime
    undone_by: str
    counted: int = 0


def to_release(shop_id: int) -> list[ToRelease]:
    """Cases at the number with a reissue as their measure and no reissue number yet, the most urgent first."""
    with reading([shop_id]):
        rows = Case.objects.filter(shop_id=shop_id, state="numbering", measure="reissue")
        rows = rows.exclude(reissues__state="draft").select_related("order").order_by("due_at", "id")
        return [ToRelease(row.pk, row.code, row.order.number, row.due_at, row.risk_fen or 0) for row in rows[:MOST]]


def to_pack(shop_id: int, reissue_ids: Sequence[int] | None = None) -> list[ToPack]:
    """Reissues with a number of ours that no box is packed for and no carrier has, the most urgent first."""
    with reading([shop_id]):
        rows = Reissue.objects.filter(shop_id=shop_id, state__in=["draft", "submitting", "unknown", "accepted"])
        rows = rows.exclude(packs__state="packed").select_related("case__order", "parcel")
        if reissue_ids is not None:
            rows = rows.filter(id__in=reissue_ids)
        found = [row for row in rows.order_by("case__due_at", "id")[:MOST] if _is_here(row)]
        orders = order_lines(shop_id, [row.case.order_id for row in found])
        goods = {one for row in found for _, one, _ in _goods(row, orders)}
        shelves = stock.shelves(shop_id, list(goods))
        held = stock.held_goods(shop_id, [f"reissue:{row.pk}" for row in found])
        return [_to_pack(row, orders, shelves, held.get(f"reissue:{row.pk}", {})) for row in found]


def count_to_pack(shop_id: int) -> int:
    """How many `to_pack` would list."""
    with reading([shop_id]):
        rows = Reissue.objects.filter(shop_id=shop_id).exclude(packs__state="packed")
        here = Q(state="draft", case__state="numbering") | (
            Q(state__in=["submitting", "unknown", "accepted"]) & (Q(parcel=None) | Q(parcel__stage__in=_WITH_US))
        )
        return rows.filter(here).count()


def by_shelf(rows: Sequence[ToPack]) -> list[PickLine]:
    """The same as one walk along the shelves."""
    lines: dict[tuple[str, str, str, str], list[tuple[Piece, str]]] = {}
    for row in rows:
        for piece in row.items:
            lines.setdefault((piece.shelf, piece.sku, piece.title, piece.spec), []).append((piece, row.code))
    found = [
        PickLine(
            *key,
            pieces=sum(piece.pieces for piece, _ in there),
            codes=tuple(code for _, code in there),
            short=any(piece.held is False for piece, _ in there),
        )
        for key, there in lines.items()
    ]
    return sorted(found, key=lambda line: (line.shelf == "", line.shelf, line.title, line.spec))


def waiting_to_submit(shop_id: int) -> list[Packed]:
    """Boxes that are packed and whose number has not been submitted: by policy, or for a lead."""
    with reading([shop_id]):
        rows = Pack.objects.filter(_TO_SUBMIT, shop_id=shop_id)
        return [_packed(row) for row in rows.select_related("reissue__case").order_by("id")[:MOST]]


def came_undone(shop_id: int, since: datetime) -> list[Packed]:
    """Boxes whose number came to nothing after they were packed: to be opened, or labelled anew."""
    with reading([shop_id]):
        rows = Pack.objects.filter(_UNDONE, shop_id=shop_id, undone_at__gte=since)
        return [_packed(row) for row in rows.select_related("reissue__case").order_by("-undone_at")[:50]]


def open_ends(shop_id: int, since: datetime) -> tuple[list[Packed], list[Packed]]:
    """`waiting_to_submit` and `came_undone` in one question."""
    with reading([shop_id]):
        rows = Pack.objects.filter(_TO_SUBMIT | (_UNDONE & Q(undone_at__gte=since)), shop_id=shop_id)
        found = [_packed(row) for row in rows.select_related("reissue__case").order_by("id")[:MOST]]
    return [one for one in found if not one.undone_by], [one for one in found if one.undone_by]


def packed_lately(shop_id: int, now: datetime, *, limit: int = 8) -> list[Packed]:
    """The last boxes, newest first."""
    with reading([shop_id]):
        rows = Pack.objects.filter(shop_id=shop_id, state="packed", packed_at__gte=now - timedelta(hours=16))
        return [_packed(row) for row in rows.select_related("reissue__case").order_by("-packed_at", "-id")[:limit]]


def packed_count(shop_id: int, since: datetime) -> int:
    with reading([shop_id]):
        return Pack.objects.filter(shop_id=shop_id, state="packed", packed_at__gte=since).count()


# --- inside ----------------------------------------------------------------------------------------------------------


def _is_here(row: Reissue) -> bool:
    if row.state == "draft":
        return bool(row.case.state == "numbering")
    return row.parcel is None or row.parcel.stage in _WITH_US


def _goods(row: Reissue, orders: dict[int, dict[str, LineView]]) -> list[tuple[str, Goods, int]]:
    lines = orders.get(row.case.order_id, {})
    return [
        (name, Goods(lines[name].sku_id, lines[name].title, lines[name].spec), int(count))
        for line, count in row.contents
        if (name := str(line)) in lines
    ]


def _to_pack(
    row: Reissue, orders: dict[int, dict[str, LineView]], shelves: dict[Goods, str], held: dict[Goods, int]
) -> ToPack:
    items = tuple(
        Piece(
            sku=goods.sku,
            title=goods.title,
            spec=goods.spec,
            pieces=pieces,
            shelf=shelves.get(goods, ""),
            held=stock.of_goods(held, goods) >= pieces if goods in shelves else None,
            line=line,
            counted=row.counted.count(line),
        )
        for line, goods, pieces in _goods(row, orders)
    )
    return ToPack(
        reissue_id=row.pk,
        case_id=row.case_id,
        case_code=row.case.code,
        code=row.code,
        state=row.state,
        round=row.round,
        carrier=row.carrier,
        number=row.number,
        order_number=row.case.order.number,
        due_at=row.case.due_at,
        created_at=row.created_at,
        items=items,
    )


def _packed(row: Pack) -> Packed:
    return Packed(
        pack_id=row.pk,
        reissue_id=row.reissue_id,
        code=row.reissue.code,
        case_code=row.reissue.case.code,
        state=row.reissue.state,
        carrier=row.carrier,
        number=row.number,
        by=row.by,
        packed_at=row.packed_at,
        undone_by=row.undone_by,
        counted=row.counted,
    )
