"""Asking of every parcel what was not learned from it: does the 90 % ETA hold, and is the chance of loss true?"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bufa.domain.histograms import LONGEST, Histogram, quantile
from bufa.domain.kinds import Stage
from bufa.domain.lanes import Learned, eta, loss_chance, silences
from bufa.domain.passing import CountKey, learned
from bufa.domain.regions import Distance

SHARES = (0.9, 0.95, 0.98, 0.99, 0.995, 0.998)
"""A silent parcel is asked about when its silence passes these quantiles of its lane's living parcels."""

LEAST_LOSSES = 30
MOST_OFF = 0.05
COVERED_FROM, COVERED_TO = 0.88, 0.92


@dataclass(frozen=True, slots=True)
class Life:
    """What became of one parcel.

    `keys`: its levels, finest first. `hours` from `began` (taken by the carrier, aware UTC) to the customer, None if it
    never got there. `lessons` are learned at `known_at`, None for never. `silences`: (stage, the longest silence in it
    in hours, infinite for a lost parcel's last one).
    """

    keys: tuple[str, ...]
    between: Distance | None
    began: datetime
    hours: float | None
    known_at: datetime | None
    lessons: dict[CountKey, Histogram] = field(default_factory=dict)
    silences: tuple[tuple[Stage, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The chance of loss that was said about a parcel when it had been silent for long, and whether it was lost."""

    parcel: int
    chance: float
    lost: bool


@dataclass(slots=True)
class Trial:
    """What was answered about the parcels of the later part. `kept`: whether the 90 % ETA held, per parcel."""

    taught: int = 0
    kept: list[bool] = field(default_factory=list)
    by_month: dict[str, list[bool]] = field(default_factory=dict)
    basis: Counter[str] = field(default_factory=Counter)
    answers: list[Answer] = field(default_factory=list)


def run(lives: Iterable[Life], asked_from: datetime, asked_until: datetime) -> Trial:
    """Live through all parcels in the order in which they began. Learning goes on by the day, as parcels pass: of each
    parcel it is asked, when it begins, what those known on the day before have taught."""
    trial, kept = Trial(), dict[CountKey, Histogram]()
    coming: list[tuple[datetime, int, dict[CountKey, Histogram]]] = []
    known, day = Learned(), datetime.min.replace(tzinfo=UTC)
    for number, life in enumerate(sorted(lives, key=lambda one: one.began)):
        if life.began >= day and life.began >= asked_from:
            day = life.began.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            while coming and coming[0][0] <= life.began:
                for key, histogram in heapq.heappop(coming)[2].items():
                    kept[key] = kept[key] + histogram if key in kept else histogram
                trial.taught += 1
            known = learned(kept.items(), life.began)
        if asked_from <= life.began < asked_until:
            _ask(trial, number, life, known)
        if life.known_at is not None:
            heapq.heappush(coming, (life.known_at, number, life.lessons))
    return trial


def _ask(trial: Trial, number: int, life: Life, known: Learned) -> None:
    if life.hours is not None:
        expected = eta("", "", "", life.began, life.began, keys=life.keys, learned=known)
        held = life.began + timedelta(hours=life.hours) <= expected.p90
        trial.kept.append(held)
        trial.by_month.setdefault(f"{life.began:%Y-%m}", []).append(held)
        level = life.keys.index(expected.basis.removeprefix("learned:")) if expected.parcels else len(life.keys)
        trial.basis[f"level {level + 1}"] += 1
    for stage, hours in life.silences:
        living = silences(stage, life.between, life.keys, known)
        if living(min(hours, LONGEST)) > 1 - SHARES[0]:
            continue
        for share in SHARES:
            at = quantile(living, share)
            if at >= min(hours, LONGEST):
                break
            chance = loss_chance(at, stage, life.between, keys=life.keys, learned=known)
            trial.answers.append(Answer(number, chance, math.isinf(hours)))


# --- judging ---------------------------------------------------------------------------------------------------------


def coverage(trial: Trial) -> dict[str, Any]:
    """How often the 90 % ETA held, in all and by the month in which parcels began."""
    share = sum(trial.kept) / len(trial.kept)
    return {
        "parcels": len(trial.kept),
        "taught_by": trial.taught,
        "p90_held": round(share, 4),
        "goal": [COVERED_FROM, COVERED_TO],
        "ok": COVERED_FROM <= share <= COVERED_TO,
        "by_month": {month: round(sum(those) / len(those), 3) for month, those in sorted(trial.by_month.items())},
        "rests_on": dict(sorted(trial.basis.items())),
    }


def reliability(answers: Sequence[Answer]) -> dict[str, Any]:
    """Said chances against what happened: by bins of at least 30 lost parcels, and the Brier score against that of
    always saying the share that was lost. `ok` is None where the losses are too few for a single bin."""
    lost = {one.parcel for one in answers if one.lost}
    found: dict[str, Any] = {"answers": len(answers), "lost_parcels": len(lost)}
    if not answers:
        return {**found, "ok": None, "why": "nobody was silent for so long"}
    base = sum(one.lost for one in answers) / len(answers)
    brier = sum((one.chance - one.lost) ** 2 for one in answers) / len(answers)
    found |= {"brier": round(brier, 4), "brier_of_base_rate": round(base * (1 - base), 4)}
    found["brier_ok"] = brier < base * (1 - base)
    if len(lost) < LEAST_LOSSES:
        return {**found, "ok": None, "why": f"fewer than {LEAST_LOSSES} lost parcels: no bin can be judged"}
    bins = [_described(those) for those in binned(answers)]
    found |= {"bins": bins, "most_off_allowed": MOST_OFF, "most_off": max(one["off"] for one in bins)}
    return {**found, "ok": bool(found["brier_ok"] and all(one["off"] <= MOST_OFF for one in bins))}


def binned(answers: Iterable[Answer]) -> list[list[Answer]]:
    """Tenths of chance, joined upwards until each holds the losses wanted; what is left at the top joins the last."""
    tenths: list[list[Answer]] = [[] for _ in range(10)]
    for one in answers:
        tenths[min(9, int(one.chance * 10))].append(one)
    bins: list[list[Answer]] = [[]]
    for tenth in tenths:
        bins[-1] += tenth
        if _losses(bins[-1]) >= LEAST_LOSSES:
            bins.append([])
    rest = bins.pop()
    if bins:
        bins[-1] += rest
    return bins or [rest]


def _losses(answers: Iterable[Answer]) -> int:
    return len({one.parcel for one in answers if one.lost})


def _described(those: Sequence[Answer]) -> dict[str, Any]:
    said = sum(one.chance for one in those) / len(those)
    happened = sum(one.lost for one in those) / len(those)
    return {
        "chances": [round(min(one.chance for one in those), 3), round(max(one.chance for one in those), 3)],
        "answers": len(those),
        "lost_parcels": _losses(those),
        "said": round(said, 3),
        "happened": round(happened, 3),
        "off": round(abs(said - happened), 3),
    }
