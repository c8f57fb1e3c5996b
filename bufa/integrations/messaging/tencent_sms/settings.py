"""What a connection to Tencent Cloud SMS needs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """`app_id`: SmsSdkAppId of the application; `sign`: the approved signature, without brackets."""

    secret_id: str
    secret_key: str = field(repr=False)
    app_id: str
    sign: str
    region: str = "ap-guangzhou"
    base_url: str = "https://sms.tencentcloudapi.com"
