"""How fast pages answer twenty people at once, with a million cases and five million parcels of twenty shops.

The real web process (granian, as `bufa up` starts it) over a real PostgreSQL as the application's role, row-level
security on; real HTTP clients, signed in, each on a connection of its own, that take pages packed as browsers do. Every
person looks at something, thinks for two seconds on average, and goes on: lists with all kinds of filters, the next
page, a case out of it, today, its living part with all counts, parcels, and searches for a waybill, an order, a case
code or the end of a phone; now and then a note. Meanwhile as many pages as one web process serves hold a stream of
events open, and hear of each note.

Afterwards one person alone opens each kind of page again and again: what a page costs in processor time and questions.
"""

from __future__ import annotations

import gzip
import http.client
import os
import random
import re
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client

from bufa.bench import Figure, pages_world, server_cpu_s
from bufa.bench.pages_world import OPEN_IN, PASSWORD, SHOPS, World
from bufa.host.trouble import Trouble
from bufa.host.up import web_arguments

THINK_S = 2.0
MEASURED_S, WARM_UP_S = 90.0, 20.0
P95_MS, P99_MS = 100.0, 250.0
PASTED, PASTED_S = 500, 2.0
STREAMS = 48
ALONE = 20
"""So often each kind of page is opened for what it costs alone."""

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
    world = pages_world.world(scale)
    made_s = time.monotonic() - begun
    timings = Timings()
    seconds = MEASURED_S if scale >= 0.5 else max(45.0 if scale >= 0.01 else 15.0, MEASURED_S * scale)
    with _web() as (port, web):
        stop = threading.Event()
        people = [Person(port, login, timings, world, n) for n, login in enumerate(world.seats)]
        for person in people:  # signing in hashes passwords on purpose slowly, which nobody does every two seconds
            person.sign_in()
        with streams(port, people) as lines:
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
        alone = _alone(world, people[2], web.pid)
        begun_cpu = server_cpu_s() + _cpu_s(web.pid)
        pasted = Pasting(port, next(iter(world.seats)), Timings(), world, 0).work_through(PASTED)
        pasted["cpu_s"] = round(server_cpu_s() + _cpu_s(web.pid) - begun_cpu, 2)
    beside = {"alone": alone, "streams": lines.told(), "pasted": pasted}
    return _figure(world, timings, seconds, made_s, used, beside)


