"""Templates of texts that nothing could read: counted as scans come in, taught by a person, read again in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bufa.apps.audit import actions as audit
from bufa.apps.parcels.models import TemplateReading, TemplateScan, TextTemplate
from bufa.domain import teaching
from bufa.domain.kinds import Kind, Reason
from bufa.domain.outcome import Refused
from bufa.domain.parcels import Scan, same_scan_key
from bufa.domain.reading import TEXT, Reading
from bufa.domain.teaching import TEACHABLE, Readings, Template
from bufa.lib.db import cursor, unnest_insert
from bufa.lib.queue import hint
from bufa.lib.tenancy import for_shops, writing

REREAD = "templates.reread"
_SEEN = (
    "(shop_id, key) DO UPDATE SET first_at = LEAST(parcels_texttemplate.first_at, EXCLUDED.first_at),"
    " last_at = GREATEST(parcels_texttemplate.last_at, EXCLUDED.last_at)"
)


def readings_of(shop_id: int) -> dict[str, Reading]:
    """What the shop's people taught, by the template's key; inside `for_shops`."""
    rows = TemplateReading.objects.filter(shop_id=shop_id).values_list("template__key", "kind", "reason")
    return {
        key: Reading(Kind(kind), Reason(reason) if reason else None, "template", TEXT) for key, kind, reason in rows
    }


@dataclass(slots=True)
class Pupil:
    """Lays what was taught over the scans of one batch, and notes those that are (or were) unreadable."""

    shop_id: int
    readings: Readings
    _seen: list[tuple[int, Scan]] = field(default_factory=list)

    @classmethod
    def of(cls, shop_id: int) -> Pupil:
        return cls(shop_id, readings_of(shop_id))

    def forget(self, stored: Scan) -> Scan:
        """A stored scan without what was taught: what messages are merged with."""
        return teaching.untaught(stored) if self.readings else stored

    def read(self, parcel_id: int, scans: list[Scan]) -> list[Scan]:
        """The scans with what was taught."""
        if not any(scan.kind in TEACHABLE for scan in scans):
            return scans
        self._seen += [(parcel_id, scan) for scan in scans if scan.kind in TEACHABLE and scan.text]
        return [teaching.apply(scan, self.readings) for scan in scans]

    def write(self) -> None:
        """Count what was noted: three statements a batch, none where everything was read."""
        if not self._seen:
            return
        found = [(parcel_id, scan, Template.of(scan.text)) for parcel_id, scan in self._seen]
        ids = _ensure(self.shop_id, [(template, scan) for _, scan, template in found])
        linked = unnest_insert(
            TemplateScan._meta.db_table,
            {
                "shop_id": ("bigint", [self.shop_id] * len(found)),
                "template_id": ("bigint", [ids[template.key] for _, _, template in found]),
                "parcel_id": ("bigint", [parcel_id for parcel_id, _, _ in found]),
                "minute": ("timestamptz", [same_scan_key(scan)[0] for _, scan, _ in found]),
                "digest": ("text", [scan.digest for _, scan, _ in found]),
            },
            on_conflict="(parcel_id, minute, digest) DO NOTHING",
            returning=("template_id",),
        )
        more = Counter(row[0] for row in linked)
        with cursor() as cur:
            cur.execute(
                "UPDATE parcels_texttemplate AS t SET count = t.count + new.more"
                " FROM unnest(%s::bigint[], %s::bigint[]) AS new (id, more) WHERE t.id = new.id AND t.shop_id = %s",
                [list(more), list(more.values()), self.shop_id],
            )


def _ensure(shop_id: int, found: Iterable[tuple[Template, Scan]]) -> dict[str, int]:
    """Rows of templates by key, made where they are new."""
    by_key: dict[str, tuple[Template, Scan, datetime, datetime]] = {}
    for template, scan in found:
        at = scan.scanned_at if scan.usable else scan.received_at
        there = by_key.get(template.key)
        first, last = (min(there[2], at), max(there[3], at)) if there else (at, at)
        by_key[template.key] = (*(there[:2] if there else (template, scan)), first, last)
    rows = list(by_key.values())
    ids = unnest_insert(
        TextTemplate._meta.db_table,
        {
            "shop_id": ("bigint", [shop_id] * len(rows)),
            "key": ("text", list(by_key)),
            "template": ("text", [row[0].text for row in rows]),
            "sample": ("text", [row[0].sample for row in rows]),
            "said": ("text", [row[1].kind.value for row in rows]),
            "count": ("bigint", [0] * len(rows)),
            "first_at": ("timestamptz", [row[2] for row in rows]),
            "last_at": ("timestamptz", [row[3] for row in rows]),
            "reread_done": ("integer", [0] * len(rows)),
            "reread_total": ("integer", [0] * len(rows)),
        },
        on_conflict=_SEEN,
        returning=("key", "id"),
    )
    return {str(key): int(row_id) for key, row_id in ids}


# --- teaching --------------------------------------------------------------------------------------------------------


def teach(*, shop_id: int, key: str, kind: str, reason: str = "", by: str, now: datetime) -> None:
    """Say what a template means: scans of it, past ones and those to come, are read so. Saying it again replaces.

    Past scans are read again by a job. Raises Refused("no_such_template") and as `teaching.meaning`.
    """
    said = teaching.meaning(kind, reason)
    with writing([shop_id]):
        row = TextTemplate.objects.select_for_update().filter(shop_id=shop_id, key=key).first()
        if row is None:
            raise Refused("no_such_template")
        _teach(row, said, by, now)


def teach_text(*, shop_id: int, text: str, kind: str, reason: str = "", by: str, now: datetime) -> bool:
    """As `teach`, for a template from elsewhere, whether it was seen here or not. Returns whether that is news here.

    `text` is a template or a text of one. Raises Refused("template_read_already", scan_kind) where no scan of it would
    ever wait for a reading.
    """
    said = teaching.meaning(kind, reason)
    template = Template.of(text)
    plain = teaching.plain_kind(text)
    if plain not in TEACHABLE:
        raise Refused("template_read_already", scan_kind=plain.value)
    with writing([shop_id]):
        row, _ = TextTemplate.objects.get_or_create(
            shop_id=shop_id,
            key=template.key,
            defaults={"template": template.text, "sample": template.sample, "said": plain.value},
        )
        there = TemplateReading.objects.filter(shop_id=shop_id, template=row).first()
        if there and (there.kind, there.reason) == (kind, reason):
            return False
        _teach(row, said, by, now)
    return True


def take_back(*, shop_id: int, key: str, by: str, now: datetime) -> None:
    """Forget what a template was taught to mean; its scans are unread again. Raises Refused("template_not_taught")."""
    with writing([shop_id]):
        row = TextTemplate.objects.select_for_update().filter(shop_id=shop_id, key=key).first()
        if row is None or not TemplateReading.objects.filter(shop_id=shop_id, template=row).delete()[0]:
            raise Refused("template_not_taught")
        _read_again(row)
        audit.record(shop_id, by, "template.take_back", f"template:{key}")


def _teach(row: TextTemplate, said: Reading, by: str, now: datetime) -> None:
    reason = said.reason.value if said.reason else ""
    TemplateReading.objects.update_or_create(
        template=row,
        defaults={"shop_id": row.shop_id, "kind": said.kind.value, "reason": reason, "by": by[:80], "at": now},
    )
    _read_again(row)
    told = {"kind": said.kind.value, "reason": reason}
    audit.record(row.shop_id, by, "template.teach", f"template:{row.key}", told)


def _read_again(row: TextTemplate) -> None:
    """Ask for the past scans to be read again, from the first parcel on."""
    total = TemplateScan.objects.filter(shop_id=row.shop_id, template=row).values("parcel_id").distinct().count()
    row.reread_after, row.reread_done, row.reread_total = (0 if total else None), 0, total
    row.save(update_fields=["reread_after", "reread_done", "reread_total"])
    if total:
        hint(REREAD, once=f"{REREAD}:{row.shop_id}", shop_id=row.shop_id)


def next_to_reread(shop_id: int, limit: int) -> tuple[int, list[int]] | None:
    """The template under way and its next parcels, or None when all is read; inside `writing`. Progress is noted."""
    while True:
        row = (
            TextTemplate.objects.select_for_update()
            .filter(shop_id=shop_id, reread_after__isnull=False)
            .order_by("id")
            .first()
        )
        if row is None:
            return None
        waiting = TemplateScan.objects.filter(shop_id=shop_id, template=row, parcel_id__gt=row.reread_after)
        ids = list(waiting.order_by("parcel_id").values_list("parcel_id", flat=True).distinct()[:limit])
        row.reread_done += len(ids)
        row.reread_after = ids[-1] if len(ids) == limit else None
        row.save(update_fields=["reread_done", "reread_after"])
        if ids:
            return row.pk, ids


def shops_rereading(shop_ids: Sequence[int]) -> list[int]:
    """Shops where texts are to be read again: what a sweep asks."""
    with for_shops(shop_ids):
        rows = TextTemplate.objects.filter(shop_id__in=shop_ids, reread_after__isnull=False)
        return sorted(rows.order_by("shop_id").values_list("shop_id", flat=True).distinct())


def forget_scans(shop_id: int, parcel_id: int) -> None:
    """The parcel's scans are gone: nothing of them waits any more."""
    TemplateScan.objects.filter(shop_id=shop_id, parcel_id=parcel_id).delete()


