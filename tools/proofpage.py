"""docs/proof.md: what the long runs counted, as they wrote it down themselves (docs/proof.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

PROMISES = {
    "crash": "SIGKILL at every write of all that is asked of the platform (and of the click that asks), for each way"
    " the platform behaves: nothing is done twice, nothing is lost, every case is settled or in a person's hands",
    "unknown": "Every submission arrives and no answer comes back, and reads show it up to a minute late: all are"
    " settled by reading back, none is sent again. Workers stopped past their lease and woken up submit nothing",
    "storm": "Processes of every kind are killed and the queue's table is emptied while people press submit:"
    " the platform's own account shows each number once",
    "bulk": "A sheet goes through two windows while web, worker and sweeper are killed and the platform takes few"
    " calls a second: each number leaves once, every row has a result, the same sheet again takes only what is left",
    "forms": "Generated forms, judged by the simulator's rules and not by the gate's: none passes that the platform"
    " would refuse or punish, no good one is refused",
    "hostile": "Hostile mails and posts to a carrier's page, over and over in one process: none executed, none acted"
    " on, no error 500; after the last round the process holds what it held after the third, within `grown KiB`",
    "mutants": 'The promise of "once" broken on purpose: every mutant turns a test red',
}


def page() -> str:
    """The document as text."""
    kept: dict[str, Any] = json.loads((ROOT / "docs" / "proof.json").read_text())
    lines = [
        "# What was proved, and how",
        "",
        "Each of these runs is a command in this repository and ends with one line of counts. With `ARGS=--keep` it",
        "is kept in `docs/proof.json`, from which `make docs` writes this page. They take from minutes to hours, so",
        "`make test` runs short versions of all of them.",
    ]
    for name, promise in PROMISES.items():
        if name not in kept:
            continue
        run = kept[name]
        counts = " · ".join(f"{_words(what)} {_shown(many)}" for what, many in run["counts"].items())
        lines += [
            "",
            f"## `{run['command']}`",
            "",
            f"{promise}.",
            "",
            f"{run['date']}, commit `{run['commit']}`: {counts}",
        ]
        lines += [f"\n{note}" for note in run.get("notes", [])]
    if missing := [f"`make {name}`" for name in PROMISES if name not in kept]:
        lines += [
            "",
            "## Not run whole yet",
            "",
            f"{', '.join(missing)}. `make test` runs short versions of most of these.",
        ]
    return "\n".join(lines) + "\n"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _shown(many: Any) -> str:
    if isinstance(many, dict):
        return "(" + ", ".join(f"{what} {count}" for what, count in many.items()) + ")"
    return f"**{many:,}**" if isinstance(many, int) else f"**{many}**"
