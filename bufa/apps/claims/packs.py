"""The evidence pack of an appeal: what is there, what is missing, and all of it as one PDF, written in Chinese because
the platform reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.evidence import Known, of_parcel
from bufa.apps.cases.files import add_file, open_file
from bufa.apps.cases.letter_words import carrier_name, reason_words
from bufa.apps.cases.shapes import FileView
from bufa.apps.claims.deductions import DeductionRow, deduction
from bufa.apps.claims.models import Appeal
from bufa.apps.orders.views import OrderView, order_view
from bufa.apps.parcels.models import PenaltyNotice
from bufa.apps.parcels.views import ParcelView, parcel_views
from bufa.apps.shops import pauses
from bufa.apps.shops import queries as shops
from bufa.domain.appeals import FILES, missing
from bufa.domain.calendars import Area, Pause, PauseCode
from bufa.domain.cases import Claim
from bufa.domain.money import yuan
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused
from bufa.domain.penalties import TITLES, Penalty
from bufa.domain.permissions import Permission, check
from bufa.domain.rulebook import SHOP_ZONE
from bufa.lib import clock
from bufa.lib.evidence import Pack, Table, pack_pdf
from bufa.lib.shelf import together
from bufa.lib.tenancy import for_shops, reading, writing

MOST_SCANS = 120

GROUNDS: Mapping[str, str] = {
    "force_majeure": "不可抗力",
    "carrier_scan": "承运商漏扫描或网点原因",
    "buyer_agreed": "与买家另有约定",
    "sent_again": "已补发，买家已收到或同意",
    "packed_right": "按订单发货，没有少发错发",
    "judged_wrong": "轨迹与判定不符",
}
PROOFS: Mapping[str, str] = {
    "branch_paper": "网点证明",
    "chats": "与买家的沟通记录",
    "video": "打包视频",
    "weights": "称重记录",
    "carrier_letter": "承运商总部证明",
    "other": "其他材料",
}
_SOURCES: Mapping[str, str] = {"tracking": "轨迹", "carrier": "承运商", "customer": "客户"}


@dataclass(frozen=True, slots=True)
class Material:
    """One file of an appeal: what it proves (a code of domain.appeals.FILES) and the file in its case."""

    proves: str
    case_id: int
    file: FileView


@dataclass(frozen=True, slots=True)
class Stand:
    """What an appeal's pack holds now. `missing`: codes that its ground wants; `loose`: files of the case that are in
    the pack without being proof of something named; `areas`: pauses of the shop's calendar that are about it."""

    case_id: int | None
    case_code: str
    materials: tuple[Material, ...]
    loose: tuple[Material, ...]
    has: frozenset[str]
    missing: tuple[str, ...]
    areas: tuple[Pause, ...]
    reissues: tuple[ParcelView, ...]
    said: int


def stand(shop_id: int, row: DeductionRow, ground: str = "") -> Stand:
    """How far the pack of a placed deduction is; `ground`: looked at instead of the one chosen."""
    parcel_id = row.parcel_id or 0
    with reading([shop_id]):
        together(*read_ahead(shop_id, row))
        known = of_parcel(shop_id, parcel_id)
        parcels = dict(parcel_views([shop_id], [parcel_id]))
        order = order_view(shop_id, row.order_id)
        areas = _areas(shop_id, row, parcels[parcel_id], order)
        if known.reissues:
            parcels |= parcel_views([shop_id], known.reissues)
        return _stand(row, known, parcels, _files(shop_id, row.notice_id), areas, ground)


def read_ahead(shop_id: int, row: DeductionRow) -> tuple[Callable[[], object], ...]:
    """What `stand` reads first, for a page that reads more with it."""
    return (
        partial(of_parcel, shop_id, row.parcel_id or 0),
        partial(parcel_views, [shop_id], [row.parcel_id or 0]),
        partial(order_view, shop_id, row.order_id),
        partial(pauses.standing, shop_id, row.noticed_at),
        partial(_files, shop_id, row.notice_id),
    )


def _stand(
    row: DeductionRow, known: Known, parcels: Mapping[int, ParcelView], files: Mapping[str, int],
    areas: tuple[Pause, ...], ground: str,
) -> Stand:  # fmt: skip
    by_file = {file_id: code for code, file_id in files.items()}
    all_ = [Material(by_file.get(one.file_id, ""), case_id, one) for case_id, one in known.files]
    materials = tuple(sorted((one for one in all_ if one.proves), key=lambda one: FILES.index(one.proves)))
    has = {one.proves for one in materials}
    has |= {"words"} if row.words else set()
    has |= {"area"} if row.area or areas else set()
    has |= {"span"} if (row.begins_at and row.ends_at) or areas else set()
    has |= {"reissue"} if known.reissues else set()
    return Stand(
        case_id=known.case_id,
        case_code=known.case_code,
        materials=materials,
        loose=tuple(one for one in all_ if not one.proves),
        has=frozenset(has),
        missing=missing(ground or row.ground, has),
        areas=areas,
        reissues=tuple(parcels[one] for one in known.reissues if one in parcels),
        said=len(known.said),
    )