# --- reading them on a page ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TemplateView:
    """`waiting`: parcels with such a scan that is still unread; `first_parcels`: some of them, (id, number)."""

    key: str
    template: str
    sample: str
    said: str
    count: int
    first_at: datetime | None
    last_at: datetime | None
    kind: str
    reason: str
    by: str
    at: datetime | None
    reread_done: int
    reread_total: int
    rereading: bool
    waiting: int
    first_parcels: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class TemplatePage:
    rows: tuple[TemplateView, ...]
    total: int


UNREAD, NOTES, TAUGHT = "unread", "notes", "taught"


def templates(shop_id: int, view: str = UNREAD, *, offset: int = 0, limit: int = 50) -> TemplatePage:
    """Templates, most frequent first: `unread`, `notes` (read as saying nothing) or `taught` (newest first)."""
    with for_shops([shop_id], reading=True):
        rows = TextTemplate.objects.filter(shop_id=shop_id).select_related("reading")
        if view == TAUGHT:
            rows = rows.filter(reading__isnull=False).order_by("-reading__at", "id")
        else:
            said = Kind.NOTE if view == NOTES else Kind.UNMAPPED
            rows = rows.filter(reading__isnull=True, said=said).order_by("-count", "id")
        total = rows.count()
        found = list(rows[offset : offset + limit])
        waiting = _waiting(shop_id, [row.pk for row in found])
    return TemplatePage(tuple(_view(row, *waiting.get(row.pk, (0, ()))) for row in found), total)


