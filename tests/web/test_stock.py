"""The shelf's page: counts are seen by all, put right by some, with a reason."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from django.test import Client

from bufa.apps.audit.models import AuditEntry
from bufa.apps.shops import stock
from bufa.apps.shops.stock import Goods
from bufa.lib.tenancy import for_shops
from tests.factories import NOW
from tests.factories.sample import Sample

CUP = Goods("178001", "保温杯", "红色")


def test_goods_are_added_found_and_put_right(sample: Sample, signed_in: Callable[[str], Client]) -> None:
    client = signed_in("warehouse")
    assert "还没有登记库存" in client.get("/stock/").content.decode()
    answer = client.post("/stock/", {"title": "保温杯", "spec": "红色", "sku": "178001", "on_hand": "5"})
    assert answer.status_code == 303
    [row] = stock.rows([sample.shop_id])
    assert (row.title, row.spec, row.sku, row.on_hand, row.counted_by) == ("保温杯", "红色", "178001", 5, "warehouse")
    assert client.post("/stock/", {"item": row.item_id, "on_hand": "4", "reason": " "}).status_code == 422
    assert client.post("/stock/", {"item": row.item_id, "on_hand": "4", "reason": "破损一件"}).status_code == 303
    with for_shops([sample.shop_id]):
        last = AuditEntry.objects.filter(action="stock.count").latest("seq")
    assert (last.by, last.data) == ("warehouse", {"on_hand": 4, "was": 5, "reason": "破损一件"})
    page = client.get("/stock/?text=保温").content.decode()
    assert "现在有 4 件" in page
    assert "没有这样的商品" in client.get("/stock/?text=台灯").content.decode()


def undo_of(client: Client) -> dict[str, str]:
    """The fields of the last message's undo button."""
    page = client.get("/stock/").content.decode()
    form = page[: page.rindex("data-undo")].rpartition("<form")[2]
    assert 'action="/stock/"' in form
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found if name not in ("csrfmiddlewaretoken", "next")}


def test_a_count_is_taken_back_and_so_are_goods_that_were_added(sample: Sample, owner: Client) -> None:
    owner.post("/stock/", {"title": "保温杯", "on_hand": "5", "shelf": "A-1"})
    [row] = stock.rows([sample.shop_id])
    taken_off = undo_of(owner)
    assert taken_off == {"item": str(row.item_id), "remove": "1"}
    owner.post("/stock/", {"item": row.item_id, "on_hand": "9", "shelf": "B-2", "reason": "盘点"})
    owner.post("/stock/", undo_of(owner))
    [again] = stock.rows([sample.shop_id])
    assert (again.on_hand, again.shelf) == (5, "A-1")
    # Counting goods by name that are there already puts their old count back.
    owner.post("/stock/", {"title": "保温杯", "on_hand": "7"})
    assert undo_of(owner)["on_hand"] == "5"
    owner.post("/stock/", taken_off)
    assert stock.rows([sample.shop_id]) == []
    kept = stock.count(shop_id=sample.shop_id, goods=CUP, on_hand=5, by="chen", now=NOW)
    stock.reserve(shop_id=sample.shop_id, subject="reissue:1", wanted={CUP: 2}, now=NOW)
    answer = owner.post("/stock/", {"item": kept.item_id, "remove": "1"}, follow=True)
    assert "不能从库存里去掉" in answer.content.decode()
    assert len(stock.rows([sample.shop_id])) == 1


def test_a_count_below_what_is_promised_says_so(sample: Sample, owner: Client) -> None:
    row = stock.count(shop_id=sample.shop_id, goods=CUP, on_hand=5, by="chen", now=NOW)
    stock.reserve(shop_id=sample.shop_id, subject="reissue:1", wanted={CUP: 2}, now=NOW)
    answer = owner.post("/stock/", {"item": row.item_id, "on_hand": "1", "reason": "盘点"}, follow=True)
    assert "2 件已留给补发" in answer.content.decode()
    assert stock.rows([sample.shop_id])[0].on_hand == 5


def test_an_agent_sees_and_does_not_change(sample: Sample, signed_in: Callable[[str], Client]) -> None:
    row = stock.count(shop_id=sample.shop_id, goods=CUP, on_hand=5, by="chen", now=NOW)
    client = signed_in("agent")
    assert "保温杯" in client.get("/stock/").content.decode()
    client.post("/stock/", {"item": row.item_id, "on_hand": "9", "reason": "盘点"})
    assert stock.rows([sample.shop_id])[0].on_hand == 5
