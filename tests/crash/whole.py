"""All acts × all ways the platform behaves × every write, with a kill at each: `make crash`.

python -m tests.crash.whole [WORD …] [--resume] [--keep] [--processes N] [--points]

One PostgreSQL serves all; each process has a database of its own (copied from one that was migrated once), a simulated
world and a parent of victims with Bufa loaded, and takes one chain of kills after the other. strace counts the writes
to sockets; where it is missing or not allowed (`--points`), our own points count commits, requests and statements.
Every kill is written down at once, so that `--resume` goes on where a run was cut off and tries again what failed.
"""

from __future__ import annotations

import argparse
import atexit
import json
import logging
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import proofs
from tests.crash.dying import strace_works

ROOT = Path(__file__).resolve().parents[2]
JOURNAL = ROOT / "artefacts" / "crash.jsonl"
AT_ONCE = 48
MOST_FAILURES = 3
"""Of one chain; the rest of it is left out, and named."""

MET = ("bufa", "simulator", "tests/crash", "tests/factories")
"""All that a kill can meet: Bufa, the world, and these tests."""

PLATFORMS = ("answers", "drops_the_answer", "rejects", "hangs")
SUBMISSIONS = ("ticket", "extra_package", "add_pack")
WISHES = ("correct_whole", "correct_package", "label", "refund", "recall")
CHAINS = (
    *(f"click ticket {platform}" for platform in PLATFORMS),
    "click payment answers",
    "worker sheet answers",
    *(f"worker {what} {platform}" for what in (*WISHES, *SUBMISSIONS) for platform in PLATFORMS),
)
"""Long ones first, so that no process ends alone with one."""


@dataclass
class Told:
    """What the journal says of one chain. `bad`: the evidence of each failed write."""

    done: set[int] = field(default_factory=set)
    bad: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    ended: int = 0
    jobs: int = 0
    seconds: float = 0.0

    @property
    def is_whole(self) -> bool:
        return bool(self.ended) and not self.bad

    def to_do(self) -> Iterator[int]:
        """Writes to be killed at: those that failed, then those never reached."""
        yield from sorted(self.bad)
        if not self.ended:
            yield from range(max(self.done | set(self.bad), default=0) + 1, 1_000)


def read_journal(path: Path) -> tuple[str, dict[str, Told]]:
    """The tree's digest, and what was done of each chain; a line that was cut off is no line."""
    told: dict[str, Told] = {name: Told() for name in CHAINS}
    digest = ""
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if "tree" in said:
            digest = said["tree"]
        elif (chain := told.get(said["chain"])) is not None:
            n = said["write"]
            chain.seconds += said["seconds"]
            chain.jobs += said["jobs"]
            chain.bad.pop(n, None)
            if said["bad"]:
                chain.bad[n] = said
            elif said["died"]:
                chain.done.add(n)
            else:
                chain.ended = n
    return digest, told


# --- one process ------------------------------------------------------------------------------------------------------


def work(chains: Sequence[str], claims: Path, *, by_strace: bool) -> None:
    """Take one chain after the other until none is left."""
    import django

    django.setup()
    logging.disable(logging.WARNING)  # what is not accepted, or comes twice, is what this is about
    from django.db import connections

    from bufa.config.database import APP_ROLE

    socket, database = os.environ["BUFA_TEST_PG"], os.environ["BUFA_TEST_DB"]
    connections["default"].settings_dict.update(HOST=socket, NAME=database, USER=APP_ROLE)
    os.environ.update(BUFA_PG_SOCKET=socket, BUFA_PG_DATABASE=database)  # for the victims
    from tests.crash.acts import Stock
    from tests.crash.dying import Victims
    from tests.jobs.conftest import World

    _, told = read_journal(JOURNAL)
    world = World(orders_per_day=0)
    try:
        with Victims(world.hello["control"] + "/clock") as victims:
            stock = Stock(world, AT_ONCE)
            for name in chains:
                if not told[name].is_whole and _mine(claims / name.replace(" ", "_")):
                    _run_chain(name, told[name], stock, victims, by_strace=by_strace)
    finally:
        world.close()
        connections.close_all()


