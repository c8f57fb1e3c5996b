"""Papers for carriers: what a case still needs, the forms that we write, the layouts that a shop may change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.files import files_of, open_file
from bufa.apps.cases.letter_words import carrier_name, reason_words
from bufa.apps.cases.models import Case
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.negotiations.models import OwnLayout, PaperTick
from bufa.apps.orders import address_changes
from bufa.apps.orders.views import OrderView, order_view
from bufa.apps.parcels.views import ParcelView, parcel_views
from bufa.apps.shops import queries as shops
from bufa.domain import paper_layouts
from bufa.domain.carrier_rules import Library, Moments, Paper, Topic, amount, claimed_as, papers
from bufa.domain.case_facts import Claim
from bufa.domain.money import yuan
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused
from bufa.domain.paper_layouts import Layout, Written, default_for, fill, read_layout
from bufa.domain.parcels import ParcelState
from bufa.domain.permissions import Permission, check
from bufa.domain.rulebook import SHOP_ZONE
from bufa.lib import clock
from bufa.lib.papers import MOST_PHOTOS, Item, paper_png, papers_pdf
from bufa.lib.papers import Paper as Sheet
from bufa.lib.tenancy import for_shops, reading, writing

ANSWER_WITHIN = timedelta(hours=24)
MOST_PAPERS = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of a checklist. `is_written`: we write it ourselves; `files`: how many files of the case may be it."""

    paper: str
    is_written: bool
    files: int
    done_by: str
    done_at: datetime | None

    @property
    def is_there(self) -> bool:
        return self.is_written or self.done_at is not None


_SLOTS: Mapping[Paper, tuple[str, ...]] = {
    Paper.WAYBILL_PHOTO: ("photo",),
    Paper.SIX_SIDES: ("photo",),
    Paper.UNBOXING: ("video",),
    Paper.VALUE_PROOF: ("paper", "photo"),
    Paper.CHATS: ("paper", "photo"),
    Paper.INSURANCE: ("paper", "photo"),
    Paper.TRACKS: ("paper", "photo"),
}


def checklist(shop_id: int, case_id: int, carrier: str, claim: str, book: Library, now: datetime) -> tuple[Wanted, ...]:
    """What this carrier wants for this kind of case, and what of it is there."""
    kind = Claim(claim) if claim in set(Claim) else None
    wanted = papers(book, carrier, kind, now)
    if not wanted:
        return ()
    with reading([shop_id]):
        case = Case.objects.get(shop_id=shop_id, id=case_id)
        slots = [one.slot for one in files_of(case) if not one.is_gone]
        ticks = {row.paper: row for row in PaperTick.objects.filter(shop_id=shop_id, case=case)}
    return tuple(
        Wanted(
            paper=one.value,
            is_written=one.value in set(Written),
            files=sum(slot in _SLOTS.get(one, ()) for slot in slots),
            done_by=ticks[one].by if one in ticks else "",
            done_at=ticks[one].at if one in ticks else None,
        )
        for one in wanted
    )


def tick(*, shop_id: int, case_id: int, paper: Paper, done: bool, by: Actor, now: datetime | None = None) -> None:
    """Say that a paper is there, or that it is not after all."""
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        case = Case.objects.get(shop_id=shop_id, id=case_id)
        if done:
            PaperTick.objects.get_or_create(
                shop_id=shop_id, case=case, paper=paper, defaults={"by": by.name, "at": now or clock.now()}
            )
        else:
            PaperTick.objects.filter(shop_id=shop_id, case=case, paper=paper).delete()
        audit.record(shop_id, by.ref, "paper.tick", f"case:{case_id}", {"paper": paper.value, "done": done})


