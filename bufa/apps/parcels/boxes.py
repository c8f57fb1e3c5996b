"""Which boxes an order has: one parcel per package, and the unshipped remainder before there is a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bufa.apps.audit import actions as audit
from bufa.apps.inbox import actions as inbox
from bufa.apps.orders.models import Line, Order, Recipient
from bufa.apps.parcels import templates, told
from bufa.apps.parcels.models import Parcel, ParcelRole, Scan, Subscription
from bufa.apps.parcels.numbers import clean_number, remember_numbers, used_among
from bufa.apps.shops import queries as shops
from bufa.domain.kinds import Stage
from bufa.domain.parcels import EMPTY
from bufa.domain.rulebook import Fact
from bufa.integrations.ports import OrderFact, PackageFact
from bufa.lib.queue import hint
from bufa.lib.tenancy import for_shops

REST = "rest"
SUBSCRIBE = "tracking.subscribe"

# Waiting for payment or within the platform's risk window: nothing is owed yet (doudian-openapi §4.3).
_NOT_OWED = frozenset({1, 103, 105})
_ALL_SHIPPED = frozenset({3, 5})
_FINISHED = 5

Contents = list[list[str | int]]


@dataclass(slots=True)
class Ensured:
    """`touched`: parcels that are new or changed. `numbered`: those of them that got a number now."""

    touched: set[int] = field(default_factory=set)
    numbered: list[Parcel] = field(default_factory=list)


@dataclass(slots=True)
class _Around:
    """What the parcels of a batch of orders have in common."""

    shop_id: int
    now: datetime
    from_platform: bool
    origin: str
    dest: Mapping[int, str]
    lines: Mapping[int, Mapping[str, int]]
    taken: Mapping[tuple[str, str], int]
    by: str


def ensure(
    shop_id: int,
    facts: Iterable[OrderFact],
    order_ids: Mapping[str, int],
    now: datetime,
    *,
    from_platform: bool = True,
    by: str = "system",
) -> Ensured:
    """Let the parcels of these orders be what the facts say. Repeating it changes nothing.

    The remainder keeps its row when the first package covers it all: what was found about it stays with the box.
    """
    wanted = [(order_ids[fact.number], fact) for fact in facts]
    result = Ensured()
    if not wanted:
        return result
    with for_shops([shop_id]):
        ids = [order_id for order_id, _ in wanted]
        orders = {row.pk: row for row in Order.objects.filter(shop_id=shop_id, id__in=ids)}
        rows: dict[int, list[Parcel]] = {order_id: [] for order_id in ids}
        for parcel in Parcel.objects.select_for_update().filter(shop_id=shop_id, order_id__in=ids).order_by("id"):
            rows[parcel.order_id].append(parcel)
        around = _around(shop_id, wanted, now, from_platform, by)
        for order_id, fact in wanted:
            _settle(around, orders[order_id], fact, rows[order_id], result)
        _got_numbers(shop_id, result.numbered, now)
    return result


def add_reissue(
    *,
    shop_id: int,
    order_id: int,
    carrier: str,
    number: str,
    contents: Sequence[tuple[str, int]] = (),
    uploaded_at: datetime | None,
    now: datetime,
    ships_first: bool = False,
) -> int:
    """The parcel of a reissue: made, or found where the platform told of it first. Returns its id. Followed at once.

    `ships_first`: no box held these goods before, so the remainder without a waybill loses them.
    """
    number, raw = clean_number(number), number
    with for_shops([shop_id]):
        row = Parcel.objects.select_for_update().filter(shop_id=shop_id, carrier=carrier, number=number).first()
        if row is None:
            dest = Recipient.objects.filter(order_id=order_id).values_list("province", flat=True).first() or ""
            row = Parcel(shop_id=shop_id, order_id=order_id, created_at=now, dest_province=dest)
            row.origin_province = shops.origin_province(shop_id)
            _give_number(row, carrier, number, raw)
        row.role = ParcelRole.REISSUE
        row.ships_first = row.ships_first or ships_first
        row.uploaded_at = row.uploaded_at or uploaded_at or now
        row.contents = [list(pair) for pair in contents] or row.contents
        row.save()
        _got_numbers(shop_id, [row], now)
        if ships_first:
            _take_from_rest(shop_id, order_id)
        return row.pk


def _take_from_rest(shop_id: int, order_id: int) -> None:
    """What a first shipment took along is no remainder any more, before any sync says so."""
    rows = list(Parcel.objects.select_for_update().filter(shop_id=shop_id, order_id=order_id).order_by("id"))
    rest = next((row for row in rows if row.key == REST and row.is_watched), None)
    if rest is None:
        return
    lines = dict(Line.objects.filter(order_id=order_id).values_list("line_id", "quantity"))
    left = _left(lines, [row.contents for row in rows if _holds_goods(row)])
    if left:
        rest.contents = _as_contents(left)
        rest.save(update_fields=["contents"])
    else:
        _retire(rest)


def _holds_goods(row: Parcel) -> bool:
    """Whether this box holds goods that no other box held before."""
    return bool(row.number) and (row.role == ParcelRole.ORIGINAL or row.ships_first)


def _around(
    shop_id: int, wanted: Sequence[tuple[int, OrderFact]], now: datetime, from_platform: bool, by: str
) -> _Around:
    ids = [order_id for order_id, _ in wanted]
    lines: dict[int, dict[str, int]] = {order_id: {} for order_id in ids}
    for order_id, line_id, quantity in Line.objects.filter(order_id__in=ids).values_list(
        "order_id", "line_id", "quantity"
    ):
        lines[order_id][line_id] = quantity
    dest = dict(Recipient.objects.filter(order_id__in=ids).values_list("order_id", "province"))
    numbers = [clean_number(package.number) for _, fact in wanted for package in fact.packages if package.number]
    held = Parcel.objects.filter(shop_id=shop_id, number__in=numbers).values_list("carrier", "number", "order_id")
    taken = {(carrier, number): order_id for carrier, number, order_id in held}
    return _Around(shop_id, now, from_platform, shops.origin_province(shop_id), dest, lines, taken, by)


def _settle(around: _Around, order: Order, fact: OrderFact, rows: list[Parcel], result: Ensured) -> None:
    """One order: known packages updated, edited numbers followed, new ones made, the remainder kept or used up."""
    known = {row.number: row for row in rows if row.number}
    lines = around.lines[order.pk]
    covered = _is_covered(lines, [row for row in rows if row.number and row.role == ParcelRole.ORIGINAL])
    fresh: list[PackageFact] = []
    for package in fact.packages:
        number = clean_number(package.number)
        if not number:
            continue
        if row := known.get(number):
            if _refresh(row, package, around):
                result.touched.add(row.pk)
        elif around.taken.get((package.carrier, number), order.pk) == order.pk:
            fresh.append(package)
        # else: several orders in one box. The box is followed once, under the order that brought it first.
    said = {clean_number(package.number) for package in fact.packages}
    for package in list(fresh):
        if old := _edited(package, fresh, said, rows, around.from_platform):
            _change_number(around, old, package)
            result.touched.add(old.pk)
            result.numbered.append(old)
            fresh.remove(package)
    rest = next((row for row in rows if row.key == REST), None)
    uses_up = not _remaining(order, lines, rows, fresh)
    for package in fresh:
        extra = package.is_extra or (around.from_platform and covered)
        only = len(fresh) == 1 and len(known) == 0
        contents: Contents = [list(pair) for pair in package.lines] or (_as_contents(lines) if only else [])
        row = None
        if rest is not None and not extra and uses_up:
            row, rest = rest, None
        row = row or Parcel(shop_id=around.shop_id, order=order, created_at=around.now)
        row.role = ParcelRole.REISSUE if extra else ParcelRole.ORIGINAL
        row.contents = contents
        row.package_id = package.package_id[:40]
        row.uploaded_at = package.shipped_at or (around.now if around.from_platform else None)
        row.origin_province = row.origin_province or around.origin
        row.dest_province = around.dest.get(order.pk, "") or row.dest_province
        _give_number(row, package.carrier, clean_number(package.number), package.number)
        row.save()
        if row not in rows:
            rows.append(row)
        result.touched.add(row.pk)
        if fact.status != _FINISHED and not order.is_closed:
            result.numbered.append(row)
        else:
            remember_numbers([(row.carrier, row.number)])
    _settle_rest(around, order, lines, rows, rest, result)


def _settle_rest(
    around: _Around,
    order: Order,
    lines: Mapping[str, int],
    rows: Sequence[Parcel],
    rest: Parcel | None,
    result: Ensured,
) -> None:
    left = _remaining(order, lines, rows, [])
    if not left:
        if rest is not None and rest.is_watched:
            _retire(rest)
            result.touched.add(rest.pk)
        return
    contents = _as_contents(left)
    if rest is None:
        rest = Parcel(shop_id=around.shop_id, order=order, key=REST, created_at=around.now)
        rest.origin_province = around.origin
    elif rest.contents == contents and rest.is_watched:
        result.touched.add(rest.pk)  # its ship-by deadline may have moved
        return
    rest.contents = contents
    rest.is_watched = True
    rest.stage = Stage.UNSHIPPED
    rest.dest_province = around.dest.get(order.pk, "") or rest.dest_province
    rest.save()
    result.touched.add(rest.pk)


def _remaining(
    order: Order, lines: Mapping[str, int], rows: Sequence[Parcel], coming: Sequence[PackageFact]
) -> dict[str, int]:
    """What of the order has no package yet: by the platform's word first, then by counting."""
    if order.is_closed or order.main_status in _NOT_OWED or order.status in _NOT_OWED or order.status in _ALL_SHIPPED:
        return {}
    boxes = [row.contents for row in rows if _holds_goods(row)]
    boxes += [[list(pair) for pair in package.lines] for package in coming if not package.is_extra]
    return _left(lines, boxes)


