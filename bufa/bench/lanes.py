"""How true the learned hours and chances are, on parcels that they were not learned from.

Real and invented parcels are told apart. Olist (Brazil, 2016 to 2018) knows when parcels were handed over and signed
for, and which were never delivered, but only a handful of those. Cargo 2000 (air freight) knows hours, and neither
dates nor losses. The simulator knows everything, and is only as true as it was made.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bufa.bench import Figure
from bufa.bench.lane_lives import OLIST_GIVEN_UP, cargo2000, olist, simulated
from bufa.bench.lane_trials import Trial, coverage, reliability, run

GOAL_POINTS = 2.0
"""A 90 % ETA must hold for 88 to 92 % of parcels."""

ORDERS_PER_DAY = 400
SEED = 23
_START = datetime(2026, 1, 1, tzinfo=UTC)
_ASKED_FROM = datetime(2026, 4, 16, tzinfo=UTC)  # the losses of January and February are known by then
_ASKED_UNTIL = datetime(2026, 5, 31, tzinfo=UTC)
_END = datetime(2026, 6, 16, tzinfo=UTC)

_OLIST_GROWING = datetime(2017, 7, 1, tzinfo=UTC)
_OLIST_HALF = datetime(2018, 1, 1, tzinfo=UTC)
_OLIST_END = datetime(2018, 9, 1, tzinfo=UTC)
_NO_DATES = datetime(2026, 1, 1, tzinfo=UTC)


def measure() -> Figure:
    """The worst distance of an ETA's coverage from 90 %, in points; it holds only where no chance of loss is off."""
    found = {"olist": _olist(), "cargo2000": _cargo2000(), "simulator": _simulator()}
    held = {name: each["eta"]["p90_held"] for name, each in found.items()}
    judged = [each["loss"] for each in found.values() if "loss" in each]
    goals = {
        "eta_88_to_92": all(each["eta"]["ok"] for each in found.values()),
        "loss_chance_within_5_points": all(one["ok"] for one in judged if one["ok"] is not None),
        "loss_not_judged_for_few_losses": [
            name for name, one in found.items() if one.get("loss", {}).get("ok", 0) is None
        ],
        "brier_better_than_base_rate": all(one["brier_ok"] for one in judged if "brier_ok" in one),
    }
    holds = goals["loss_chance_within_5_points"] and goals["brier_better_than_base_rate"]
    worst = max(abs(share - 0.9) for share in held.values()) * 100
    return Figure(
        worst, "points off 90 %", GOAL_POINTS, less_is_better=True, holds=bool(holds), beside={"goals": goals, **found}
    )


def _told(data: str, trial: Trial, **more: Any) -> dict[str, Any]:
    return {"data": data, "eta": coverage(trial), **more}


def _olist() -> dict[str, Any]:
    lives = olist(only_all_statuses=False)
    everyone, growing = run(lives, _OLIST_HALF, _OLIST_END), run(lives, _OLIST_GROWING, _OLIST_HALF)
    asked_until = _OLIST_END - OLIST_GIVEN_UP
    true_rates = run(olist(only_all_statuses=True), _OLIST_HALF, asked_until)
    return _told(
        "real: hand-over to signature, asked about hand-overs from 2018 on, learned from those who arrived before",
        everyone,
        loss=reliability(true_rates.answers),
        # Not judged, and told: a young shop that doubles in a season of congestion is promised too much.
        eta_of_the_half_year_before=coverage(growing),
    )


def _cargo2000() -> dict[str, Any]:
    lives, later_half = cargo2000(_NO_DATES)
    trial = run(lives, later_half, later_half + timedelta(days=30))
    return _told("real: transport legs of air freight, no dates: learned from the first half of the rows", trial)


def _simulator() -> dict[str, Any]:
    lives = simulated(_START, _END, orders_per_day=ORDERS_PER_DAY, seed=SEED)
    trial = run(lives, _ASKED_FROM, _ASKED_UNTIL)
    return _told(
        f"invented: seed {SEED}, {len(lives)} parcels, asked about those collected from {_ASKED_FROM:%d %B} on",
        trial,
        loss=reliability(trial.answers),
    )
