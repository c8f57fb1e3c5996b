"""Tencent Cloud's gateway of SMS: signature V3, a clock at most five minutes off. Refusals come as HTTP 200."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from simulator.clouds.desk import PHONE, SIGN, CloudDesk, Failed, Told, segments
from simulator.state import Json

VERSION = "2021-01-11"
SKEW = 5 * 60
_LIMITS = {
    "minute": "LimitExceeded.DeliveryFrequencyLimit",
    "hour": "LimitExceeded.PhoneNumberOneHourLimit",
    "day": "LimitExceeded.PhoneNumberDailyLimit",
}


class Tencent:
    """One account and one application."""

    def __init__(self, desk: CloudDesk) -> None:
        self.desk = desk

    def call(self, path: str, headers: Mapping[str, str], body: bytes, facts: Json, *, trusting: bool = False) -> Json:
        """The answer to one POST."""
        request_id = f"{self.desk.world.count('tencent'):08x}-0000-4000-8000-000000000000"
        try:
            asked, action = self._read(path, headers, body, trusting)
            facts["action"] = action
            told = self._send(asked, facts) if action == "SendSms" else self._pull(asked)
        except Failed as failed:
            facts["outcome"] = failed.code
            return {"Response": {"Error": {"Code": failed.code, "Message": failed.message}, "RequestId": request_id}}
        facts.setdefault("outcome", "Ok")
        return {"Response": {**told, "RequestId": request_id}}

    def _read(self, path: str, headers: Mapping[str, str], body: bytes, trusting: bool) -> tuple[Json, str]:
        action = headers.get("x-tc-action", "")
        if not trusting:
            self._check(path, headers, body)
        try:
            asked = json.loads(body)
        except ValueError:
            raise Failed("FailedOperation.JsonParseFail", "The JSON is broken.") from None
        if trusting:
            action = "SendSms" if "PhoneNumberSet" in asked else "PullSmsSendStatusByPhoneNumber"
        if headers.get("x-tc-version", VERSION) != VERSION:
            raise Failed("NoSuchVersion", "The version does not exist.")
        if action not in {"SendSms", "PullSmsSendStatusByPhoneNumber"}:
            raise Failed("InvalidAction", "The action does not exist.")
        if asked.get("SmsSdkAppId") != self.desk.app_id:
            raise Failed("UnauthorizedOperation.SmsSdkAppIdVerifyFail", "The SmsSdkAppId is wrong.")
        return asked, action

    def _check(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        account = self.desk.services["tencent_sms"]
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        key_id, _, scope = parts.get("Credential", "").partition("/")
        if scheme != "TC3-HMAC-SHA256" or not parts.get("Signature"):
            raise Failed("AuthFailure.SignatureFailure", "The Authorization is not as it must be.")
        if key_id != account.key_id:
            raise Failed("AuthFailure.SecretIdNotFound", "The SecretId does not exist.")
        stamp = headers.get("x-tc-timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) - self.desk.wall()) > SKEW:
            raise Failed("AuthFailure.SignatureExpire", "The timestamp is more than five minutes off.")
        day = datetime.fromtimestamp(int(stamp), UTC).strftime("%Y-%m-%d")
        names = parts.get("SignedHeaders", "").split(";")
        if scope != f"{day}/sms/tc3_request" or not {"content-type", "host"} <= set(names):
            raise Failed("AuthFailure.SignatureFailure", "The credential scope or the signed headers are wrong.")
        lines = "".join(
            f"{name}:{(headers.get(name, '').lower() if name == 'x-tc-action' else headers.get(name, '')).strip()}\n"
            for name in sorted(names)
        )
        request = "\n".join(("POST", path, "", lines, ";".join(sorted(names)), hashlib.sha256(body).hexdigest()))
        to_sign = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = ("TC3" + account.secret).encode()
        for part in (day, "sms", "tc3_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        right = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, parts["Signature"]):
            raise Failed("AuthFailure.SignatureFailure", "The signature is not the one that we get.")

    def _send(self, asked: Json, facts: Json) -> Json:
        numbers, values = asked.get("PhoneNumberSet"), asked.get("TemplateParamSet") or []
        if not numbers or not isinstance(numbers, list):
            raise Failed("MissingParameter.EmptyPhoneNumberSet", "PhoneNumberSet is empty.")
        if len(numbers) > 200:
            raise Failed("LimitExceeded.PhoneNumberCountLimit", "At most 200 numbers.")
        if not all(isinstance(value, str) for value in values):
            raise Failed("InvalidParameterValue.TemplateParameterFormatError", "Parameters are strings.")
        if len(str(asked.get("SessionContext", "")).encode()) >= 512:
            raise Failed("InvalidParameter", "SessionContext is too long.")
        facts["tag"] = asked.get("SessionContext", "")
        return {"SendStatusSet": [self._one(str(number), asked, values, facts) for number in numbers]}

    def _one(self, number: str, asked: Json, values: list[str], facts: Json) -> Json:
        facts["phone"] = f"{number[:6]}****{number[-4:]}"
        row = {"PhoneNumber": number, "SessionContext": asked.get("SessionContext", ""), "IsoCode": "CN"}
        try:
            serial, fee = self._deliver(number, asked, values)
        except Failed as failed:
            facts["outcome"] = failed.code
            return {**row, "SerialNo": "", "Fee": 0, "Code": failed.code, "Message": failed.message}
        return {**row, "SerialNo": serial, "Fee": fee, "Code": "Ok", "Message": "send success"}

    def _deliver(self, number: str, asked: Json, values: list[str]) -> tuple[str, int]:
        phone = number.removeprefix("+86")
        if not number.startswith("+86") or not PHONE.fullmatch(phone):
            raise Failed("InvalidParameterValue.IncorrectPhoneNumber", "incorrect phone number")
        if asked.get("SignName") != SIGN:
            raise Failed("FailedOperation.SignatureIncorrectOrUnapproved", "the signature is not approved")
        template = self.desk.template("tencent_sms", str(asked.get("TemplateId", "")))
        if template is None:
            raise Failed("FailedOperation.TemplateIncorrectOrUnapproved", "the template is not approved")
        if len(set(template.fields)) != len(values):
            raise Failed("FailedOperation.TemplateParamSetNotMatchApprovedTemplate", "parameters do not match")
        if any("://" in value for value in values):
            raise Failed("InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", "no URL in parameters")
        text = f"【{SIGN}】" + self.desk.fill(template, {str(at): value for at, value in enumerate(values, 1)})
        if phone in self.desk.blacklist:
            raise Failed("FailedOperation.PhoneNumberInBlacklist", "the number is in the blacklist")
        if self.desk.services["tencent_sms"].credit <= 0:
            raise Failed("FailedOperation.InsufficientBalanceInSmsPackage", "insufficient balance")
        if self.desk.same_lately("tencent_sms", phone, text):
            raise Failed("LimitExceeded.PhoneNumberThirtySecondLimit", "one every 30 seconds")
        if window := self.desk.within("tencent_sms", phone):
            raise Failed(_LIMITS[window], f"limit of the {window}")
        serial = f"2019:{self.desk.world.rng(f'serial:{len(self.desk.told)}').getrandbits(62):019d}"
        tag = str(asked.get("SessionContext", ""))
        self.desk.take("tencent_sms", phone, tag, str(asked.get("TemplateId", "")), text, serial)
        return serial, segments(text)

    def _pull(self, asked: Json) -> Json:
        limit, offset = asked.get("Limit"), asked.get("Offset")
        if not isinstance(limit, int) or not 0 < limit <= 100 or not isinstance(offset, int):
            raise Failed("InvalidParameterValue.LimitVerifyFail", "Limit is 1 to 100.")
        begins = asked.get("BeginTime")
        # Callers count by the wall's clock, also where the world's has run ahead.
        latest = min(self.desk.world.clock.now(), time.time())
        if not isinstance(begins, int) or begins < latest - 8 * 86400:
            raise Failed("InvalidParameterValue.BeginTimeVerifyFail", "At most seven days back.")
        ends = asked.get("EndTime") or self.desk.world.clock.now()
        now = self.desk.world.clock.now()
        phone = str(asked.get("PhoneNumber", "")).removeprefix("+86")
        rows = [
            told
            for told in self.desk.known("tencent_sms", phone or "-")
            if begins <= told.at <= ends and told.receipt_at <= now
        ]
        return {"PullSmsSendStatusSet": [_row(told) for told in rows[offset : offset + limit]]}


def _row(told: Told) -> dict[str, Any]:
    ok = told.fate == "delivered"
    return {
        "UserReceiveTime": told.receipt_at, "CountryCode": "86", "SubscriberNumber": told.phone,
        "PhoneNumber": f"+86{told.phone}", "SerialNo": told.message_id,
        "ReportStatus": "SUCCESS" if ok else "FAIL", "Description": "DELIVRD" if ok else told.code,
        "SessionContext": told.tag,
    }  # fmt: skip