def add_proof(
    *, shop_id: int, notice_id: int, proves: str, by: Actor, name: str = "", raw: bytes = b"", file_id: int = 0,
    now: datetime | None = None,
) -> int:  # fmt: skip
    """Say what a file proves: a new one (`raw`), kept at the parcel's case, or one that lies there (`file_id`).

    A parcel without any case gets one. Returns the file's id. Raises Refused: parameter_unknown, appeal_unplaced,
    appeal_no_file, and what `files.add_file` refuses a file for.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CLAIM)
    if proves not in FILES:
        raise Refused("parameter_unknown", name="proves", value=proves)
    with writing([shop_id]):
        notice = PenaltyNotice.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=notice_id)
        if notice.parcel_id is None:
            raise Refused("appeal_unplaced")
        known = of_parcel(shop_id, notice.parcel_id)
        if raw:
            case_id = known.case_id or cases.open_case(shop_id=shop_id, parcel_id=notice.parcel_id, now=now, by=by)
            slot = proves if proves == "video" else "paper"
            hand = Actor(by.operator_id, by.name, None)  # finance may not work on cases, but brings proof
            file_id = add_file(shop_id=shop_id, case_id=case_id, name=name, raw=raw, by=hand, slot=slot, now=now)
        elif file_id not in {one.file_id for _, one in known.files}:
            raise Refused("appeal_no_file")
        row, _ = Appeal.objects.get_or_create(shop_id=shop_id, notice=notice, defaults={"changed_at": now})
        others = {code: held for code, held in row.files.items() if held != file_id}
        row.files, row.changed_at = {**others, proves: file_id}, now
        row.save(update_fields=["files", "changed_at"])
        audit.record(shop_id, by.ref, "appeal.proof", f"notice:{notice_id}", {"proves": proves, "file": file_id})
        return file_id


def pack(*, shop_id: int, notice_id: int, by: Actor, now: datetime | None = None) -> bytes:
    """The pack as PDF; who made it is kept. Raises Refused: appeal_unplaced; PenaltyNotice.DoesNotExist."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CLAIM)
    with for_shops([shop_id]):
        row = deduction(shop_id, notice_id, now)
        if row is None:
            raise PenaltyNotice.DoesNotExist
        if row.parcel_id is None:
            raise Refused("appeal_unplaced")
        known = of_parcel(shop_id, row.parcel_id)
        parcels = parcel_views([shop_id], [row.parcel_id, *known.reissues], with_scans=True)
        original = parcels[row.parcel_id]
        order = order_view(shop_id, original.order_id)
        there = _stand(
            row, known, parcels, _files(shop_id, notice_id), _areas(shop_id, row, original, order), row.ground
        )
        photos, papers, apart = _open(shop_id, there, by)
        audit.record(shop_id, by.ref, "appeal.pack", f"notice:{notice_id}")
    tables = (
        Table(
            "原件轨迹", ("时间", "地点", "轨迹"), (34, 40, 0), _track(original), note=_last(original)
        ),
        *(
            Table(f"补发件轨迹：{carrier_name(one.carrier)} {one.number}", ("时间", "地点", "轨迹"), (34, 40, 0),
                  _track(one), note=_last(one))
            for one in there.reissues
        ),
        *_area_table(row, there),
        *_said_table(known),
    )  # fmt: skip
    shop = shops.shop(shop_id).name
    return pack_pdf(
        Pack(
            title="申诉材料",
            shop=shop,
            number=original.number,
            facts=_facts(row, original, order),
            words=row.words,
            tables=tables,
            photos=photos,
            papers=papers,
            contents=(*(one.title for one in tables if one.rows), *(name for name, _ in (*photos, *papers)), *apart),
            foot=f"{row.order_number} · {_day(now)} · {shop}",
        )
    )


def _files(shop_id: int, notice_id: int) -> Mapping[str, int]:
    found = Appeal.objects.filter(shop_id=shop_id, notice_id=notice_id).values_list("files", flat=True).first()
    return {str(code): int(file_id) for code, file_id in (found or {}).items()}