def paper_pdf(
    *,
    shop_id: int,
    case_ids: Sequence[int],
    paper: Written,
    book: Library,
    by: Actor,
    note: str = "",
    now: datetime | None = None,
) -> bytes:
    """One PDF of a paper for one case or many, each on pages of its own; who made it is kept.

    Raises Refused: papers_none, too_many_papers (most).
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    if len(case_ids) > MOST_PAPERS:
        raise Refused("too_many_papers", most=MOST_PAPERS)
    with for_shops([shop_id]):
        rows = cases_by_id([shop_id], list(case_ids))
        sheets = [_sheet(rows[one], paper, book, by, note, now) for one in case_ids if one in rows]
        if not sheets:
            raise Refused("papers_none")
        for one in rows:
            audit.record(shop_id, by.ref, "paper.write", f"case:{one}", {"paper": paper.value})
    return papers_pdf(sheets)


def _sheet(row: CaseRow, paper: Written, book: Library, by: Actor, note: str, now: datetime) -> Sheet:
    order = order_view(row.shop_id, row.order_id)
    if order is None:
        raise LookupError(f"case {row.code} has no order")
    facts, ids, weighed = cases.about(shop_id=row.shop_id, case_id=row.case_id)
    found = parcel_views([row.shop_id], ids)
    parcel = found[ids[min(facts.round, len(ids)) - 1]]
    claim = facts.claim or (Claim(weighed) if weighed else None)
    values = _values(row, order, parcel, claim, book, note, now)
    values["补发单号"] = found[ids[facts.round]].number if len(ids) > facts.round else ""
    layout = layout_for(row.shop_id, paper, parcel.carrier)
    lines = {line.line_id: line for line in order.lines}
    inside = [(lines[str(key)], int(count)) for key, count in parcel.contents if str(key) in lines]
    goods = inside or [(line, line.quantity) for line in order.lines]
    shop = shops.shop(row.shop_id).name
    return Sheet(
        filled=fill(layout, values),
        shop=shop,
        number=parcel.number,
        items=tuple(
            Item(line.title, line.spec, count, f"¥{yuan(line.paid_fen * count // max(line.quantity, 1))}")
            for line, count in goods
        ),
        photos=_photos(row, by) if layout.photos else (),
        foot=f"{row.code} · {_day(now)} · {shop}",
    )


def _values(
    row: CaseRow, order: OrderView, parcel: ParcelView, claim: Claim | None, book: Library, note: str, now: datetime
) -> dict[str, str]:
    state = ParcelState.from_json(parcel.state)
    who = order.recipient
    kind = claimed_as(claim or Claim.LATE, Moments(state.collected_at, state.delivered_at), now)
    freight = int(shops.policy_json(row.shop_id).get("freight_fen", 800))
    asked = amount(book, parcel.carrier, kind, value_fen=order.paid_fen, freight_fen=freight, now=now)
    pickup = next((one for one in shops.pickup_addresses([row.shop_id]) if one.is_default), None)
    basis = [one.source for one in (asked.rule, book.first(Topic.WINDOW, parcel.carrier, kind, now.date())) if one]
    region = "".join(dict.fromkeys(part for part in (who.province, who.city, who.district, who.town) if part))
    return {
        "店铺": shops.shop(row.shop_id).name,
        "承运商": carrier_name(parcel.carrier) if parcel.carrier else "承运商",
        "运单号": parcel.number,
        "订单编号": order.number,
        "案件号": row.code,
        "异常原因": reason_words(claim, Language.ZH),
        "揽收时间": _minute(state.collected_at) or "无记录",
        "最后轨迹": " ".join(part for part in (_minute(parcel.last_scan_at), parcel.place) if part) or "无记录",
        "寄出地": parcel.origin_province,
        "收件地区": region,
        "收件人": " ".join(part for part in (who.name_mask, who.phone_mask) if part),
        "改后地址": _moved(row.shop_id, order.order_id),
        "货值": f"¥{yuan(order.paid_fen)}",
        "要求赔付": f"¥{yuan(asked.ask_fen)}",
        "运费": f"¥{yuan(freight)}",
        "付款时间": _minute(order.paid_at),
        "取件地址": f"{pickup.province}{pickup.city}{pickup.district}{pickup.street}{pickup.detail}" if pickup else "",
        "答复期限": _minute(now + ANSWER_WITHIN),
        "依据": "；".join(dict.fromkeys(basis)),
        "说明": note.strip(),
        "今天": _day(now),
    }


def _moved(shop_id: int, order_id: int) -> str:
    """Where the customer wants it now, as the reissue's form proposes it; "" where nothing was changed."""
    new = address_changes.newest_unknown(address_changes.of_orders(shop_id, [order_id]).get(order_id, ()))
    if new is None:
        return ""
    return " ".join(part for part in (new.place, new.address_mask, new.name_mask, new.phone_mask) if part)


