"""What the database itself refuses about effects, whatever the code above it does; and one wish from many hands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from bufa.apps.effects import actions as effects
from bufa.apps.effects.models import Attempt, Effect
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, make_shop


def make(shop: int, key: str, **more: Any) -> Effect:
    base: dict[str, Any] = {"kind": "resend", "subject": "reissue:1", "intent": b"", "asked_by": "周", "asked_at": NOW}
    return Effect.objects.create(shop_id=shop, key=key, **{**base, **more})


def refused(shop: int, **more: Any) -> str:
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        make(shop, **more)
    return str(caught.value.__cause__.diag.constraint_name)  # type: ignore[union-attr]


@pytest.mark.django_db
def test_a_key_names_one_effect_for_ever() -> None:
    shop, other = make_shop(), make_shop()
    with for_shops([shop, other]):
        make(shop, "reissue:1", state="cancelled", settled_at=NOW)
        assert refused(shop, key="reissue:1") == "effect_once"
        make(other, "reissue:1")


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_one_at_a_time_per_order(state: str) -> None:
    shop = make_shop()
    with for_shops([shop]):
        make(shop, "a", lane="order:1", state=state)
        assert refused(shop, key="b", lane="order:1", state="sending") == "effect_one_at_a_time_per_lane"
        make(shop, "c", lane="order:1", state="ready")
        make(shop, "d", lane="order:2", state="sending")


@pytest.mark.django_db
def test_an_attempt_is_made_once() -> None:
    shop = make_shop()
    with for_shops([shop]):
        effect = make(shop, "a")
        Attempt.objects.create(shop_id=shop, effect=effect, number=1, request_id="1", started_at=NOW)
        with pytest.raises(IntegrityError), transaction.atomic():
            Attempt.objects.create(shop_id=shop, effect=effect, number=1, request_id="2", started_at=NOW)


@pytest.mark.django_db(transaction=True)
def test_one_wish_from_64_hands_is_one_effect_and_one_attempt() -> None:
    """64 threads want the same and then all try to begin it: one row, and one of them may send."""
    shop, hands = make_shop(), 64
    together = Barrier(hands)

    def press(_: int) -> tuple[int, bool]:
        try:
            with clock.frozen(NOW):
                together.wait(60)
                wish: dict[str, Any] = {"kind": "resend", "key": "once", "subject": "reissue:1", "intent": {"n": 1}}
                effect_id = effects.want(shop_id=shop, by="周", lane="order:1", **wish)
                return effect_id, effects.begin(shop_id=shop, effect_id=effect_id) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(hands) as pool:
        pressed = list(pool.map(press, range(hands)))
    assert len({effect_id for effect_id, _ in pressed}) == 1
    assert sum(began for _, began in pressed) == 1
    with for_shops([shop]):
        assert list(Effect.objects.values_list("key", "state", "attempt")) == [("once", "sending", 1)]
        assert Attempt.objects.count() == 1
