"""Robots of chat groups: kept sealed, tried, and paced so that the vendor never has to refuse one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.effects.actions import real_now
from bufa.apps.negotiations.models import GroupRobot
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.domain.robots import Address, Pace, read_address, wait
from bufa.integrations import registry
from bufa.integrations.ports import CanSpeakInGroup, ProviderError, Sent
from bufa.lib import clock
from bufa.lib.crypto import seal, unseal
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import for_shops, reading, writing

MOST_ROBOTS = 200
_KEPT = 120


@dataclass(frozen=True, slots=True)
class RobotView:
    """One robot in the shop's list; its address and key are never shown again."""

    robot_id: int
    kind: str
    name: str
    is_active: bool
    is_signed: bool
    checked_at: datetime | None
    error: str


def save_robot(*, shop_id: int, name: str, address: str, secret: str = "", by: Actor) -> int:
    """Keep a robot by the address that its vendor gives; the same address again changes name and key.

    Raises Refused: not_allowed, parameter_missing (name), robot_address, robot_host (host), robot_unsigned (a WeCom
    robot has no key), too_many_robots (most).
    """
    if by.role is not None:
        check(by.role, Permission.CONNECT_SHOP)
    if not name.strip():
        raise Refused("parameter_missing", name="name")
    found = read_address(address, settings.BUFA_ROBOT_SIMULATOR)
    if found.kind == "wecom" and secret.strip():
        raise Refused("robot_unsigned")
    digest = _digest(found)
    with writing([shop_id]):
        row = GroupRobot.objects.filter(shop_id=shop_id, digest=digest).first()
        if row is None:
            if GroupRobot.objects.filter(shop_id=shop_id).count() >= MOST_ROBOTS:
                raise Refused("too_many_robots", most=MOST_ROBOTS)
            row = GroupRobot(shop_id=shop_id, digest=digest, kind=found.kind)
        row.name, row.base_url, row.is_active, row.error = name.strip()[:60], found.base_url, True, ""
        kept = {"token": found.token, "secret": secret.strip()}
        row.secrets = seal(shop_id, json.dumps(kept).encode(), where=_where(digest))
        row.save()
        audit.record(shop_id, by.ref, "robot.save", f"robot:{row.pk}", {"kind": found.kind})
        return row.pk


def switch_off(*, shop_id: int, robot_id: int, by: Actor) -> None:
    """It says nothing any more; contacts that it reaches are refused until it is saved again. Raises Refused."""
    if by.role is not None:
        check(by.role, Permission.CONNECT_SHOP)
    with writing([shop_id]):
        if not GroupRobot.objects.filter(shop_id=shop_id, id=robot_id).update(is_active=False):
            raise Refused("no_such_robot")
        audit.record(shop_id, by.ref, "robot.off", f"robot:{robot_id}")


def try_robot(*, shop_id: int, robot_id: int, text: str, by: Actor) -> None:
    """Say one line in the group, and write down whether it was taken. No transaction is open around the call.

    Raises Refused: not_allowed, no_such_robot, connection_failed (kind, failure, said).
    """
    if by.role is not None:
        check(by.role, Permission.CONNECT_SHOP)
    kind = ""
    try:
        kind = _row(shop_id, robot_id).kind
        say(shop_id, robot_id, text)
    except ProviderError as error:
        said = " ".join(part for part in (error.code, error.text) if part)[:200]
        _note(shop_id, robot_id, f"{error.why} {said}".strip())
        raise Refused("connection_failed", kind=kind, failure=error.why, said=said) from error
    _note(shop_id, robot_id, "")


def say(shop_id: int, robot_id: int, text: str) -> Sent:
    """Say something, when it is the robot's turn. Raises ProviderError: `limited` before anything left, when it would
    be too fast; and as the vendor's client. Refused: no_such_robot, robot_is_off."""
    row = _row(shop_id, robot_id)
    client = _client(row)
    _take_turn(shop_id, robot_id)
    return client.say(text)


def most_bytes(kind: str) -> int:
    """What a robot of this kind takes as one text."""
    most: int = registry.limits("robot", kind).MOST_BYTES
    return most


@remembered
def robots(shops: Sequence[int]) -> tuple[RobotView, ...]:
    """The shop's robots, by name."""
    with reading(shops):
        rows = GroupRobot.objects.filter(shop_id__in=shops)
        return tuple(
            RobotView(
                row.pk, row.kind, row.name, row.is_active, bool(_secrets(row).get("secret")), row.checked_at,
                row.error,
            )
            for row in rows.order_by("name", "id")
        )  # fmt: skip


def _row(shop_id: int, robot_id: int) -> GroupRobot:
    with reading([shop_id]):
        row = GroupRobot.objects.filter(shop_id=shop_id, id=robot_id).first()
    if row is None:
        raise Refused("no_such_robot")
    if not row.is_active:
        raise Refused("robot_is_off", name=row.name)
    return row


def _client(row: GroupRobot) -> CanSpeakInGroup:
    if row.base_url and not _is_simulator(row.base_url):
        raise Refused("robot_host", host=row.base_url)
    kept = _secrets(row)
    said: dict[str, Any] = {"token": kept["token"], "base_url": row.base_url}
    if row.kind != "wecom":
        said["secret"] = kept.get("secret", "")
    client: CanSpeakInGroup = registry.load("robot", row.kind, said)
    return client


def _is_simulator(base_url: str) -> bool:
    known = settings.BUFA_ROBOT_SIMULATOR.rstrip("/")
    return bool(known) and base_url.startswith(known + "/")


def _take_turn(shop_id: int, robot_id: int) -> None:
    """Under the row's lock, so that two workers never speak at once; a turn taken is one used, whatever comes of it."""
    with for_shops([shop_id]):
        row = GroupRobot.objects.select_for_update().get(shop_id=shop_id, id=robot_id)
        limits = registry.limits("robot", row.kind)
        now = real_now().timestamp()
        left = wait(row.recent, now, Pace(limits.PER_MINUTE, limits.PER_SECOND))
        if left <= 0:
            row.recent = [*row.recent, now][-_KEPT:]
            row.save(update_fields=["recent"])
            return
    raise ProviderError("limited", retryable=True, wait=timedelta(seconds=left), text="our own pace")


def _note(shop_id: int, robot_id: int, error: str) -> None:
    with for_shops([shop_id]):
        GroupRobot.objects.filter(shop_id=shop_id, id=robot_id).update(checked_at=clock.now(), error=error[:200])


def _secrets(row: GroupRobot) -> dict[str, str]:
    plain: dict[str, str] = json.loads(unseal(row.shop_id, bytes(row.secrets), where=_where(row.digest)))
    return plain


def _digest(found: Address) -> str:
    return hashlib.sha256(f"{found.kind}|{found.base_url}|{found.token}".encode()).hexdigest()


def _where(digest: str) -> str:
    return f"negotiations_grouprobot.secrets:{digest}"
