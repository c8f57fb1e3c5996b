"""Alibaba Cloud SMS over the wire."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import httpx

from bufa.integrations import aliyun, wire
from bufa.integrations.messages import Receipt, Telling
from bufa.integrations.messaging.aliyun_sms import mapping
from bufa.integrations.messaging.aliyun_sms.settings import Settings
from bufa.integrations.ports import ProviderError, Sent

VERSION = "2017-05-25"
PAGE = 50


class Client:
    """Implements CanTell."""

    def __init__(self, settings: Settings, http: httpx.Client | None = None) -> None:
        self._settings = settings
        self._http = http or wire.shared_http()

    def tell(self, message: Telling) -> Sent:
        """SendSms to one number; settled by `receipt`, which finds our tag as OutId."""
        if not message.template_id or not mapping.is_phone(message.phone):
            raise ProviderError("input", text="the number or the template is missing or wrong")
        params = {
            "PhoneNumbers": mapping.domestic(message.phone),
            "SignName": self._settings.sign,
            "TemplateCode": message.template_id,
            "TemplateParam": json.dumps(dict(message.params), ensure_ascii=False, separators=(",", ":")),
            "OutId": message.tag,
        }
        told = self._call("SendSms", params, changes=True)
        return Sent(wire.text(told.get("RequestId")), wire.text(told.get("BizId")), told["_raw"])

    def receipt(self, phone: str, tag: str, message_id: str, since: datetime, until: datetime) -> Receipt | None:
        """QuerySendDetails goes by number and day; ours is the row with our tag."""
        day = since.astimezone(wire.CHINA).date()
        while day <= until.astimezone(wire.CHINA).date():
            page = 1
            while True:
                params = {
                    "PhoneNumber": mapping.domestic(phone),
                    "SendDate": day.strftime("%Y%m%d"),
                    "PageSize": str(PAGE),
                    "CurrentPage": str(page),
                }
                told = self._call("QuerySendDetails", params | ({"BizId": message_id} if message_id else {}))
                found = mapping.details(told)
                ours = next((one for one in found if one.tag == tag), None)
                if ours is not None:
                    return ours
                if len(found) < PAGE or page >= 20:
                    break
                page += 1
            day += timedelta(days=1)
        return None

    def check(self) -> None:
        """Ask for a number that nobody has: refused with a wrong key, an empty list with a right one."""
        today = wire.china_text(datetime.now(wire.CHINA))[:10].replace("-", "")
        params = {"PhoneNumber": "13000000000", "SendDate": today, "PageSize": "1", "CurrentPage": "1"}
        self._call("QuerySendDetails", params)

    def _call(self, action: str, params: dict[str, str], *, changes: bool = False) -> dict[str, Any]:
        settings = self._settings
        return aliyun.call(
            self._http,
            base_url=settings.base_url,
            key_id=settings.key_id,
            secret=settings.key_secret,
            action=action,
            version=VERSION,
            params=params,
            changes=changes,
        )
