"""Histograms of hours: of one fixed size, merged by adding, and honest about what has not ended yet.

Buckets are log-spaced, sixteen to each doubling, so that a quantile is known within some four per cent whether the lane
takes hours or weeks. Every bucket counts two things: durations that ended there, and durations that were only known to
have lasted so long when we stopped looking (right-censored). Survival is estimated from both (Kaplan and Meier 1958,
in its actuarial form for grouped times).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

PER_DOUBLING = 16
_FIRST_HOURS = 0.25
_DOUBLINGS = 14

EDGES: tuple[float, ...] = (
    0.0,
    *(_FIRST_HOURS * 2 ** (step / PER_DOUBLING) for step in range(PER_DOUBLING * _DOUBLINGS + 1)),
    2 * _FIRST_HOURS * 2**_DOUBLINGS,
)
"""Hours at which buckets begin, and the end of the last: 0, a quarter of an hour, …, 4096, 8192."""

BUCKETS = len(EDGES) - 1
LONGEST = EDGES[-1]
"""Hours: what lasts longer is counted in the last bucket."""

_NOTHING = (0,) * BUCKETS

Survival = Callable[[float], float]
"""Hours -> the share that lasts longer, falling from 1."""


def bucket_of(hours: float) -> int:
    """The bucket of a duration; nothing is shorter than 0 or longer than the last bucket."""
    return min(max(bisect_right(EDGES, hours) - 1, 0), BUCKETS - 1)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of durations. `ended` and `censored`: one count a bucket; `never`: how many will never end."""

    ended: tuple[int, ...] = _NOTHING
    censored: tuple[int, ...] = _NOTHING
    never: int = 0

    @classmethod
    def of(cls, ended: Iterable[float] = (), censored: Iterable[float] = (), never: int = 0) -> Histogram:
        """From durations in hours."""
        return cls(_counted(ended), _counted(censored), never)

    def __add__(self, other: Histogram) -> Histogram:
        """Everything that either has counted, in whatever order it is added."""
        return Histogram(
            tuple(map(int.__add__, self.ended, other.ended)),
            tuple(map(int.__add__, self.censored, other.censored)),
            self.never + other.never,
        )

    @property
    def n(self) -> int:
        """How many durations were seen to their end."""
        return sum(self.ended)

    def to_json(self) -> dict[str, Any]:
        """`{"b": [[bucket, ended, censored], …], "never": n}`, only buckets that hold something."""
        rows = zip(range(BUCKETS), self.ended, self.censored, strict=True)
        return {"b": [[at, ended, cut] for at, ended, cut in rows if ended or cut], "never": self.never}

    @classmethod
    def from_json(cls, data: Any) -> Histogram:
        """What `to_json` wrote. Raises ValueError for buckets or counts that cannot be."""
        ended, censored = [0] * BUCKETS, [0] * BUCKETS
        for at, over, cut in data.get("b", ()):
            if not 0 <= at < BUCKETS or over < 0 or cut < 0:
                raise ValueError(f"no such bucket or count: {[at, over, cut]}")
            ended[at] += over
            censored[at] += cut
        return cls(tuple(ended), tuple(censored), int(data.get("never", 0)))

    def curve(self) -> Curve:
        """The share that lasts longer, at every edge; all ones for a histogram without any end."""
        left = sum(self.ended) + sum(self.censored)
        shares, share = [1.0], 1.0
        for over, cut in zip(self.ended, self.censored, strict=True):
            if over:
                share *= max(0.0, 1 - over / (left - cut / 2))
            shares.append(share)
            left -= over + cut
        return Curve(tuple(shares))


def total(histograms: Iterable[Histogram]) -> Histogram:
    """All of them as one; the empty histogram for none."""
    parts = list(histograms)
    if len(parts) < 2:
        return parts[0] if parts else Histogram()
    return Histogram(
        tuple(map(sum, zip(*(part.ended for part in parts), strict=True))),
        tuple(map(sum, zip(*(part.censored for part in parts), strict=True))),
        sum(part.never for part in parts),
    )