def _left(lines: Mapping[str, int], boxes: Iterable[Contents]) -> dict[str, int]:
    left = dict(lines)
    for contents in boxes:
        if not contents:
            return {}  # a box of unknown contents: the order counts as shipped until the platform says more
        for line_id, quantity in contents:
            left[str(line_id)] = left.get(str(line_id), 0) - int(quantity)
    return {line_id: quantity for line_id, quantity in left.items() if quantity > 0}


def _is_covered(lines: Mapping[str, int], originals: Sequence[Parcel]) -> bool:
    """Whether boxes of known contents hold the whole order already: then one more box is a reissue."""
    if not lines or not originals or any(not row.contents for row in originals):
        return False
    left = dict(lines)
    for row in originals:
        for line_id, quantity in row.contents:
            left[str(line_id)] = left.get(str(line_id), 0) - int(quantity)
    return all(quantity <= 0 for quantity in left.values())


def _edited(
    package: PackageFact, fresh: Sequence[PackageFact], said: set[str], rows: Sequence[Parcel], from_platform: bool
) -> Parcel | None:
    """The parcel whose number the platform has exchanged for this package's, if that is what happened."""
    if not from_platform or package.is_extra:
        return None
    missing = [row for row in rows if row.number and row.number not in said]
    if package.package_id:
        same = next((row for row in missing if row.package_id == package.package_id), None)
        if same is not None:
            return same
    gone = [row for row in missing if row.role == ParcelRole.ORIGINAL]
    return gone[0] if len(gone) == 1 and len(fresh) == 1 else None


