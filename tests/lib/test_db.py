"""Bulk writes go through the policies, in one statement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db.utils import ProgrammingError
from psycopg.errors import InsufficientPrivilege

from bufa.apps.shops.models import Shop
from bufa.lib.db import Columns, array, cursor, unnest_insert, unnest_update
from bufa.lib.tenancy import for_shops

AT = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def shops(ids: list[int]) -> Columns:
    n = len(ids)
    return {
        "id": ("bigint", ids),
        "name": ("text", [f"店{i}" for i in ids]),
        "platform": ("text", ["doudian"] * n),
        "platform_shop_id": ("text", [""] * n),
        "is_demo": ("boolean", [False] * n),
        "policy": ("jsonb", ["{}"] * n),
        "next_case": ("bigint", [1] * n),
        "next_reissue": ("bigint", [1] * n),
        "created_at": ("timestamptz", [AT] * n),
    }


def test_insert_returns_what_was_really_inserted() -> None:
    with for_shops([1, 2, 3]):
        assert unnest_insert("shops_shop", shops([1, 2]), returning=["id"]) == [(1,), (2,)]
        again = unnest_insert("shops_shop", shops([2, 3]), on_conflict="(id) DO NOTHING", returning=["id"])
        assert again == [(3,)]
        assert list(Shop.objects.order_by("id").values_list("id", "name", "created_at")) == [
            (1, "店1", AT), (2, "店2", AT), (3, "店3", AT),
        ]  # fmt: skip


def test_update_matches_by_key_and_by_what_is_asked() -> None:
    with for_shops([1, 2]):
        unnest_insert("shops_shop", shops([1, 2]))
        changed = unnest_update(
            "shops_shop",
            {"id": ("bigint", [1, 2]), "next_case": ("bigint", [5, 6]), "_old": ("bigint", [1, 9])},
            where="t.next_case = new._old",
            returning=["id", "next_case"],
        )
        assert changed == [(1, 5)]
        assert list(Shop.objects.order_by("id").values_list("next_case", flat=True)) == [5, 1]


def test_nothing_to_write_is_no_statement_and_ragged_columns_are_refused() -> None:
    assert unnest_insert("shops_shop", shops([])) == []
    assert unnest_update("shops_shop", shops([])) == []
    with pytest.raises(ValueError, match="differ in length"):
        unnest_insert("shops_shop", {"id": ("bigint", [1]), "name": ("text", [])})


def test_another_shops_row_is_refused() -> None:
    with pytest.raises((ProgrammingError, InsufficientPrivilege), match="row-level security"), for_shops([1]):
        unnest_insert("shops_shop", shops([1, 2]))


ODD = ["", "a", '"', "\\", "NULL", "null", "{}", ",", "\n", " x ", "补发", '\\"', "\x1e", "a\x1fb"]


@pytest.mark.parametrize("values", [ODD, ODD[:-1], ["one"], [""]])
def test_texts_of_all_kinds_arrive_as_they_were(values: list[str]) -> None:
    with cursor() as cur:
        sent = array("text", values)
        assert cur.execute("SELECT %s::text[]", [sent]).fetchall() == [(values,)]


def test_numbers_and_instants_arrive_as_they_were() -> None:
    when = datetime(2026, 11, 3, 4, 5, 6, 789, tzinfo=timezone(timedelta(hours=8)))
    with cursor() as cur:
        sent = [array("bigint", [1, None, -(2**62)]), array("timestamptz", [when, None])]
        assert cur.execute("SELECT %s::bigint[], %s::timestamptz[]", sent).fetchall() == [
            ([1, None, -(2**62)], [when, None])
        ]