@dataclass(frozen=True, slots=True)
class Curve:
    """Survival at every edge; between two edges a straight line."""

    at_edges: tuple[float, ...]

    def __call__(self, hours: float) -> float:
        """The share that lasts longer than this many hours."""
        if hours <= 0:
            return 1.0
        if hours >= LONGEST:
            return self.at_edges[-1]
        at = bucket_of(hours)
        part = (hours - EDGES[at]) / (EDGES[at + 1] - EDGES[at])
        return self.at_edges[at] + part * (self.at_edges[at + 1] - self.at_edges[at])


@dataclass(frozen=True, slots=True)
class Leaning:
    """How much a level leans on the next coarser one: as on `lasting` parcels that last as long as is asked, but never
    on more than `most` parcels in all."""

    lasting: float
    most: float


@dataclass(frozen=True, slots=True)
class Blend:
    """What is known finely, leaning on what is known more coarsely wherever it is little.

    `parts`: (how many were counted, their curve), finest first; `prior` is believed when there is nothing else. Lanes
    differ much in how long most parcels take, and little in how often one is stuck for days. So the fallback weighs
    little where half of the parcels last longer, and much far out, where a lane would speak from two or three parcels:
    a level's share S leans on its fallback's share F as if `lasting / F` parcels more had been counted there. Without
    any count a level says exactly what its fallback says, and one more count moves it by less than 1 / `lasting`.
    """

    parts: tuple[tuple[int, Curve], ...]
    prior: Survival
    leaning: Leaning

    def __call__(self, hours: float) -> float:
        """The share that lasts longer than this many hours."""
        share = self.prior(hours)
        for n, curve in reversed(self.parts):
            if n:
                strength = min(self.leaning.lasting / share, self.leaning.most) if share > 0 else self.leaning.most
                share = (n * curve(hours) + strength * share) / (n + strength)
        return share


def blend(histograms: Iterable[Histogram], prior: Survival, leaning: Leaning) -> Blend:
    """A blend of histograms, finest first."""
    return Blend(tuple((one.n, one.curve()) for one in histograms), prior, leaning)


def quantile(survival: Survival, share: float, *, beyond: float = 0.0) -> float:
    """The hours by which `share` (0 to 1) of what lasts longer than `beyond` hours has ended.

    `LONGEST` where it is not seen to end; never less than `beyond`. By halving: a survival need not be a table.
    """
    goal = survival(beyond) * (1 - share)
    low, high = beyond, max(LONGEST, beyond)
    if survival(high) > goal:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        if high - low < 1e-6 * (1 + low):
            break
        low, high = (low, middle) if survival(middle) <= goal else (middle, high)
    return high


def log_normal(p50: float, p90: float) -> Survival:
    """The log-normal survival with these two quantiles, in hours (0 < p50 < p90)."""
    spread = math.log(p90 / p50) / 1.2815515655446004

    def survival(hours: float) -> float:
        return 1.0 if hours <= 0 else 0.5 * math.erfc(math.log(hours / p50) / (spread * math.sqrt(2)))

    return survival


def shrunk_share(levels: Iterable[tuple[int, int]], prior: float, strength: float) -> float:
    """A rare share, from (hits, all) finest first: each level leans on the next coarser one as `strength` cases."""
    share = prior
    for hits, cases in reversed(list(levels)):
        share = (hits + strength * share) / (cases + strength)
    return share


def _counted(hours: Iterable[float]) -> tuple[int, ...]:
    buckets = [bucket_of(each) for each in hours]
    if not buckets:
        return _NOTHING  # most parcels teach a leg one duration: the empty half of it is shared by all
    counts = [0] * BUCKETS
    for at in buckets:
        counts[at] += 1
    return tuple(counts)
