"""Goods on the shelf: counted, promised to reissues, let go, and gone. The database refuses a shelf below nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from bufa.apps.audit import actions as audit
from bufa.apps.shops.models import StockHold, StockItem
from bufa.domain.outcome import Refused
from bufa.domain.stock import MOST, HoldState, Level, clean_barcode, goods_key
from bufa.lib import clock
from bufa.lib.tenancy import reading, writing


@dataclass(frozen=True, slots=True)
class Goods:
    """What an order's line names: the platform's number where there is one, and what it is called."""

    sku: str
    title: str
    spec: str = ""

    @property
    def label(self) -> str:
        return f"{self.title} {self.spec}".strip()


@dataclass(frozen=True, slots=True)
class StockRow:
    """One kind of goods as people see it."""

    item_id: int
    sku: str
    title: str
    spec: str
    on_hand: int
    reserved: int
    counted_at: datetime
    counted_by: str
    shelf: str = ""
    barcode: str = ""

    @property
    def free(self) -> int:
        return self.on_hand - self.reserved


def rows(shops: Sequence[int], limit: int = 2000) -> list[StockRow]:
    """The shelf, scarce goods first."""
    with reading(shops):
        found = StockItem.objects.filter(shop_id__in=shops).order_by(F("on_hand") - F("reserved"), "title", "spec")
        return [
            StockRow(
                item.pk,
                item.sku,
                item.title,
                item.spec,
                item.on_hand,
                item.reserved,
                item.counted_at,
                item.counted_by,
                item.shelf,
                item.barcode,
            )
            for item in found[:limit]
        ]


def is_kept(shop_id: int) -> bool:
    """Whether this shop counts its goods here at all."""
    with reading([shop_id]):
        return StockItem.objects.filter(shop_id=shop_id).exists()


def levels(shop_id: int, goods: Sequence[Goods], *, subject: str = "") -> dict[Goods, Level]:
    """What lies there of these goods; those never counted are left out. What `subject` holds itself counts as free."""
    with reading([shop_id]):
        items = _items(shop_id, goods)
        ids = {item.pk for item in items.values()}
        own = dict(
            StockHold.objects.filter(shop_id=shop_id, item_id__in=ids, subject=subject, state="held").values_list(
                "item_id", "quantity"
            )
            if subject
            else ()
        )
        return {name: Level(item.on_hand, item.reserved - own.get(item.pk, 0)) for name, item in items.items()}


def count(
    *,
    shop_id: int,
    goods: Goods,
    on_hand: int,
    by: str,
    now: datetime | None = None,
    record: bool = True,
    reason: str = "",
    shelf: str | None = None,
    barcode: str | None = None,
) -> StockRow:
    """Someone counted: this many lie there. `shelf`, `barcode`: where, and the code on them; None leaves it as it is.

    Raises Refused: stock_count_wrong, stock_below_reserved (reserved), barcode_taken (title). `record` False leaves the
    audit row to a caller that counts many.
    """
    now = now or clock.now()
    if not 0 <= on_hand <= MOST:
        raise Refused("stock_count_wrong", value=on_hand)
    with writing([shop_id]):
        item = _items(shop_id, [goods], lock=True).get(goods)
        was = item.on_hand if item is not None else None
        if item is None:
            item = StockItem(shop_id=shop_id)
        elif on_hand < item.reserved:
            raise Refused("stock_below_reserved", reserved=item.reserved, title=goods.label)
        item.sku = goods.sku or item.sku
        item.title, item.spec = goods.title[:200] or item.title, goods.spec[:120] or item.spec
        item.name_key = goods_key(item.title, item.spec)[:320]
        item.on_hand, item.counted_at, item.counted_by = on_hand, now, by[:80]
        item.shelf = item.shelf if shelf is None else shelf.strip()[:40]
        if barcode is not None:
            item.barcode = _free_barcode(item, barcode)
        item.save()
        if record:
            said = {"on_hand": on_hand, "was": was, "reason": reason[:200]}
            audit.record(shop_id, by, "stock.count", f"stock:{item.pk}", said)
        row = (item.pk, item.sku, item.title, item.spec, item.on_hand, item.reserved, now, by, item.shelf, item.barcode)
        return StockRow(*row)


def _free_barcode(item: StockItem, text: str) -> str:
    """The code, if no other goods have it. Two kinds of goods under one code would be packed for each other."""
    code = clean_barcode(text)
    other = StockItem.objects.filter(shop_id=item.shop_id, barcode=code).exclude(id=item.pk).first() if code else None
    if other is not None:
        raise Refused("barcode_taken", title=f"{other.title} {other.spec}".strip(), barcode=code)
    return code


def recount(
    *,
    shop_id: int,
    item_id: int,
    on_hand: int,
    by: str,
    reason: str,
    now: datetime | None = None,
    shelf: str | None = None,
    barcode: str | None = None,
) -> StockRow:
    """Put the count of goods on the list right, and say why. Raises as `count`, Refused("parameter_missing"), and
    LookupError for goods of another shop."""
    if not reason.strip():
        raise Refused("parameter_missing", name="reason")
    with writing([shop_id]):
        item = StockItem.objects.select_for_update().filter(shop_id=shop_id, id=item_id).first()
        if item is None:
            raise LookupError(f"no goods {item_id} in shop {shop_id}")
        goods = Goods(item.sku, item.title, item.spec)
        more: dict[str, str | None] = {"reason": reason.strip(), "shelf": shelf, "barcode": barcode}
        return count(shop_id=shop_id, goods=goods, on_hand=on_hand, by=by, now=now, **more)  # type: ignore[arg-type]


def remove(*, shop_id: int, item_id: int, by: str) -> None:
    """Take goods off the list that were put there by mistake. Raises Refused("stock_was_used") where a reissue ever
    held some of them, and LookupError for goods of another shop."""
    with writing([shop_id]):
        item = StockItem.objects.select_for_update().filter(shop_id=shop_id, id=item_id).first()
        if item is None:
            raise LookupError(f"no goods {item_id} in shop {shop_id}")
        if StockHold.objects.filter(shop_id=shop_id, item_id=item_id).exists():
            raise Refused("stock_was_used", title=f"{item.title} {item.spec}".strip())
        item.delete()
        said = {"sku": item.sku, "title": item.title, "on_hand": item.on_hand}
        audit.record(shop_id, by, "stock.remove", f"stock:{item_id}", said)


def reserve(*, shop_id: int, subject: str, wanted: Mapping[Goods, int], now: datetime | None = None) -> int:
    """Promise goods to a reissue; all of them or none. Goods that nobody counts are not promised. Returns how many
    kinds are held. Asking again for the same subject holds what is asked for now.

    Raises Refused("stock_short", title, wanted, free).
    """
    now = now or clock.now()
    with writing([shop_id]):
        _settle(shop_id, subject, HoldState.RELEASED, now)
        items = _items(shop_id, list(wanted), lock=True)
        held = 0
        for goods, item in sorted(items.items(), key=lambda pair: pair[1].pk):
            pieces = wanted[goods]
            if pieces <= 0:
                continue
            enough = StockItem.objects.filter(shop_id=shop_id, id=item.pk, on_hand__gte=F("reserved") + pieces)
            if enough.update(reserved=F("reserved") + pieces) != 1:
                left = StockItem.objects.get(shop_id=shop_id, id=item.pk)
                raise Refused("stock_short", title=goods.label, wanted=pieces, free=left.on_hand - left.reserved)
            _hold(shop_id, item.pk, subject, pieces, now)
            held += 1
        return held


def held_subjects(shops: Sequence[int], beginning: str) -> dict[int, list[str]]:
    """Who holds goods now, by shop; only those whose name begins so."""
    with reading(shops):
        rows_ = StockHold.objects.filter(shop_id__in=shops, state=HoldState.HELD, subject__startswith=beginning)
        found: dict[int, list[str]] = {}
        for shop_id, subject in rows_.values_list("shop_id", "subject").distinct().order_by("shop_id", "subject"):
            found.setdefault(shop_id, []).append(subject)
        return found


def shelves(shop_id: int, goods: Sequence[Goods]) -> dict[Goods, str]:
    """Where these goods lie, "" where nobody said; those never counted are left out."""
    with reading([shop_id]):
        return {name: item.shelf for name, item in _items(shop_id, goods).items()}


def barcodes(shop_id: int, goods: Sequence[Goods]) -> dict[Goods, frozenset[str]]:
    """What a scanner may read on these goods: their code, and the platform's number of them, which some shops print."""
    with reading([shop_id]):
        items = _items(shop_id, goods)
        return {
            one: frozenset(
                code for code in (clean_barcode(one.sku), items[one].barcode if one in items else "") if code
            )
            for one in goods
        }


