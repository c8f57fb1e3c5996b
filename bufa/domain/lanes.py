"""How long lanes take: the estimated delivery of a parcel, and the chance that a silent one is lost.

What is asked here is answered from histograms of hours (`histograms.py`) that passed parcels have filled, on three
levels: carrier x province pair, carrier x distance class, everything. Each level leans on the next while it has few,
and the last leans on fixed hours by distance class (rulebooks/lanes.toml). How parcels fill them: `passing.py`.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from bufa.domain.histograms import LONGEST, Histogram, Leaning, Survival, blend, log_normal, quantile, shrunk_share
from bufa.domain.kinds import Stage
from bufa.domain.regions import Distance, distance, short_province


class Leg(StrEnum):
    """What a histogram counts the hours of. `silent_…`: a parcel's longest silence while in that stage."""

    FIRST_HUB = "first_hub"
    HUB_GAP = "hub_gap"
    TOTAL = "total"
    DELIVERY = "delivery"
    SILENT_LABELLED = "silent_labelled"
    SILENT_COLLECTED = "silent_collected"
    SILENT_IN_TRANSIT = "silent_in_transit"
    SILENT_AT_DESTINATION = "silent_at_destination"
    SILENT_OUT_FOR_DELIVERY = "silent_out_for_delivery"
    SILENT_READY_FOR_PICKUP = "silent_ready_for_pickup"


_SILENT_IN = {Stage(leg.removeprefix("silent_")): leg for leg in Leg if leg.startswith("silent_")}
_NOT_ON_THE_ROAD = frozenset({Stage.DELIVERED, Stage.RETURNED, Stage.CANCELLED, Stage.UNSHIPPED})

EVERYTHING = "*"
"""The coarsest key: all parcels."""

Histograms = Mapping[tuple[str, Leg], Histogram]
"""(key of a level, leg) -> what was counted."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What passed parcels have taught. `times`: of the last months; `silences`: of a longer while, losses included."""

    times: Histograms = field(default_factory=dict)
    silences: Histograms = field(default_factory=dict)


NOTHING = Learned()


@dataclass(frozen=True, slots=True)
class Eta:
    """When a parcel is expected: as likely before as after `p50`, nine times in ten before `p90`.

    `basis` says what it rests on: `class:far` on the fixed hours, else `learned:` and the key of the finest level with
    enough parcels; `parcels` is how many that level has counted.
    """

    p50: datetime
    p90: datetime
    basis: str
    parcels: int = 0


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((files("bufa.domain") / "rulebooks" / "lanes.toml").read_text("utf-8"))


def settings() -> Mapping[str, Any]:
    """How learning is set: the table `learning` of lanes.toml."""
    learning: dict[str, Any] = _data()["learning"]
    return learning


def _leaning() -> Leaning:
    return Leaning(settings()["lasting"], settings()["rare_strength"])


def silent_leg(stage: Stage) -> Leg | None:
    """The leg that counts silences in a stage; None where silence says nothing."""
    return _SILENT_IN.get(stage)


def ladder(carrier: str, origin: str, destination: str) -> tuple[str, ...]:
    """The keys of a parcel's levels, finest first. Provinces may be written in any way; unknown ones leave a gap."""
    one, two = short_province(origin), short_province(destination)
    between = distance(origin, destination)
    keys = [f"{carrier}|{one}>{two}"] if carrier and one and two else []
    keys += [f"{carrier}|{between.value}"] if carrier and between else []
    return (*keys, EVERYTHING)


def learned_hours(leg: Leg, keys: Sequence[str], between: Distance | None, learned: Learned) -> Survival:
    """S(t) of a leg that is no silence: the share that takes longer than t hours."""
    held = [learned.times.get((key, leg), Histogram()) for key in keys]
    return blend(held, _prior(leg, between or Distance.FAR), _leaning())


@cache
def _prior(leg: Leg, between: Distance) -> Survival:
    typical = _data()[between.value] if leg is Leg.TOTAL else _data()["legs"][leg.value]
    return log_normal(typical["p50"], typical["p90"])


def eta(
    carrier: str,
    origin: str,
    destination: str,
    collected_at: datetime | None,
    now: datetime,
    *,
    out_at: datetime | None = None,
    keys: Sequence[str] | None = None,
    learned: Learned = NOTHING,
) -> Eta:
    """The estimated delivery, never in the past.

    Of a parcel on the road it is what is left for parcels that were as long on the road (or, since `out_at`, out for
    delivery). One not collected yet is given the usual hours until pickup first. `keys`: levels of another make than
    `ladder`.
    """
    between = distance(origin, destination) or Distance.FAR
    leg, since = (Leg.DELIVERY, out_at) if out_at is not None else (Leg.TOTAL, collected_at)
    keys = ladder(carrier, origin, destination) if keys is None else keys
    counted = [(key, learned.times[key, leg].n) for key in keys if (key, leg) in learned.times]
    counted = [(key, n) for key, n in counted if n]
    if not counted:
        return _fixed(between, collected_at, now)
    survival = learned_hours(leg, keys, between, learned)
    enough = [(key, n) for key, n in counted if n >= settings()["enough"]]
    key, n = enough[0] if enough else counted[-1]
    if since is None:
        pickup = _data()["pickup_hours"]
        p50, p90 = (now + timedelta(hours=pickup[p] + quantile(survival, q)) for p, q in (("p50", 0.5), ("p90", 0.9)))
        return Eta(p50, p90, f"learned:{key}", n)
    age = max(0.0, (now - since).total_seconds() / 3600)
    least = now + timedelta(hours=_data()[between.value]["p50"] / 24)  # a day's lane is not done within the next hour
    p50, p90 = (max(least, since + timedelta(hours=quantile(survival, share, beyond=age))) for share in (0.5, 0.9))
    return Eta(p50, max(p50, p90), f"learned:{key}", n)


