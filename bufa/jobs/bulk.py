"""Runs of many reissues: row after row, for some seconds a job, so that nothing else waits long behind them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from procrastinate.contrib.django import app

from bufa.apps.reissues import bulk, bulk_queries

SECONDS_A_JOB = 5.0


@app.task(name=bulk.RUN)
def run(shop_id: int, run_id: int) -> None:
    """Submit what waits in a run, as far as this job's time goes; the rest is the next job's."""
    if not work_off(shop_id, run_id):
        bulk.ask(shop_id, run_id)


def work_off(shop_id: int, run_id: int, seconds: float = SECONDS_A_JOB) -> bool:
    """Whether the run has nothing more to do."""
    ends = time.monotonic() + seconds
    while bulk.submit_next(shop_id=shop_id, run_id=run_id):
        if time.monotonic() >= ends:
            return False
    return True


def wake(everyone: Sequence[int]) -> int:
    """Runs whose job was lost are asked for again."""
    return sum(bulk.ask(shop_id, run_id) for shop_id, run_id in bulk_queries.running(everyone))
