"""The storm: people press submit while every kind of process is killed. In the end the world's own account decides.

python -m tests.storm.storm [--cases 1000] [--kills 300]
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from bufa.host import processes
from bufa.host.places import find_places
from tests.jobs.conftest import World
from tests.journeys.stack import free_port, wait_for
from tests.storm.cast import PASSWORD
from tests.storm.nemesis import Nemesis

ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]


@dataclass
class Shop:
    """A running Bufa in a folder of its own, beside a world. Its database may be down just when it is asked."""

    world: World
    data: Path
    address: str
    process: subprocess.Popen[bytes]
    env: dict[str, str]
    starting_s: float = 5.0
    shop: int = 0
    logins: list[str] = field(default_factory=list)
    cases: list[Json] = field(default_factory=list)

    def answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(self.address + "/sign-in/", timeout=5, trust_env=False).status_code == 200
        return False

    @property
    def socket(self) -> str:
        return str(json.loads((self.data / "running.json").read_text())["socket"])

    def rows(self, query: str, *, role: str = "bufa_app") -> list[tuple[Any, ...]]:
        for _ in range(300):
            with suppress(psycopg.OperationalError, OSError):
                with psycopg.connect(host=self.socket, user=role, dbname="bufa", autocommit=True) as connection:
                    connection.execute("SELECT set_config('app.shops', %s, false)", [f"{{{self.shop}}}"])
                    cursor = connection.execute(query.encode())
                    return cursor.fetchall() if cursor.description else []
            time.sleep(0.2)
        raise AssertionError("the database did not come back within a minute")

    def cast(self, count: int) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tests.storm.cast", str(count), json.dumps(self.world.hello)],
            env=self.env | {"BUFA_PG_SOCKET": self.socket}, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        told = json.loads(done.stdout.splitlines()[-1])
        self.shop, self.logins, self.cases = told["shop"], told["logins"], told["cases"]

    def empty_queue(self) -> None:
        self.rows("TRUNCATE procrastinate_jobs, procrastinate_events CASCADE", role="bufa_owner")

    def states(self) -> dict[int, str]:
        """Case → state of its newest reissue, for those that have one."""
        query = "SELECT DISTINCT ON (case_id) case_id, state FROM reissues_reissue ORDER BY case_id, id DESC"
        return dict(self.rows(query))  # type: ignore[arg-type]


class Person:
    """Somebody at the desk who tries again when the page does not come."""

    def __init__(self, shop: Shop, login: str) -> None:
        self.shop, self.login = shop, login
        self.http = httpx.Client(base_url=shop.address, timeout=20, trust_env=False)

    def press(self, case: Json, act: str, fields: Json) -> int:
        """Press a button until an answer comes; its status: 303, or 422 for a form that was not taken."""
        until = time.monotonic() + 600
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                if "csrftoken" not in self.http.cookies or "sessionid" not in self.http.cookies:
                    self._sign_in()
                token = {"csrfmiddlewaretoken": self.http.cookies.get("csrftoken", "")}
                answer = self.http.post(f"/cases/{self.shop.shop}/{case['code']}/{act}/", data=fields | token)
                if answer.status_code in (303, 422):
                    return answer.status_code
                if answer.status_code in (302, 403):
                    self.http.cookies.clear()
            time.sleep(0.25)
        raise AssertionError(f"no answer to {act} on {case['code']} within ten minutes")

    def _sign_in(self) -> None:
        self.http.get("/sign-in/")
        said = {"username": self.login, "password": PASSWORD}
        self.http.post("/sign-in/", data=said | {"csrfmiddlewaretoken": self.http.cookies.get("csrftoken", "")})


@contextmanager
def whole_bufa(world: World) -> Iterator[Shop]:
    base = Path(tempfile.mkdtemp(prefix="bufa-storm-"))
    base.chmod(0o711)
    data, port = base / "data", free_port()
    data.mkdir(mode=0o711)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("BUFA_", "DATABASE_"))}
    env |= {
        "BUFA_CLOCK_URL": world.hello["control"] + "/clock",
        "BUFA_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "bufa.config.settings",
        "BUFA_LOG": "error",
    }
    with (base / "up.log").open("w") as log:
        command = [sys.executable, "-m", "tests.storm.up", str(port), str(data)]
        process = processes.start(processes.Program(command, env=env), stdout=log, stderr=log)
    shop, began = Shop(world, data, f"http://127.0.0.1:{port}", process, env), time.monotonic()
    try:
        wait_for(lambda: "Bufa 补发" in (base / "up.log").read_text() or process.poll() is not None, "the desk", 120)
        assert process.poll() is None, (base / "up.log").read_text()[-2000:]
        shop.starting_s = min(30.0, max(2.0, (time.monotonic() - began) / 4))  # of database, preparation, web, worker
        yield shop
    except AssertionError:
        sys.stderr.write((base / "up.log").read_text()[-6000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        home = find_places(data).home
        if not home.is_relative_to(base):
            shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(base, ignore_errors=True)


def storm(cases: int, kills: int, *, pause: tuple[float, float], say: Callable[[str], None], seed: int = 1) -> Json:
    """Run it and return the counts; AssertionError when something was lost, doubled, or left to nobody."""
    world = World(orders_per_day=0)
    try:
        with whole_bufa(world) as shop:
            shop.cast(cases)
            say(f"{cases} cases are ready; the storm begins")
            before = len(_submissions(shop))
            began = time.monotonic()
            nemesis = Nemesis(
                shop.process.pid, kills, pause, shop.empty_queue, lambda kind: _mood(world, kind), shop.answers,
                shop.starting_s, seed,
            )  # fmt: skip
            nemesis.start()
            pressed = _press_all(shop, nemesis)
            while nemesis.is_alive():
                nemesis.join(5)
                say(f"{nemesis.killed.total()} kills, {Counter(shop.states().values())}")
            world.http.delete(world.hello["control"] + "/trouble")
            calm = time.monotonic()
            released = _until_settled(shop, say)
            counts = _account(shop, before)
            return counts | {
                "kills": dict(nemesis.killed), "queue_emptied": nemesis.emptied, "presses": pressed,
                "released_by_a_person": released, "storm_s": round(calm - began),
                "settled_after_s": round(time.monotonic() - calm),
            }  # fmt: skip
    finally:
        world.close()


def _mood(world: World, kind: str) -> None:
    for method in ("afterSale.fillLogistics", "order.uploadextrapackage"):
        wish = {"service": "doudian", "method": method, "kind": kind, "times": 1, "seconds": 2}
        httpx.post(world.hello["control"] + "/trouble", json=wish, timeout=30, trust_env=False)


def _press_all(shop: Shop, nemesis: Nemesis) -> int:
    """Every case is pressed, spread over the storm, and sometimes by two people at once."""
    todo: queue.Queue[Json] = queue.Queue()
    for at, case in enumerate(shop.cases):
        todo.put(case)
        if at % 10 == 0:
            todo.put(case)
    presses: list[int] = []
    mistakes: list[BaseException] = []
    pace = nemesis.kills * sum(nemesis.pause) / 2 / max(len(shop.cases), 1) * len(shop.logins) * 0.4

    def work(login: str) -> None:
        person = Person(shop, login)
        try:
            while True:
                case = todo.get_nowait()
                began = time.monotonic()
                presses.append(person.press(case, "reissue", case["fields"]))
                time.sleep(max(0.0, pace - (time.monotonic() - began)))
        except queue.Empty:
            return
        except AssertionError as mistake:
            mistakes.append(mistake)

    people = [threading.Thread(target=work, args=(login,)) for login in shop.logins]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert not mistakes, mistakes
    return len(presses)


def _until_settled(shop: Shop, say: Callable[[str], None]) -> int:
    """What is unknown for long is looked up at the platform by a person; what is not there is pressed again."""
    person, released = Person(shop, shop.logins[0]), 0
    by_id = {case["id"]: case for case in shop.cases}
    until = time.monotonic() + 600
    while time.monotonic() < until:
        states = shop.states()
        if len(states) == len(by_id) and set(states.values()) == {"accepted"}:
            return released
        for case_id, case in by_id.items():
            state = states.get(case_id)
            if state in (None, "draft", "rejected", "cancelled"):
                person.press(case, "reissue", case["fields"])
        for reissue, case_id in shop.rows(
            "SELECT r.id, r.case_id FROM reissues_reissue r JOIN effects_effect e ON e.id = r.effect_id"
            " WHERE r.state = 'unknown' AND (e.needs_person OR e.reads > 1)"
        ):
            case = by_id[case_id]
            there = case["number"] in _submissions(shop, case["order"])
            said = {"accepted": "1" if there else "0", "reason": "到平台上看过了", "reissue": reissue}
            person.press(case, "release", said)
            released += 1
        say(f"{Counter(states.values())}, {released} released by a person")
        time.sleep(3)
    raise AssertionError(f"not settled 10 minutes after the last kill: {Counter(shop.states().values())}")


def _submissions(shop: Shop, order: str = "") -> list[str]:
    orders = [order] if order else [case["order"] for case in shop.cases]
    return [row["number"] for each in orders for row in shop.world.control(f"orders/{each}")["submissions"]]


def _account(shop: Shop, before: int) -> Json:
    times = Counter(_submissions(shop))
    twice = sorted(number for number, count in times.items() if count > 1)
    lost = sorted(case["number"] for case in shop.cases if case["number"] not in times)
    env = shop.env | {"BUFA_PG_SOCKET": shop.socket}
    told = subprocess.run(
        [sys.executable, "-m", "bufa", "status", "--json"],
        env=env, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    violations = json.loads(told)["violations"]
    assert (before, twice, lost, violations) == (0, [], [], []), (before, twice, lost, violations)
    return {"cases": len(shop.cases), "numbers_once": len(times), "twice": 0, "lost": 0, "violations": 0}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    wished = parser.parse_args()

    def tell(line: str) -> None:
        sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
        sys.stdout.flush()

    tell(json.dumps(storm(wished.cases, wished.kills, pause=(0.8, 2.4), say=tell, seed=wished.seed)))
