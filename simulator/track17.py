"""17TRACK: registration, query, quota, pushes."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

import httpx

from simulator import carriers, texts
from simulator.clock import DAY, HOUR, beijing, iso
from simulator.lives import Scan
from simulator.outbound import Outbox, Post
from simulator.state import Json, Parcel
from simulator.world import World

QUOTA = 100_000
BATCH = 40
TRIES = 4
CALLS = ("register", "gettrackinfo", "stoptrack", "retrack")
AGAIN = (600, 1800, 3600)
SILENT = 30 * DAY
KEYS = {
    "shunfeng": 100012, "zhongtong": 190455, "yuantong": 190157, "shentong": 190324, "yunda": 190341,
    "jtexpress": 190442, "youzhengguonei": 3011,
}  # fmt: skip
BY_KEY = {theirs: code for code, theirs in KEYS.items()}

ALREADY, MISSING, NO_CARRIER, TRACKED, ONCE, NOTHING = -18019901, -18019902, -18019903, -18019904, -18019905, -18019909
NO_QUOTA, WRONG_CARRIER, WRONG_KEY, WRONG_FORM, TOO_MANY, NO_PHONE = (
    -18019908, -18019910, -18010002, -18010012, -18010014, -18010020,
)  # fmt: skip
MESSAGES = {
    ALREADY: "Tracking number already registered.",
    MISSING: "The tracking number is not registered yet, please register first.",
    NO_CARRIER: "The carrier can not be detected.",
    TRACKED: "Only stopped numbers can be re-tracked.",
    ONCE: "Each tracking number can only be re-tracked once.",
    NOTHING: "No tracking info at the moment.",
    NO_QUOTA: "Your quotas have run out.",
    WRONG_CARRIER: "The carrier code is incorrect.",
    WRONG_KEY: "Invalid security key.",
    WRONG_FORM: "The format of the data is invalid.",
    TOO_MANY: "Tracking numbers exceed 40 limit.",
    NO_PHONE: "The phone number is required.",
}


@dataclass
class Follow:
    carrier: str
    number: str
    since: int
    told: int = -1
    stopped: bool = False
    retracked: bool = False


class Failed(Exception):
    """One number is refused."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def sign(body: bytes, key: str) -> str:
    """SHA-256 over the body, a slash and the key."""
    return hashlib.sha256(body + b"/" + key.encode()).hexdigest()


def taken(response: httpx.Response) -> bool:
    return response.status_code == 200


