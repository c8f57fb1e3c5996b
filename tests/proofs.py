"""The long runs that prove a promise: each ends with one line of counts, which `--keep` keeps for docs/proof.md.

Tests that count towards such a run say so with `count`; `python -m tests.proofs NAME` runs them all and adds up.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "proof.json"
_NOTES = "BUFA_TEST_COUNTS"
CUT_OFF = -1


@dataclass(frozen=True, slots=True)
class Run:
    """`tests`: what pytest is given, in so many processes. `BUFA_TEST_CRASH_ALL` makes the tests whole."""

    tests: tuple[str, ...]
    processes: int = 2


RUNS: Mapping[str, Run] = {
    "letters": Run(("tests/crash/test_letters.py",), 1),
    "unknown": Run(("tests/crash/test_unknown_outcome.py",)),
    "forms": Run(("tests/simulator/test_gate_judged.py",), 1),
    "hostile": Run(("tests/hostile", "-p", "no:randomly"), 1),
    "notices": Run(("tests/notices",), 1),
}


def tree(*folders: str) -> str:
    """A digest of the code in these folders of the repository: results of other code are nothing to go on with."""
    total = hashlib.sha256()
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


def tell(line: str) -> None:
    """One line with its time, at once."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


def count(**counts: int) -> None:
    """A test's share of a run's closing line; nothing where no run adds up."""
    if (path := os.environ.get(_NOTES)) and counts:
        with Path(path).open("a") as notes:
            notes.write(json.dumps(counts) + "\n")


def close(name: str, counts: Mapping[str, Any], *, keep: bool) -> None:
    """Print the closing line, and keep it where that was asked for."""
    tell(f"{name}: {json.dumps(counts)}")
    if not keep:
        return
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    git = ["git", "rev-parse", "--short=8", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    command = f"make {name}"
    now = datetime.now(UTC)
    kept[name] = {"command": command, "date": f"{now:%Y-%m-%d}", "commit": commit, "counts": dict(counts)}
    KEPT.write_text(json.dumps(dict(sorted(kept.items())), ensure_ascii=False, indent=2) + "\n")


def wishes(**defaults: int) -> argparse.Namespace:
    """The options of a run: so many of each, and `--keep`."""
    parser = argparse.ArgumentParser()
    for name, most in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=most)
    parser.add_argument("--keep", action="store_true", help="keep the closing line for docs/proof.md")
    return parser.parse_args()


def whole(name: str, more: list[str], minutes: float | None = None) -> tuple[int, dict[str, Any]]:
    """Run the tests of a run; pytest's exit code (-1: cut off after so many minutes) and what they counted together."""
    run = RUNS[name]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bufa-proof-") as folder:
        notes = Path(folder, "counts")
        notes.touch()
        command = [sys.executable, "-m", "pytest", "-n", str(run.processes), "--dist", "worksteal", *run.tests, *more]
        env = os.environ | {"BUFA_TEST_CRASH_ALL": "1", _NOTES: str(notes)}
        pytest = subprocess.Popen(command, cwd=ROOT, env=env)
        try:
            code = pytest.wait(minutes * 60 if minutes else None)
        except subprocess.TimeoutExpired:
            _stop(pytest)
            code = CUT_OFF
        total: Counter[str] = Counter()
        for line in notes.read_text().splitlines():
            for what, many in json.loads(line).items():
                total[what] += many
    return code, dict(total) | {"seconds": round(time.monotonic() - began)}


def _stop(pytest: subprocess.Popen[bytes]) -> None:
    """Let it say what failed so far; a shell's background jobs do not hear SIGINT, so that it may have to be ended."""
    pytest.send_signal(signal.SIGINT)
    try:
        pytest.wait(60)
    except subprocess.TimeoutExpired:
        pytest.terminate()
        pytest.wait()


def main(name: str, rest: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", action="store_true", help="keep the closing line for docs/proof.md")
    parser.add_argument("--minutes", type=float, help="cut the run off then, and count what had ended")
    wished, more = parser.parse_known_args(rest)
    code, counted = whole(name, more, wished.minutes)
    if code == 0:
        close(name, counted, keep=wished.keep)
    elif code == CUT_OFF:
        close(name, counted | {"cut_off_after_minutes": wished.minutes}, keep=wished.keep)
    else:
        tell(f"{name}: FAILED, after {json.dumps(counted)}")
    return max(code, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
