"""How fast pages answer twenty people at once, with a million cases and five million parcels of twenty shops.

The real web process (granian, as `bufa up` starts it) over a real PostgreSQL as the application's role, row-level
security on; real HTTP clients, signed in, each on a connection of its own. Every person looks at something, thinks for
two seconds on average, and goes on: lists with all kinds of filters, the next page, a case out of it, today, its living
part with all counts, parcels, and searches for a waybill, an order, a case code or the end of a phone.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

from django.core.management import call_command

from bufa.bench import Figure, server_cpu_s
from bufa.bench.pages_world import OPEN_IN, PASSWORD, SHOPS, World, make_world
from bufa.host.trouble import Trouble
from bufa.host.up import web_arguments

THINK_S = 2.0
MEASURED_S, WARM_UP_S = 90.0, 20.0
P95_MS, P99_MS = 100.0, 250.0
PASTED, PASTED_S = 500, 2.0

_CSRF = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')
_CASE = re.compile(rb'href="(/cases/\d+/C-[^"/]+/)"')
_PICKED = re.compile(rb'<input type="hidden" name="case" value="([^"]+)"')
_KEY = re.compile(rb'name="key" value="([^"]+)"')
_NEXT = re.compile(rb'href="(\?[^"]*after=[^"]+)"')


@dataclass
class Timings:
    """Milliseconds by what was looked at. Once `on`, everything counts."""

    on: bool = False
    took: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, milliseconds: float, status: int, address: str) -> None:
        with self.lock:
            if status >= 400:
                self.wrong.append(f"{status} {address}")
            if self.on:
                self.took.setdefault(kind, []).append(milliseconds)


def measure(scale: float) -> Figure:
    """The slowest kind of page's 95 % time in milliseconds. `scale` gives the rows; people and thinking stay."""
    begun = time.monotonic()
    world = make_world(scale)
    made_s = time.monotonic() - begun
    timings = Timings()
    seconds = MEASURED_S if scale >= 1 else max(15.0, MEASURED_S * scale)
    with _web() as (port, web):
        stop = threading.Event()
        people = [Person(port, login, timings, world, n) for n, login in enumerate(world.seats)]
        for person in people:  # signing in hashes passwords on purpose slowly, which nobody does every two seconds
            person.sign_in()
        threads = [threading.Thread(target=person.work, args=(stop,), daemon=True) for person in people]
        for thread in threads:
            thread.start()
        stop.wait(min(WARM_UP_S, seconds))
        cpu = server_cpu_s(), _cpu_s(web.pid)
        timings.on = True
        stop.wait(seconds)
        timings.on = False
        used = server_cpu_s() - cpu[0], _cpu_s(web.pid) - cpu[1]
        stop.set()
        for thread in threads:
            thread.join(30)
        begun_cpu = server_cpu_s() + _cpu_s(web.pid)
        pasted = Pasting(port, next(iter(world.seats)), Timings(), world, 0).work_through(PASTED)
        pasted["cpu_s"] = round(server_cpu_s() + _cpu_s(web.pid) - begun_cpu, 2)
    return _figure(world, timings, seconds, made_s, used, pasted)


def _figure(
    world: World, timings: Timings, seconds: float, made_s: float, used: tuple[float, float], pasted: dict[str, Any]
) -> Figure:
    kinds = {kind: (_percent(took, 50), _percent(took, 95), _percent(took, 99)) for kind, took in timings.took.items()}
    if not kinds:
        raise Trouble(f"No page answered; the first that went wrong: {timings.wrong[:3]}")
    answered = sum(map(len, timings.took.values()))
    beside: dict[str, Any] = {
        "p50_p95_p99_ms": {kind: [round(one) for one in three] for kind, three in sorted(kinds.items())},
        "pages": answered,
        "pages_per_s": round(answered / seconds, 1),
        "ms_of_cpu_a_page": {"web": round(used[1] * 1000 / answered), "database": round(used[0] * 1000 / answered)},
        "cases": world.cases,
        "parcels": world.parcels,
        "shops": SHOPS,
        "people": len(world.seats),
        "rows_made_in_s": round(made_s),
        "pasted": pasted,
        "wrong": timings.wrong[:5],
    }
    holds = (
        pasted["s"] <= PASTED_S
        and pasted["done"] == pasted["cases"]
        and not timings.wrong
        and all(p99 <= P99_MS for _, _, p99 in kinds.values())
    )
    return Figure(
        max(p95 for _, p95, _ in kinds.values()), "ms", P95_MS, less_is_better=True, beside=beside, holds=holds
    )


def _percent(took: list[float], share: int) -> float:
    return quantiles(took, n=100, method="inclusive")[share - 1] if len(took) > 1 else took[0]


