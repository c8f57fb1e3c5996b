"""`bufa up --demo` as a stranger runs it: a shop with a past, and the same shop after a second start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.factories import clusters

pytestmark = [pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
ENV = {name: value for name, value in os.environ.items() if not name.startswith(("BUFA_", "DJANGO_", "DATABASE_"))}
DAYS = "5"
PATIENCE_S = 180


@contextmanager
def running(data: Path, port: int) -> Iterator[str]:
    """Bufa with its sample shop, until its history is done; yields what it said."""
    log = data.parent / "up.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "bufa", "up", "--demo", "--port", str(port), "--data", str(data)],
            env={**ENV, "BUFA_DEMO_DAYS": DAYS, "BUFA_DEMO_SPEED": "0.001"},
            cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + PATIENCE_S
        while "密码都是" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield log.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def status(data: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bufa", "status", "--json", "--data", str(data)]
    done = subprocess.run(command, env=ENV, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def world(data: Path, path: str) -> Any:
    """What the outside world knows: its control panel is named in running.json."""
    said = json.loads(json.loads((data / "running.json").read_text())["simulator"])
    return httpx.get(said["control"].removesuffix("/control") + path, trust_env=False).raise_for_status().json()


def accepted(report: dict[str, Any], *kinds: str) -> int:
    return sum(report["effects"].get(f"{kind}.accepted", 0) for kind in kinds)


def settled(data: Path) -> dict[str, Any]:
    """The state once worker and sweeper have found nothing left to do."""
    until = time.monotonic() + 60
    while (report := status(data))["inbox"].get("new"):
        assert time.monotonic() < until, report["inbox"]
        time.sleep(0.5)
    return report


def agree(report: dict[str, Any], there: dict[str, Any]) -> None:
    assert report["violations"] == []
    assert report["totals"]["orders"] == there["orders"]["total"] > 50
    not_sent = sum(report["parcels"].get(stage, 0) for stage in ("unshipped", "cancelled"))
    assert report["parcels_by_role"]["original"] - not_sent == there["parcels"]["original"]
    assert accepted(report, "resend", "extra_package") == sum(there["submissions"].values())
    tried = 1  # connecting the mailbox sent one line to ourselves
    assert accepted(report, "carrier_mail", "customer_mail") + tried == there["mails"]["received"] > tried
    assert accepted(report, "platform_sms") == there["sms"]["total"]


def test_a_sample_shop_has_a_past_and_keeps_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    clusters.give(data)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])

    with running(data, port) as said:
        assert f"历史 第 {DAYS}/{DAYS} 天" in said
        report, there = settled(data), world(data, "/control/truth")
        agree(report, there)
        assert sum(report["findings"].values()) > 0
        assert report["totals"]["cases"] > 0
        numbers = {row["order_id"] for row in world(data, "/control/orders")}
        assert httpx.get(f"http://127.0.0.1:{port}/sign-in/", trust_env=False).status_code == 200

    with running(data, port) as said:
        assert "历史" not in said
        again, kept = settled(data), world(data, "/control/truth")
        agree(again, kept)
        assert kept["now"] >= there["now"]
        assert {row["order_id"] for row in world(data, "/control/orders")} >= numbers
        for name in ("orders", "parcels", "sms", "submissions", "mails", "aftersales"):
            assert kept[name] == there[name], name
        assert again["shops"] == 1
        assert again["totals"]["cases"] == report["totals"]["cases"]