def change_number(*, shop_id: int, parcel_id: int, carrier: str, number: str, by: str, now: datetime) -> bool:
    """The platform took a corrected number. False: a sync has told us of it already."""
    with for_shops([shop_id]):
        row = Parcel.objects.select_for_update().get(shop_id=shop_id, id=parcel_id)
        if row.carrier == carrier and row.number == clean_number(number):
            return False
        _renumber(shop_id, row, carrier, number, by)
        row.next_deadline = now  # its clocks are set anew by the next sweep
        row.save()
        _got_numbers(shop_id, [row], now)
        return True


def _change_number(around: _Around, row: Parcel, package: PackageFact) -> None:
    row.package_id = package.package_id[:40] or row.package_id
    row.uploaded_at = package.shipped_at or row.uploaded_at or around.now
    _renumber(around.shop_id, row, package.carrier, package.number, around.by)
    row.save()


def _renumber(shop_id: int, row: Parcel, carrier: str, number: str, by: str) -> None:
    """A wrong number was typed and put right: what the wrong one did is not this parcel's story."""
    was = f"{row.carrier}:{row.number}"
    Scan.objects.filter(shop_id=shop_id, parcel=row).delete()
    templates.forget_scans(shop_id, row.pk)
    Subscription.objects.filter(shop_id=shop_id, parcel=row).delete()
    row.state = EMPTY.to_json()
    row.place, row.last_scan_at = "", None
    _give_number(row, carrier, clean_number(number), number)
    audit.record(shop_id, by, "parcel.change_number", f"parcel:{row.pk}", {"was": was, "now": row.key})


