"""One process tree: order, restarts with a growing pause, an end within ten seconds, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bufa.host import processes
from bufa.host.processes import Program
from bufa.host.supervisor import Child, Supervisor
from bufa.host.trouble import Trouble

SLEEP = "import time; time.sleep(60)"


def child(name: str, code: str, **how: object) -> Child:
    return Child(name, lambda: Program([sys.executable, "-u", "-c", code]), **how)  # type: ignore[arg-type]


def test_children_start_in_the_order_that_milestones_say() -> None:
    lines: list[str] = []
    supervisor = Supervisor(
        [
            child("last", "print('last'); import time; time.sleep(60)", after=frozenset({"first done", "talker: go"})),
            child("talker", "print('go'); import time; time.sleep(60)", announces="go"),
            child("first", "print('first')", once=True),
        ],
        say=lambda line: hear(line),
    )

    def hear(line: str) -> None:
        lines.append(line.split()[-1])
        if line.endswith("last"):
            supervisor.stop()

    supervisor.run()
    assert lines == ["first", "last"]


def test_a_one_shot_that_fails_stops_everything_with_its_last_word() -> None:
    supervisor = Supervisor(
        [child("other", SLEEP), child("prepare", "print('The database is newer.'); raise SystemExit(1)", once=True)],
        say=lambda line: None,
    )
    with pytest.raises(Trouble, match=r"prepare failed: The database is newer\."):
        supervisor.run()


def test_what_dies_is_named_and_started_again_after_a_growing_pause() -> None:
    said: list[str] = []
    clock = [0.0]

    def now() -> float:
        clock[0] += 5  # time goes by at each look, so that no test waits for a pause
        return clock[0]

    def hear(line: str) -> None:
        said.append(line)
        if len(said) == 7:
            supervisor.stop()

    supervisor = Supervisor([child("web", "raise SystemExit(3)")], say=hear, now=now)
    supervisor.run()
    assert said == [f"web       ended (exit code 3); starting it again in {s} s" for s in (1, 2, 4, 8, 16, 30, 30)]


def test_after_a_minute_of_life_the_pause_is_short_again() -> None:
    said: list[str] = []
    clock = [0.0]

    def hear(line: str) -> None:
        said.append(line.rpartition("in ")[2])
        clock[0] += 40
        if len(said) == 3:
            supervisor.stop()

    def live_on(line: str) -> None:
        if len(said) == 2:
            clock[0] += 61

    supervisor = Supervisor([child("web", "print('up')", on_line=live_on)], say=hear, now=lambda: clock[0])
    supervisor.run()
    assert said == ["1 s", "2 s", "1 s"]


def test_a_child_that_may_end_is_not_started_again() -> None:
    seen: list[str] = []

    def hear(line: str) -> None:
        seen.append(line)
        supervisor.stop()

    supervisor = Supervisor(
        [
            child("demo", "pass", may_end=True),
            child("next", "print('x'); import time; time.sleep(60)", after=frozenset({"demo done"})),
        ],
        say=hear,
    )
    supervisor.run()
    assert seen == ["next      x"]


def test_death_by_signal_is_named() -> None:
    said: list[str] = []

    def hear(line: str) -> None:
        said.append(line)
        supervisor.stop()

    supervisor = Supervisor([child("web", "import os; os.kill(os.getpid(), 9)")], say=hear)
    supervisor.run()
    assert said == ["web       ended (signal SIGKILL); starting it again in 1 s"]


TREE = """
import sys
from bufa.host.processes import Program
from bufa.host.supervisor import Child, Supervisor
stubborn = "import os, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " \
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(90)']); " \
    "print(os.getpid(), p.pid, flush=True); time.sleep(90)"
polite = "import os, time; print(os.getpid(), flush=True); time.sleep(90)"
import signal
run = lambda code: (lambda: Program([sys.executable, "-c", code], last_signal=signal.SIGKILL))
hear = lambda line: print(line, flush=True)
Supervisor([Child("stubborn", run(stubborn), on_line=hear), Child("polite", run(polite), on_line=hear)]).run()
"""


def a_tree() -> tuple[subprocess.Popen[str], list[int]]:
    process = subprocess.Popen([sys.executable, "-c", TREE], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = sorted((process.stdout.readline().split() for _ in range(2)), key=len, reverse=True)
    pids = [int(word) for line in lines for word in line]  # the stubborn one, its child, the polite one
    assert len(pids) == 3
    assert all(processes.is_alive(pid) for pid in pids)
    return process, pids


@pytest.mark.slow
def test_all_stop_within_ten_seconds_even_the_stubborn_and_their_children() -> None:
    process, pids = a_tree()
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(12) == 0
    assert time.monotonic() - begun < 10
    assert process.stdout is not None
    process.stdout.close()
    assert all(processes.wait_until_gone(pid, patience=1) for pid in pids)


def test_a_second_signal_ends_it_at_once() -> None:
    process, pids = a_tree()
    process.send_signal(signal.SIGINT)
    while processes.is_alive(pids[2]):  # the polite one goes first, so the first signal has arrived
        time.sleep(0.01)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(12) == 0
    assert time.monotonic() - begun < 3
    assert process.stdout is not None
    process.stdout.close()
    assert all(processes.wait_until_gone(pid, patience=1) for pid in pids)


def test_when_the_parent_is_killed_its_children_go_too() -> None:
    process, (stubborn, its_child, polite) = a_tree()
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    assert processes.wait_until_gone(stubborn, patience=5)
    assert processes.wait_until_gone(polite, patience=5)
    # A child's own child is that child's affair; the one child of ours that has some (web) ties them itself.
    os.kill(its_child, signal.SIGKILL)


def test_children_read_nothing_from_the_terminal_and_have_a_group_of_their_own(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = f"import os, sys; open({str(out)!r}, 'w').write(f'{{os.getpgrp() == os.getpid()}} {{sys.stdin.read()!r}}')"
    process = processes.start(Program([sys.executable, "-c", code]))
    assert process.wait(10) == 0
    assert out.read_text() == "True ''"


def test_a_program_that_stands_back_runs_at_a_lower_priority() -> None:
    command = [sys.executable, "-c", "import os; print(os.nice(0))"]
    said = {}
    for nice in (0, 3):
        process = processes.start(Program(command, nice=nice), stdout=subprocess.PIPE)
        out, _ = process.communicate(timeout=30)
        said[nice] = int(out)
    assert said == {0: os.nice(0), 3: min(19, os.nice(0) + 3)}
