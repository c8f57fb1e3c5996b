"""How many pushes of ten scans each a second are taken: over HTTP, by the production's web server, committed before the
thanks, with the worker reading them at the same time. Beside it: what the worker has read by the end."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from bufa.apps.inbox import queries as inbox
from bufa.apps.shops import queries as shops_queries
from bufa.bench import Figure, crew, ground, running, superuser

SECONDS = 60
OFFERED_PER_S = 850
GOAL_PER_S = 800
GOAL_P99_MS = 50.0
CLIENTS = 2
SHOPS = 4


def measure(scale: float) -> Figure:
    """Pushes thanked for a second. `scale` shortens the time and leaves the pace."""
    seconds = max(2.0, SECONDS * scale)
    count = round(OFFERED_PER_S * seconds)
    shops, paths, shipped_at = prepare(count)
    with crew.Crew(clients(paths, count, OFFERED_PER_S, shipped_at)) as pushing:
        before = running().cpu_s()
        pushing.begin()
        did = pushing.answers()
        cpu = {kind: spent - before[kind] for kind, spent in running().cpu_s().items()}
    took_s = max(one["seconds"] for one in did)
    waiting = inbox.counts(shops)
    took_ms = sorted(ms for one in did for ms in one["took_ms"])
    caught_up_s = _until_read(shops)
    p99 = percentile(took_ms, 0.99)
    return Figure(
        len(took_ms) / took_s,
        "pushes/s",
        GOAL_PER_S,
        beside={
            "seconds": round(took_s, 1),
            "offered_per_s": OFFERED_PER_S,
            "thanked": len(took_ms),
            "refused_or_broken": sum(one["refused"] + one["broken"] for one in did),
            "milliseconds": {
                "p50": percentile(took_ms, 0.5), "p95": percentile(took_ms, 0.95), "p99": p99, "most": took_ms[-1]
            },
            "p99_goal_ms": GOAL_P99_MS,
            "read_by_the_end": waiting["done"],
            "seconds_until_all_were_read": round(caught_up_s, 1),
            "shops": SHOPS,
            "client_processes": CLIENTS,
            "cpu_us_per_push": {
                **{kind: round(spent / max(1, len(took_ms)) * 1e6) for kind, spent in cpu.items()},
                "clients": round(sum(one["cpu_s"] for one in did) / max(1, len(took_ms)) * 1e6),
            },
            "synchronous_commit": _setting("synchronous_commit"),
            "fsync": _setting("fsync"),
        },
        holds=p99 <= GOAL_P99_MS and len(took_ms) == count == sum(inbox.counts(shops).values()),
    )  # fmt: skip


def prepare(parcels: int) -> tuple[list[int], list[str], datetime]:
    """(shops with parcels on their way, the paths of their hooks, when these parcels were shipped)."""
    shipped_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=20)
    shops = ground.make_shops(SHOPS)
    ground.make_parcels(shops, parcels, shipped_at=shipped_at)
    infos = [shops_queries.connection(shop_id, "kuaidi100") for shop_id in shops]
    return shops, [info.hook_path for info in infos if info is not None], shipped_at


def clients(paths: list[str], count: int, per_s: float, shipped_at: datetime, **more: object) -> list[crew.Member]:
    """Processes that push that many parcels at that pace together."""
    told = {"port": running().port, "paths": paths, "per_s": per_s / CLIENTS, "shipped_at": shipped_at.isoformat()}
    return [
        crew.Member("bufa.bench.pushing:client", {**told, "numbers": list(range(n, count, CLIENTS)), **more}, False)
        for n in range(CLIENTS)
    ]


def percentile(ordered: list[float], share: float) -> float:
    """Of values in ascending order; 0.0 of none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _until_read(shops: list[int], patience_s: float = 60.0) -> float:
    begun = time.monotonic()
    while inbox.counts(shops)["new"] and time.monotonic() - begun < patience_s:
        time.sleep(0.2)
    return time.monotonic() - begun


def _setting(name: str) -> str:
    with superuser() as rows:
        found = rows.execute("SELECT current_setting(%s)", [name]).fetchone()
    return str(found[0]) if found else ""
