"""What a robot's connection needs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """`token`: the secret part of its address. `base_url`: a simulator on this machine, "" for the vendor."""

    token: str = field(repr=False)

    base_url: str = ""