def _refresh(row: Parcel, package: PackageFact, around: _Around) -> bool:
    before = (row.carrier, row.contents, row.package_id, row.uploaded_at, row.dest_province, row.origin_province)
    if package.carrier and package.carrier != row.carrier:
        _give_number(row, package.carrier, row.number, row.number_raw, keep_stage=True)
    row.contents = [list(pair) for pair in package.lines] or row.contents
    row.package_id = package.package_id[:40] or row.package_id
    row.uploaded_at = row.uploaded_at or package.shipped_at
    row.dest_province = around.dest.get(row.order_id, "") or row.dest_province
    row.origin_province = row.origin_province or around.origin
    if package.is_extra and row.role == ParcelRole.ORIGINAL and not row.state:
        row.role = ParcelRole.REISSUE
    changed = before != (
        row.carrier, row.contents, row.package_id, row.uploaded_at, row.dest_province, row.origin_province,
    )  # fmt: skip
    if changed:
        row.save()
    return True


def _give_number(row: Parcel, carrier: str, number: str, raw: str, *, keep_stage: bool = False) -> None:
    row.carrier, row.number, row.number_raw = carrier[:40], number, raw[:80]
    row.key = f"{carrier}:{number}"[:90]
    row.is_watched = True
    if not keep_stage:
        row.stage = Stage.LABELLED


def _retire(rest: Parcel) -> None:
    """Nothing is left to ship. The row stays, with what was found about it, out of sight of the clocks."""
    rest.contents, rest.is_watched, rest.stage = [], False, Stage.CANCELLED
    rest.next_deadline, rest.risk_fen, rest.risk_at = None, 0, None
    rest.save()


def _got_numbers(shop_id: int, rows: Sequence[Parcel], now: datetime) -> None:
    """What follows from a number: it is used up for ever, it is followed, and messages about it can be read."""
    if not rows:
        return
    first = [row for row in rows if row.role == ParcelRole.ORIGINAL]  # a reissue's number is ours from its gate on
    again = used_among((row.carrier, row.number) for row in first)
    used = [(row.pk, Fact.NUMBER_USED, now) for row in first if (row.carrier, row.number) in again]
    told.put(shop_id, used, source=told.NUMBERS, by="system", now=now, keep=True)
    remember_numbers([(row.carrier, row.number) for row in rows])
    kind = shops.tracking_kind(shop_id)
    Subscription.objects.bulk_create(
        [
            Subscription(shop_id=shop_id, parcel=row, provider=kind, state="wanted", tries=[], next_at=now)
            for row in rows
        ],
        ignore_conflicts=True,
    )
    if kind:
        hint(SUBSCRIBE, once=f"subscribe:{shop_id}", shop_id=shop_id)
    inbox.numbers_appeared(shop_id, [row.number for row in rows])


def _as_contents(lines: Mapping[str, int]) -> Contents:
    return [[line_id, quantity] for line_id, quantity in sorted(lines.items())]
