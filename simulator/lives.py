"""The life of one parcel: which scans it gets, when they happen and when they become known, by its fate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from simulator import texts
from simulator.clock import DAY, HOUR, beijing, between_hours
from simulator.goods import courier
from simulator.places import ORIGIN, Place, linehaul_hours

# fate -> its share among ordinary parcels, in thousandths
FATES: dict[str, int] = {
    "delivered": 820,
    "never_collected": 16,
    "collected_late": 18,
    "no_hub": 14,
    "stalled_moves": 22,
    "lost": 18,
    "damaged": 12,
    "refused": 12,
    "failed_then_delivered": 18,
    "signed_not_received": 10,
    "short": 8,
    "station_long": 10,
    "wrong_dates": 6,
    "duplicates": 6,
    "late_scans": 6,
    "revived": 4,
}
REISSUE_TROUBLES = ("lost", "damaged", "never_collected", "stalled_moves")


@dataclass(slots=True)
class Scan:
    """One scan: ``at`` is what its text is dated, ``known_at`` when the providers can tell it."""

    at: int
    known_at: int
    kind: str
    text: str
    place: str

    @property
    def kuaidi100(self) -> str:
        return texts.CODES[self.kind][0]

    @property
    def kdniao(self) -> str:
        return texts.CODES[self.kind][1]


@dataclass(slots=True)
class Life:
    """``outcome`` is delivered, not_received, short, lost, damaged, returned or never_collected.

    ``trouble_at`` is when the customer would notice that something is wrong, ``ends_at`` when the outcome holds.
    """

    fate: str
    outcome: str
    scans: list[Scan]
    trouble_at: int | None
    ends_at: int

    def known(self, now: float) -> list[Scan]:
        """What providers know by now, oldest first as dated."""
        return sorted((s for s in self.scans if s.known_at <= now), key=lambda s: s.at)


def choose(rng: Random) -> str:
    """A fate by its share."""
    return rng.choices(list(FATES), weights=list(FATES.values()))[0]


@dataclass
class Road:
    """A parcel on its way: writes its scans one after the other."""

    carrier: str
    to: Place
    rng: Random
    t: float
    scans: list[Scan] = field(default_factory=list)
    trouble_at: int | None = None

    def __post_init__(self) -> None:
        self.first = texts.branch(self.carrier, ORIGIN.site, self.rng)
        self.hub = texts.hub(self.carrier, ORIGIN.short)
        self.far_hub = texts.hub(self.carrier, self.to.short)
        if self.far_hub == self.hub:
            self.far_hub = self.to.short + "城东" + texts.HUB_WORDS.get(self.carrier, "转运中心")
        self.last = texts.branch(self.carrier, self.to.site, self.rng)
        self.shelf = self.to.site + self.rng.choice(texts.SHELVES)

    def wait(self, low: float, high: float) -> None:
        """Let hours pass."""
        self.t += self.rng.uniform(low, high) * HOUR

    def scan(self, kind: str, place: Place, site: str, following: str = "", *, n: int = 1, late: float = 0) -> Scan:
        """Write a scan now; it is known some minutes later, or ``late`` hours later."""
        man, tel = courier(self.rng)
        text = texts.STYLES[self.carrier][kind].format(
            city=place.city,
            site=site,
            next=following,
            man=man,
            tel=tel,
            line=f"0{self.rng.randint(291, 998)}-{self.rng.randrange(10**7):07d}",
            who=self.rng.choice(texts.PROXIES if kind == "signed_for" else texts.SIGNERS),
            shelf=self.shelf,
            n=n,
            why=self.rng.choice(texts.HOLDS),
        )
        known = self.t + (late * HOUR if late else self.rng.uniform(1, 15) * 60)
        scan = Scan(int(self.t), int(known), kind, text, f"{place.province},{place.city},{place.district}")
        self.scans.append(scan)
        return scan

    # legs of an ordinary way

    def label(self) -> None:
        if self.carrier in {"jd", "youzhengguonei"}:
            self.t += 60
            self.scan("label", ORIGIN, self.first)

    def collect(self, low: float = 1, high: float = 6) -> None:
        self.wait(low, high)
        self.t = between_hours(self.t, 7, 23, int(self.rng.uniform(0, 2 * HOUR)))
        self.scan("collected", ORIGIN, self.first)

    def to_hub(self) -> None:
        self.wait(0.5, 3)
        self.scan("depart_site", ORIGIN, self.first, self.hub)
        self.wait(1, 5)
        self.scan("arrive_hub", ORIGIN, self.hub)

    def leave_hub(self) -> None:
        self.wait(1, 4)
        self.scan("depart_hub", ORIGIN, self.hub, self.far_hub)

    def arrive(self) -> None:
        self.t += linehaul_hours(ORIGIN, self.to, self.rng) * HOUR
        self.scan("arrive_city", self.to, self.far_hub)
        self.wait(1, 4)
        self.scan("depart_city", self.to, self.far_hub, self.last)
        self.wait(1, 4)
        self.scan("arrive_branch", self.to, self.last)

    def out(self, n: int = 1) -> None:
        self.wait(0.3, 2)
        self.t = between_hours(self.t, 7, 17, int(self.rng.uniform(0, 2.5 * HOUR)))
        self.scan("out" if n == 1 else "out_again", self.to, self.last, n=n)

    def deliver(self, kind: str = "") -> None:
        """Hand it over at the door or through a station; most go to the door."""
        self.wait(0.7, 4.5)
        if kind == "" and self.rng.random() < 0.35:
            self.scan("to_shelf", self.to, self.last)
            self.wait(0.5, 14)
            self.t = between_hours(self.t, 8, 22, int(self.rng.uniform(0, 3 * HOUR)))
            self.scan("from_shelf", self.to, self.last)
            return
        self.scan(kind or ("signed" if self.rng.random() < 0.8 else "signed_for"), self.to, self.last)

    def way(self) -> None:
        """Everything up to the courier's bag."""
        self.label()
        self.collect()
        self.to_hub()
        self.leave_hub()
        self.arrive()
        self.out()

    def home(self) -> None:
        """The way back to the shop."""
        self.wait(3, 10)
        self.scan("returning", self.to, self.last, self.hub)
        self.t += linehaul_hours(ORIGIN, self.to, self.rng) * HOUR
        self.scan("return_hub", ORIGIN, self.hub, self.first)
        self.wait(6, 20)
        self.t = between_hours(self.t, 9, 18, HOUR)
        self.scan("returned", ORIGIN, self.first)

    def trouble(self, hours: float = 0) -> None:
        """The customer notices some hours from here."""
        self.trouble_at = int(self.t + hours * HOUR)


