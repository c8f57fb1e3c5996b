"""The simulated outside world, as much of it as the sample shop's people would see or hold in their hands."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from bufa.lib import http


@dataclass(frozen=True, slots=True)
class Said:
    """Something a customer wrote or did, in the shop's chat. `kind`: message or aftersale."""

    at: datetime
    order_number: str
    kind: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in the shop's mailbox; `answers` is the message id that it replies to."""

    at: datetime
    sender: str
    answers: str
    text: str = field(repr=False)


class World:
    """A client of the simulator's control panel and pages. Raises httpx.HTTPError when it does not answer."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.said = said
        self._http: httpx.Client = http.client(timeout_s=300.0)
        self._heard = 0
        self._read = 0

    @classmethod
    def from_environment(cls) -> World:
        """The world of `BUFA_SIMULATOR`: the simulator's first line of output."""
        return cls(json.loads(os.environ["BUFA_SIMULATOR"]))

    def _get(self, url: str, **query: Any) -> Any:
        return self._http.get(url, params=query).raise_for_status().json()

    def _post(self, path: str, **body: Any) -> Any:
        return self._http.post(self.said["control"] + path, json=body).raise_for_status().json()

    # --- time ---------------------------------------------------------------------------------------------------------
    def now(self) -> datetime:
        return datetime.fromisoformat(self._get(self.said["control"] + "/clock")["now"]).astimezone(UTC)

    def advance(self, until: datetime) -> int:
        """Let time pass; every push on the way is delivered and answered. Returns how many there were."""
        done = self._post("/clock", advance_to=until.isoformat())
        return int(done["pushes"]) + int(done["failed"])

    def stand_still(self) -> None:
        self._post("/clock", stepping=True)

    def run(self, speed: float) -> None:
        """Let time go by itself, so many simulated seconds in a real one."""
        self._post("/clock", stepping=False, speed=speed)

    # --- what the shop's people see --------------------------------------------------------------------------------
    def push_to(self, url: str) -> bool:
        """Tell the platform where to push; whether that address answered."""
        return bool(self._post("/push", url=url)["registered"])

    def listen(self) -> list[Said]:
        """What customers said since the last time."""
        rows = self._get(self.said["control"] + "/feed", since=self._heard)
        self._heard += len(rows)
        return [Said(_at(r), r["order_id"], r["kind"], r["text"]) for r in rows]

    def forget(self, box: str) -> None:
        """What was said and written so far is known; only news is told from now on."""
        self.listen()
        self.read_mail(box)

    def read_mail(self, box: str) -> list[Mail]:
        """What came into a mailbox since the last time."""
        rows = self._get(self.said["mail"] + ".json", box=box, since=self._read)
        self._read += len(rows)
        return [Mail(_at(r), r["sender"], r["in_reply_to"], r["text"]) for r in rows]

    def waybill(self, order_number: str, carrier: str) -> str:
        """A fresh label for an order, from the warehouse's printer."""
        return str(self._post("/waybills", order_id=order_number, carrier=carrier)["number"])


def _at(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["at"]).astimezone(UTC)
