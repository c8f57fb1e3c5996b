"""What a connection to Doudian needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

GATEWAY = "https://openapi-fxg.jinritemai.com"
AUTHORIZE = "https://fuwu.jinritemai.com/authorize"


@dataclass(frozen=True, slots=True)
class Settings:
    """One shop's connection.

    app_kind       "self" (自用型: the shop's own app, tokens by shop id) or "tool" (工具型: tokens by a code)
    shop_id        the platform's shop id; needed by "self"
    service_id     the service of a "tool" app, for the authorise address
    sms_account, sms_sign   what `sms.send` sends in the name of; "" when the shop has none
    """

    app_key: str
    app_secret: str = field(repr=False)
    shop_id: str = ""
    app_kind: Literal["self", "tool"] = "self"
    base_url: str = GATEWAY
    authorize_base: str = AUTHORIZE
    service_id: str = ""
    sign_method: Literal["hmac-sha256", "md5"] = "hmac-sha256"
    sms_account: str = ""
    sms_sign: str = ""