def _mine(claim: Path) -> bool:
    try:
        os.close(os.open(claim, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def act_of(name: str, stock: Any) -> Any:
    """The act of a chain by its name: who, what, how the platform behaves."""
    from tests.crash import acts, other_acts

    who, what, platform = name.split()
    if what == "payment":
        return other_acts.Payment(stock, platform)
    if what == "sheet":
        return other_acts.Sheet(stock, platform)
    if what in other_acts.WISHES:
        return other_acts.WISHES[what](stock, platform)
    return (acts.Click if who == "click" else acts.Submission)(stock, platform, what)


def _run_chain(name: str, told: Told, stock: Any, victims: Any, *, by_strace: bool) -> None:
    from bufa.jobs.status import status
    from tests.crash.acts import Chain

    act = act_of(name, stock)
    chain = Chain(act, victims, by_strace=by_strace, statements=not by_strace)
    failures = jobs = 0
    for n in told.to_do():
        began = time.monotonic()
        bad: dict[str, Any] = {}
        died = True
        try:
            died = chain.kill(n)
            if not died and (violated := status(stock.shops)["violations"]):
                bad = {"why": f"violations: {violated}"}
        except Exception as failed:  # noqa: BLE001 - whatever it is, it is this write's, and the run goes on
            bad = _evidence(failed, chain, victims)
            chain.drop()
        line = {"chain": name, "write": n, "died": died, "bad": bad, "jobs": chain.jobs - jobs}
        jobs = chain.jobs
        with JOURNAL.open("a") as out:
            out.write(json.dumps(line | {"seconds": round(time.monotonic() - began, 3)}, default=str) + "\n")
        failures += bool(bad)
        if failures >= MOST_FAILURES or not (died or n in told.bad):
            return


def _evidence(failed: Exception, chain: Any, victims: Any) -> dict[str, Any]:
    where = traceback.extract_tb(failed.__traceback__)[-1]
    said: dict[str, Any] = {
        "why": f"{type(failed).__name__}: {failed}"[:600],
        "where": f"{Path(where.filename).name}:{where.lineno} {where.line}",
        "victim": victims.said[-1500:],
    }
    try:
        said |= chain.act.evidence(chain.job) if chain.job is not None else {}
    except Exception as also:  # noqa: BLE001 - evidence that can't be had must not hide what failed
        said["no_evidence"] = f"{type(also).__name__}: {also}"[:300]
    return said


# --- all of them ------------------------------------------------------------------------------------------------------


def run(chains: Sequence[str], processes: int, *, by_strace: bool) -> None:
    """A database server, and so many processes that share the chains; returns when they have ended."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import tests.settings  # noqa: F401 - makes the throw-away folder that all processes share
    from bufa.host.postgres import THROWAWAY, Postgres

    data = Path(os.environ["BUFA_TEST_DATA"])
    claims = data / "claims"
    claims.mkdir()
    with Postgres(data / "crash", settings=THROWAWAY).running() as server:
        atexit.register(shutil.rmtree, server.places.home, ignore_errors=True)  # may lie elsewhere, see find_places
        server.provision()
        more = {
            "BUFA_PG_SOCKET": server.socket,
            "BUFA_DB_AS": "owner",
            "DJANGO_SETTINGS_MODULE": "bufa.config.settings",
        }
        migrate = [sys.executable, "-m", "bufa", "manage", "migrate", "--verbosity", "0", "--no-input"]
        subprocess.run(migrate, cwd=ROOT, env=os.environ | more, check=True)
        command = [sys.executable, "-m", "tests.crash.whole", *chains, "--work", str(claims)]
        command += [] if by_strace else ["--points"]
        with ThreadPoolExecutor(processes) as pool:
            list(pool.map(lambda at: _process(server, at, command), range(processes)))


def _process(server: Any, at: int, command: list[str]) -> None:
    import psycopg

    from bufa.config.database import OWNER_ROLE

    name = f"bufa_{at}"
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE bufa OWNER {OWNER_ROLE}".encode())
    env = os.environ | {"BUFA_TEST_PG": server.socket, "BUFA_TEST_DB": name}
    subprocess.run(command, cwd=ROOT, env=env, check=True)


def tally(told: Mapping[str, Told]) -> dict[str, Any]:
    """The closing counts of a run without failures."""
    by_act: Counter[str] = Counter()
    for name, chain in told.items():
        by_act[name.rpartition(" ")[0].replace(" ", "_")] += len(chain.done)
    return {
        "chains": len(told), "kills": by_act.total(), "jobs": sum(chain.jobs for chain in told.values()),
        "done_twice": 0, "lost": 0, "kills_by_act": dict(by_act),
        "minutes_of_one_process": round(sum(chain.seconds for chain in told.values()) / 60),
    }  # fmt: skip


def _watched(chains: Sequence[str], processes: int, *, by_strace: bool) -> None:
    """`run`, saying from time to time how far it is."""
    with ThreadPoolExecutor(1) as one:
        running = one.submit(run, chains, processes, by_strace=by_strace)
        ended: set[str] = set()
        while not running.done():
            time.sleep(10)
            _, told = read_journal(JOURNAL)
            for name in (name for name in chains if told[name].ended and name not in ended):
                ended.add(name)
                proofs.tell(_said(name, told[name]) + f" ({len(ended)} of {len(chains)})")
        running.result()


def _said(name: str, chain: Told) -> str:
    bad = f", FAILED at {sorted(chain.bad)}" if chain.bad else ""
    return f"{name}: {len(chain.done)} kills, {chain.jobs} jobs, {chain.seconds:.0f} s{bad}"


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "chains", nargs="*", help="only chains with one of these in their names, as `click` or `refund`"
    )
    parser.add_argument("--resume", action="store_true", help="go on where the last run was cut off")
    parser.add_argument("--keep", action="store_true", help="keep the closing line for docs/proof.md")
    parser.add_argument("--points", action="store_true", help="count by our own points although strace works")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    wished = parser.parse_args(given)
    by_strace = strace_works() and not wished.points
    chains = [name for name in CHAINS if not wished.chains or any(word in name for word in wished.chains)]
    if wished.work:
        work(chains, wished.work, by_strace=by_strace)
        return 0
    mark = f"{proofs.tree(*MET)} {'strace' if by_strace else 'points'}"
    if wished.resume and read_journal(JOURNAL)[0] not in ("", mark):
        proofs.tell("crash: the code has changed since, so that nothing can be gone on with; run it without --resume")
        return 2
    if not wished.resume:
        JOURNAL.parent.mkdir(exist_ok=True)
        JOURNAL.write_text("")
    if not read_journal(JOURNAL)[0]:
        JOURNAL.write_text(json.dumps({"tree": mark}) + "\n")
    _watched(chains, wished.processes, by_strace=by_strace)
    told = {name: chain for name, chain in read_journal(JOURNAL)[1].items() if name in chains}
    left = [name for name, chain in told.items() if not chain.is_whole]
    for name in left:
        for n, said in sorted(told[name].bad.items()):
            proofs.tell(f"FAILED {name}, write {n}: {json.dumps(said['bad'], ensure_ascii=False)}")
        proofs.tell(f"not whole: {_said(name, told[name])}")
    if left:
        return 1
    keep = wished.keep and len(chains) == len(CHAINS)
    proofs.close("crash", tally(told) | {"counted_by": mark.split()[1]}, keep=keep)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
