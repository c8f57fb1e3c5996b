"""When and where clocks stand still: the shop's own table of festivals, areas without service and force majeure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bufa.apps.audit import actions as audit
from bufa.apps.shops.models import ShopPause
from bufa.domain import calendars
from bufa.domain.calendars import Area, End, PauseCode
from bufa.domain.outcome import Refused
from bufa.domain.regions import short_province
from bufa.lib import clock, holidays
from bufa.lib.tenancy import for_shops, reading

LONGEST_DAYS = 120
_ZONE = ZoneInfo("Asia/Shanghai")
_LOOK_BACK = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class NewPause:
    """One entry as a person gives it: from the first to the last shop day, both whole.

    `province` "" means everywhere. `carriers` are company codes, none means all. `platform`: the platform has announced
    that its own clocks stand still, too; else only the shop's own rules are moved.
    """

    code: PauseCode
    name: str
    first: date
    last: date
    province: str = ""
    city: str = ""
    district: str = ""
    end: End = End.EITHER
    carriers: tuple[str, ...] = ()
    platform: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class PauseInfo:
    """A stored entry; `last` is its last whole shop day."""

    pause_id: int
    code: str
    name: str
    first: date
    last: date
    area: Area | None
    end: str
    carriers: tuple[str, ...]
    platform: bool
    source: str
    by: str
    made_at: datetime


def of_shop(shop_id: int) -> tuple[PauseInfo, ...]:
    """The shop's entries, the newest days first."""
    with reading([shop_id]):
        rows = ShopPause.objects.filter(shop_id=shop_id, taken_back_at=None).order_by("-begins", "id")
        return tuple(_info(row) for row in rows)


def standing(shop_id: int, now: datetime) -> tuple[calendars.Pause, ...]:
    """Everything that may move a clock still of interest: the shop's entries and the public holidays; one query.

    A festival of the shop's own for all places stands for the public holiday that it touches.
    """
    since = now - _LOOK_BACK
    with reading([shop_id]):
        rows = list(ShopPause.objects.filter(shop_id=shop_id, taken_back_at=None, ends__gt=since).order_by("id"))
    own = [_pause(row) for row in rows]
    said = [one for one in own if one.code is PauseCode.FESTIVAL and not one.areas and not one.carriers]
    public = [
        one
        for one in _holidays(since.astimezone(_ZONE).date().year)
        if not any(mine.begins < one.ends and one.begins < mine.ends for mine in said)
    ]
    return tuple(sorted([*own, *public], key=lambda one: (one.begins, one.ends, one.name)))


@lru_cache(maxsize=8)
def _holidays(first_year: int) -> tuple[calendars.Pause, ...]:
    return holidays.pauses(date(first_year, 1, 1), holidays.known_until())


def add(*, shop_id: int, new: NewPause, by: str, now: datetime | None = None) -> int:
    """Store an entry; the same once more is found and changes nothing. Returns its id. Judging is the caller's.

    Raises Refused("parameter_missing", name) without a name or source, "pause_ends_before", "pause_too_long",
    "pause_area_unknown", "pause_area_missing" (an area without service is somewhere).
    """
    now = now or clock.now()
    _check(new)
    begins, ends = _begin(new.first), _begin(new.last + timedelta(days=1))
    areas = [[new.province, new.city, new.district]] if new.province else []
    what = {
        "code": new.code.value,
        "name": new.name.strip()[:60],
        "begins": begins,
        "ends": ends,
        "areas": areas,
        "end": new.end.value,
        "carriers": sorted(new.carriers),
        "platform": new.platform,
    }
    with for_shops([shop_id]):
        same = ShopPause.objects.filter(shop_id=shop_id, taken_back_at=None, **what).values_list("id", flat=True)
        if (known := same.first()) is not None:
            return known
        row = ShopPause.objects.create(
            shop_id=shop_id, **what, source=new.source.strip()[:200], by=by[:80], made_at=now
        )
        told = {"code": new.code.value, "first": new.first.isoformat(), "last": new.last.isoformat()}
        audit.record(shop_id, by, "pause.add", f"pause:{row.pk}", told)
        return row.pk


def take_back(*, shop_id: int, pause_id: int, by: str, now: datetime | None = None) -> None:
    """The entry holds no more; the row stays, so that `restore` can bring it back."""
    _switch(shop_id, pause_id, by, "pause.take_back", now or clock.now())


def restore(*, shop_id: int, pause_id: int, by: str) -> None:
    """Undo `take_back`."""
    _switch(shop_id, pause_id, by, "pause.restore", None)


def _switch(shop_id: int, pause_id: int, by: str, what: str, taken_back_at: datetime | None) -> None:
    with for_shops([shop_id]):
        row = ShopPause.objects.select_for_update().get(shop_id=shop_id, id=pause_id)
        row.taken_back_at = taken_back_at
        row.save(update_fields=["taken_back_at"])
        audit.record(shop_id, by, what, f"pause:{pause_id}")


def _check(new: NewPause) -> None:
    if not new.name.strip():
        raise Refused("parameter_missing", name="name")
    if not new.source.strip():
        raise Refused("pause_source_missing")
    if new.last < new.first:
        raise Refused("pause_ends_before", first=new.first.isoformat(), last=new.last.isoformat())
    if (new.last - new.first).days >= LONGEST_DAYS:
        raise Refused("pause_too_long", days=LONGEST_DAYS)
    if new.province and not short_province(new.province):
        raise Refused("pause_area_unknown", area=new.province)
    if (new.city or new.district) and not new.province:
        raise Refused("pause_area_unknown", area=new.city or new.district)
    if new.code is PauseCode.NO_SERVICE and not new.province:
        raise Refused("pause_area_missing")


def _pause(row: ShopPause) -> calendars.Pause:
    return calendars.Pause(
        PauseCode(row.code),
        row.begins,
        row.ends,
        name=row.name,
        source=row.source,
        areas=tuple(Area(*one) for one in row.areas),
        end=End(row.end),
        carriers=frozenset(row.carriers),
        families=frozenset(row.families),
        platform=row.platform,
    )


def _info(row: ShopPause) -> PauseInfo:
    return PauseInfo(
        row.pk,
        row.code,
        row.name,
        row.begins.astimezone(_ZONE).date(),
        (row.ends - timedelta(seconds=1)).astimezone(_ZONE).date(),
        Area(*row.areas[0]) if row.areas else None,
        row.end,
        tuple(row.carriers),
        row.platform,
        row.source,
        row.by,
        row.made_at,
    )


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), _ZONE).astimezone(UTC)


def known_until() -> date:
    """The last day whose public holidays are known; later ones are entered by the shop."""
    return holidays.known_until()


def public_after(day: date, limit: int = 12) -> Sequence[calendars.Pause]:
    """Public holidays that end after a day, for the page."""
    return [one for one in _holidays(day.year) if one.ends > _begin(day)][:limit]