def goods_by_barcode(shop_id: int, text: str) -> Goods | None:
    """Whose code this is, None where it is nobody's."""
    code = clean_barcode(text)
    if not code:
        return None
    with reading([shop_id]):
        item = StockItem.objects.filter(shop_id=shop_id, barcode=code).first()
        return Goods(item.sku, item.title, item.spec) if item else None


def is_used(shop_id: int, subject: str) -> bool:
    """Whether its goods were taken off the shelf already."""
    with reading([shop_id]):
        return StockHold.objects.filter(shop_id=shop_id, subject=subject, state=HoldState.USED).exists()


def held_goods(shop_id: int, subjects: Sequence[str], *, used: bool = True) -> dict[str, dict[Goods, int]]:
    """What each of these has of the shelf, goods → pieces: what is kept for it, and with `used` what it took along."""
    states = [HoldState.HELD, HoldState.USED] if used else [HoldState.HELD]
    with reading([shop_id]):
        rows_ = StockHold.objects.filter(shop_id=shop_id, subject__in=subjects, state__in=states)
        found: dict[str, dict[Goods, int]] = {}
        for hold in rows_.select_related("item").order_by("id"):
            goods = Goods(hold.item.sku, hold.item.title, hold.item.spec)
            found.setdefault(hold.subject, {})[goods] = hold.quantity
        return found


