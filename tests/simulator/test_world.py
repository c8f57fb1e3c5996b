"""The world as a whole: its clock, its pushes, its mails, its trouble, and that chance is bound to the seed."""

from __future__ import annotations

import asyncio
import json
import smtplib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.clock import HOUR, Clock, between_hours, parse_iso
from simulator.control import order_truth, truth
from simulator.doudian.signing import event_sign
from simulator.sim import Sim
from tests.simulator.conftest import START, Ear, Wire
from tests.simulator.test_gateway import order, said


def run(seed: int, days: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    async def go() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        sim = Sim(seed=seed, clock=Clock(parse_iso(START), stepping=True))
        for _ in range(days * 6):
            await sim.advance(sim.clock.now() + 4 * HOUR)
        found = truth(sim), [order_truth(sim, o) for o in sim.world.orders.values()]
        await sim.close()
        return found

    # In a thread of its own: a browser test of this process may have left an event loop in the main one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, go()).result()


def test_the_same_seed_is_the_same_world() -> None:
    one, two, other = run(3, 8), run(3, 8), run(4, 8)
    assert one == two
    assert one[1] != other[1]


def test_three_weeks_have_every_kind_of_parcel() -> None:
    counts, orders = run(1, 21)
    assert 1100 < counts["orders"]["total"] < 1450
    assert len(counts["parcels"]["by_fate"]) == 16
    fine = counts["parcels"]["by_fate"]["delivered"] / counts["parcels"]["total"]
    assert 0.77 < fine < 0.87
    assert counts["aftersales"]["by_type"]["7"] > 20
    assert len({o["carrier"] for o in orders}) == 8
    numbers = [p["number"] for o in orders for p in o["parcels"]]
    assert len(set(numbers)) == len(numbers)


def test_running_clock_moves_at_its_speed() -> None:
    clock = Clock(1000, speed=1000)
    time.sleep(0.02)
    assert 1015 <= clock.now() < 2000
    clock.change(stepping=True)
    stood = clock.now()
    clock.set(stood - 50)
    assert clock.now() == stood
    night = parse_iso("2026-03-02T20:00:00Z")
    assert between_hours(night, 8, 21, 60) == parse_iso("2026-03-03T00:01:00Z")


def test_control_of_the_clock(wire: Wire) -> None:
    assert wire.control("clock") == {"now": START, "speed": 1.0, "stepping": True}
    assert wire.advance(2) == {"now": "2026-03-02T02:00:00+00:00", "pushes": 0, "failed": 0}
    assert "error" in wire.control("clock", {"advance_to": START})
    running = wire.control("clock", {"stepping": False, "speed": 30})
    assert (running["stepping"], running["speed"]) == (False, 30.0)
    assert "error" in wire.control("clock", {"advance_to": "2026-04-01T00:00:00Z"})
    assert datetime.fromisoformat(wire.now()) >= datetime.fromisoformat(running["now"])
    assert "error" in wire.control("clock", {"speed": 0})


def test_push_probe_signature_retry_and_tags(wire: Wire, ear: Ear) -> None:
    ear.deaf = True
    assert wire.control("push", {"url": f"{ear.url}/doudian"})["registered"] is False
    ear.deaf = False
    assert wire.control("push", {"url": f"{ear.url}/doudian"})["registered"] is True
    probe = json.loads(ear.heard[-1]["body"])
    assert (probe[0]["tag"], probe[0]["msg_id"]) == ("0", "0")
    ear.deaf = True
    made = order(wire)
    assert wire.advance(0.01)["failed"] == 1
    ear.deaf = False
    assert wire.advance(0.1)["pushes"] >= 1
    row = ear.heard[-1]
    shop = wire.hello["doudian"]
    body = row["body"].decode()
    assert row["headers"]["event-sign"] == event_sign(shop["app_key"], shop["app_secret"], body)
    assert row["headers"]["app-id"] == shop["app_key"]
    messages = json.loads(body)
    assert [m["tag"] for m in messages] == ["100", "101", "110", "102"]
    shipped = json.loads(messages[3]["data"])
    assert (shipped["p_id"], shipped["logistics_msg"]["logistics_code"]) == (int(made["order_id"]), made["number"])
    wire.control("trouble", {"service": "doudian", "method": "push", "kind": "repeat_push"})
    wire.control("after-sales", {"order_id": made["order_id"], "type": 7})
    wire.advance(0.01)
    twice = [m["msg_id"] for m in json.loads(ear.heard[-1]["body"])]
    assert len(twice) == 2
    assert twice[0] == twice[1]


def test_trouble_on_the_line(wire: Wire) -> None:
    def ask(kind: str, seconds: float = 0.1) -> dict[str, Any]:
        wire.control("trouble", {"service": "doudian", "kind": kind, "times": 1, "seconds": seconds})
        return wire.doudian("order/logisticsCompanyList", {})

    before = time.monotonic()
    assert said(ask("slow", 0.3))[0] == 10000
    assert time.monotonic() - before >= 0.3
    for kind in ("cut", "reply_lost"):
        with pytest.raises(httpx.TransportError):
            ask(kind)
    with pytest.raises(AssertionError):
        ask("http500")
    made = order(wire, fate="lost", customer="silent")
    sub = wire.control(f"orders/{made['order_id']}")["lines"][0]["sub_id"]
    number = wire.control("waybills", {"carrier": "jd", "order_id": made["order_id"]})["number"]
    given = {
        "shop_order_id": made["order_id"],
        "product_orders": [{"product_order_id": sub, "product_count": 1}],
        "tracking_no": number,
        "company_code": "jd",
    }
    wire.control("trouble", {"service": "doudian", "kind": "reply_lost"})
    with pytest.raises(httpx.TransportError):
        wire.doudian("order/uploadextrapackage", given)
    assert len(wire.control(f"orders/{made['order_id']}")["submissions"]) == 1
    wire.control("trouble", {"service": "doudian", "kind": "cut"})
    with pytest.raises(httpx.TransportError):
        wire.doudian("order/uploadextrapackage", given)
    assert len(wire.control(f"orders/{made['order_id']}")["submissions"]) == 1
    wire.control("trouble", {"service": "kdniao", "kind": "slow", "times": 3})
    assert wire.control("trouble", method="DELETE")["standing"] == []
    assert "error" in wire.control("trouble", {"kind": "earthquake"})


def post(wire: Wire, to: str, subject: str, text: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "desk@shop.example", to, subject
    mail["Message-ID"] = "<m1@shop.example>"
    mail.set_content(text)
    with smtplib.SMTP(wire.hello["smtp"]["host"], wire.hello["smtp"]["port"], timeout=5) as line:
        line.send_message(mail)


def test_carriers_answer_by_mail(wire: Wire) -> None:
    made = order(wire, fate="lost", customer="silent", carrier_answer="consent")
    address = wire.hello["carriers"]["yuantong"]["email"]
    post(wire, address, f"补发申请 {made['number']}", "运单停滞，请核实并同意补发。")
    wire.advance(48)
    boxes = wire.root("mail.json").json()
    assert [m["box"] for m in boxes] == [address, "desk@shop.example"]
    answer = boxes[1]
    assert (answer["sender"], answer["in_reply_to"]) == (address, "<m1@shop.example>")
    assert "同意补发" in answer["text"]
    assert made["number"] in answer["text"]
    row = wire.root("ledger?service=smtp").json()[0]
    assert row["to"] == [address]
    assert "补发申请" in wire.root("mail").text
    post(wire, "buyer@home.example", "补发通知", "您好")
    assert wire.root("mail.json?box=buyer@home.example").json()[0]["text"].strip() == "您好"
    wire.control("trouble", {"service": "smtp", "kind": "20000"})
    with pytest.raises(smtplib.SMTPDataError):
        post(wire, address, "x", "y")


@pytest.mark.parametrize(
    ("manner", "words"), [("refuse", ["暂不符合"]), ("silent", []), ("checking", ["核实", "同意"])]
)
def test_carriers_manners(wire: Wire, manner: str, words: list[str]) -> None:
    made = order(wire, fate="lost", customer="silent", carrier_answer=manner)
    post(wire, wire.hello["carriers"]["yuantong"]["email"], made["number"], "请核实")
    wire.advance(96)
    texts = [m["text"] for m in wire.root("mail.json?box=desk@shop.example").json()]
    assert len(texts) == len(words)
    assert all(word in text for word, text in zip(words, texts, strict=True))


def test_pages_show_the_world(wire: Wire) -> None:
    made = order(wire, fate="lost")
    assert made["order_id"] in wire.root("world").text
    assert "面单台" in wire.root("world/labels").text
    url = wire.hello["world"] + "/labels"
    given = wire.client.post(url, data={"order_id": made["order_id"], "carrier": "jd"})
    assert given.headers["location"].startswith("/world/labels?m=JD")
    assert wire.client.post(url, data={"order_id": "1", "carrier": "jd"}).status_code == 400
    assert wire.root("world/sms").status_code == 200
    assert "error" in wire.control("orders", {"fate": "unheard"})
    assert set(wire.control("fates")) >= {"delivered", "lost", "damaged", "revived"}


def test_the_program_says_one_line_and_ends_on_a_signal(tmp_path: Path) -> None:
    book = tmp_path / "ledger.jsonl"
    command = [sys.executable, "-m", "simulator", "--stepping", "--ledger", str(book)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        hello = json.loads(process.stdout.readline())
        assert set(hello) >= {"doudian", "kuaidi100", "kdniao", "smtp", "carriers", "sms", "control", "ledger", "mail"}
        assert hello["doudian"]["shop_name"] == "青禾鲜果旗舰店"
        port = hello["control"].split(":")[2].split("/")[0]
        second = subprocess.run([*command, "--port", port], capture_output=True, text=True, timeout=20, check=False)
        assert (second.returncode, second.stdout) == (1, "")
        assert "is not free" in second.stderr
        httpx.post(hello["kdniao"]["base_url"], content=b"RequestType=1002", trust_env=False)
        before = time.monotonic()
        process.terminate()
        assert process.wait(5) == 0
        assert time.monotonic() - before < 2
        assert process.stdout.read() == ""
    assert json.loads(book.read_text(encoding="utf-8"))["method"] == "1002"


@pytest.mark.slow
def test_three_weeks_with_pushes_go_through_fast(ear: Ear) -> None:
    """By the processor time that it costs: how long it takes hangs on whoever else uses the machine."""
    world = Wire("--start", START, "--seed", "1")
    before = time.process_time()
    world.control("push", {"url": f"{ear.url}/doudian"})
    for _ in range(21 * 8):
        done = world.advance(3)
        assert done["failed"] == 0
    assert world.control("truth")["pushes"]["sent"] > 700
    assert time.process_time() - before < 20
    assert world.stop() == 0