def _fixed(between: Distance, collected_at: datetime | None, now: datetime) -> Eta:
    """From fixed hours alone. An overdue parcel is expected within half the lane's usual time."""
    lane, pickup = _data()[between.value], _data()["pickup_hours"]
    if collected_at is None:
        p50 = now + timedelta(hours=pickup["p50"] + lane["p50"])
        p90 = now + timedelta(hours=pickup["p90"] + lane["p90"])
    else:
        p50 = max(collected_at + timedelta(hours=lane["p50"]), now + timedelta(hours=lane["p50"] / 4))
        p90 = max(collected_at + timedelta(hours=lane["p90"]), now + timedelta(hours=lane["p50"] / 2))
    return Eta(p50, max(p50, p90), f"class:{between.value}")


# --- silence ---------------------------------------------------------------------------------------------------------


def survival(
    silence_hours: float,
    stage: Stage,
    between: Distance | None,
    *,
    keys: Sequence[str] = (),
    learned: Learned = NOTHING,
) -> float:
    """S(t): the share of living parcels that are ever silent for longer than this in this stage, between 0 and 1."""
    return silences(stage, between, keys, learned)(silence_hours)


def loss_chance(
    silence_hours: float,
    stage: Stage,
    between: Distance | None,
    *,
    keys: Sequence[str] = (),
    learned: Learned = NOTHING,
) -> float:
    """p = p0 / (p0 + (1 - p0) * S(t)): lost parcels stay silent for ever, living ones rarely for long.

    `keys`: the parcel's `ladder`; without them, or without anything learned, the fixed hours answer.
    """
    if stage in _NOT_ON_THE_ROAD:
        return 0.0
    p0 = base_chance(stage, keys, learned)
    return p0 / (p0 + (1 - p0) * survival(silence_hours, stage, between, keys=keys, learned=learned))


def is_credible(loss: float | None) -> bool:
    """Whether an expected delivery may still be shown as one: not from the set chance of loss on."""
    return loss is None or loss < float(_data()["doubt_from"])


def base_chance(stage: Stage, keys: Sequence[str] = (), learned: Learned = NOTHING) -> float:
    """p0: the share of parcels reaching this stage that are lost in it."""
    leg = _SILENT_IN.get(stage)
    held = [learned.silences.get((key, leg), Histogram()) for key in keys] if leg else []
    levels = ((one.never, one.never + one.n) for one in held)
    return shrunk_share(levels, _data()["p0"], settings()["rare_strength"])


def silence_allowance(
    level: float | None,
    stage: Stage,
    between: Distance | None,
    *,
    keys: Sequence[str] = (),
    learned: Learned = NOTHING,
) -> float | None:
    """The hours of silence at which the chance of loss passes `level` (default: the set one); None if none does.

    Raises ValueError for a level outside of 0 to 1.
    """
    level = settings()["allowance_level"] if level is None else level
    if not 0 < level < 1:
        raise ValueError(f"a chance lies between 0 and 1: {level}")
    if stage in _NOT_ON_THE_ROAD:
        return None
    p0 = base_chance(stage, keys, learned)
    left = p0 * (1 - level) / (level * (1 - p0))
    if left >= 1:
        return 0.0
    hours = quantile(silences(stage, between, keys, learned), 1 - left)
    return hours if hours < LONGEST else None


def level_of(percent: object) -> float:
    """A shop's level of the chance of loss, kept as a whole per cent from 1 to 99; the set one for anything else."""
    if isinstance(percent, int) and not isinstance(percent, bool) and 1 <= percent <= 99:
        return percent / 100
    return float(settings()["allowance_level"])


def silences(stage: Stage, between: Distance | None, keys: Sequence[str], learned: Learned) -> Survival:
    """S as a function of hours, for who asks more than once."""
    leg = _SILENT_IN.get(stage)
    held = [learned.silences.get((key, leg), Histogram()) for key in keys] if leg else []
    return blend(held, _silence_prior(stage, between or Distance.FAR), _leaning())


@cache
def _silence_prior(stage: Stage, between: Distance) -> Survival:
    data = _data()
    factor = data["stage_factor"].get(stage.value)
    if factor is None:
        return lambda hours: 1.0
    scale, gap = data[between.value]["gap_scale"] * factor, data["gap"]

    def survival(hours: float) -> float:
        silent = max(0.0, hours) / scale
        return float(
            (1 - gap["stuck"]) * math.exp(-(silent ** gap["shape"]))
            + gap["stuck"] * math.exp(-silent / gap["stuck_times"])
        )

    return survival
