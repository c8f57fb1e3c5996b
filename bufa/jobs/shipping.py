"""Shipping calls settled in their own way: a first shipment by its request id, a corrected number by reading.

Network only: what an answer means for the effect is said by what is returned or raised, nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bufa.apps.parcels.actions import clean_number
from bufa.domain.effects import Result
from bufa.integrations.ciphers import Look
from bufa.integrations.ports import PackageFact, ProviderError, Sent

_ALREADY_SHIPPED = frozenset({"60110", "70023"})
_NOT_THIS_WAY = "70011"


class PlainNo(Exception):
    """Repeating an unknown call was answered by a plain no: it never had its effect."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(str(error))
        self.error = error


def same_number(one: str, other: str) -> bool:
    return clean_number(one) == clean_number(other)


def holds(packages: Iterable[PackageFact], intent: Mapping[str, Any]) -> bool:
    """Whether the platform has our carrier and number among these."""
    return any(one.carrier == intent["carrier"] and same_number(one.number, intent["number"]) for one in packages)


# --- the first shipment of an order -----------------------------------------------------------------------------------


def ship_first(platform: Any, intent: Mapping[str, Any]) -> Sent:
    """Ship with our request id. After a plain no the order is read first: somebody may have typed this very number at
    the platform, or an answer may have got lost on its way through a renewed token.

    Raises ProviderError; `unknown` also where the no could not be checked.
    """
    try:
        return _ship(platform, intent)
    except ProviderError as error:
        if error.unknown or error.retryable:
            raise
        if _is_there_after_no(platform, intent, error):
            return Sent(error.log_id, "", error.raw)
        raise


def first_there(platform: Any, intent: Mapping[str, Any]) -> Result | None:
    """Settle an unknown first shipment: read it, else ask again with the same id, which ships nothing twice.

    Raises PlainNo where the repeat is refused and the order does not hold the number; ProviderError where nobody
    could be asked. "Already shipped" without our number settles nothing: reads may lag behind.
    """
    if holds(platform.order(intent["order"]).packages, intent):
        return Result.ACCEPTED
    try:
        _ship(platform, intent)
    except ProviderError as error:
        if error.unknown or error.retryable:
            raise
        if holds(platform.order(intent["order"]).packages, intent):
            return Result.ACCEPTED
        if _number_of(error) in _ALREADY_SHIPPED:
            return None
        raise PlainNo(error) from None
    return Result.ACCEPTED


def _ship(platform: Any, intent: Mapping[str, Any]) -> Sent:
    lines = tuple((str(line), int(count)) for line, count in intent["lines"])
    sent: Sent = platform.add_first_package(
        intent["order"],
        lines,
        intent["carrier"],
        intent["number"],
        intent["request_id"],
        intent.get("send_address_id", ""),
    )
    return sent


def _is_there_after_no(platform: Any, intent: Mapping[str, Any], no: ProviderError) -> bool:
    try:
        return holds(platform.order(intent["order"]).packages, intent)
    except ProviderError:
        raise ProviderError(
            no.why, unknown=True, code=no.code, sub_code=no.sub_code, log_id=no.log_id, text=no.text, raw=no.raw
        ) from None


# --- putting a wrong number right -------------------------------------------------------------------------------------


def correct(platform: Any, intent: Mapping[str, Any]) -> Sent:
    """Correct a number: as the whole order's where it was shipped so, by its package where the platform says 70011."""
    try:
        sent: Sent = platform.edit_whole(intent["order"], intent["carrier"], intent["number"])
    except ProviderError as error:
        if _number_of(error) != _NOT_THIS_WAY:
            raise
        package_id = intent.get("package_id") or _package_of(platform, intent)
        if not package_id:
            raise
        sent = platform.edit_package(intent["order"], package_id, intent["carrier"], intent["number"])
    return sent


def corrected_there(platform: Any, intent: Mapping[str, Any]) -> Result | None:
    """The new number is there: done. Only the old one is: reads may lag, so that alone settles nothing."""
    return Result.ACCEPTED if holds(platform.order(intent["order"]).packages, intent) else None


def _package_of(platform: Any, intent: Mapping[str, Any]) -> str:
    packages: tuple[PackageFact, ...] = platform.order(intent["order"]).packages
    return next((one.package_id for one in packages if same_number(one.number, intent["was"])), "")


# --- reports of who looked --------------------------------------------------------------------------------------------


def look_of(intent: Mapping[str, Any]) -> Look:
    return Look(
        event_id=intent["event_id"],
        account=intent["account"],
        order_number=intent["order_number"],
        at=datetime.fromisoformat(intent["at"]),
        url=intent["url"],
        ip=intent["ip"],
        user_agent=intent["user_agent"],
        referer=intent["referer"],
        ciphers=intent["ciphers"],
    )


def _number_of(error: ProviderError) -> str:
    return error.sub_code.rpartition(":")[2].strip()
