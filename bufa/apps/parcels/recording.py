"""Scans in: one read of states and stored scans, pure folding, one write of scans, one of parcels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from bufa.apps.parcels import rows
from bufa.apps.parcels.models import Scan as ScanRow
from bufa.apps.parcels.models import Subscription
from bufa.apps.parcels.numbers import clean_number
from bufa.apps.parcels.templates import Pupil
from bufa.domain.kinds import Kind, Reason, Stage
from bufa.domain.parcels import ParcelState, Scan, ScanKey, add_distinct, fold, merge, same_scan_key, stage_of
from bufa.domain.reading import to_scan
from bufa.integrations.ports import TrackReport
from bufa.lib.db import array, cursor, unnest_insert
from bufa.lib.tenancy import for_shops

AFTER_ABORT = timedelta(minutes=30)
"""A provider that gave up may be asked again no sooner (tracking-protocols §1.3)."""

_FIELDS = (
    "parcel_id", "scanned_at", "minute", "received_at", "kind", "reason", "place", "text", "digest", "provider",
    "code", "fineness", "platform_hub",
)  # fmt: skip
_COLUMNS = ", ".join(f"s.{name}" for name in _FIELDS)


@dataclass(frozen=True, slots=True)
class Heard:
    """A report and when it reached us."""

    report: TrackReport
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """One parcel before and after a batch of scans; `row` is as it was read, before them."""

    row: rows.Row
    stage_before: Stage
    stage: Stage
    before: ParcelState
    state: ParcelState

    @property
    def parcel_id(self) -> int:
        return self.row.pk


@dataclass(slots=True)
class ScansRecorded:
    """`moved`: parcels whose state changed. `unknown`: reports about numbers we don't have; nothing was stored of
    them. `undated`: scans without a readable time, which were left out."""

    moved: list[Moved] = field(default_factory=list)
    unknown: list[Heard] = field(default_factory=list)
    new_scans: int = 0
    undated: int = 0


@dataclass(slots=True)
class _Box:
    """A parcel of the batch and what is said about it."""

    row: rows.Row
    state: ParcelState
    heard: dict[ScanKey, Scan] = field(default_factory=dict)
    fresh: dict[ScanKey, Scan] = field(default_factory=dict)
    changed: dict[ScanKey, Scan] = field(default_factory=dict)


def record_scans(shop_id: int, heard: Iterable[Heard], now: datetime) -> ScansRecorded:
    """Store the scans that providers tell of and fold them. Arrival order, repeats and batch size change nothing.

    The new states (`moved`) are the caller's to store, with what the rules say about them (`watching.write`).
    """
    batch = list(heard)
    result = ScansRecorded()
    with for_shops([shop_id]):
        boxes = _boxes(shop_id, batch, result)
        pupil = Pupil.of(shop_id)
        _compare(shop_id, boxes, pupil)
        for box in boxes.values():
            box.fresh, box.changed = _taught(pupil, box, box.fresh), _taught(pupil, box, box.changed)
            _fold(shop_id, box, result)
        _write_scans(shop_id, boxes.values())
        pupil.write()
        _note_subscriptions(shop_id, batch, boxes, now)
    return result


def _taught(pupil: Pupil, box: _Box, scans: dict[ScanKey, Scan]) -> dict[ScanKey, Scan]:
    """What was taught changes what a scan says, never which scan it is."""
    told = list(scans.values())
    read = pupil.read(box.row.pk, told)
    return scans if read is told else dict(zip(scans, read, strict=True))


def _boxes(shop_id: int, batch: Sequence[Heard], result: ScansRecorded) -> dict[int, _Box]:
    """The parcels of the batch, locked in one order, each with its new scans merged among themselves."""
    by_number: dict[str, list[rows.Row]] = {}
    for row in rows.by_number(shop_id, {clean_number(one.report.number) for one in batch}):
        by_number.setdefault(row.number, []).append(row)
    boxes: dict[int, _Box] = {}
    for one in batch:
        parcel = _which(by_number.get(clean_number(one.report.number), ()), one.report)
        if parcel is None:
            result.unknown.append(one)
            continue
        box = boxes.get(parcel.pk)
        if box is None:
            box = boxes[parcel.pk] = _Box(parcel, ParcelState.from_json(orjson.loads(parcel.state)))
        for scan in _scans_of(one, result):
            key = same_scan_key(scan)
            there = box.heard.get(key)
            box.heard[key] = scan if there is None else merge(there, scan)
    return boxes


def _which(found: Sequence[rows.Row], report: TrackReport) -> rows.Row | None:
    """The parcel meant: by carrier too where one number is with two carriers. Providers put carriers right at times,
    so a single parcel of that number is meant whatever they call its carrier."""
    for row in found:
        if row.carrier == report.carrier or (report.carrier_was and row.carrier == report.carrier_was):
            return row
    return found[0] if len(found) == 1 else None


def _scans_of(one: Heard, result: ScansRecorded) -> list[Scan]:
    report = one.report
    dated = [raw for raw in report.scans if raw.scanned_at is not None]
    result.undated += len(report.scans) - len(dated)
    newest = max((raw.scanned_at for raw in dated if raw.scanned_at), default=None)
    return [
        to_scan(
            provider=report.provider,
            carrier=report.carrier,
            scanned_at=scanned_at,
            received_at=one.received_at,
            code=code and storable(code)[:40],
            # The state of the whole parcel speaks of its newest scan only.
            state=state or (report.state if scanned_at == newest and not code else ""),
            text=storable(text),
            place=place and storable(place)[:120],
        )
        for scanned_at, text, code, state, place in dated
        if scanned_at is not None
    ]


def storable(text: str) -> str:
    """Without what the database can't hold: zero bytes and halves of characters, which broken senders do send."""
    if text.isprintable():
        return text  # neither of them is
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _compare(shop_id: int, boxes: dict[int, _Box], pupil: Pupil) -> None:
    """Split what was heard into new scans and stored ones that say more now; both as they read untaught."""
    for box in boxes.values():
        if not box.state.scans:  # nothing of it is stored yet
            box.fresh = box.heard
    keys = [(parcel_id, key) for parcel_id, box in boxes.items() if box.state.scans for key in box.heard]
    if not keys:
        return
    with cursor() as cur:
        cur.execute(
            f"SELECT {_COLUMNS} FROM parcels_scan s JOIN unnest(%s::bigint[], %s::timestamptz[], %s::text[])"  # noqa: S608
            " AS k (parcel_id, minute, digest) USING (parcel_id, minute, digest) WHERE s.shop_id = %s",
            [
                array("bigint", [parcel_id for parcel_id, _ in keys]),
                array("timestamptz", [minute for _, (minute, _) in keys]),
                array("text", [text_digest for _, (_, text_digest) in keys]),
                shop_id,
            ],
        )
        stored = {(row[0], (row[2], row[8])): pupil.forget(_scan(row)) for row in cur}
    for parcel_id, key in keys:
        box = boxes[parcel_id]
        scan, there = box.heard[key], stored.get((parcel_id, key))
        if there is None:
            box.fresh[key] = scan
            continue
        both = merge(there, scan)
        # A later arrival matters only where it makes a scan from the future usable.
        if both.usable != there.usable or merge(there, scan._replace(received_at=there.received_at)) != there:
            box.changed[key] = both


