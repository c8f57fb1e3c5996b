"""Many reissues from a sheet while web, worker and sweeper die: two windows press the same buttons, the platform takes
few calls a second and loses answers, and what is left over goes by the same sheet once more. Each number leaves once.

python -m tests.storm.bulk [--cases 1000] [--kills 24] [--keep]
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import httpx
import python_calamine
import xlsxwriter

from tests import proofs
from tests.jobs.conftest import World
from tests.storm.nemesis import Nemesis
from tests.storm.shop import Json, Person, Shop, whole_bufa

METHODS = ("afterSale.fillLogistics", "order.uploadextrapackage")
MOST_A_SECOND = 4
"""What the platform takes of each method before it answers "too fast"."""
STANDSTILL_S = 600
REASON = "大促漏发，先补上"
KINDS = ("web", "worker", "web", "worker", "sweeper")


def bulk_run(cases: int, kills: int, *, say: Callable[[str], None], seed: int = 1) -> Json:
    """Run it and return the counts; AssertionError when something was lost, doubled, or left to nobody."""
    world = World(orders_per_day=0)
    try:
        with whole_bufa(world) as shop:
            shop.cast(cases)
            before = len(shop.submissions())
            world.control("platform", {"limits": dict.fromkeys(METHODS, MOST_A_SECOND)})
            began = time.monotonic()
            nemesis = _nemesis(shop, kills, cases, seed)
            say(f"{cases} cases are ready; the sheet goes up")
            nemesis.start()
            sheets, released = 0, 0
            while _left(shop):
                run = _through_two_windows(shop, sheets)
                sheets += 1
                released += _until_nothing_moves(shop, run, say)
                assert sheets < 6, Counter(shop.states().values())
            nemesis.enough.set()
            nemesis.join()
            counts = shop.account(before) | _results(shop, cases)
            return counts | {
                "seconds": round(time.monotonic() - began), "kills": dict(nemesis.killed), "sheets": sheets,
                "windows": 2, "queue_emptied": nemesis.emptied, "released_by_a_person": released,
                **_paced(world),
            }  # fmt: skip
    finally:
        world.close()


def _nemesis(shop: Shop, kills: int, cases: int, seed: int) -> Nemesis:
    """Kills spread over the time that the rows take to leave, one every five rows a second."""
    pause = max(1.0, cases / 5 / max(kills, 1))
    return Nemesis(
        shop.process.pid, kills, (pause * 0.5, pause * 1.5), shop.empty_queue,
        lambda kind: _mood(shop.world, kind), shop.answers, shop.starting_s, seed, kinds=KINDS,
    )  # fmt: skip


def _mood(world: World, kind: str) -> None:
    for method in METHODS:
        wish = {"service": "doudian", "method": method, "kind": kind, "times": 1, "seconds": 2}
        httpx.post(world.hello["control"] + "/trouble", json=wish, timeout=30, trust_env=False)


def _left(shop: Shop) -> list[Json]:
    states = shop.states()
    return [case for case in shop.cases if states.get(case["id"]) != "accepted"]


def _through_two_windows(shop: Shop, round_: int) -> str:
    """The whole sheet, uploaded by two people at once (one of them sends the form twice), taken in by all verdicts that
    may go, and started twice by both. Returns the path of the run that was started first."""
    book = _sheet([("案件号", "补发承运商", "补发运单号"), *((c["code"], "中通快递", c["number"]) for c in shop.cases)])
    windows = [Person(shop, login) for login in shop.logins[:2]]
    keys = [f"{round_:04d}{name * 28}" for name in "aab"]
    people = (windows[0], windows[0], windows[1])
    runs = _at_once([lambda p=p, key=key: _upload(p, book, key) for p, key in zip(people, keys, strict=True)])
    assert runs[0] == runs[1] != runs[2], "a form that was sent twice is one run, another sheet is another"
    for run in sorted(set(runs)):
        windows[0].post(f"{run}take/", {"verdict": "punished_later"})
    said = {"override_reason": REASON}
    _at_once([lambda p=each, r=run: p.post(f"{r}start/", said) for run in set(runs) for each in windows])
    return str(runs[0])


def _sheet(rows: list[tuple[str, ...]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False}) as book:
        sheet = book.add_worksheet()
        for at, cells in enumerate(rows):
            sheet.write_row(at, 0, cells)
    return out.getvalue()


def _upload(person: Person, book: bytes, key: str) -> str:
    answer = person.post("/reissues/", {"key": key, "text": ""}, {"file": ("补发.xlsx", book)})
    assert answer.status_code == 303, re.sub(r"<[^>]+>|\s+", " ", answer.text)[-600:]
    return urlsplit(answer.headers["location"]).path


def _at_once(presses: list[Callable[[], Any]]) -> list[Any]:
    """Press all of them at the same moment; their answers, in order."""
    answers: list[Any] = [None] * len(presses)
    mistakes: list[BaseException] = []

    def press(at: int) -> None:
        try:
            answers[at] = presses[at]()
        except AssertionError as mistake:
            mistakes.append(mistake)

    people = [threading.Thread(target=press, args=(at,)) for at in range(len(presses))]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert not mistakes, mistakes
    return answers


def _until_nothing_moves(shop: Shop, run: str, say: Callable[[str], None]) -> int:
    """Wait for every row of all runs; what reading back does not settle is looked up by a person. How many that was."""
    person, released = Person(shop, shop.logins[0]), 0
    most, until = -1, time.monotonic() + STANDSTILL_S
    while time.monotonic() < until:
        waiting = shop.rows("SELECT count(*) FROM reissues_bulkrow WHERE state = 'waiting'")[0][0]
        moving = shop.rows("SELECT count(*) FROM reissues_reissue WHERE state IN ('submitting', 'unknown')")[0][0]
        if not waiting and not moving:
            return released
        states = Counter(shop.states().values())
        if (done := states.total() + states["accepted"]) > most:
            most, until = done, time.monotonic() + STANDSTILL_S
        released += shop.look_up(person)
        assert 'id="bulk"' in person.get(f"{run}rows/").text
        say(f"{waiting} rows wait, {moving} on their way, {states}")
        time.sleep(5)
    raise AssertionError(f"nothing moved for ten minutes: {Counter(shop.states().values())}")


def _results(shop: Shop, cases: int) -> Json:
    """Every row of every run has a result, and over all runs each case was taken exactly once."""
    states = Counter(dict(shop.rows("SELECT state, count(*) FROM reissues_bulkrow GROUP BY 1")))
    assert set(states) <= {"submitted", "failed", "refused", "left_out"}, states
    twice = shop.rows(
        "SELECT count(*) FROM (SELECT case_id FROM reissues_reissue WHERE state = 'accepted'"
        " GROUP BY 1 HAVING count(*) > 1) more"
    )
    effects = shop.rows("SELECT count(*), count(DISTINCT key) FROM effects_effect WHERE subject LIKE 'reissue:%'")
    assert (twice, effects[0][0]) == ([(0,)], effects[0][1])
    person = Person(shop, shop.logins[0])
    (newest,) = shop.rows("SELECT max(id) FROM reissues_bulkrun")
    body = person.get(f"/reissues/{shop.shop}/{newest[0]}/results.xlsx").content
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()
    assert len(rows) == cases + 1
    assert all(row[7] for row in rows[1:]), "a row without a result"
    return {"effects_twice": 0, "rows_with_a_result": sum(states.values())}


def _paced(world: World) -> Json:
    """How fast submissions reached the platform, and how often it said "too fast"."""
    calls = [entry for method in METHODS for entry in world.http.get(world.hello["ledger"], params={"method": method})
             .json()]  # fmt: skip
    walls = sorted(datetime.fromisoformat(entry["wall"]).timestamp() for entry in calls)
    busiest = max((sum(1 for other in walls[at:] if other < wall + 1) for at, wall in enumerate(walls)), default=0)
    gaps = [later - earlier for earlier, later in pairwise(walls)]
    too_fast = sum(entry.get("outcome") == 60000 for entry in calls)
    return {
        "calls": len(calls), "too_fast": too_fast, "most_in_a_second": busiest,
        "median_gap_ms": round(sorted(gaps)[len(gaps) // 2] * 1000) if gaps else 0,
    }  # fmt: skip


if __name__ == "__main__":
    wished = proofs.wishes(cases=1000, kills=24, seed=1)
    done = bulk_run(wished.cases, wished.kills, say=proofs.tell, seed=wished.seed)
    proofs.close("bulk", done, keep=wished.keep)
