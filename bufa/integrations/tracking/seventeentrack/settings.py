"""What a connection to 17TRACK needs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """`key` is their security key: it opens calls (header `17token`) and signs the pushes. `auto_detect`: let them find
    out the carrier where we don't know their number of it. `version` of the API: 2.2 and 2.4 answer alike."""

    key: str = field(repr=False)
    base_url: str = "https://api.17track.net"
    version: str = "v2.2"
    auto_detect: bool = True