def _fold(shop_id: int, box: _Box, result: ScansRecorded) -> None:
    if not box.fresh and not box.changed:
        return
    before = box.state
    if box.changed:
        scans = {same_scan_key(scan): scan for scan in stored_scans(shop_id, box.row.pk)}
        box.state = fold((scans | box.changed | box.fresh).values())
    else:
        box.state = add_distinct(before, list(box.fresh.values()))
    result.new_scans += len(box.fresh)
    stage = stage_of(box.state, has_number=True)
    result.moved.append(Moved(box.row, Stage(box.row.stage), stage, before, box.state))


def read_again(shop_id: int, parcel_ids: Sequence[int], reader: Callable[[Scan], Scan]) -> list[Moved]:
    """Stored scans of parcels read by another reader; those that read differently are written, their parcels folded
    afresh. Returns the parcels whose state changed, for the caller to store as of `record_scans`; inside `writing`."""
    result = ScansRecorded()
    found = rows.by_id(shop_id, parcel_ids, lock=True)
    boxes = [_Box(row, ParcelState.from_json(orjson.loads(row.state))) for row in found]
    scans = scans_of(shop_id, [box.row.pk for box in boxes])
    for box in boxes:
        box.changed = {same_scan_key(old): new for old in scans.get(box.row.pk, ()) if (new := reader(old)) != old}
        _fold(shop_id, box, result)
    _write_scans(shop_id, boxes)
    return result.moved


