"""17TRACK: have a number followed, read what they know of it (tracking-protocols §6.1)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from bufa.integrations import wire
from bufa.integrations.ports import ProviderError, TrackReport
from bufa.integrations.tracking.seventeentrack import mapping
from bufa.integrations.tracking.seventeentrack.settings import Settings

ALREADY_REGISTERED = -18019901
NOT_REGISTERED = -18019902
STILL_FOLLOWED = -18019904
NOTHING_YET = -18019909

# code → (why, wait before it may be asked again; None: it may not)
_ERRORS: dict[int, tuple[str, timedelta | None]] = {
    -18010001: ("denied", None),  # our address is not on their list
    -18010002: ("denied", None),  # the key
    -18010003: ("busy", timedelta(minutes=5)),
    -18010004: ("denied", None),  # account disabled
    -18010005: ("denied", None),
    -18010020: ("phone", None),
    -18019903: ("unsupported", None),  # they cannot tell the carrier
    -18019905: ("stopped", None),  # taken up again once already
    -18019907: ("limited", timedelta(hours=6)),  # the day's amount
    -18019908: ("no_credit", None),
    -18019910: ("unsupported", None),
    -18019911: ("unsupported", None),
}
_INPUT = range(-18010022, -18010009)


@dataclass(frozen=True, slots=True)
class Quota:
    """How many numbers the account may still register, of how many."""

    left: int
    total: int


class Client:
    """Implements CanQueryTrack and CanSubscribeTrack. No error here is `unknown`: a number is registered once, whoever
    repeats the call."""

    def __init__(self, settings: Settings, http: httpx.Client | None = None) -> None:
        self._settings = settings
        self._http = http or wire.shared_http()

    def query(self, carrier: str, number: str, phone_tail: str = "") -> TrackReport:
        """Read a number's track. One that they don't follow yet is registered first, which costs one of the quota; its
        track comes later, and until then the report is empty. Raises ProviderError: `denied`, `no_credit`, `limited`,
        `unsupported`, `phone`, `input`, `busy`."""
        wanted = self._named(carrier, number)
        accepted, code, error = self._one("gettrackinfo", wanted)
        if code == NOT_REGISTERED:
            self._register(carrier, number, phone_tail)
            accepted, code, error = self._one("gettrackinfo", wanted)
        if accepted is not None:
            return mapping.report_of(accepted, carrier=carrier, number=number)
        if code in (NOTHING_YET, NOT_REGISTERED):
            return TrackReport(mapping.NAME, carrier, number, note=wire.text(error.get("message")))
        raise _error(code, error)

    def subscribe(self, carrier: str, number: str, callback_url: str, salt: str, phone_tail: str = "") -> None:
        """Have a number followed. Pushes go to the address set in their console, signed with our key; `callback_url`
        and `salt` are not used. One that they follow already is a success; one that they stopped is taken up again,
        which they allow once (`stopped`)."""
        if self._register(carrier, number, phone_tail):
            return
        accepted, code, error = self._one("retrack", self._named(carrier, number))
        if accepted is None and code != STILL_FOLLOWED:
            raise _error(code, error)

    def quota(self) -> Quota:
        """What is left of the account: also the call that shows whether the key is right. Costs nothing."""
        told = wire.child(self._ask("getquota", []), "data")
        return Quota(wire.number(told.get("quota_remain")), wire.number(told.get("quota_total")))

    def _named(self, carrier: str, number: str) -> dict[str, Any]:
        theirs = mapping.their_carrier(carrier)
        if theirs is None and not self._settings.auto_detect:
            raise ProviderError("unsupported", text=f"no 17TRACK number for {carrier}")
        return {"number": number} | ({"carrier": theirs} if theirs else {})

    def _register(self, carrier: str, number: str, phone_tail: str) -> bool:
        """False: it was registered before."""
        told = self._named(carrier, number) | {"auto_detection": self._settings.auto_detect}
        accepted, code, error = self._one("register", told | ({"param": phone_tail} if phone_tail else {}))
        if accepted is None and code != ALREADY_REGISTERED:
            raise _error(code, error)
        return accepted is not None

    def _one(self, call: str, wanted: dict[str, Any]) -> tuple[dict[str, Any] | None, int, dict[str, Any]]:
        """(accepted, code of the refusal, the refusal) of a call about one number."""
        data = wire.child(self._ask(call, [wanted]), "data")
        accepted, rejected = wire.rows(data.get("accepted")), wire.rows(data.get("rejected"))
        if accepted:
            return accepted[0], 0, {}
        if not rejected:
            raise ProviderError("malformed", retryable=True, text=f"17TRACK's {call} told nothing of the number")
        error = wire.child(rejected[0], "error")
        return None, wire.number(error.get("code")), error

    def _ask(self, call: str, body: list[dict[str, Any]]) -> dict[str, Any]:
        address = f"{self._settings.base_url.rstrip('/')}/track/{self._settings.version}/{call}"
        headers = {"17token": self._settings.key, "content-type": "application/json"}
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        raw = wire.exchange(self._http, address, changes=False, content=content, headers=headers)
        answer = wire.answer_json(raw, changes=False)
        code = wire.number(answer.get("code"))
        if code:
            errors = wire.rows(wire.child(answer, "data").get("errors"))
            raise _error(code, errors[0] if errors else answer)
        return answer


def _error(code: int, told: dict[str, Any]) -> ProviderError:
    why, wait = _ERRORS.get(code, ("input" if code in _INPUT else "business", None))
    message = wire.text(told.get("message"))
    return ProviderError(why, retryable=wait is not None, wait=wait, code=str(code), text=message)
