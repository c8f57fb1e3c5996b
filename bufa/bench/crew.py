"""Processes of a benchmark's own: clients and workers that get ready, start at one word and say what came of it.

A member is a function `prepare(**told) -> work`: what stands before its `return` is preparation and is not counted;
`work()` is, and what it returns must be JSON. `run` starts one process a member, as `python -m bufa.bench.crew`, and
tells it what it needs as the first line of its input: a command line is too short for the numbers of 25,000 parcels.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

READY, GO = "ready", "go"


class Member(NamedTuple):
    """`module:function`, its arguments, and whether it needs Django and the database."""

    function: str
    told: Mapping[str, Any]
    django: bool = True


class Crew:
    """Started on entering; `go` lets all of them work at once and waits for their answers."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Crew:
        for _one in self._members:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "bufa.bench.crew"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        for process, one in zip(self._processes, self._members, strict=True):
            _tell(process, json.dumps(one._asdict()))
        for process in self._processes:
            _hear(process, READY)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def begin(self) -> float:
        """Let them work; the moment, by `time.perf_counter`."""
        begun = time.perf_counter()
        for process in self._processes:
            _tell(process, GO)
        return begun

    def answers(self) -> list[Any]:
        """What each of them came to, in their order; RuntimeError when one of them failed."""
        return [json.loads(_hear(process)) for process in self._processes]


def run(members: Sequence[Member]) -> tuple[list[Any], float]:
    """Start, let go, wait: (answers, seconds from the word to the last answer)."""
    with Crew(members) as crew:
        begun = crew.begin()
        answers = crew.answers()
        return answers, time.perf_counter() - begun


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None  # noqa: S101 - we asked for it
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _hear(process: subprocess.Popen[str], wanted: str = "") -> str:
    assert process.stdout is not None  # noqa: S101 - we asked for it
    line = process.stdout.readline().rstrip("\n")
    if not line or (wanted and line != wanted):
        raise RuntimeError(f"a process of the benchmark ended early ({process.wait()}); its words stand above")
    return line


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _main() -> None:
    told = Member(**json.loads(sys.stdin.readline()))
    if told.django:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bufa.config.settings")
        import django  # only where it is needed: a client that pushes is no part of Bufa

        django.setup()
    module, _, name = told.function.partition(":")
    prepare: Callable[..., Callable[[], Any]] = getattr(importlib.import_module(module), name)
    work = prepare(**told.told)
    _say(READY)
    if sys.stdin.readline().strip() == GO:
        _say(json.dumps(work()))


if __name__ == "__main__":
    _main()
