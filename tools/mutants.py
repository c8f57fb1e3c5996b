"""Does a test turn red when the promise "once, or known to be unknown" is broken? One bug at a time, on a copy.

Each mutant is a mistake that somebody could make, or once shipped elsewhere: a text of the code that must be there
exactly once (or this fails loudly: the code has moved), what it becomes, and the tests that have to notice.

    python tools/mutants.py [NAME …] [--resume] [--keep] [--processes N]

Each process has a copy of the repository. What came of a mutant is written down at once; `--resume` goes on after them,
as long as the code is the same.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests import proofs  # noqa: E402 - after the line above has made it importable

JOURNAL = ROOT / "artefacts" / "mutants.jsonl"
LONGEST_S = 900
RED = 1  # pytest's exit code for "tests ran, some failed"; anything else is a mistake of the mutant's

ACTIONS, JOBS, DOMAIN = "bufa/apps/effects/actions.py", "bufa/jobs/effects.py", "bufa/domain/effects.py"
MIGRATION = "bufa/apps/effects/migrations/0001_initial.py"
T_JOBS, T_DOMAIN, T_ROWS = (
    "tests/jobs/test_effects.py",
    "tests/domain/test_effects.py",
    "tests/apps/test_effect_rows.py",
)
T_UNKNOWN = "tests/crash/test_unknown_outcome.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`tests` are pytest's own ids."""

    name: str
    file: str
    code: str
    becomes: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "an answer is taken for given before the call",
        JOBS,
        "    try:\n        sent = _send(begun, clients)\n",
        "    _finish(begun, Result.ACCEPTED)\n    try:\n        sent = _send(begun, clients)\n",
        (f"{T_JOBS}::test_a_lost_answer_is_unknown_and_read_back_never_sent_again",),
    ),
    Mutant(
        "a timeout is tried again",
        DOMAIN,
        "        return Result.UNKNOWN\n",
        "        return Result.RETRY\n",
        (f"{T_JOBS}::test_a_lost_answer_is_unknown_and_read_back_never_sent_again",),
    ),
    Mutant(
        "the rescue makes it ready again",
        ACTIONS,
        "if fence.update(error=error, **_unknown(kind, real)) != 1:",
        "if fence.update(error=error, **(_unknown(kind, real) | {'state': EffectState.READY, 'next_at': None})) != 1:",
        (f"{T_JOBS}::test_a_worker_thought_dead_cannot_speak_up_later",),
    ),
    Mutant(
        "an attempt ends without its fence",
        ACTIONS,
        "        fence = Effect.objects.filter(shop_id=shop_id, id=effect_id, "
        "attempt=attempt, state=EffectState.SENDING)\n"
        "        if fence.update(**changes) != 1:",
        "        fence = Effect.objects.filter(shop_id=shop_id, id=effect_id)\n"
        "        if fence.update(**changes) != 1:",
        (f"{T_JOBS}::test_a_worker_thought_dead_cannot_speak_up_later",),
    ),
    Mutant(
        "the key is not unique",
        MIGRATION,
        '                    models.UniqueConstraint(fields=("shop_id", "key"), name="effect_once"),\n',
        "",
        (f"{T_ROWS}::test_a_key_names_one_effect_for_ever",),
    ),
    Mutant(
        "the lane's index is gone",
        MIGRATION,
        'models.Q(\n                            ("state__in", ["sending", "unknown"]), '
        'models.Q(("lane", ""), _negated=True)\n',
        'models.Q(\n                            ("state__in", ["accepted"]), models.Q(("lane", ""), _negated=True)\n',
        (f"{T_ROWS}::test_one_at_a_time_per_order",),
    ),
    Mutant(
        "two leave at once for one order",
        ACTIONS,
        "    if (effect.lane and _lane_is_taken(effect)) or shops.is_paused(shop_id):",
        "    if shops.is_paused(shop_id):",
        (f"{T_JOBS}::test_one_change_at_a_time_per_order",),
    ),
    Mutant(
        "every wish is a new one",
        ACTIONS,
        "    with writing([shop_id]):\n        known =",
        "    key += str(uuid4())\n    with writing([shop_id]):\n        known =",
        (
            f"{T_JOBS}::test_the_same_wish_is_one_effect",
            f"{T_ROWS}::test_one_wish_from_64_hands_is_one_effect_and_one_attempt",
        ),
    ),
    Mutant(
        "any number of the order counts as ours",
        "bufa/jobs/shipping.py",
        'one.carrier == intent["carrier"] and same_number(one.number, intent["number"])',
        'one.carrier == intent["carrier"]',
        (f"{T_JOBS}::test_another_extra_package_of_the_order_settles_nothing",),
    ),
    Mutant(
        "not there yet counts as refused",
        JOBS,
        "            return Result.ACCEPTED if shipping.holds(packages, intent) else None\n",
        "            return Result.ACCEPTED if shipping.holds(packages, intent) else Result.REJECTED\n",
        (f"{T_UNKNOWN}::test_all_arrive_and_no_answer_comes_back",),
    ),
    Mutant(
        "a first shipment is asked for again by another request id",
        "bufa/jobs/shipping.py",
        '        intent["request_id"],\n',
        '        str(__import__("uuid").uuid4()),\n',
        ("tests/jobs/test_first_shipments.py",),
    ),
    Mutant(
        "the lease is shorter than the call",
        DOMAIN,
        "LEASE = timedelta(seconds=20)",
        "LEASE = timedelta(seconds=5)",
        (f"{T_DOMAIN}::test_who_holds_a_call_has_given_up_before_the_rescue_comes",),
    ),
    Mutant(
        "a frozen worker sends when it wakes up",
        "bufa/integrations/wire.py",
        'if event == "http11.send_request_headers.started":',
        "if False:",
        (f"{T_UNKNOWN}::test_zombies",),
    ),
    Mutant(
        "the database may forget",
        "bufa/host/postgres.py",
        '"jit": "off",',
        '"jit": "off", "synchronous_commit": "off",',
        ("tests/host/test_postgres.py::test_what_was_committed_is_on_disk",),
    ),
    Mutant(
        "a frozen process holds its shop for ever",
        "bufa/config/database.py",
        "idle_in_transaction_session_timeout={IDLE_S}s",
        "idle_in_transaction_session_timeout=0",
        ("tests/host/test_given_database.py::test_the_role_is_part_of_the_connection",),
    ),
    Mutant(
        "the answer is not kept",
        JOBS,
        "    if raw:\n        effects.keep_answer",
        "    if not raw:\n        effects.keep_answer",
        (f"{T_JOBS}::test_the_answer_is_kept_whatever_it_says",),
    ),
    Mutant(
        "HTTP 200 with an error counts as success",
        "bufa/integrations/platforms/doudian/gateway.py",
        "    if code == errors.SUCCESS:",
        "    if code >= errors.SUCCESS:",
        (f"{T_JOBS}::test_a_lost_answer_is_unknown_and_read_back_never_sent_again",),
    ),
    Mutant(
        "nobody is asked about what reading can't settle",
        ACTIONS,
        "        effect.needs_person = pause is None\n",
        "        effect.needs_person = False\n",
        (f"{T_JOBS}::test_what_reading_cannot_settle_waits_for_a_person",),
    ),
    Mutant(
        "a row of a sheet is not marked when it is submitted",
        "bufa/apps/reissues/bulk.py",
        '        row.save(update_fields=["state", "whys", "reissue", "done_at"])\n',
        "",
        ("tests/apps/test_bulk.py::test_a_row_is_submitted_once_with_its_result",),
    ),
    Mutant(
        "a refund that was refused is asked for by its old key",
        "bufa/apps/cases/remedy_start.py",
        ":{row.effect_id or 0}",
        "",
        ("tests/jobs/test_remedies.py::test_what_the_platform_refused_can_be_asked_for_again",),
    ),
    Mutant(
        "any page of the platform's proves a number",
        "bufa/apps/reissues/copy_pack.py",
        "        if page.proof is Proof.THERE:",
        "        if page.proof is not Proof.NO_ORDER:",
        ("tests/web/test_copy_pack.py::test_the_pasted_page_settles_it_or_says_what_differs",),
    ),
    Mutant(
        "the second of two people is not refused",
        "bufa/apps/cases/actions.py",
        "    if version is not None and case.version != version:",
        "    if False:",
        ("tests/apps/test_cases.py",),
    ),
    Mutant(
        "what has left can still be stopped",
        ACTIONS,
        "id=effect_id, state=EffectState.READY, attempt=0)",
        "id=effect_id)",
        (f"{T_JOBS}::test_what_has_left_cannot_be_stopped",),
    ),
)


