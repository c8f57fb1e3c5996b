"""What a connection to Alibaba Cloud SMS needs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """`sign`: the approved signature, without brackets."""

    key_id: str
    key_secret: str = field(repr=False)
    sign: str
    base_url: str = "https://dysmsapi.aliyuncs.com"
