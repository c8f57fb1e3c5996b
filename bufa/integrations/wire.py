"""One HTTP exchange, with its failure named; and tolerant readers for what providers really send.

Every client passes through `exchange`, so that "did it leave?" is decided in one place. The clock of a timeout is the
real one.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, timezone
from functools import cache, lru_cache
from typing import Any
from urllib.parse import parse_qs

import httpx
import orjson

from bufa.integrations.ports import ProviderError
from bufa.lib.http import client as http_client
from bufa.lib.reach import OutOfBounds

# httpx logs whole addresses at INFO; Doudian's carry the access token.
logging.getLogger("httpx").setLevel(logging.WARNING)

SECONDS = 10.0
# A chunk may still arrive just before the ten seconds are over, so the slowest answer takes 10 + 9.5 s: under the
# lease of an effect (20 s).
TIMEOUT = httpx.Timeout(connect=3.0, write=3.0, read=9.5, pool=3.0)
LARGEST_ANSWER = 16 * 1024 * 1024
_CHINA_AHEAD = timedelta(hours=8)
CHINA = timezone(_CHINA_AHEAD)
_LATEST_SECOND = 4102444800  # 2100-01-01: beyond it a number is no time
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@cache
def shared_http() -> httpx.Client:
    """The one client of this process that providers use when they are given none; it keeps its connections."""
    return http_client()


_latest: ContextVar[float | None] = ContextVar("latest", default=None)


@contextmanager
def leaving_by(latest: float) -> Iterator[None]:
    """Calls that change something leave before this moment (monotonic seconds) or not at all: a process that was
    stopped after its attempt began must not send when everybody has long taken it for dead."""
    token = _latest.set(latest)
    try:
        yield
    finally:
        _latest.reset(token)


def still_in_time() -> None:
    """Ask right before the first byte leaves. Raises ProviderError `too_late`, which is retryable: nothing left."""
    latest = _latest.get()
    if latest is not None and time.monotonic() > latest:
        raise ProviderError("too_late", retryable=True, text="the attempt began too long ago to send now")


def _about_to_leave(event: str, info: Mapping[str, Any]) -> None:
    """httpcore tells this right before the first byte of a request goes out."""
    if event == "http11.send_request_headers.started":
        still_in_time()


def exchange(
    http: httpx.Client,
    url: str,
    *,
    changes: bool,
    content: bytes | None = None,
    form: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """POST and return the answer's bytes (status 2xx).

    changes: the call may alter the world. Then everything that breaks after the request left is `unknown` and not
    retryable; for a reading call it is retryable and never unknown. Raises ProviderError.
    """
    started = time.monotonic()
    try:
        request = http.build_request(
            "POST",
            url,
            content=content,
            data=dict(form) if form else None,
            params=params,
            headers=headers,
            timeout=TIMEOUT,
            extensions={"trace": _about_to_leave} if changes else {},
        )
        with _streamed(http, request) as answer:
            status = answer.status_code
            body = _read(answer, started)
    except _BEFORE_SENDING as error:
        raise ProviderError("refused_connection", retryable=True, text=type(error).__name__) from None
    except OutOfBounds as error:
        raise ProviderError("out_of_bounds", text=str(error)) from None
    except httpx.InvalidURL:
        raise ProviderError("input", text="the provider's address is no URL") from None
    except httpx.TimeoutException as error:
        raise broken("timeout", changes=changes, text=type(error).__name__) from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise broken("cut", changes=changes, text=type(error).__name__) from None
    if status == 429:
        raise ProviderError("limited", retryable=True, wait=_wait(answer), code="429", raw=body)
    if status >= 500:
        raise broken("http", changes=changes, code=str(status), raw=body)
    if not 200 <= status < 300:
        raise ProviderError("http", code=str(status), raw=body)
    return body


@contextmanager
def _streamed(http: httpx.Client, request: httpx.Request) -> Iterator[httpx.Response]:
    answer = http.send(request, stream=True)
    try:
        yield answer
    finally:
        answer.close()


def broken(why: str, *, changes: bool, **more: Any) -> ProviderError:
    """The error of a call that left and was not properly answered: unknown if it changes things, else retryable."""
    return ProviderError(why, retryable=not changes, unknown=changes, **more)


def _read(answer: httpx.Response, started: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > LARGEST_ANSWER:
            raise httpx.StreamError("answer too large")
        if time.monotonic() - started > SECONDS:
            raise httpx.ReadTimeout("answer came too slowly")
        parts.append(part)
    return b"".join(parts)


def _wait(answer: httpx.Response) -> timedelta:
    told = answer.headers.get("retry-after", "")
    return timedelta(seconds=min(int(told), 600) if told.isascii() and told.isdigit() else 5)


def load_json(body: bytes | str) -> Any:
    """Decode, raising ValueError for everything that is not JSON (bad UTF-8, depth and giant numbers included)."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(str(error)) from None


