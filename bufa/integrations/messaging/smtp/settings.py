"""What a connection to a mail server needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Settings:
    """`security`: "tls" from the first byte (465), "starttls" (587), or "none" for a server on this machine. `username`
    "" means no log-in."""

    host: str
    port: int = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    helo: str = "localhost"
