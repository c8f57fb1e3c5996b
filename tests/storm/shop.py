"""A whole Bufa for people (and for who kills its processes): desk, workers and database in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
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
from tests.factories import clusters
from tests.jobs.conftest import World
from tests.journeys.stack import free_port, wait_for
from tests.storm.cast import PASSWORD

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

    def submissions(self, order: str = "") -> list[str]:
        """Every number that the platform took, by its own account, for one order or all."""
        orders = [order] if order else [case["order"] for case in self.cases]
        return [row["number"] for each in orders for row in self.world.control(f"orders/{each}")["submissions"]]

    def look_up(self, person: Person) -> int:
        """What is unknown for long is looked up at the platform by a person, who says what is there; how many."""
        by_id = {case["id"]: case for case in self.cases}
        unknown = self.rows(
            "SELECT r.id, r.case_id FROM reissues_reissue r JOIN effects_effect e ON e.id = r.effect_id"
            " WHERE r.state = 'unknown' AND (e.needs_person OR e.reads > 1)"
        )
        for reissue, case_id in unknown:
            case = by_id[case_id]
            there = case["number"] in self.submissions(case["order"])
            said = {"accepted": "1" if there else "0", "reason": "到平台上看过了", "reissue": reissue}
            person.press(case, "release", said)
        return len(unknown)

    def account(self, before: int) -> Json:
        """The world's own account in the end: each number once; AssertionError where it is not so."""
        times = Counter(self.submissions())
        twice = sorted(number for number, count in times.items() if count > 1)
        lost = sorted(case["number"] for case in self.cases if case["number"] not in times)
        told = subprocess.run(
            [sys.executable, "-m", "bufa", "status", "--json"],
            env=self.env | {"BUFA_PG_SOCKET": self.socket},
            cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
        ).stdout  # fmt: skip
        violations = json.loads(told)["violations"]
        assert (before, twice, lost, violations) == (0, [], [], []), (before, twice, lost, violations)
        return {"cases": len(self.cases), "numbers_once": len(times), "twice": 0, "lost": 0, "violations": 0}

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
        """Press a button of a case; its status: 303, or 422 for a form that was not taken."""
        return self.post(f"/cases/{self.shop.shop}/{case['code']}/{act}/", fields).status_code

    def post(self, path: str, fields: Json, files: Json | None = None) -> httpx.Response:
        """Send a form until an answer comes that was meant for it."""
        return self._ask(lambda: self.http.post(path, data=fields | self._token(), files=files), path, (303, 422))

    def get(self, path: str) -> httpx.Response:
        return self._ask(lambda: self.http.get(path), path, (200,))

    def _ask(self, ask: Callable[[], httpx.Response], path: str, wanted: tuple[int, ...]) -> httpx.Response:
        until = time.monotonic() + 600
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                if "csrftoken" not in self.http.cookies or "sessionid" not in self.http.cookies:
                    self._sign_in()
                answer = ask()
                if answer.status_code in wanted:
                    return answer
                if answer.status_code in (302, 403):
                    self.http.cookies.clear()
            time.sleep(0.25)
        raise AssertionError(f"no answer from {path} within ten minutes")

    def _token(self) -> Json:
        return {"csrfmiddlewaretoken": self.http.cookies.get("csrftoken", "")}

    def _sign_in(self) -> None:
        self.http.get("/sign-in/")
        said = {"username": self.login, "password": PASSWORD}
        self.http.post("/sign-in/", data=said | {"csrfmiddlewaretoken": self.http.cookies.get("csrftoken", "")})


@contextmanager
def whole_bufa(world: World) -> Iterator[Shop]:
    base = Path(tempfile.mkdtemp(prefix="bufa-storm-"))
    base.chmod(0o711)
    data, port = base / "data", free_port()
    clusters.give(data)
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