def form(body: bytes) -> dict[str, str]:
    """The fields of a url-encoded form, the first of each name; ValueError when it is none (bad UTF-8, over 50 fields).

    Payloads are large and escape nearly every byte: there a JSON decoder does in C what `parse_qs` does byte by byte.
    """
    pairs = body.split(b"&")
    if len(pairs) <= _MOST_FIELDS:
        try:
            found: dict[str, str] = {}
            for pair in pairs:
                name, _, value = pair.partition(b"=")
                if pair:
                    found.setdefault(_unescaped(name), _unescaped(value))
            return found
        except ValueError:
            pass  # a stray percent sign, or nonsense
    fields = parse_qs(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    return {name: values[0] for name, values in fields.items()}


_MOST_FIELDS = 50


def _unescaped(part: bytes) -> str:
    r"""`%E4%BD%A0+` as `\u00E4\u00BD\u00A0 `: each byte as a character, which Latin-1 turns back into the byte."""
    if b"%" not in part:
        return part.replace(b"+", b" ").decode()
    if not part.isascii() or b'"' in part or b"\\" in part:
        raise ValueError("not plainly escaped")
    text: str = orjson.loads(b'"' + part.replace(b"+", b" ").replace(b"%", b"\\u00") + b'"')
    return text.encode("latin-1").decode()


def answer_json(body: bytes, *, changes: bool) -> dict[str, Any]:
    """The answer as an object; an answer that is none is as good as no answer. Raises ProviderError."""
    try:
        value = load_json(body)
    except ValueError:
        raise broken("malformed", changes=changes, raw=body) from None
    if not isinstance(value, dict):
        raise broken("malformed", changes=changes, raw=body)
    return value


# ── readers: the same field comes as number, text, null or not at all ────────────────────────────────────────────────


def text(value: object) -> str:
    """A scalar as stripped text; "" for null, booleans, objects and lists."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(int(value)) if isinstance(value, int) or value.is_integer() else str(value)


def number(value: object, default: int = 0) -> int:
    """An integer, also out of text; `default` when there is none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        digits = value.strip()
        if len(digits) <= 30 and digits.removeprefix("-").isascii() and digits.removeprefix("-").isdigit():
            return int(digits)
    return default


def truth(value: object) -> bool:
    return value is True or value == 1 or (isinstance(value, str) and value.strip().lower() in {"1", "true"})


def instant(value: object) -> datetime | None:
    """Unix seconds (or milliseconds) → aware UTC; None for 0, nothing, and numbers that are no time."""
    seconds = number(value)
    if seconds >= 10**12:
        seconds //= 1000
    if not 0 < seconds < _LATEST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def china_time(value: object) -> datetime | None:
    """`2026-01-02 03:04:05` as the clock on a Chinese wall says it → aware UTC. Seconds may be missing, days and months
    may have one digit, and the separators `/`, `T` and an offset are understood; None when it is not a time."""
    return _china_time(text(value))


@lru_cache(maxsize=16_384)
def _china_time(said: str) -> datetime | None:
    told = said.replace("/", "-")
    if len(told) == 19 and told[10] == " ":  # how nearly all of them write it, read four times faster
        try:
            return datetime.fromisoformat(told + "+00:00") - _CHINA_AHEAD
        except (ValueError, OverflowError):
            pass
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d"):
        try:
            return datetime.strptime(told, form).replace(tzinfo=CHINA).astimezone(UTC)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=CHINA)).astimezone(UTC)


def china_text(moment: datetime) -> str:
    """An instant as `yyyy-MM-dd HH:mm:ss` on a Chinese wall clock."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def child(value: object, *path: str) -> dict[str, Any]:
    """The object at `path`, or an empty one."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[dict[str, Any]]:
    """The objects of a list; [] for anything else."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def header(headers: Mapping[str, str], name: str) -> str:
    """A header by name, whatever its case."""
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), "")
