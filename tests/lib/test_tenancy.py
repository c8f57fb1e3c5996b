"""No context, no rows; the wrong shop, refused; nested, only narrower."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from bufa.apps.shops.models import Member, Operator, Roster, Shop
from bufa.lib.tenancy import OutOfReach, at_once, current_shops, for_operator, for_shops

AT = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def a_shop(shop_id: int) -> None:
    Roster.objects.get_or_create(shop_id=shop_id)
    with for_shops([shop_id]):
        Shop.objects.create(id=shop_id, name=f"店{shop_id}", created_at=AT)


def seen() -> list[int]:
    return list(Shop.objects.order_by("id").values_list("id", flat=True))


def test_outside_of_any_shop_there_are_no_rows() -> None:
    a_shop(1)
    assert current_shops() is None
    assert seen() == []


def test_each_sees_only_the_shops_it_named() -> None:
    a_shop(1)
    a_shop(2)
    with for_shops([1]):
        assert seen() == [1]
    with for_shops([1, 2]):
        assert seen() == [1, 2]
    with for_shops([]):
        assert seen() == []
    assert seen() == []


def test_a_row_of_another_shop_is_refused_by_the_database() -> None:
    a_shop(1)
    with pytest.raises(ProgrammingError, match="row-level security"), for_shops([1]):
        Shop.objects.create(id=2, name="别人的店", created_at=AT)
    with for_shops([1, 2]):
        assert seen() == [1]


def test_a_row_cannot_be_moved_to_another_shop() -> None:
    a_shop(1)
    with pytest.raises(ProgrammingError, match="row-level security"), for_shops([1]):
        Shop.objects.filter(id=1).update(id=2)


def test_nested_work_may_narrow_and_comes_back() -> None:
    a_shop(1)
    a_shop(2)
    with for_shops([1, 2]):
        with for_shops([2]):
            assert seen() == [2]
            assert current_shops() == {2}
        assert seen() == [1, 2]
        with pytest.raises(OutOfReach), for_shops([1, 3]):
            pass
        assert seen() == [1, 2]
    assert current_shops() is None


def test_after_an_error_inside_the_outer_shops_are_seen_again() -> None:
    a_shop(1)
    a_shop(2)
    with for_shops([1, 2]):
        with pytest.raises(ZeroDivisionError), for_shops([2]):
            Shop.objects.filter(id=2).update(name="不留")
            _ = 1 // 0
        assert seen() == [1, 2]
        assert current_shops() == {1, 2}
        assert Shop.objects.get(id=2).name == "店2"


@pytest.mark.django_db(transaction=True)
def test_nothing_is_carried_over_to_the_next_use_of_the_connection() -> None:
    a_shop(1)
    after: list[frozenset[int] | None] = []
    with for_shops([1]):
        transaction.on_commit(lambda: after.append(current_shops()))
        assert seen() == [1]
    assert after == [None]
    assert seen() == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.shops', true)")
        assert cursor.fetchone() in ((None,), ("",))


def test_an_operator_reads_their_own_memberships_and_changes_none() -> None:
    a_shop(1)
    a_shop(2)
    alice = Operator.objects.create(username="alice")
    bob = Operator.objects.create(username="bob")
    for shop, operator in ((1, alice), (2, alice), (2, bob)):
        with for_shops([shop]):
            Member.objects.create(shop_id=shop, operator=operator, role="agent")
    with for_operator(alice.id):
        assert sorted(Member.objects.values_list("shop_id", flat=True)) == [1, 2]
        assert Member.objects.update(role="owner") == 0
        with pytest.raises(OutOfReach), for_operator(bob.id):
            pass
    with for_operator(bob.id):
        assert list(Member.objects.values_list("shop_id", flat=True)) == [2]
    assert Member.objects.count() == 0


def test_the_application_owns_nothing_and_bypasses_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("bufa_app", False, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user")
        assert cursor.fetchone() == (0,)


def test_every_table_with_a_shop_is_protected() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND a.attname = 'shop_id' "
            "AND NOT (c.relrowsecurity AND c.relforcerowsecurity) ORDER BY 1"
        )
        # The roster holds the ids of all shops and nothing else: what the sweep and the hooks start from.
        assert [name for (name,) in cursor.fetchall()] == ["shops_roster"]


A_SHOP = (
    b"INSERT INTO shops_shop (id, name, created_at, platform, platform_shop_id, is_demo, policy, next_case,"
    b" next_reissue) VALUES (%s, 'x', now(), 'doudian', '', false, '{}', 1, 1) RETURNING id"
)


@pytest.mark.django_db(transaction=True)
def test_one_statement_at_once_is_committed_sees_its_shops_and_no_other() -> None:
    Roster.objects.get_or_create(shop_id=5)
    assert at_once([5], A_SHOP, [5]) == [(5,)]
    with pytest.raises(ProgrammingError, match="row-level security"):
        at_once([5], A_SHOP, [6])
    assert at_once([6], b"SELECT id FROM shops_shop", []) == []
    assert seen() == []  # nothing of it stays on the connection
    with for_shops([5, 6]):
        assert seen() == [5]


def test_within_a_transaction_the_statement_is_part_of_it() -> None:
    Roster.objects.get_or_create(shop_id=5)
    with pytest.raises(OSError, match="changed our mind"), for_shops([5]):
        assert at_once([5], A_SHOP, [5]) == [(5,)]
        raise OSError("changed our mind")
    with for_shops([5]):
        assert seen() == []