def _delivered(road: Road) -> str:
    road.way()
    road.deliver()
    return "delivered"


def _never_collected(road: Road) -> str:
    road.label()
    road.trouble(road.rng.uniform(50, 80))
    return "never_collected"


def _collected_late(road: Road) -> str:
    road.label()
    road.collect(28, 60)
    road.to_hub()
    road.leave_hub()
    road.arrive()
    road.out()
    road.deliver()
    return "delivered"


def _no_hub(road: Road) -> str:
    road.collect()
    road.wait(30, 64)
    road.to_hub()
    road.leave_hub()
    road.arrive()
    road.out()
    road.deliver()
    return "delivered"


def _stalled(road: Road) -> str:
    road.collect()
    road.to_hub()
    road.leave_hub()
    if road.rng.random() < 0.4:
        road.wait(8, 20)
        road.scan("held", ORIGIN, road.hub)
    road.wait(85, 130)
    road.arrive()
    road.out()
    road.deliver()
    return "delivered"


def _lost(road: Road) -> str:
    road.collect()
    road.to_hub()
    if road.rng.random() < 0.75:
        road.leave_hub()
    if road.rng.random() < 0.25:
        road.arrive()
    road.trouble(road.rng.uniform(80, 140))
    return "lost"


def _damaged(road: Road) -> str:
    road.collect()
    road.to_hub()
    if road.rng.random() < 0.5:
        road.leave_hub()
        road.arrive()
        road.wait(1, 6)
        road.scan("damaged", road.to, road.last)
    else:
        road.wait(1, 6)
        road.scan("damaged", ORIGIN, road.hub)
    road.trouble(road.rng.uniform(6, 40))
    return "damaged"


def _refused(road: Road) -> str:
    road.way()
    road.wait(1, 4)
    road.scan("refused", road.to, road.last)
    road.home()
    return "returned"


