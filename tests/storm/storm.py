"""The storm: people press submit while every kind of process is killed. In the end the world's own account decides.

python -m tests.storm.storm [--cases 1000] [--kills 300] [--keep]
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable

import httpx

from tests import proofs
from tests.jobs.conftest import World
from tests.storm.nemesis import Nemesis
from tests.storm.shop import Json, Person, Shop, whole_bufa

STANDSTILL_S = 600
"""How long it may take from one settled submission to the next once nothing is killed any more."""


def storm(cases: int, kills: int, *, pause: tuple[float, float], say: Callable[[str], None], seed: int = 1) -> Json:
    """Run it and return the counts; AssertionError when something was lost, doubled, or left to nobody."""
    world = World(orders_per_day=0)
    try:
        with whole_bufa(world) as shop:
            shop.cast(cases)
            say(f"{cases} cases are ready; the storm begins")
            before = len(shop.submissions())
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
            counts = shop.account(before)
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
    most, until = 0, time.monotonic() + STANDSTILL_S
    while time.monotonic() < until:
        states = shop.states()
        if (settled := Counter(states.values())["accepted"]) > most:
            most, until = settled, time.monotonic() + STANDSTILL_S
        if len(states) == len(by_id) and set(states.values()) == {"accepted"}:
            return released
        for case_id, case in by_id.items():
            state = states.get(case_id)
            if state in (None, "draft", "rejected", "cancelled"):
                person.press(case, "reissue", case["fields"])
        released += shop.look_up(person)
        say(f"{Counter(states.values())}, {released} released by a person")
        time.sleep(3)
    raise AssertionError(f"nothing more was settled for ten minutes: {Counter(shop.states().values())}")


if __name__ == "__main__":
    wished = proofs.wishes(cases=1000, kills=300, seed=1)
    done = storm(wished.cases, wished.kills, pause=(0.8, 2.4), say=proofs.tell, seed=wished.seed)
    proofs.close("storm", done, keep=wished.keep)
