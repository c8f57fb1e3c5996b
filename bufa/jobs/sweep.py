"""The sweep: what has become due is taken up, and jobs that were lost are asked for again.

Nothing here remembers anything: each round asks the rows. A job is a hint that saves waiting for the next round, so
losing the whole queue, or this process, loses nothing but seconds.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from django.db import close_old_connections

from bufa.apps.audit import anchors
from bufa.apps.cases import actions as cases
from bufa.apps.cases import files, told_mail
from bufa.apps.cases import queries as case_queries
from bufa.apps.cases.taking_in import rejudge
from bufa.apps.effects import actions as effects
from bufa.apps.effects import queries as effect_queries
from bufa.apps.inbox import actions as inbox_actions
from bufa.apps.negotiations import ladder, mails
from bufa.apps.notices import knocks, promises
from bufa.apps.parcels import taking
from bufa.apps.reissues import actions as reissues
from bufa.apps.shops import queries as shops
from bufa.jobs import bulk, chasing, inbox, incidents, lanes, mailbox, notices, ranges, runs, sync, templates, tracking
from bufa.jobs import cases as case_jobs
from bufa.jobs import claims as claim_jobs
from bufa.jobs import effects as effect_jobs
from bufa.lib import clock
from bufa.lib.queue import hint

PAUSE = 0.5  # real seconds between two rounds when nothing was due
PURGED_AT_ONCE = 10
POLL_EVERY = timedelta(minutes=10)  # of the shop's clock: what pushes lost is asked for
GROUP_EVERY = timedelta(minutes=2)  # of the shop's clock: open findings are grouped into incidents
PLAN_EVERY = timedelta(minutes=1)  # of the shop's clock: providers that are asked by plan
GIVE_UP_EVERY = timedelta(days=1)  # of the shop's clock: parcels that never came are counted as lost

log = logging.getLogger(__name__)


def sweep_once(now: datetime) -> int:
    """One round over all shops at `now` (the shop's clock); returns how much was taken up."""
    everyone = shops.all_shop_ids()
    if not everyone:
        return 0
    return sum(
        (
            due_parcels(everyone, now),
            case_jobs.end_waits(everyone),
            lost_todo(everyone),
            effect_jobs.rescue(everyone),
            due_effects(everyone),
            reissues.goods_left(everyone, now),
            bulk.wake(everyone),
            incidents.wake(everyone),
            ladder.wake(everyone, now),
            runs.wake(everyone),
            notices.wake(everyone, now),
            inbox.wake(now),
            tracking.wake(now),
            ranges.wake(everyone),
            templates.wake(),
            lanes.learn(everyone, now),
            promises.look(everyone, now),
        )
    )


def due_parcels(everyone: Sequence[int], now: datetime) -> int:
    """Parcels whose deadline came are judged, batch by batch, until none is left."""
    judged = 0
    while taken := taking.take_due(everyone, now):
        for shop_id, due in groupby(sorted(taken, key=lambda one: one.shop_id), key=lambda one: one.shop_id):
            rejudge(shop_id=shop_id, taken=list(due), now=now)
        judged += len(taken)
    return judged


def due_effects(everyone: Sequence[int]) -> int:
    """Effects that may leave now, and unknown ones whose next look is due: one job a shop."""
    asked = 0
    for shop_id, ids in effect_queries.due_ready(everyone).items():
        asked += hint(effects.RUN, once=f"{effects.RUN}:{shop_id}", shop_id=shop_id, effect_ids=ids)
    for shop_id, ids in effect_queries.due_reads(everyone).items():
        asked += hint(effect_jobs.READ_BACK, once=f"{effect_jobs.READ_BACK}:{shop_id}", shop_id=shop_id, effect_ids=ids)
    return asked


def lost_todo(everyone: Sequence[int]) -> int:
    """Cases that asked other rooms for something, whose job was lost."""
    asked = 0
    for shop_id, ids in case_queries.with_todo(everyone).items():
        asked += hint(cases.CARRY_OUT, once=f"{cases.CARRY_OUT}:sweep:{shop_id}", shop_id=shop_id, case_ids=ids)
    return asked


def poll_platforms(now: datetime) -> int:
    """Connected shops that were not asked for a while; pushes get lost, so asking is the safety net."""
    asked = 0
    for shop_id in shops.all_shop_ids():
        info = shops.connection(shop_id, sync.KIND)
        if info is None or info.state in ("off", "new"):
            continue
        if info.synced_until is None or info.synced_until <= now - POLL_EVERY:
            asked += hint(sync.RUN, once=f"sync:{shop_id}", shop_id=shop_id)
    return asked


def purge_inbox(now: datetime) -> int:
    """Delete raw messages past their retention, a few thousand to a transaction; returns how many.

    At most `PURGED_AT_ONCE` transactions: deadlines don't wait for a mountain of old messages, the next round goes on.
    """
    deleted = rounds = 0
    for shop_id in shops.all_shop_ids():
        while rounds < PURGED_AT_ONCE and (gone := inbox_actions.purge(shop_id, now)):
            deleted += gone
            rounds += 1
    return deleted


def forget_leases() -> int:
    """What sweeps that died had taken."""
    return taking.forget_leases(shops.all_shop_ids())


def given_up(now: datetime) -> int:
    """Parcels that nobody waits for any more teach their lanes what is lost there."""
    everyone = shops.all_shop_ids()
    return lanes.learn_losses(everyone, now) if everyone else 0


def group_incidents(now: datetime) -> int:
    """Many parcels with one cause become one incident, and leave it as they move."""
    everyone = shops.all_shop_ids()
    return incidents.regroup(everyone, now) if everyone else 0


def follow_talks(now: datetime) -> int:
    """Carrier cases open, and close, with the cases that they belong to."""
    everyone = shops.all_shop_ids()
    return chasing.follow(everyone, now) if everyone else 0


def forget_files(now: datetime) -> int:
    """Photos and papers of cases that closed long ago lose their bytes."""
    return sum(
        files.forget_old(shop_id, now) + mails.forget_old(shop_id, now) + knocks.forget_old(shop_id)
        for shop_id in shops.all_shop_ids()
    )


def anchor_audit(now: datetime) -> int:
    """The heads of the audit chains are written down outside of the database."""
    return anchors.anchor(shops.all_shop_ids())


def write_told(now: datetime) -> int:
    """Members who want what they are told as a mail get it, where there is news and their pause is over."""
    everyone = shops.all_shop_ids()
    return told_mail.write_due(everyone, now) if everyone else 0


def watch_claims(now: datetime) -> int:
    """What carriers owe on cases that changed; windows that ended unused are said to have."""
    return claim_jobs.watch(shops.all_shop_ids(), now)


def loop() -> None:
    """Sweep until SIGTERM. An error is logged and the next round goes on: rows that could not be done are still due."""
    stop = threading.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: stop.set())
    polled: datetime | None = None
    planned: datetime | None = None
    gave_up: datetime | None = None
    grouped: datetime | None = None
    while not stop.is_set():
        now: datetime | None = _guarded(clock.now)
        if now is None:
            stop.wait(PAUSE * 4)
            continue
        done = _guarded(partial(sweep_once, now))
        if polled is None or now - polled >= POLL_EVERY:
            _guarded(partial(poll_platforms, now))
            _guarded(partial(purge_inbox, now))
            _guarded(partial(forget_files, now))
            _guarded(partial(watch_claims, now))
            _guarded(partial(anchor_audit, now))
            _guarded(forget_leases)
            _guarded(mailbox.wake)
            _guarded(partial(tracking.forget_calls, now))
            polled = now
        if grouped is None or now - grouped >= GROUP_EVERY:
            _guarded(partial(group_incidents, now))
            grouped = now
        if planned is None or now - planned >= PLAN_EVERY:
            _guarded(partial(tracking.wake_plans, now))
            _guarded(partial(follow_talks, now))
            _guarded(partial(write_told, now))
            planned = now
        if gave_up is None or now - gave_up >= GIVE_UP_EVERY:
            _guarded(partial(given_up, now))
            gave_up = now
        if not done:
            stop.wait(PAUSE)


def _guarded(work: Callable[[], Any]) -> Any:
    """The sweeper's last line: whatever goes wrong in a round must not end the watching."""
    try:
        close_old_connections()
        return work()
    except Exception:
        log.exception("a round of the sweep failed; the next one tries again")
        return None