def _failed_then_delivered(road: Road) -> str:
    road.way()
    for n in range(2, road.rng.randint(3, 4)):
        road.wait(1, 4)
        road.scan(road.rng.choice(("fail_contact", "fail_absent", "fail_address")), road.to, road.last)
        road.wait(14, 22)
        road.out(n)
    road.deliver("signed_late")
    return "delivered"


def _not_received(road: Road) -> str:
    road.way()
    road.deliver("signed_for" if road.rng.random() < 0.7 else "signed")
    road.trouble(road.rng.uniform(4, 40))
    return "not_received"


def _short(road: Road) -> str:
    road.way()
    road.deliver()
    road.trouble(road.rng.uniform(1, 20))
    return "short"


def _station_long(road: Road) -> str:
    road.way()
    road.wait(1, 4)
    road.scan("to_shelf", road.to, road.last)
    road.wait(26, 60)
    road.t = between_hours(road.t, 9, 20)
    road.scan("overdue", road.to, road.last)
    road.wait(10, 70)
    road.t = between_hours(road.t, 9, 21, HOUR)
    road.scan("from_shelf", road.to, road.last)
    return "delivered"


def _wrong_dates(road: Road) -> str:
    road.way()
    road.deliver()
    victim = next(s for s in road.scans if s.kind == "arrive_hub")
    victim.at += road.rng.choice((2 * DAY, 10 * DAY, 365 * DAY))
    return "delivered"


def _duplicates(road: Road) -> str:
    road.way()
    road.deliver()
    for twin in road.rng.sample(road.scans, k=min(4, len(road.scans))):
        later = int(road.rng.uniform(5, 180) * 60)
        road.scans.append(Scan(twin.at, twin.known_at + later, twin.kind, twin.text, twin.place))
    return "delivered"


def _late_scans(road: Road) -> str:
    road.way()
    for scan in road.scans:
        if scan.kind in {"arrive_hub", "depart_hub"}:
            scan.known_at = int(scan.at + road.rng.uniform(20, 44) * HOUR)
    road.deliver()
    return "delivered"


_WAYS: dict[str, Callable[[Road], str]] = {
    "delivered": _delivered,
    "never_collected": _never_collected,
    "collected_late": _collected_late,
    "no_hub": _no_hub,
    "stalled_moves": _stalled,
    "lost": _lost,
    "damaged": _damaged,
    "refused": _refused,
    "failed_then_delivered": _failed_then_delivered,
    "signed_not_received": _not_received,
    "short": _short,
    "station_long": _station_long,
    "wrong_dates": _wrong_dates,
    "duplicates": _duplicates,
    "late_scans": _late_scans,
    "revived": _lost,
}


def live(fate: str, carrier: str, to: Place, start: float, rng: Random) -> Life:
    """The whole life of a parcel whose number was made at ``start``. Raises KeyError for an unknown fate."""
    road = Road(carrier, to, rng, float(start))
    outcome = _WAYS[fate](road)
    road.scans.sort(key=lambda s: s.known_at)
    return Life(fate, outcome, road.scans, road.trouble_at, int(road.t))


def revive(life: Life, carrier: str, to: Place, at: float, rng: Random) -> None:
    """A parcel given up moves again: from its destination hub on, until it is delivered."""
    road = Road(carrier, to, rng, float(at))
    road.arrive()
    road.out()
    road.deliver()
    life.scans.extend(road.scans)
    life.outcome = "delivered"
    life.ends_at = int(road.t)


def intercept(life: Life, carrier: str, to: Place, at: float, rng: Random) -> None:
    """A parcel under way is stopped and comes home; its scans of the time after that never happen."""
    life.scans = [scan for scan in life.scans if scan.at <= at]
    road = Road(carrier, to, rng, float(at))
    road.wait(1, 6)
    road.scan("intercepted", to, road.last)
    road.home()
    life.scans.extend(road.scans)
    life.outcome = "returned"
    life.ends_at = int(road.t)


def described(life: Life, now: float) -> list[dict[str, object]]:
    """The scans known by now, for people and tests."""
    return [
        {"at": beijing(s.at).isoformat(), "kind": s.kind, "text": s.text, "code": s.kuaidi100} for s in life.known(now)
    ]
