"""What a connection to KDNiao needs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """`business_id` is their EBusinessID. `monitor`: use 在途监控 (8001/8008: fine codes) instead of the basic calls
    (1002/1008). `allow_unsigned`: believe pushes that come as a bare JSON body, which carry no signature; then the
    hook's own address must be the secret."""

    business_id: str
    app_key: str = field(repr=False)
    base_url: str = "https://api.kdniao.com"
    monitor: bool = True
    allow_unsigned: bool = False