def _areas(shop_id: int, row: DeductionRow, parcel: ParcelView, order: OrderView | None) -> tuple[Pause, ...]:
    """Force majeure and areas without service in the shop's own calendar, while the parcel was on its way there."""
    who = order.recipient if order else None
    to = Area(parcel.dest_province, who.city if who else "", who.district if who else "")
    begins = parcel.uploaded_at or parcel.created_at
    return tuple(
        one
        for one in pauses.standing(shop_id, row.noticed_at)
        if one.code in (PauseCode.FORCE_MAJEURE, PauseCode.NO_SERVICE)
        and one.begins <= row.noticed_at
        and one.ends >= begins
        and one.concerns_parcel(parcel.carrier, Area(parcel.origin_province), to)
    )


def _facts(row: DeductionRow, parcel: ParcelView, order: OrderView | None) -> tuple[tuple[str, str], ...]:
    who = order.recipient if order else None
    places = (who.province, who.city, who.district, who.town) if who else ()
    region = "".join(dict.fromkeys(part for part in places if part))
    span = f"{_minute(row.begins_at)} 至 {_minute(row.ends_at)}" if row.begins_at and row.ends_at else ""
    return (
        ("订单编号", row.order_number),
        ("运单号", f"{carrier_name(parcel.carrier)} {parcel.number}" if parcel.number else "没有运单"),
        ("扣款类型", TITLES[Penalty(row.kind)]),
        ("扣款金额", f"¥{yuan(row.amount_fen)}" if row.amount_fen is not None else ""),
        ("通知时间", _minute(row.noticed_at)),
        ("申诉期限", _minute(row.until)),
        ("申诉理由", GROUNDS.get(row.ground, "")),
        ("付款时间", _minute(order.paid_at) if order else ""),
        ("上传运单", _minute(parcel.uploaded_at)),
        ("收件地区", region),
        ("涉及区域", row.area),
        ("起止时间", span),
    )


def _track(parcel: ParcelView) -> tuple[tuple[str, ...], ...]:
    scans = sorted(parcel.scans, key=lambda one: one.scanned_at)[-MOST_SCANS:]
    return tuple(
        (_minute(one.scanned_at), one.place, one.text.replace("<N>", "***").replace("<P>", "***")) for one in scans
    )


def _last(parcel: ParcelView) -> str:
    return f"只列最后 {MOST_SCANS} 条，共 {len(parcel.scans)} 条" if len(parcel.scans) > MOST_SCANS else ""


def _area_table(row: DeductionRow, there: Stand) -> tuple[Table, ...]:
    rows = [
        (
            one.name,
            "、".join(f"{area.province}{area.city}{area.district}" for area in one.areas) or "全国",
            f"{_minute(one.begins)} 至 {_minute(one.ends)}",
            one.source,
        )
        for one in there.areas
    ]
    title = "不可抗力与停运区域"
    return (Table(title, ("事由", "区域", "起止时间", "依据"), (34, 44, 0, 44), tuple(rows)),) if rows else ()


def _said_table(known: Known) -> tuple[Table, ...]:
    rows = tuple(
        (_minute(one.said_at), _SOURCES.get(one.source, one.source), _claim(one.claim), one.words) for one in known.said
    )
    return (Table("各方说法", ("时间", "谁说的", "说法", "原话"), (34, 20, 34, 0), rows),) if rows else ()


def _claim(code: str) -> str:
    return reason_words(Claim(code), Language.ZH) if code in set(Claim) else code


def _open(
    shop_id: int, there: Stand, by: Actor
) -> tuple[tuple[tuple[str, bytes], ...], tuple[tuple[str, bytes], ...], tuple[str, ...]]:
    """Photos, PDFs, and what must go by itself because it is neither (a video)."""
    photos: list[tuple[str, bytes]] = []
    papers: list[tuple[str, bytes]] = []
    apart: list[str] = []
    for one in (*there.materials, *there.loose):
        title = PROOFS.get(one.proves, "案件照片" if one.file.is_image else "案件文件")
        name = f"{title}（{_day(one.file.added_at)}）"
        if one.file.media_type.startswith("video"):
            apart.append(f"{name}：视频，请单独上传")
            continue
        opened = open_file(shop_id=shop_id, case_id=one.case_id, file_id=one.file.file_id, by=by)
        if opened is not None:
            (photos if one.file.is_image else papers).append((name, b"".join(opened.body)))
    return tuple(photos), tuple(papers), tuple(apart)


def _minute(at: datetime | None) -> str:
    return at.astimezone(SHOP_ZONE).strftime("%Y-%m-%d %H:%M") if at else ""


def _day(at: datetime) -> str:
    return at.astimezone(SHOP_ZONE).strftime("%Y-%m-%d")
