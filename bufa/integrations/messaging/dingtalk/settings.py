"""What a robot's connection needs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """`token`: the secret part of its address; `secret`: what it signs with, "" where it does not. `base_url`: a
    simulator on this machine, "" for the vendor."""

    token: str = field(repr=False)
    secret: str = field(default="", repr=False)
    base_url: str = ""
