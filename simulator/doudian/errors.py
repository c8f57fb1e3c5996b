"""The platform's refusals. Numbers and texts as far as they are public; HTTP status is always 200."""

from __future__ import annotations


class Refusal(Exception):
    """A gateway answer with a code other than 10000."""

    def __init__(self, code: int, msg: str, sub_code: str, sub_msg: str = "") -> None:
        super().__init__(f"{code} {sub_code}")
        self.code = code
        self.msg = msg
        self.sub_code = sub_code
        self.sub_msg = sub_msg or msg


def missing_platform(what: str, text: str = "") -> Refusal:
    return Refusal(40001, "缺少必选参数", f"isv.{what}", text)


def bad_platform(what: str, text: str = "") -> Refusal:
    return Refusal(40003, "非法的参数", f"isv.{what}", text)


def missing(number: int, text: str) -> Refusal:
    return Refusal(40002, "缺少必选参数", f"isv.missing-parameter:{number}", text)


def invalid(number: int, text: str) -> Refusal:
    return Refusal(40004, "非法的参数", f"isv.parameter-invalid:{number}", text)


def failed(number: int | str, text: str) -> Refusal:
    return Refusal(50002, "业务处理失败", f"isv.business-failed:{number}", text)


def token_failed(what: str, text: str) -> Refusal:
    return Refusal(50001, "平台处理失败", f"dop.token-generate-failed:{what}", text)
