"""What a connection to Kuaidi100 needs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """`customer` and `key` as the provider issued them. `salt` is ours: it signs the pushes we asked for; without it no
    push is believed. `resultv2`: "4" brings the fine codes, "" only the ten basic states."""

    customer: str
    key: str = field(repr=False)
    salt: str = field(default="", repr=False)
    base_url: str = "https://poll.kuaidi100.com"
    resultv2: str = "4"
