"""Files of a case: photos of damage, the scale's picture, the packing video, papers. Sealed in parts, kept for a time.

A photo is written anew (bufa.lib.images); of a PDF and a video only the kind is checked, so those are never shown by
our pages, only handed out as downloads.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import QuerySet

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import FILE_SLOTS, Case, CaseFile, FilePart, Statement
from bufa.apps.cases.shapes import FileView
from bufa.apps.shops.models import Shop
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock, images
from bufa.lib.crypto import seal, unseal
from bufa.lib.prepared import prepared
from bufa.lib.tenancy import reading, writing

PART = 1024 * 1024
MOST_BYTES = {"image": 15 * PART, "pdf": 10 * PART, "video": 60 * PART}
MOST_FILES = 40
KEEP_DAYS = 180
"""How long after its case closed a file is kept, where the shop has not said."""

_VIDEO = {b"ftypqt": "video/quicktime", b"ftyp": "video/mp4", b"\x1aE\xdf\xa3": "video/webm"}

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\x00", b"MM\x00*", b"BM")


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file's plain bytes, for the moment of showing it."""

    name: str = field(repr=False)
    media_type: str
    size: int
    body: Iterator[bytes] = field(repr=False)


def add_file(
    *,
    shop_id: int,
    case_id: int,
    name: str,
    raw: bytes,
    by: Actor,
    slot: str = "photo",
    statement_id: int | None = None,
    now: datetime | None = None,
) -> int:
    """Keep one file; returns its id.

    Raises Refused: file_empty, file_too_large (most_mb), file_kind_unknown, not_an_image, too_many_pixels,
    too_many_files (most), slot_wants_video.
    """
    now = now or clock.now()
    if slot not in FILE_SLOTS:
        raise Refused("parameter_unknown", name="slot", value=slot)
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    kind, media_type = _kind_of(raw)
    if len(raw) > MOST_BYTES[kind]:
        raise Refused("file_too_large", most_mb=MOST_BYTES[kind] // PART)
    if slot == "video" and kind != "video":
        raise Refused("slot_wants_video")
    slot = {"video": "video", "pdf": "paper"}.get(kind, "photo" if slot == "paper" else slot)
    picture = _picture(raw) if kind == "image" else None
    kept = picture.jpeg if picture else raw
    with writing([shop_id]):
        case = Case.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=case_id)
        if CaseFile.objects.filter(shop_id=shop_id, case=case, gone_at=None).count() >= MOST_FILES:
            raise Refused("too_many_files", most=MOST_FILES)
        if statement_id is not None:
            Statement.objects.get(shop_id=shop_id, case=case, id=statement_id)
        key = secrets.token_hex(16)
        row = CaseFile.objects.create(
            shop_id=shop_id,
            case=case,
            statement_id=statement_id,
            slot=slot,
            key=key,
            name=seal(shop_id, _clean_name(name, kind).encode(), where=_name_at(key)),
            media_type="image/jpeg" if picture else media_type,
            size=len(kept),
            parts=-(-len(kept) // PART),
            digest=hashlib.sha256(kept).hexdigest(),
            width=picture.width if picture else None,
            height=picture.height if picture else None,
            thumb=seal(shop_id, picture.thumb, where=_thumb_at(key)) if picture else b"",
            by=by.name,
            added_at=now,
        )
        FilePart.objects.bulk_create(
            FilePart(
                shop_id=shop_id,
                file=row,
                number=number,
                body=seal(shop_id, kept[start : start + PART], where=_part_at(key, number)),
            )
            for number, start in enumerate(range(0, len(kept), PART))
        )
        audit.record(
            shop_id, by.ref, "file.add", f"case:{case_id}", {"file": row.pk, "slot": slot, "sha256": row.digest}
        )
        return row.pk


@prepared
def _files(shop_id: int, case_id: int) -> QuerySet[CaseFile]:
    return CaseFile.objects.filter(shop_id=shop_id, case_id=case_id).defer("thumb").order_by("id")


def files_of(case: Case) -> tuple[FileView, ...]:
    return tuple(_view(row) for row in _files(case.shop_id, case.pk))


def files_of_parcel(shop_id: int, parcel_id: int) -> tuple[tuple[int, FileView], ...]:
    """Files of all cases of an original parcel, each with its case's id, oldest first."""
    rows = CaseFile.objects.filter(shop_id=shop_id, case__parcel_id=parcel_id).defer("thumb").order_by("id")
    return tuple((row.case_id, _view(row)) for row in rows)


def _view(row: CaseFile) -> FileView:
    return FileView(
        file_id=row.pk,
        statement_id=row.statement_id,
        slot=row.slot,
        name=_name(row),
        media_type=row.media_type,
        size=row.size,
        is_image=row.media_type == "image/jpeg",
        is_gone=row.gone_at is not None,
        by=row.by,
        added_at=row.added_at,
    )


def thumb(shop_id: int, case_id: int, file_id: int) -> bytes | None:
    """The small picture of a photo, None where there is none."""
    with reading([shop_id]):
        row = CaseFile.objects.filter(shop_id=shop_id, case_id=case_id, id=file_id, gone_at=None).first()
        return unseal(shop_id, row.thumb, where=_thumb_at(row.key)) if row is not None and row.thumb else None


def open_file(*, shop_id: int, case_id: int, file_id: int, by: Actor) -> OpenFile | None:
    """A file whole, in plain bytes; that somebody looked at it is kept. None: not there, or gone."""
    with writing([shop_id]):
        row = CaseFile.objects.filter(shop_id=shop_id, case_id=case_id, id=file_id, gone_at=None).first()
        if row is None:
            return None
        audit.record(shop_id, by.ref, "file.open", f"case:{case_id}", {"file": row.pk})
        return OpenFile(_name(row), row.media_type, row.size, _parts(row))


def _parts(row: CaseFile) -> Iterator[bytes]:
    """Part by part, each in a transaction of its own: a video is never whole in memory."""
    for number in range(row.parts):
        with reading([row.shop_id]):
            sealed = FilePart.objects.values_list("body", flat=True).get(
                shop_id=row.shop_id, file_id=row.pk, number=number
            )
        yield unseal(row.shop_id, sealed, where=_part_at(row.key, number))


def remove_file(*, shop_id: int, case_id: int, file_id: int, by: Actor, now: datetime | None = None) -> None:
    """Take a file out that was added by mistake: its bytes go, that it was there stays."""
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        if _empty(shop_id, [file_id], now or clock.now(), case_id=case_id):
            audit.record(shop_id, by.ref, "file.remove", f"case:{case_id}", {"file": file_id})


def forget_old(shop_id: int, now: datetime, limit: int = 200) -> int:
    """Delete the bytes of files whose case closed longer ago than the shop keeps them; returns how many."""
    with writing([shop_id]):
        stored = Shop.objects.values_list("policy", flat=True).get(id=shop_id).get("file_days", KEEP_DAYS)
        days = stored if isinstance(stored, int) and stored > 0 else KEEP_DAYS
        old = CaseFile.objects.filter(
            shop_id=shop_id, gone_at=None, case__state="closed", case__closed_at__lt=now - timedelta(days=days)
        )
        ids = list(old.order_by("id").values_list("id", flat=True)[:limit])
        return _empty(shop_id, ids, now)


def _empty(shop_id: int, ids: list[int], now: datetime, case_id: int | None = None) -> int:
    rows = CaseFile.objects.filter(shop_id=shop_id, id__in=ids, gone_at=None)
    rows = rows if case_id is None else rows.filter(case_id=case_id)
    found = list(rows.values_list("id", flat=True))
    FilePart.objects.filter(shop_id=shop_id, file_id__in=found).delete()
    CaseFile.objects.filter(shop_id=shop_id, id__in=found).update(gone_at=now, thumb=b"")
    return len(found)


def _kind_of(raw: bytes) -> tuple[str, str]:
    """image, pdf or video by the bytes themselves; a file's name and the browser's word prove nothing."""
    if not raw:
        raise Refused("file_empty")
    if raw[:5] == b"%PDF-":
        return "pdf", "application/pdf"
    for mark, media_type in _VIDEO.items():
        if raw[4 : 4 + len(mark)] == mark or (mark[0] == 0x1A and raw[:4] == mark):
            if raw[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"):
                break
            return "video", media_type
    if (
        raw[:3] == b"\xff\xd8\xff"
        or raw[:4] in (b"\x89PNG", b"GIF8", b"RIFF", b"II*\x00", b"MM\x00*")
        or raw[:2] == b"BM"
    ):
        return "image", "image/jpeg"
    raise Refused("file_kind_unknown")


def _picture(raw: bytes) -> images.CleanImage:
    try:
        return images.clean(raw)
    except images.NotAnImage as error:
        raise Refused(error.why) from None


def _clean_name(name: str, kind: str) -> str:
    """The last part of a path, without what would break a header; a photo is a JPEG whatever it was."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(char for char in last if char.isprintable() and char not in '"<>|:*?').strip()[:120]
    stem = (plain.rpartition(".")[0] or plain) if kind == "image" else plain
    return f"{stem or 'photo'}.jpg" if kind == "image" else plain or kind


def _name(row: CaseFile) -> str:
    return unseal(row.shop_id, row.name, where=_name_at(row.key)).decode() if row.name else ""


def _name_at(key: str) -> str:
    return f"cases_casefile.name:{key}"


def _thumb_at(key: str) -> str:
    return f"cases_casefile.thumb:{key}"


def _part_at(key: str, number: int) -> str:
    return f"cases_filepart.body:{key}.{number}"
