"""Tencent Cloud SMS over the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from bufa.integrations import tc3, wire
from bufa.integrations.messages import Receipt, Telling
from bufa.integrations.messaging.tencent_sms import mapping
from bufa.integrations.messaging.tencent_sms.settings import Settings
from bufa.integrations.ports import ProviderError, Sent
from bufa.lib import clock

VERSION, SERVICE = "2021-01-11", "sms"
PAGE = 100


class Client:
    """Implements CanTell."""

    def __init__(self, settings: Settings, http: httpx.Client | None = None) -> None:
        self._settings = settings
        self._http = http or wire.shared_http()

    def tell(self, message: Telling) -> Sent:
        """SendSms to one number. The call may succeed and the number still be refused: its own code counts."""
        if not message.template_id or not mapping.is_phone(message.phone):
            raise ProviderError("input", text="the number or the template is missing or wrong")
        asked = {
            "PhoneNumberSet": [mapping.international(message.phone)],
            "SmsSdkAppId": self._settings.app_id,
            "SignName": self._settings.sign,
            "TemplateId": message.template_id,
            "TemplateParamSet": [value for _, value in message.params],
            "SessionContext": message.tag,
        }
        told, raw = self._call("SendSms", asked, changes=True)
        sent = wire.rows(told.get("SendStatusSet"))
        if not sent:
            raise ProviderError("malformed", unknown=True, text="the answer names no number", raw=raw)
        code = wire.text(sent[0].get("Code"))
        if code != "Ok":
            raise mapping.error_of(
                code, wire.text(sent[0].get("Message")), wire.text(told.get("RequestId")), raw, changes=True
            )
        return Sent(wire.text(told.get("RequestId")), wire.text(sent[0].get("SerialNo")), raw)

    def receipt(self, phone: str, tag: str, message_id: str, since: datetime, until: datetime) -> Receipt | None:
        """PullSmsSendStatusByPhoneNumber keeps seven days; ours is the row with our tag, or with the number they gave.

        It shows messages that have an end only: one that waits is not there yet."""
        offset = 0
        while True:
            asked = {
                "BeginTime": int(since.timestamp()),
                "EndTime": int(until.timestamp()),
                "Offset": offset,
                "Limit": PAGE,
                "PhoneNumber": mapping.international(phone),
                "SmsSdkAppId": self._settings.app_id,
            }
            told, _ = self._call("PullSmsSendStatusByPhoneNumber", asked)
            found = mapping.pulled(told)
            for one in found:
                if (tag and one.tag == tag) or (message_id and one.message_id == message_id):
                    return one
            if len(found) < PAGE or offset >= 2000:
                return None
            offset += PAGE

    def check(self) -> None:
        """Ask for a number that nobody has: refused with a wrong key, an empty list with a right one."""
        now = int(clock.real_now().timestamp())
        asked = {"BeginTime": now - 60, "Offset": 0, "Limit": 1, "PhoneNumber": "+8613000000000"}
        self._call("PullSmsSendStatusByPhoneNumber", asked | {"SmsSdkAppId": self._settings.app_id})

    def _call(self, action: str, asked: Mapping[str, Any], *, changes: bool = False) -> tuple[dict[str, Any], bytes]:
        settings = self._settings
        body = json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode()
        parts = urlsplit(settings.base_url)
        path = parts.path.rstrip("/") + "/"
        signed = tc3.headers(
            secret_id=settings.secret_id,
            secret_key=settings.secret_key,
            host=parts.netloc,
            service=SERVICE,
            action=action,
            version=VERSION,
            body=body,
            seconds=int(clock.real_now().timestamp()),
            region=settings.region,
            path=path,
        )
        url = f"{parts.scheme}://{parts.netloc}{path}"
        raw = wire.exchange(self._http, url, changes=changes, content=body, headers=signed)
        told = wire.child(wire.answer_json(raw, changes=changes), "Response")
        if not told:
            raise wire.broken("malformed", changes=changes, raw=raw)
        if error := wire.child(told, "Error"):
            raise mapping.error_of(
                wire.text(error.get("Code")),
                wire.text(error.get("Message")),
                wire.text(told.get("RequestId")),
                raw,
                changes=changes,
            )
        return told, raw