def of_goods(held: Mapping[Goods, int], goods: Goods) -> int:
    """Pieces held of what a line names: by the platform's number where both have one, else by name."""
    for one, pieces in held.items():
        if one.sku and goods.sku:
            if one.sku == goods.sku:
                return pieces
        elif goods_key(one.title, one.spec) == goods_key(goods.title, goods.spec):
            return pieces
    return 0


def holders(shop_id: int) -> dict[int, list[tuple[str, int]]]:
    """Goods → who holds how many of them."""
    with reading([shop_id]):
        found: dict[int, list[tuple[str, int]]] = {}
        for hold in StockHold.objects.filter(shop_id=shop_id, state=HoldState.HELD).order_by("held_at", "id"):
            found.setdefault(hold.item_id, []).append((hold.subject, hold.quantity))
        return found


def release(*, shop_id: int, subject: str, now: datetime | None = None) -> int:
    """Let the goods of a reissue go: it was cancelled or refused. Returns how many kinds were let go."""
    with writing([shop_id]):
        return _settle(shop_id, subject, HoldState.RELEASED, now or clock.now())


def use(*, shop_id: int, subject: str, now: datetime | None = None) -> int:
    """The goods have left with the carrier. Returns how many kinds."""
    with writing([shop_id]):
        return _settle(shop_id, subject, HoldState.USED, now or clock.now())


def put_back(*, shop_id: int, subject: str) -> int:
    """They have not left after all: back on the shelf, and promised as before."""
    with writing([shop_id]):
        holds = StockHold.objects.select_for_update().filter(shop_id=shop_id, subject=subject, state=HoldState.USED)
        for hold in holds.order_by("item_id"):
            StockItem.objects.filter(shop_id=shop_id, id=hold.item_id).update(
                on_hand=F("on_hand") + hold.quantity, reserved=F("reserved") + hold.quantity
            )
        return holds.update(state=HoldState.HELD, settled_at=None)


