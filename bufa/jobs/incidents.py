"""Incidents in the background: grouped every few minutes of the shop's clock, and deeds for many parcels worked off."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from procrastinate.contrib.django import app

from bufa.apps.cases import incident_views, incidents
from bufa.apps.negotiations import together

SECONDS_A_JOB = 5.0


@app.task(name=together.RUN)
def run(shop_id: int, run_id: int) -> None:
    """Do what is left of a run, as far as this job's time goes; the rest is the next job's."""
    ends = time.monotonic() + SECONDS_A_JOB
    while not together.carry_on(shop_id=shop_id, run_id=run_id):
        if time.monotonic() >= ends:
            together.ask(shop_id, run_id)
            return


def regroup(everyone: Sequence[int], now: datetime) -> int:
    """Group the open findings of all shops that have any; returns how many incidents and parcels changed.

    It costs one query for all shops, two for each with findings, and nothing per scan.
    """
    changed = 0
    for shop_id in incidents.worth_a_look(everyone, now):
        done = incidents.regroup(shop_id=shop_id, now=now)
        changed += done.opened + done.closed + done.joined + done.left
    return changed


def wake(everyone: Sequence[int]) -> int:
    """Runs whose job was lost are asked for again."""
    return sum(together.ask(shop_id, run_id) for shop_id, run_id in incident_views.with_todo(everyone))