def _photos(row: CaseRow, by: Actor) -> tuple[tuple[str, bytes], ...]:
    case = Case.objects.get(shop_id=row.shop_id, id=row.case_id)
    shown = [one for one in files_of(case) if one.is_image and not one.is_gone][:MOST_PHOTOS]
    found: list[tuple[str, bytes]] = []
    for one in shown:
        opened = open_file(shop_id=row.shop_id, case_id=row.case_id, file_id=one.file_id, by=by)
        if opened is not None:
            found.append((f"{len(found) + 1}. {_day(one.added_at)}", b"".join(opened.body)))
    return tuple(found)


# --- layouts ---------------------------------------------------------------------------------------------------------


def layout_for(shop_id: int, paper: Written, carrier: str) -> Layout:
    """The shop's own for this carrier, the product's for it, the shop's neutral one, the product's neutral one."""
    with reading([shop_id]):
        own = {row.carrier: row.row for row in OwnLayout.objects.filter(shop_id=shop_id, paper=paper)}
    if carrier in own:
        return read_layout(own[carrier])
    default = default_for(paper, carrier)
    if default.carriers or "" not in own:
        return default
    return read_layout(own[""])


def own_layouts(shop_id: int) -> dict[tuple[str, str], tuple[str, datetime]]:
    """(paper, carrier) → who changed it, and when."""
    with reading([shop_id]):
        rows = OwnLayout.objects.filter(shop_id=shop_id)
        return {(row.paper, row.carrier): (row.by, row.changed_at) for row in rows}


def set_layout(
    *, shop_id: int, paper: Written, carrier: str, row: Mapping[str, Any], by: Actor, now: datetime | None = None
) -> Layout:
    """Keep the shop's own layout. Raises Refused as `paper_layouts.read_layout` does, and not_allowed."""
    _may_edit(by)
    kept = {**row, "paper": paper.value, "carriers": [carrier] if carrier else []}
    layout = read_layout(kept)
    with for_shops([shop_id]):
        OwnLayout.objects.update_or_create(
            shop_id=shop_id, paper=paper, carrier=carrier,
            defaults={"row": kept, "by": by.name, "changed_at": now or clock.now()},
        )  # fmt: skip
        audit.record(shop_id, by.ref, "layout.set", f"layout:{paper.value}.{carrier}")
    return layout


def restore_layout(*, shop_id: int, paper: Written, carrier: str, by: Actor) -> None:
    """The product's layout holds again."""
    _may_edit(by)
    with for_shops([shop_id]):
        OwnLayout.objects.filter(shop_id=shop_id, paper=paper, carrier=carrier).delete()
        audit.record(shop_id, by.ref, "layout.restore", f"layout:{paper.value}.{carrier}")


def sample_pdf(layout: Layout, shop: str) -> bytes:
    """How a layout looks, with every name filled in by itself: nothing of any buyer."""
    return papers_pdf([_sample(layout, shop)])


def sample_png(layout: Layout, shop: str) -> bytes:
    """The same as a picture of its first page."""
    return paper_png(_sample(layout, shop))


def _sample(layout: Layout, shop: str) -> Sheet:
    values = {name: name for name in paper_layouts.FIELDS} | {"店铺": shop, "运单号": "SF0000000000000"}
    items = (Item("商品名称", "规格", 2, "¥89.00"), Item("商品名称", "规格", 1, "¥12.00"))
    return Sheet(fill(layout, values), shop, "SF0000000000000", items, (), "样张")


def _may_edit(by: Actor) -> None:
    if by.role is not None:
        check(by.role, Permission.EDIT_CARRIER_RULES)


def _minute(at: datetime | None) -> str:
    return at.astimezone(SHOP_ZONE).strftime("%Y-%m-%d %H:%M") if at else ""


def _day(at: datetime) -> str:
    return at.astimezone(SHOP_ZONE).strftime("%Y-%m-%d")