def _figure(
    world: World, timings: Timings, seconds: float, made_s: float, used: tuple[float, float], more: dict[str, Any]
) -> Figure:
    pasted = more["pasted"]
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
        **more,
        "wrong": timings.wrong[:5],
    }
    holds = (
        more["streams"]["open"] == STREAMS
        and pasted["s"] <= PASTED_S
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
            (self.note, 2),
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

    def note(self) -> None:
        if self.cases:
            self.post("note", f"{self.dice.choice(self.cases)}note/", text="客户又来问了一次")

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

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    # --- HTTP -----------------------------------------------------------------------------------------------------
    def get(self, kind: str, address: str, headers: dict[str, str] | None = None) -> bytes:
        return self._ask(kind, "GET", address, headers or {}, None)

    def post(self, kind: str, address: str, **said: str) -> bytes:
        body = urlencode({"csrfmiddlewaretoken": self.token, **said})
        return self._ask(kind, "POST", address, {"Content-Type": "application/x-www-form-urlencoded"}, body)

    def _ask(self, kind: str, method: str, address: str, headers: dict[str, str], body: str | None) -> bytes:
        sent = {"Cookie": self.cookie, "Accept-Encoding": "gzip", **headers}
        begun = time.perf_counter()
        self.http.request(method, address, body, sent)
        answer = self.http.getresponse()
        page = answer.read()
        self.timings.add(kind, (time.perf_counter() - begun) * 1000, answer.status, address)
        if answer.headers["Content-Encoding"] == "gzip":
            page = gzip.decompress(page)
        for given in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = given.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.token = self.cookies.get("csrftoken", self.token)
        if kind == "search" and answer.status == 303:  # one hit: the page goes there by itself
            return self.get("case" if "/cases/" in answer.headers["Location"] else "parcel", answer.headers["Location"])
        return page


class Lines(threading.Thread):
    """Streams of events that are held open, as pages of these people would; whatever comes is counted."""

    def __init__(self, port: int, people: list[Person], count: int) -> None:
        super().__init__(daemon=True)
        self.port, self.events, self.open, self.broken, self.is_over = port, 0, 0, 0, False
        self.chosen = selectors.DefaultSelector()
        self.lines: list[socket.socket] = []
        for n in range(count):
            self._open(people[n % len(people)])

    def _open(self, person: Person) -> None:
        line = socket.create_connection(("127.0.0.1", self.port), 30)
        line.sendall(f"GET /live/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {person.cookie}\r\n\r\n".encode())
        line.setblocking(False)
        self.chosen.register(line, selectors.EVENT_READ, line)
        self.lines.append(line)

    def run(self) -> None:
        while not self.is_over:
            for key, _ in self.chosen.select(0.5):
                line: socket.socket = key.data
                said = line.recv(65536)
                self.events += said.count(b"event: ")
                if not said or b" 204 " in said[:20]:
                    self.broken += 1
                    self.chosen.unregister(line)
                    self.lines.remove(line)
                    line.close()

    def end(self) -> None:
        self.is_over = True
        self.join()
        self.open = len(self.lines)
        for line in self.lines:
            line.close()

    def told(self) -> dict[str, int]:
        return {"open": self.open, "broken": self.broken, "events": self.events}


@contextmanager
def streams(port: int, people: list[Person], count: int = STREAMS) -> Iterator[Lines]:
    """That many streams, shared out among the people, for the length of a block."""
    lines = Lines(port, people, count)
    lines.start()
    try:
        yield lines
    finally:
        lines.end()


def _alone(world: World, person: Person, web: int) -> dict[str, Any]:
    """What one page of each kind costs while nobody else asks: milliseconds of processor time, and questions to the
    database (the most of some pages)."""
    costs: dict[str, dict[str, float]] = {}
    inside = Inside(person)
    person.timings = Timings()
    person.list()
    for kind, look in (("today", person.today), ("counts", person.counts), ("list", person.list),
                       ("case", person.case), ("search", person.search), ("parcels", person.parcels)):  # fmt: skip
        look()
        begun = _cpu_s(web), server_cpu_s()
        for _ in range(ALONE):
            look()
        spent = _cpu_s(web) - begun[0], server_cpu_s() - begun[1]
        names = ("web_ms", "database_ms")
        costs[kind] = {name: round(s * 1000 / ALONE, 1) for name, s in zip(names, spent, strict=True)}
        costs[kind]["questions"] = inside.most(kind)
    return costs


class Inside(Person):
    """The same person, asking the application within this process: what it asks the database can be counted."""

    def __init__(self, other: Person) -> None:
        super().__init__(0, other.login, Timings(), other.world, 7)
        self.client = Client(HTTP_HOST="localhost")
        self.client.force_login(get_user_model().objects.get(username=other.login))
        self.asked = 0

    def most(self, kind: str) -> int:
        """The most questions of some pages of that kind."""
        self.list()
        found = []
        for _ in range(8):
            self.asked = 0
            with connection.execute_wrapper(self._count):
                getattr(self, kind)()
            found.append(self.asked)
        return max(found)

    def _count(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.asked += not re.match(r"BEGIN|COMMIT|SAVEPOINT|RELEASE|ROLLBACK", sql)
        return execute(sql, params, many, context)

    def _ask(self, kind: str, method: str, address: str, headers: dict[str, str], body: str | None) -> bytes:
        if method == "POST":
            kind_of = "application/x-www-form-urlencoded"
            answer = self.client.post(address, body or "", content_type=kind_of)
        else:
            answer = self.client.get(address, headers=headers)
        return bytes(answer.content)


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