def bring_in(
    *, shop_id: int, subject: str, goods: Mapping[Goods, int], by: str, now: datetime | None = None
) -> list[list[int]]:
    """Goods came back to the shelf. Those that nobody counts here stay uncounted. Returns [[item, pieces], …]."""
    with writing([shop_id]):
        items = _items(shop_id, list(goods), lock=True)
        kept: list[list[int]] = []
        for name, item in sorted(items.items(), key=lambda pair: pair[1].pk):
            StockItem.objects.filter(shop_id=shop_id, id=item.pk).update(on_hand=F("on_hand") + goods[name])
            kept.append([item.pk, goods[name]])
        audit.record(shop_id, by, "stock.bring_in", subject, {"items": kept})
        return kept


def take_out(*, shop_id: int, subject: str, items: Mapping[int, int], by: str, now: datetime | None = None) -> None:
    """Take back what `bring_in` said. Raises Refused("stock_below_reserved") where the goods are promised by now."""
    with writing([shop_id]):
        for item_id, pieces in sorted(items.items()):
            there = StockItem.objects.select_for_update().filter(shop_id=shop_id, id=item_id).first()
            if there is None:
                continue
            if there.on_hand - pieces < there.reserved:
                raise Refused(
                    "stock_below_reserved", reserved=there.reserved, title=f"{there.title} {there.spec}".strip()
                )
            there.on_hand -= pieces
            there.save(update_fields=["on_hand"])
        audit.record(shop_id, by, "stock.take_out", subject, {"items": [list(one) for one in sorted(items.items())]})


# --- inside ----------------------------------------------------------------------------------------------------------


def _items(shop_id: int, goods: Sequence[Goods], *, lock: bool = False) -> dict[Goods, StockItem]:
    """The shelf's rows for what lines name: by the platform's number, else by what they are called."""
    rows_ = StockItem.objects.filter(shop_id=shop_id)
    if lock:
        rows_ = rows_.select_for_update(of=("self",))
    skus = [one.sku for one in goods if one.sku]
    by_sku = {item.sku: item for item in rows_.filter(sku__in=skus).order_by("id")} if skus else {}
    rest = {one: goods_key(one.title, one.spec)[:320] for one in goods if one.sku not in by_sku}
    named: dict[str, list[StockItem]] = {}
    for item in rows_.filter(name_key__in=set(rest.values())).order_by("id") if rest else ():
        named.setdefault(item.name_key, []).append(item)
    found = {one: by_sku[one.sku] for one in goods if one.sku in by_sku}
    for one, key in rest.items():
        # Two numbers of the platform are two kinds of goods, also where they are called the same.
        fitting = [item for item in named.get(key, ()) if not (one.sku and item.sku)]
        if len(fitting) == 1:
            found[one] = fitting[0]
    return found


def _hold(shop_id: int, item_id: int, subject: str, pieces: int, now: datetime) -> None:
    hold, made = StockHold.objects.get_or_create(
        item_id=item_id, subject=subject, defaults={"shop_id": shop_id, "quantity": pieces, "held_at": now}
    )
    if made:
        return
    # Two lines of one order may name the same goods; goods let go may be promised again.
    hold.quantity = pieces + (hold.quantity if hold.state == HoldState.HELD else 0)
    hold.state, hold.held_at, hold.settled_at = HoldState.HELD, now, None
    hold.save(update_fields=["quantity", "state", "held_at", "settled_at"])


def _settle(shop_id: int, subject: str, to: HoldState, now: datetime) -> int:
    holds = StockHold.objects.select_for_update(of=("self",)).filter(
        shop_id=shop_id, subject=subject, state=HoldState.HELD
    )
    for hold in holds.order_by("item_id"):
        gone = hold.quantity if to is HoldState.USED else 0
        StockItem.objects.filter(shop_id=shop_id, id=hold.item_id).update(
            on_hand=F("on_hand") - gone, reserved=F("reserved") - hold.quantity
        )
    return holds.update(state=to, settled_at=now)