def copy_to(folder: Path) -> None:
    """The repository as git knows it (with what is not committed yet), and the same environment."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")


def turn(folder: Path, mutant: Mutant) -> tuple[bool, str]:
    """Whether its tests turn red, and what they said in one line."""
    path = folder / mutant.file
    whole = path.read_text()
    if whole.count(mutant.code) != 1:
        return False, f"the code has moved: {whole.count(mutant.code)} places in {mutant.file}"
    path.write_text(whole.replace(mutant.code, mutant.becomes))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", *mutant.tests],
            cwd=folder, env=clean_environment(), capture_output=True, text=True, timeout=LONGEST_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, f"did not end within {LONGEST_S} s, which shows nothing"
    finally:
        path.write_text(whole)
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))] or ["(no line)"]
    red = done.returncode == RED and lines[0].startswith("FAILED")
    return red, lines[0].partition(" - ")[0] if red else f"pytest ended with {done.returncode}: {lines[0]}"


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("BUFA_TEST_", "PYTEST_"))}


def read_journal(mark: str) -> dict[str, str]:
    """Mutants of this code that were red already → what their test said."""
    lines = JOURNAL.read_text().splitlines() if JOURNAL.exists() else []
    rows = [json.loads(line) for line in lines if line.endswith("}")]
    return {row["name"]: row["said"] for row in rows if row["mark"] == mark and row["red"]}


@contextmanager
def copies(count: int) -> Iterator[queue.Queue[Path]]:
    """So many copies of the repository, each lent to one mutant at a time."""
    free: queue.Queue[Path] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="bufa-mutants-") as made:
        for at in range(count):
            folder = Path(made, str(at))
            folder.mkdir()
            copy_to(folder)
            free.put(folder)
        yield free


def try_one(mutant: Mutant, free: queue.Queue[Path], mark: str) -> bool:
    folder, began = free.get(), time.monotonic()
    try:
        red, said = turn(folder, mutant)
    finally:
        free.put(folder)
    with JOURNAL.open("a") as out:
        out.write(json.dumps({"mark": mark, "name": mutant.name, "red": red, "said": said}) + "\n")
    print(f"{'red  ' if red else 'GREEN'} {time.monotonic() - began:5.1f} s  {mutant.name:<50} {said}", flush=True)
    return red


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", help="only mutants with one of these in their names")
    parser.add_argument("--resume", action="store_true", help="leave out those that were red with this very code")
    parser.add_argument("--keep", action="store_true", help="keep the closing line for docs/proof.md")
    parser.add_argument("--processes", type=int, default=2)
    wished = parser.parse_args(given)
    mark = proofs.tree("bufa", "simulator", "tests", "tools")
    chosen = [one for one in MUTANTS if not wished.names or any(word in one.name for word in wished.names)]
    known = read_journal(mark) if wished.resume else {}
    JOURNAL.parent.mkdir(exist_ok=True)
    began = time.monotonic()
    with copies(wished.processes) as free, ThreadPoolExecutor(wished.processes) as pool:
        left = [one for one in chosen if one.name not in known]
        red = sum(pool.map(lambda one: try_one(one, free, mark), left)) + len(chosen) - len(left)
    counts = {"mutants": len(chosen), "red": red, "seconds": round(time.monotonic() - began)}
    whole = red == len(chosen) == len(MUTANTS)
    proofs.close("mutants", counts, keep=wished.keep and whole)
    return 0 if red == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
