"""Runs of one act on many cases: for some seconds a job, so that nothing else waits long behind them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from procrastinate.contrib.django import app

from bufa.apps.cases import run_queries, runs

SECONDS_A_JOB = 5.0


@app.task(name=runs.RUN)
def run(shop_id: int, run_id: int) -> None:
    """Do what waits in a run, as far as this job's time goes; the rest is the next job's."""
    if not work_off(shop_id, run_id):
        runs.ask(shop_id, run_id)


def work_off(shop_id: int, run_id: int, seconds: float = SECONDS_A_JOB) -> bool:
    """Whether the run has nothing more to do."""
    ends = time.monotonic() + seconds
    while runs.do_next(shop_id=shop_id, run_id=run_id):
        if time.monotonic() >= ends:
            return False
    return True


def wake(everyone: Sequence[int]) -> int:
    """Runs whose job was lost are asked for again."""
    return sum(runs.ask(shop_id, run_id) for shop_id, run_id in run_queries.running(everyone))
