"""What a connection to Alibaba Cloud voice needs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """`show_number`: the number that is shown, "" in the mode with shared numbers. `play_times`: 1 to 3."""

    key_id: str
    key_secret: str = field(repr=False)
    show_number: str = ""
    play_times: int = 2
    base_url: str = "https://dyvmsapi.aliyuncs.com"
