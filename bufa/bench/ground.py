"""The ground that benchmarks stand on: shops that take pushes, and parcels on their way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from bufa.apps.shops.actions import connect, create_shop
from bufa.bench import superuser
from bufa.bench.traffic import APP_KEY, BUSINESS_ID, SALT, SHIPPED_AT

_AT_ONCE = 250_000


def make_shops(count: int) -> list[int]:
    """Shops that take pushes from both providers, made the production way."""
    made = []
    for n in range(count):
        shop_id = create_shop(f"量{n}", owner_login=f"bench{n}", owner_password="not-a-secret-here", is_demo=True)  # noqa: S106
        secrets = {"key": APP_KEY, "salt": SALT}
        connect(shop_id=shop_id, kind="kuaidi100", settings={"customer": "C1"}, secrets=secrets)
        connect(shop_id=shop_id, kind="kdniao", settings={"business_id": BUSINESS_ID}, secrets={"app_key": APP_KEY})
        made.append(shop_id)
    return made


def make_parcels(shops: Sequence[int], count: int, *, first: int = 0, shipped_at: datetime = SHIPPED_AT) -> None:
    """`count` shipped parcels, spread over the shops in turns, as rows: how orders come in is measured elsewhere."""
    with superuser() as rows:
        fill(rows, shops, count, first=first, shipped_at=shipped_at)


def fill(
    rows: psycopg.Connection[tuple[Any, ...]],
    shops: Sequence[int],
    count: int,
    *,
    first: int = 0,
    shipped_at: datetime = SHIPPED_AT,
) -> None:
    """`make_parcels` in the database of that connection."""
    for begin in range(first, first + count, _AT_ONCE):
        rows.execute(
            "WITH shipped AS (INSERT INTO orders_order (shop_id, number, status, main_status, created_at, paid_at,"
            " ship_by, promise_hours, paid_fen, platform_updated_at, is_closed, source, recorded_at, goods_class)"
            " SELECT (%(shops)s::bigint[])[1 + n %% %(of)s], '69' || lpad(n::text, 14, '0'), 3, 3,"
            " %(at)s::timestamptz - interval '20 h', %(at)s::timestamptz - interval '19 h',"
            " %(at)s::timestamptz + interval '29 h', 48, 9900, %(at)s, false, 'doudian', %(at)s, 'ordinary'"
            " FROM generate_series(%(first)s::int, %(first)s::int + %(count)s::int - 1) AS n"
            " RETURNING id, shop_id, number)"
            " INSERT INTO parcels_parcel (shop_id, order_id, role, key, carrier, number, number_raw, package_id,"
            " contents, uploaded_at, origin_province, dest_province, state, stage, place, next_deadline, risk_fen,"
            " risk_rule, cost_fen, warn_rule, is_watched, created_at)"
            " SELECT shop_id, id, 'original', 'zhongtong:78' || right(number, 12), 'zhongtong',"
            " '78' || right(number, 12),"
            " '', '', '[]', %(at)s, '浙江省', '广东省', '{}', 'labelled', '', %(at)s::timestamptz + interval '12 h', 0,"
            " '', 0, '', true, %(at)s FROM shipped",
            {
                "shops": list(shops),
                "of": len(shops),
                "at": shipped_at,
                "first": begin,
                "count": min(_AT_ONCE, first + count - begin),
            },
        )
    rows.execute("VACUUM ANALYZE orders_order, parcels_parcel")