def counts(shop_id: int) -> dict[str, int]:
    """How many templates each view holds."""
    with for_shops([shop_id], reading=True):
        rows = TextTemplate.objects.filter(shop_id=shop_id)
        unread = rows.filter(reading__isnull=True)
        return {
            UNREAD: unread.filter(said=Kind.UNMAPPED).count(),
            NOTES: unread.filter(said=Kind.NOTE).count(),
            TAUGHT: rows.filter(reading__isnull=False).count(),
        }


def in_progress(shop_id: int) -> tuple[TemplateView, ...]:
    """Templates whose parcels are being read again."""
    with for_shops([shop_id], reading=True):
        rows = TextTemplate.objects.filter(shop_id=shop_id, reread_after__isnull=False).select_related("reading")
        return tuple(_view(row, 0, ()) for row in rows.order_by("id")[:20])


def _waiting(shop_id: int, ids: Sequence[int]) -> dict[int, tuple[int, tuple[tuple[int, str], ...]]]:
    """By template: how many parcels hold a scan of it that reads as nothing, and the newest three of them."""
    if not ids:
        return {}
    with cursor() as cur:
        cur.execute(
            "SELECT l.template_id, count(DISTINCT l.parcel_id), (array_agg(DISTINCT l.parcel_id))[1:3]"
            " FROM parcels_templatescan l JOIN parcels_scan s USING (parcel_id, minute, digest)"
            " WHERE l.shop_id = %s AND s.shop_id = %s AND l.template_id = ANY(%s) AND s.kind IN ('unmapped', 'note')"
            " GROUP BY l.template_id",
            [shop_id, shop_id, list(ids)],
        )
        found = {int(row[0]): (int(row[1]), [int(one) for one in row[2]]) for row in cur}
        cur.execute(
            "SELECT id, number FROM parcels_parcel WHERE shop_id = %s AND id = ANY(%s)",
            [shop_id, [one for _, some in found.values() for one in some]],
        )
        numbers = {int(row[0]): str(row[1]) for row in cur}
    return {key: (count, tuple((one, numbers.get(one, "")) for one in some)) for key, (count, some) in found.items()}


def _view(row: TextTemplate, waiting: int, first_parcels: tuple[tuple[int, str], ...]) -> TemplateView:
    said: TemplateReading | None = getattr(row, "reading", None)
    return TemplateView(
        key=row.key,
        template=row.template,
        sample=row.sample,
        said=row.said,
        count=row.count,
        first_at=row.first_at,
        last_at=row.last_at,
        kind=said.kind if said else "",
        reason=said.reason if said else "",
        by=said.by if said else "",
        at=said.at if said else None,
        reread_done=row.reread_done,
        reread_total=row.reread_total,
        rereading=row.reread_after is not None,
        waiting=waiting,
        first_parcels=first_parcels,
    )