class Track17:
    """One account. The push address is the account's own, set by control."""

    def __init__(self, world: World, outbox: Outbox, key: str) -> None:
        self.world = world
        self.outbox = outbox
        self.key = key
        self.url = ""
        self.quota = QUOTA
        self.pushed = 0
        self.follows: dict[str, Follow] = {}

    def call(self, name: str, token: str, body: bytes, facts: Json) -> Json:
        """Any call of the API: about at most 40 numbers, each accepted or rejected by itself."""
        if token != self.key:
            return {"code": WRONG_KEY, "data": {"errors": [{"code": WRONG_KEY, "message": MESSAGES[WRONG_KEY]}]}}
        if name == "getquota":
            used = QUOTA - self.quota
            return {"code": 0, "data": {"quota_total": QUOTA, "quota_used": used, "quota_remain": self.quota}}
        try:
            wanted = json.loads(body)
        except ValueError:
            wanted = None
        if not isinstance(wanted, list) or not wanted or len(wanted) > BATCH or name not in CALLS:
            code = TOO_MANY if isinstance(wanted, list) and len(wanted) > BATCH else WRONG_FORM
            return {"code": code, "data": {"errors": [{"code": code, "message": MESSAGES[code]}]}}
        calls = {
            "register": self._register,
            "gettrackinfo": self._info,
            "stoptrack": self._stop,
            "retrack": self._again,
        }
        accepted, rejected = [], []
        for one in wanted:
            number = str(one.get("number") or "") if isinstance(one, dict) else ""
            facts["number"] = number
            try:
                if not re.fullmatch(r"[A-Za-z0-9-]{5,50}", number):
                    raise Failed(WRONG_FORM)
                accepted.append(calls[name](number, one))
            except Failed as failed:
                error = {"code": failed.code, "message": MESSAGES[failed.code]}
                rejected.append({"number": number, "error": error})
        return {"code": 0, "data": {"accepted": accepted, "rejected": rejected}}

    # calls about one number

    def _register(self, number: str, one: Json) -> Json:
        carrier = self._carrier(number, one)
        if number in self.follows:
            raise Failed(ALREADY)
        parcel = self.world.parcels.get((carrier, number))
        if carrier == "shunfeng" and parcel is not None:
            own = self.world.orders[parcel.order_id].buyer.phone
            if str(one.get("param") or "")[-4:] != own[-4:]:
                raise Failed(NO_PHONE)
        if self.quota < 1:
            raise Failed(NO_QUOTA)
        self.quota -= 1
        follow = self.follows[number] = Follow(carrier, number, self.world.clock.now())
        self._later(follow, first=True)
        return {"origin": 1 if one.get("carrier") else 2, "number": number, "carrier": KEYS[carrier]}

    def _carrier(self, number: str, one: Json) -> str:
        """By their key, or by the form of the number where none is given."""
        theirs = one.get("carrier")
        if theirs:
            if theirs not in BY_KEY:
                raise Failed(WRONG_CARRIER)
            return BY_KEY[theirs]
        fitting = [code for code, carrier in carriers.CARRIERS.items() if code in KEYS and carrier.fits(number)]
        if not fitting or not one.get("auto_detection"):
            raise Failed(NO_CARRIER)
        return fitting[0]

    def _info(self, number: str, one: Json) -> Json:
        follow = self.follows.get(number)
        if follow is None:
            raise Failed(MISSING)
        if not self._scans(follow):
            raise Failed(NOTHING)
        return self._told(follow)

    def _stop(self, number: str, one: Json) -> Json:
        follow = self.follows.get(number)
        if follow is None:
            raise Failed(MISSING)
        follow.stopped = True
        return {"number": number, "carrier": KEYS[follow.carrier]}

    def _again(self, number: str, one: Json) -> Json:
        follow = self.follows.get(number)
        if follow is None:
            raise Failed(MISSING)
        if not follow.stopped:
            raise Failed(TRACKED)
        if follow.retracked:
            raise Failed(ONCE)
        follow.stopped, follow.retracked, follow.since = False, True, self.world.clock.now()
        self._later(follow, first=True)
        return {"number": number, "carrier": KEYS[follow.carrier]}

    # what is known

    def _parcel(self, follow: Follow) -> Parcel | None:
        return self.world.parcels.get((follow.carrier, follow.number))

    def _scans(self, follow: Follow) -> list[Scan]:
        parcel = self._parcel(follow)
        return parcel.life.known(self.world.clock.now()) if parcel is not None else []

    def _told(self, follow: Follow) -> Json:
        scans = self._scans(follow)
        events = [self._event(scan) for scan in reversed(scans)]
        now = self.world.clock.now()
        current = max((scan for scan in scans if scan.at <= now), key=lambda scan: scan.at, default=None)
        sub = texts.TRACK17[current.kind] if current is not None else "NotFound_Other"
        provider = {"key": KEYS[follow.carrier], "name": carriers.CARRIERS[follow.carrier].name, "country": "CN"}
        leg = {
            "provider": provider,
            "latest_sync_status": "Success",
            "latest_sync_time": iso(now),
            "events_hash": len(events),
            "events": events,
        }
        return {
            "number": follow.number,
            "carrier": KEYS[follow.carrier],
            "param": None,
            "tag": None,
            "track_info": {
                "latest_status": {"status": sub.partition("_")[0], "sub_status": sub, "sub_status_descr": None},
                "latest_event": events[0] if events else None,
                "milestone": [],
                "tracking": {"providers_hash": 1, "providers": [leg]},
            },
        }

    def _event(self, scan: Scan) -> Json:
        local = beijing(scan.at)
        sub = texts.TRACK17[scan.kind]
        province, city, _ = scan.place.split(",")
        return {
            "time_iso": local.isoformat(),
            "time_utc": iso(scan.at),
            "time_raw": {"date": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M:%S}", "timezone": "+08:00"},
            "description": scan.text,
            "location": city,
            "stage": sub.partition("_")[0] if sub != "InTransit_Other" else None,
            "sub_status": sub,
            "address": {"country": "CN", "state": province, "city": city, "street": None, "postal_code": None},
        }

    # pushes

    def _later(self, follow: Follow, *, first: bool = False) -> None:
        rng = self.world.rng(f"17track:{follow.number}:{self.world.clock.now()}")
        gap = rng.uniform(600, 2 * HOUR) if first else rng.uniform(3 * HOUR, 6 * HOUR)
        self.world.line.after(gap, lambda: self._look(follow))

    def _look(self, follow: Follow) -> None:
        if follow.stopped:
            return
        scans, now = self._scans(follow), self.world.clock.now()
        newest = max((scan.known_at for scan in scans), default=follow.since)
        if now - max(newest, follow.since) >= SILENT:
            follow.stopped = True
            self._send("TRACKING_STOPPED", self._told(follow), 1)
            return
        if self.url and scans and len(scans) != follow.told:
            follow.told = len(scans)
            self._send("TRACKING_UPDATED", self._told(follow), 1)
        self._later(follow)

    def _send(self, event: str, data: Any, attempt: int) -> None:
        if not self.url:
            return
        body = json.dumps({"event": event, "data": data}, ensure_ascii=False, separators=(",", ":")).encode()
        self.pushed += 1

        def after(ok: bool) -> None:
            if not ok and attempt < TRIES:
                self.world.line.after(AGAIN[attempt - 1], lambda: self._send(event, data, attempt + 1))

        headers = {"content-type": "application/json", "sign": sign(body, self.key)}
        self.outbox.add(Post("17track", self.url, body, headers, taken, after))
