"""What the desk asks of a platform that hands out buyers' data as ciphers: open them, and tell who looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bufa.integrations.ports import Sent


@dataclass(frozen=True, slots=True)
class Opened:
    """Ciphers opened, for the moment of use. `plain`: field → text; `failed`: field → what the platform said instead.
    `virtual_until`: the phone is a stand-in "main-extension" that works until then."""

    plain: Mapping[str, str] = field(repr=False)
    failed: Mapping[str, str] = field(default_factory=dict)
    is_virtual: bool = False
    virtual_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One look at buyers' data, as the platform wants it told. `account`: who, at our side. `ciphers`: field → cipher
    of what was seen. The same `event_id` told again is the same look."""

    event_id: str
    account: str
    order_number: str
    at: datetime
    url: str
    ip: str
    user_agent: str
    referer: str
    ciphers: Mapping[str, str] = field(repr=False)


class CanOpenCiphers(Protocol):
    def decrypt(self, order_number: str, ciphers: Mapping[str, str], account: str = "") -> Opened:
        """Open an order's own ciphers; a field that fails is named, the others are opened all the same."""
        ...

    def report_view(self, look: Look) -> Sent:
        """Idempotent by `event_id`."""
        ...
