"""A world that was stopped goes on: lived again from its journal, it is the same world at the same moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.simulator.conftest import START, Wire


def _world(folder: Path) -> Wire:
    files = ("--journal", str(folder / "journal.jsonl"), "--ledger", str(folder / "ledger.jsonl"))
    return Wire("--seed", "5", "--start", START, "--orders-per-day", "30", *files)


def _advance(wire: Wire, to: str) -> None:
    assert "now" in wire.control("clock", {"advance_to": to})


def _all(wire: Wire) -> dict[str, Any]:
    """Everything there is to know: counts, and every order with its parcels and what is said about it."""
    numbers = [row["order_id"] for row in wire.control("orders")]
    return {
        "truth": wire.control("truth"),
        "orders": [wire.control(f"orders/{number}") for number in numbers],
        "mails": wire.root("mail.json").json(),
        "sms": wire.root("sms.json").json(),
        "ledger": wire.root("ledger").json(),
    }


def _live(wire: Wire) -> None:
    """Some days with calls of every kind: reads and changes, good and refused ones, trouble, a running clock."""
    wire.sign_in()
    _advance(wire, "2026-03-05T00:00:00+00:00")
    made = wire.control("orders", {"fate": "lost", "carrier": "zhongtong"})
    wire.doudian("order/orderDetail", {"shop_order_id": made["order_id"]})
    wire.control("trouble", {"kind": "60000", "service": "doudian", "times": 1})
    refused = wire.doudian("order/orderDetail", {"shop_order_id": made["order_id"]})
    assert refused["code"] == 60000
    sale = wire.control("after-sales", {"order_id": made["order_id"]})
    agree = {"type": 501, "items": [{"aftersale_id": sale["aftersale_id"]}]}
    wire.doudian("afterSale/operate", agree)
    label = wire.control("waybills", {"order_id": made["order_id"], "carrier": "shunfeng"})
    wire.doudian(
        "afterSale/fillLogistics",
        {
            "aftersale_id": sale["aftersale_id"],
            "send_type": 1,
            "company_code": "shunfeng",
            "tracking_no": label["number"],
        },
    )
    _advance(wire, "2026-03-08T12:00:00+00:00")
    wire.control("clock", {"stepping": False, "speed": 600})
    wire.control("orders", {"fate": "damaged"})
    wire.control("clock", {"stepping": True})


def test_a_world_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    first = _world(tmp_path)
    _live(first)
    before = _all(first)
    first.stop()

    second = _world(tmp_path)
    assert _all(second) == before
    assert second.control("clock")["stepping"] is True
    second.token = first.token
    assert second.doudian("order/orderDetail", {"shop_order_id": before["orders"][0]["order_id"]})["code"] == 10000

    # It stays the same world in what comes, too: an untouched twin is as far after the same days.
    _advance(second, "2026-03-12T00:00:00+00:00")
    after = _all(second)
    second.stop()
    third = _world(tmp_path)
    assert _all(third) == after
    third.stop()


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    first = _world(tmp_path)
    first.sign_in()
    _advance(first, "2026-03-03T00:00:00+00:00")
    before = _all(first)
    first.stop()
    with (tmp_path / "journal.jsonl").open("a", encoding="utf-8") as journal:
        journal.write('{"k":"http","n":1')

    second = _world(tmp_path)
    assert _all(second) == before
    second.stop()