def stored_scans(shop_id: int, parcel_id: int) -> list[Scan]:
    """All scans of a parcel as the fold takes them; inside `for_shops`."""
    return scans_of(shop_id, [parcel_id]).get(parcel_id, [])


def scans_of(shop_id: int, parcel_ids: Sequence[int]) -> dict[int, list[Scan]]:
    """All scans of parcels, by parcel; inside `for_shops`."""
    found: dict[int, list[Scan]] = {}
    with cursor() as cur:
        cur.execute(
            f"SELECT {_COLUMNS} FROM parcels_scan s WHERE s.shop_id = %s AND s.parcel_id = ANY(%s)",  # noqa: S608
            [shop_id, list(parcel_ids)],
        )
        for row in cur:
            found.setdefault(row[0], []).append(_scan(row))
    return found


def _scan(row: tuple[Any, ...]) -> Scan:
    return Scan(
        scanned_at=row[1],
        received_at=row[3],
        kind=Kind(row[4]),
        reason=Reason(row[5]) if row[5] else None,
        place=row[6],
        text=row[7],
        digest=row[8],
        provider=row[9],
        code=row[10],
        fineness=row[11],
        platform_hub=row[12],
    )


# A stored scan is replaced as a whole: merging was done in the open, on rows that we hold.
_CONFLICT = "(parcel_id, minute, digest) DO UPDATE SET " + ", ".join(
    f"{name} = EXCLUDED.{name}" for name in _FIELDS if name not in ("parcel_id", "minute", "digest")
)


def _write_scans(shop_id: int, boxes: Collection[_Box]) -> None:
    written = [(box.row.pk, scans) for box in boxes for scans in (box.fresh, box.changed) if scans]
    if not written:
        return
    columns = dict(
        zip(Scan._fields, zip(*(scan for _, scans in written for scan in scans.values()), strict=True), strict=True)
    )
    ids = [parcel_id for parcel_id, scans in written for _ in scans]
    unnest_insert(
        ScanRow._meta.db_table,
        {
            "shop_id": ("bigint", [shop_id] * len(ids)),
            "parcel_id": ("bigint", ids),
            "scanned_at": ("timestamptz", columns["scanned_at"]),
            "minute": ("timestamptz", [minute for _, scans in written for minute, _ in scans]),
            "received_at": ("timestamptz", columns["received_at"]),
            "kind": ("text", columns["kind"]),
            "reason": ("text", [reason or "" for reason in columns["reason"]]),
            "place": ("text", columns["place"]),
            "text": ("text", columns["text"]),
            "digest": ("text", columns["digest"]),
            "provider": ("text", columns["provider"]),
            "code": ("text", columns["code"]),
            "fineness": ("smallint", columns["fineness"]),
            "platform_hub": ("boolean", columns["platform_hub"]),
        },
        on_conflict=_CONFLICT,
    )


def _note_subscriptions(shop_id: int, batch: Sequence[Heard], boxes: dict[int, _Box], now: datetime) -> None:
    """A provider that stopped following says so in its last push."""
    signed: set[int] = set()
    aborted: dict[int, str] = {}
    by_number = {box.row.number: box.row.pk for box in boxes.values()}
    for one in batch:
        parcel_id = by_number.get(clean_number(one.report.number))
        if parcel_id is None:
            continue
        if one.report.ended == "signed":
            signed.add(parcel_id)
        elif one.report.ended == "aborted":
            aborted[parcel_id] = one.report.note
    subscriptions = Subscription.objects.filter(shop_id=shop_id)
    if signed:
        subscriptions.filter(parcel_id__in=signed).exclude(state="ended").update(state="ended", next_at=None)
    for parcel_id, note in aborted.items():
        if parcel_id not in signed:
            subscriptions.filter(parcel_id=parcel_id, state="active").update(
                state="aborted", next_at=now + AFTER_ABORT, error=note[:120]
            )