class Person:
    """Somebody at the desk: one connection, one session, one page after another."""

    def __init__(self, port: int, login: str, timings: Timings, world: World, seed: int) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.login, self.timings, self.world = login, timings, world
        self.shops = world.seats[login]
        self.dice = random.Random(seed)  # noqa: S311 - not a secret
        self.cookies: dict[str, str] = {}
        self.token = ""
        self.cases: list[str] = []
        self.next_page = ""

    def work(self, stop: threading.Event) -> None:
        ways: tuple[tuple[Callable[[], None], int], ...] = (
            (self.today, 15),
            (self.counts, 10),
            (self.list, 25),
            (self.case, 30),
            (self.search, 15),
            (self.parcels, 5),
        )
        while not stop.wait(self.dice.expovariate(1 / THINK_S)):
            self.dice.choices([way for way, _ in ways], [weight for _, weight in ways])[0]()

    def sign_in(self) -> None:
        page = self.get("sign_in", "/sign-in/")
        found = _CSRF.search(page)
        if found is None:
            raise Trouble("The sign-in page has no form.")
        self.token = found[1].decode()
        self.post("sign_in", "/sign-in/", username=self.login, password=PASSWORD)

    def today(self) -> None:
        self.get("today", "/")

    def counts(self) -> None:
        self.get("counts", "/", {"HX-Request": "true"})

    def list(self) -> None:
        address = self.dice.choice((
            "/cases/", "/cases/", "/cases/?step=determine", "/cases/?step=number", "/cases/?overdue=1",
            "/cases/?owner=me", "/cases/?owner=none", "/cases/?state=closed", "/cases/?state=all",
            "/cases/?carrier=yunda", f"/cases/?text=69{self._some_case():014d}"[:-2], f"/cases/{self.next_page}",
        ))  # fmt: skip
        page = self.get("list", address)
        self.cases = [found.decode() for found in _CASE.findall(page)] or self.cases
        found = _NEXT.search(page)
        self.next_page = found[1].decode().replace("&amp;", "&") if found else ""

    def case(self) -> None:
        if not self.cases:
            self.list()
            return
        self.get("case", self.dice.choice(self.cases))

    def search(self) -> None:
        number = self._some_case()
        text = self.dice.choice(
            (f"78{number:012d}", f"69{number:014d}", f"{number % 9973:04d}", f"78{number:012d}"[:9])
        )
        page = self.post("search", "/find/", q=text)
        if b"<h1" not in page and page:
            self.timings.wrong.append(f"search {text}")

    def parcels(self) -> None:
        self.get("parcels", self.dice.choice(("/parcels/", "/parcels/?view=all", "/parcels/?view=all&stage=delivered")))

    def _some_case(self) -> int:
        """The number of a case in one of our shops."""
        shop = self.world.shops.index(self.dice.choice(self.shops))
        return shop + SHOPS * self.dice.randrange(self.world.cases // SHOPS)

    # --- HTTP -----------------------------------------------------------------------------------------------------
    def get(self, kind: str, address: str, headers: dict[str, str] | None = None) -> bytes:
        return self._ask(kind, "GET", address, headers or {}, None)

    def post(self, kind: str, address: str, **said: str) -> bytes:
        body = urlencode({"csrfmiddlewaretoken": self.token, **said})
        return self._ask(kind, "POST", address, {"Content-Type": "application/x-www-form-urlencoded"}, body)

    def _ask(self, kind: str, method: str, address: str, headers: dict[str, str], body: str | None) -> bytes:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        begun = time.perf_counter()
        self.http.request(method, address, body, sent)
        answer = self.http.getresponse()
        page = answer.read()
        self.timings.add(kind, (time.perf_counter() - begun) * 1000, answer.status, address)
        for given in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = given.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.token = self.cookies.get("csrftoken", self.token)
        if kind == "search" and answer.status == 303:  # one hit: the page goes there by itself
            return self.get("case" if "/cases/" in answer.headers["Location"] else "parcel", answer.headers["Location"])
        return page


class Pasting(Person):
    """Somebody who pastes a heap of numbers and writes a note to all its cases."""

    def work_through(self, count: int) -> dict[str, Any]:
        """Find, look through, do: three posts and the page that says how it ended."""
        self.sign_in()
        self.get("numbers", "/cases/numbers/")
        begun = time.perf_counter()
        mine = [n for n in range(0, self.world.cases, SHOPS * OPEN_IN) for n in range(n, n + SHOPS)][:count]
        page = self.post("numbers", "/cases/numbers/", numbers="\n".join(f"78{n:012d}" for n in mine))
        found_s = time.perf_counter() - begun
        picked = [found.decode() for found in _PICKED.findall(page)]
        key = _KEY.search(page)
        if key is None:
            raise Trouble("The page of pasted numbers offers nothing to do.")
        run = key[1].decode()
        said = {"key": run, "act": "note", "owner": "me", "until": "scan", "measure": "chase", "reason": "催一下"}
        body = urlencode([("csrfmiddlewaretoken", self.token), *said.items(), *(("case", each) for each in picked)])
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self._ask("many", "POST", "/cases/many/", form, body)
        self.post("many", f"/cases/runs/{run}/start/")
        page = self.get("many", f"/cases/runs/{run}/")
        took = time.perf_counter() - begun
        done = re.search(r"(\d+) 个里 (\d+) 个", page.decode())
        return {
            "numbers": len(mine),
            "cases": len(picked),
            "done": int(done[2]) if done else 0,
            "found_s": round(found_s, 2),
            "s": round(took, 2),
        }


@contextmanager
def _web() -> Any:
    """The web process as `bufa up` starts it, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    call_command("collectstatic", verbosity=0, interactive=False)
    env = {**os.environ, "BUFA_ADDRESS": f"http://127.0.0.1:{port}"}
    web = subprocess.Popen([sys.executable, *web_arguments("127.0.0.1", port)], env=env)
    try:
        _wait_for(port, web)
        yield port, web
    finally:
        web.terminate()
        web.wait(20)


def _wait_for(port: int, web: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if web.poll() is not None:
            raise Trouble(f"The web process ended with {web.returncode}.")
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=5).request("GET", "/sign-in/")
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise Trouble("The web process does not answer.")


def _cpu_s(pid: int) -> float:
    """Processor seconds of a process and its children; 0.0 where the system does not tell."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # gone meanwhile
        if str(pid) in (stat.parent.name, fields[1]):
            ticks += sum(int(each) for each in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")
