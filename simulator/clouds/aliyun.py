"""Alibaba Cloud's gateway of SMS and voice: signature V3, a nonce used once, a clock at most 15 minutes off."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from simulator.clock import beijing
from simulator.clouds.desk import PHONE, SIGN, CloudDesk, Failed, Told, _china
from simulator.state import Json

VERSION = "2017-05-25"
SKEW = 15 * 60
_NEEDED = ("host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256")
_ACTIONS = {
    "aliyun_sms": ("SendSms", "QuerySendDetails"),
    "aliyun_voice": ("SingleCallByTts", "QueryCallDetailByCallId"),
}
_WINDOWS = {"minute": "触发分钟级流控Permits:1", "hour": "触发小时级流控Permits:5", "day": "触发天级流控Permits:10"}


class Aliyun:
    """Both services. ``trusting`` while a world is lived again: headers were not kept then."""

    def __init__(self, desk: CloudDesk) -> None:
        self.desk = desk

    def call(
        self, service: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes,
        facts: Json, *, trusting: bool = False,
    ) -> tuple[int, Json]:  # fmt: skip
        """HTTP status and answer of one call."""
        request_id = f"{self.desk.world.count('aliyun'):08X}-0000-4000-8000-000000000000"
        try:
            action = _guess(query) if trusting else self._check(service, method, path, query, headers, body)
            facts |= {"action": action, "tag": query.get("OutId", "")}
            told = {
                "SendSms": self._send,
                "QuerySendDetails": self._details,
                "SingleCallByTts": self._call,
                "QueryCallDetailByCallId": self._detail,
            }[action](query, facts)
        except Failed as failed:
            facts["outcome"] = failed.code
            return failed.status, {"Code": failed.code, "Message": failed.message, "RequestId": request_id}
        facts["outcome"] = "OK"
        return 200, {"Code": "OK", "Message": "OK", "RequestId": request_id, **told}

    def _check(
        self, service: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> str:
        account = self.desk.services[service]
        said = headers.get("authorization", "")
        scheme, _, rest = said.partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        names = parts.get("SignedHeaders", "").split(";")
        if scheme != "ACS3-HMAC-SHA256" or not parts.get("Signature"):
            raise Failed("IncompleteSignature", "The request signature does not conform to Aliyun standards.", 400)
        if parts.get("Credential") != account.key_id:
            raise Failed("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
        if any(name not in names for name in _NEEDED) or ("content-type" in headers and "content-type" not in names):
            raise Failed("IncompleteSignature", "A header that must be signed is not.", 400)
        if headers["x-acs-content-sha256"] != hashlib.sha256(body).hexdigest():
            raise Failed("SignatureDoesNotMatch", "The digest of the body is wrong.", 400)
        text = "&".join(f"{_escape(name)}={_escape(query[name])}" for name in sorted(query))
        lines = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in sorted(names))
        request = "\n".join((method, path, text, lines, ";".join(sorted(names)), headers["x-acs-content-sha256"]))
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(request.encode()).hexdigest()
        right = hmac.new(account.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, parts["Signature"]):
            raise Failed("SignatureDoesNotMatch", "Specified signature is not matched with our calculation.", 400)
        self._fresh(service, headers)
        if headers["x-acs-version"] != VERSION:
            raise Failed("InvalidVersion", "Specified parameter Version is not valid.", 400)
        action = headers["x-acs-action"]
        if action not in _ACTIONS[service]:
            raise Failed("InvalidAction.NotFound", "Specified api is not found.", 404)
        return action

    def _fresh(self, service: str, headers: Mapping[str, str]) -> None:
        account, now = self.desk.services[service], self.desk.wall()
        try:
            date = datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise Failed("InvalidTimeStamp.Format", "Specified time stamp is not well formatted.", 400) from None
        if abs(date - now) > SKEW:
            raise Failed("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.", 400)
        nonce = headers["x-acs-signature-nonce"]
        account.nonces = {one: at for one, at in account.nonces.items() if at > now - SKEW}
        if not nonce or nonce in account.nonces:
            raise Failed("SignatureNonceUsed", "Specified signature nonce was used already.", 400)
        account.nonces[nonce] = now

    # --- SMS ----------------------------------------------------------------------------------------------------------

    def _send(self, query: Mapping[str, str], facts: Json) -> Json:
        for name in ("PhoneNumbers", "SignName", "TemplateCode"):
            if not query.get(name):
                raise Failed(f"Missing{name}", f"{name} is mandatory for this action.", 400)
        phone = self._phone(query["PhoneNumbers"], "isv.MOBILE_NUMBER_ILLEGAL", facts)
        if query["SignName"] != SIGN:
            raise Failed("isv.SMS_SIGNATURE_ILLEGAL", "短信签名不合法")
        text = f"【{SIGN}】" + self._text("aliyun_sms", query["TemplateCode"], query.get("TemplateParam", "{}"))
        if len(text) > 500:
            raise Failed("isv.PARAM_LENGTH_LIMIT", "参数超出长度限制")
        self._may("aliyun_sms", phone)
        biz_id = f"{self.desk.world.count('biz'):06d}{self.desk.world.clock.now()}^0"
        self.desk.take("aliyun_sms", phone, query.get("OutId", ""), query["TemplateCode"], text, biz_id)
        return {"BizId": biz_id}

    def _details(self, query: Mapping[str, str], facts: Json) -> Json:
        for name in ("PhoneNumber", "SendDate", "PageSize", "CurrentPage"):
            if not query.get(name):
                raise Failed(f"Missing{name}", f"{name} is mandatory for this action.", 400)
        size, page = int(query["PageSize"]), int(query["CurrentPage"])
        if not 1 <= size <= 50:
            raise Failed("isv.INVALID_PARAMETERS", "PageSize 最大 50")
        rows = [
            told
            for told in self.desk.known("aliyun_sms", query["PhoneNumber"])
            if beijing(told.at).strftime("%Y%m%d") == query["SendDate"]
            and query.get("BizId") in {None, "", told.message_id}
        ]
        shown = [self._detail_row(told) for told in rows[::-1][(page - 1) * size : page * size]]
        return {"TotalCount": len(rows), "SmsSendDetailDTOs": {"SmsSendDetailDTO": shown}}

    def _detail_row(self, told: Told) -> Json:
        waits = told.receipt_at > self.desk.world.clock.now()
        status = 1 if waits else 3 if told.fate == "delivered" else 2
        return {
            "PhoneNum": told.phone, "SendDate": _china(told.at),
            "ReceiveDate": "" if waits else _china(told.receipt_at),
            "SendStatus": status, "ErrCode": {1: "", 2: told.code, 3: "DELIVERED"}[status],
            "TemplateCode": told.template, "Content": told.text, "OutId": told.tag,
        }  # fmt: skip

    # --- voice --------------------------------------------------------------------------------------------------------

    def _call(self, query: Mapping[str, str], facts: Json) -> Json:
        for name in ("CalledNumber", "TtsCode"):
            if not query.get(name):
                raise Failed(f"Missing{name}", f"{name} is mandatory for this action.", 400)
        phone = self._phone(query["CalledNumber"], "isv.MOBILE_NUMBER_ILLEGAL", facts)
        tag, params = query.get("OutId", ""), query.get("TtsParam", "{}")
        if tag and not 1 <= len(tag.encode()) <= 15:
            raise Failed("isv.OUT_ID_ILLEGAL", "OutId 长度 1-15 字节")
        if len(params) >= 250 or "://" in params:
            raise Failed("isv.TEMPLATE_PARAMS_ILLEGAL", "模板变量不合法")
        if query.get("PlayTimes", "3") not in {"1", "2", "3"}:
            raise Failed("isv.INVALID_PLAY_TIMES", "播放次数 1-3")
        text = self._text("aliyun_voice", query["TtsCode"], params)
        self._may("aliyun_voice", phone)
        call_id = f"{self.desk.world.count('call'):09d}^{self.desk.world.clock.now()}"
        self.desk.take("aliyun_voice", phone, tag, query["TtsCode"], text, call_id)
        return {"CallId": call_id}

    def _detail(self, query: Mapping[str, str], facts: Json) -> Json:
        for name in ("CallId", "ProdId", "QueryDate"):
            if not query.get(name):
                raise Failed(f"Missing{name}", f"{name} is mandatory for this action.", 400)
        now = self.desk.world.clock.now()
        told = next((one for one in self.desk.known("aliyun_voice") if one.message_id == query["CallId"]), None)
        if told is None:
            raise Failed("isv.CALL_ID_ILLEGAL", "呼叫 ID 不存在")
        if told.receipt_at > now:
            return {"Data": "{}"}
        ok = told.fate == "delivered"
        row = {
            "callId": told.message_id, "state": "200000" if ok else told.code,
            "stateDesc": "用户接听" if ok else "未接听",
            "startDate": _china(told.at), "endDate": _china(told.receipt_at), "duration": 21 if ok else 0,
        }  # fmt: skip
        return {"Data": json.dumps(row, ensure_ascii=False)}

    # --- both ---------------------------------------------------------------------------------------------------------

    def _phone(self, phone: str, code: str, facts: Json) -> str:
        facts["phone"] = f"{phone[:3]}****{phone[-4:]}"
        if not PHONE.fullmatch(phone):
            raise Failed(code, f"{phone}号码格式错误")
        return phone

    def _may(self, service: str, phone: str) -> None:
        if phone in self.desk.blacklist:
            raise Failed("isv.BLACK_LIST", "号码在黑名单中")
        if self.desk.services[service].credit <= 0:
            raise Failed("isv.AMOUNT_NOT_ENOUGH", "账户余额不足")
        window = self.desk.within(service, phone)
        if window:
            raise Failed("isv.BUSINESS_LIMIT_CONTROL", _WINDOWS[window])

    def _text(self, service: str, template_id: str, params: str) -> str:
        template = self.desk.template(service, template_id)
        if template is None:
            kind = "SMS" if service == "aliyun_sms" else "TTS"
            raise Failed(f"isv.{kind}_TEMPLATE_ILLEGAL", "模板不合法")
        try:
            values = json.loads(params)
        except ValueError:
            values = None
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise Failed("isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值")
        if any("://" in value for value in values.values()):
            raise Failed("isv.PARAM_NOT_SUPPORT_URL", "变量不支持传入 URL")
        try:
            return self.desk.fill(template, values)
        except KeyError as missing:
            raise Failed("isv.TEMPLATE_MISSING_PARAMETERS", f"模板变量缺少参数 {missing.args[0]}") from None


def _escape(text: str) -> str:
    return quote(text, safe="-_.~")


def _guess(query: Mapping[str, str]) -> str:
    """What was called, by its parameters alone."""
    names = {
        "PhoneNumbers": "SendSms",
        "CalledNumber": "SingleCallByTts",
        "PhoneNumber": "QuerySendDetails",
        "CallId": "QueryCallDetailByCallId",
    }
    return next((action for name, action in names.items() if name in query), "SendSms")
