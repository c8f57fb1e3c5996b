"""Small factories: facts as providers tell them, and shops made through the product's own actions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from bufa.apps.shops import actions as shop_actions
from bufa.integrations.ports import (
    AfterSaleFact,
    LineFact,
    OrderFact,
    PackageFact,
    RawScan,
    RecipientFact,
    TrackReport,
)

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
"""Noon of a Friday in Shanghai: "now" of tests that don't say otherwise."""

_numbers = itertools.count(1)


def at(hours: float = 0, *, of: datetime = NOW) -> datetime:
    """That many hours before (negative) or after `NOW`."""
    return of + timedelta(hours=hours)


def make_shop(name: str = "测试店", *, login: str = "", is_demo: bool = True) -> int:
    """A shop with an owner; returns its id."""
    login = login or f"owner{next(_numbers)}"
    return shop_actions.create_shop(name, owner_login=login, owner_password="right-horse-battery", is_demo=is_demo)


def make_line(line_id: str = "", *, quantity: int = 1, paid_fen: int = 9900, title: str = "杯子") -> LineFact:
    return LineFact(line_id or f"L{next(_numbers)}", "P1", "S1", title, "红色", quantity, paid_fen)


def make_recipient(**fields: str) -> RecipientFact:
    base = {
        "name_mask": "张**",
        "phone_mask": "138****5678",
        "province": "广东省",
        "city": "深圳市",
        "district": "南山区",
        "open_address_id": "addr-1",
        "phone_cipher": "$cipher$",
    }
    return RecipientFact(**{**base, **fields})


def make_package(
    number: str,
    *,
    carrier: str = "zhongtong",
    package_id: str = "",
    lines: Sequence[tuple[str, int]] = (),
    shipped_at: datetime | None = None,
    is_extra: bool = False,
) -> PackageFact:
    return PackageFact(package_id, carrier, number, shipped_at, tuple(lines), is_extra)


def make_order(
    number: str = "",
    *,
    status: int = 2,
    lines: Sequence[LineFact] = (),
    packages: Sequence[PackageFact] = (),
    ship_by: datetime | None = None,
    updated_at: datetime | None = None,
    recipient: RecipientFact | None = None,
    paid_fen: int = 9900,
    promise_hours: int | None = 48,
) -> OrderFact:
    paid_at = at(-30)
    return OrderFact(
        number=number or f"69{next(_numbers):014d}",
        status=status,
        main_status=status,
        created_at=at(-31),
        paid_at=paid_at,
        ship_by=ship_by or at(18),
        promise_hours=promise_hours,
        paid_fen=paid_fen,
        updated_at=updated_at or at(-1),
        finished_at=None,
        lines=tuple(lines) or (make_line(),),
        recipient=recipient or make_recipient(),
        packages=tuple(packages),
    )


def make_shipped(
    number: str, waybill: str, *, carrier: str = "zhongtong", shipped_at: datetime | None = None
) -> OrderFact:
    """An order that left whole in one parcel."""
    line = make_line()
    package = make_package(
        waybill, carrier=carrier, lines=[(line.line_id, 1)], shipped_at=shipped_at or at(-24), package_id=f"p{waybill}"
    )
    return make_order(number, status=3, lines=[line], packages=[package])


def make_report(
    waybill: str,
    *scans: tuple[datetime, str] | tuple[datetime, str, str],
    carrier: str = "zhongtong",
    provider: str = "kuaidi100",
) -> TrackReport:
    """`scans`: (when, text) or (when, text, code), oldest first."""
    raws = tuple(RawScan(scan[0], scan[1], scan[2] if len(scan) > 2 else "") for scan in scans)  # type: ignore[misc]
    return TrackReport(provider, carrier, waybill, raws)


def make_ticket(
    number: str, order_number: str, *, status: int = 8, update_time: int = 1, **fields: object
) -> AfterSaleFact:
    base: dict[str, object] = {
        "type": 7,
        "deadline": at(24),
        "applied_at": at(-5),
        "updated_at": at(-4),
        "update_time": update_time,
    }
    return AfterSaleFact(number=number, order_number=order_number, status=status, **{**base, **fields})  # type: ignore[arg-type]
