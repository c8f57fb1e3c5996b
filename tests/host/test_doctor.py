"""What the doctor says of the shops' connections."""

from __future__ import annotations

import pytest
from django.db import connection

from bufa.apps.shops import actions as shops
from bufa.host import doctor
from bufa.lib.tenancy import for_shops
from tests.factories import make_shop


def said(shop: int) -> list[str]:
    with for_shops([shop]):
        found = [f"{one.what}: {one.says}" for one in doctor._connections(connection.connection)]
    return [line for line in found if line.startswith(f"shop {shop}")]


@pytest.mark.django_db
def test_connections_that_work_fail_or_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUFA_PUBLIC_URL", raising=False)
    shop = make_shop()
    assert said(shop) == [f"shop {shop}: no tracking service: parcels are followed by files only"]
    shops.connect(shop_id=shop, kind="kuaidi100", settings={"customer": "C"}, secrets={"key": "K"})
    assert "never tried" in said(shop)[0]
    shops.set_connection_state(shop_id=shop, kind="kuaidi100", state="failing", error="no_credit 601")
    assert said(shop) == [f"shop {shop}: kuaidi100: failing: no_credit 601"]
    shops.set_connection_state(shop_id=shop, kind="kuaidi100", state="connected")
    assert "set BUFA_PUBLIC_URL, or let it ask" in said(shop)[0]
    monkeypatch.setenv("BUFA_PUBLIC_URL", "https://desk.example")
    assert said(shop) == [f"shop {shop}: kuaidi100: connected; pushes"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("per_hour", "says"),
    [(60, "connected; asked 60 times an hour at most"), (None, "set to ask, without calls an hour")],
)
def test_a_service_that_is_asked_needs_calls(per_hour: int | None, says: str) -> None:
    shop = make_shop()
    kept = {"follow": "ask"} | ({"calls_per_hour": per_hour} if per_hour else {})
    shops.connect(shop_id=shop, kind="17track", settings=kept, secrets={"key": "K"})
    shops.set_connection_state(shop_id=shop, kind="17track", state="connected")
    assert said(shop) == [f"shop {shop}: 17track: {says}"]
