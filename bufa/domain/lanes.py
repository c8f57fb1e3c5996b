"""How long lanes take: the estimated delivery of a reissue, and the chance that a silent parcel is lost.

First version, from fixed hours by distance class (rulebooks/lanes.toml). `carrier` is part of the signatures because
what is learned later differs by carrier.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from bufa.domain.kinds import Stage
from bufa.domain.regions import Distance, distance


@dataclass(frozen=True, slots=True)
class Eta:
    """When a parcel is expected: as likely before as after `p50`, nine times in ten before `p90`."""

    p50: datetime
    p90: datetime
    basis: str


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((files("bufa.domain") / "rulebooks" / "lanes.toml").read_text("utf-8"))


def eta(carrier: str, origin: str, destination: str, collected_at: datetime | None, now: datetime) -> Eta:
    """The estimated delivery. Never in the past: an overdue parcel is expected within half the lane's usual time."""
    between = distance(origin, destination) or Distance.FAR
    lane = _data()[between.value]
    pickup = _data()["pickup_hours"]
    if collected_at is None:
        p50 = now + timedelta(hours=pickup["p50"] + lane["p50"])
        p90 = now + timedelta(hours=pickup["p90"] + lane["p90"])
    else:
        p50 = max(collected_at + timedelta(hours=lane["p50"]), now + timedelta(hours=lane["p50"] / 4))
        p90 = max(collected_at + timedelta(hours=lane["p90"]), now + timedelta(hours=lane["p50"] / 2))
    return Eta(p50, max(p50, p90), f"class:{between.value}")


def survival(silence_hours: float, stage: Stage, between: Distance | None) -> float:
    """S(t): the share of living parcels that are silent for longer than this, between 0 and 1."""
    data = _data()
    factor = data["stage_factor"].get(stage.value)
    if factor is None:
        return 1.0
    scale = data[(between or Distance.FAR).value]["gap_scale"] * factor
    return math.exp(-((max(0.0, silence_hours) / scale) ** data["gap"]["shape"]))


def loss_chance(silence_hours: float, stage: Stage, between: Distance | None) -> float:
    """p = p0 / (p0 + (1 - p0) * S(t)): lost parcels stay silent for ever, living ones rarely for long."""
    p0: float = _data()["p0"]
    if stage in (Stage.DELIVERED, Stage.RETURNED, Stage.CANCELLED, Stage.UNSHIPPED):
        return 0.0
    return p0 / (p0 + (1 - p0) * survival(silence_hours, stage, between))
