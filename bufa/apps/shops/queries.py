"""Read shops, people and connections. `all_shop_ids` and `check_hook` are the only two that need no shop first."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from bufa.apps.shops import pauses
from bufa.apps.shops.models import Connection, ConnectionState, Member, Operator, PickupAddress, Roster, Shop
from bufa.domain.kinds import Role
from bufa.domain.watch import Policy
from bufa.integrations import registry
from bufa.lib import crypto
from bufa.lib.prepared import prepared
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import for_operator, reading

TRACKING_KINDS = ("kuaidi100", "kdniao", "17track")
"""Kinds of connection that follow parcels, the preferred one first."""

PROVIDER_AREA: Mapping[str, str] = {
    "doudian": "platform",
    "kuaidi100": "tracking",
    "kdniao": "tracking",
    "17track": "tracking",
    "smtp": "mail",
    "aliyun_sms": "message",
    "tencent_sms": "message",
    "aliyun_voice": "message",
}

MESSAGE_KINDS = ("aliyun_sms", "tencent_sms", "aliyun_voice")
"""Kinds of connection that send messages for money."""

FOLLOW, BY_PUSH, BY_ASKING = "follow", "push", "ask"
"""How a tracking connection follows parcels: an entry of its settings, and what it may say."""

PER_HOUR, MOST_PER_HOUR = "calls_per_hour", 3600
"""Calls of the plan in an hour: an entry of its settings, and the most it may say."""

_HOOK_TOKEN = re.compile(r"(?P<shop>[1-9][0-9]{0,17})-(?P<secret>[A-Za-z0-9_-]{20,80})")


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing leaves the shop since `at` (its clock). `why`: person or restored."""

    at: datetime
    why: str
    by: str


@dataclass(frozen=True, slots=True)
class ShopInfo:
    """A shop as pages name it; `role` is the asking operator's, or None where nobody in particular asks."""

    shop_id: int
    name: str
    platform_shop_id: str
    is_demo: bool
    role: Role | None = None
    policy: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    paused: Paused | None = None


@dataclass(frozen=True, slots=True)
class MemberInfo:
    operator_id: int
    login: str
    display_name: str
    role: Role
    is_active: bool


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """A connection without its secrets. `has_secret` names which secrets are stored; `hook_path` is where the other
    side pushes to, "" when it never pushes."""

    shop_id: int
    kind: str
    state: str
    settings: Mapping[str, Any]
    has_secret: tuple[str, ...]
    hook_path: str
    tokens_expire_at: datetime | None
    synced_until: datetime | None
    progress: Mapping[str, Any]
    error: str
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class PickupInfo:
    """Where the carrier collects a reissue."""

    pickup_id: int
    platform_id: str
    contact: str
    phone: str
    province: str
    city: str
    district: str
    street: str
    detail: str
    is_default: bool


def all_shop_ids() -> list[int]:
    """Ids of all shops: what the sweep and the hooks start from."""
    return list(Roster.objects.order_by("shop_id").values_list("shop_id", flat=True))


def shops_of(operator_id: int) -> list[ShopInfo]:
    """The shops an operator is an active member of, with the role there."""
    roles = roles_of(operator_id)
    if not roles:
        return []
    with reading(roles):
        return named(roles)


def roles_of(operator_id: int) -> dict[int, Role]:
    """Shop → the operator's role there, for the shops they are an active member of."""
    with for_operator(operator_id):
        found = Member.objects.filter(operator_id=operator_id, is_active=True, operator__is_active=True)
        return {shop_id: Role(role) for shop_id, role in found.values_list("shop_id", "role")}


def named(roles: Mapping[int, Role]) -> list[ShopInfo]:
    """The shops of `roles_of` with their names; inside of a transaction over these shops."""
    return [_shop_info(shop, roles[shop.pk]) for shop in Shop.objects.filter(id__in=roles).order_by("id")]


def role_in(operator_id: int, shop_id: int) -> Role | None:
    """The operator's role in the shop; None for strangers and for those who were disabled."""
    with reading([shop_id]):
        role = (
            Member.objects.filter(shop_id=shop_id, operator_id=operator_id, is_active=True, operator__is_active=True)
            .values_list("role", flat=True)
            .first()
        )
    return Role(role) if role else None


@remembered
def shop(shop_id: int) -> ShopInfo:
    """Raises Shop.DoesNotExist (an ObjectDoesNotExist) for an id that is no shop."""
    with reading([shop_id]):
        return _shop_info(Shop.objects.get(id=shop_id), None)


def shop_infos(shops: Sequence[int]) -> list[ShopInfo]:
    with reading(shops):
        return [_shop_info(row, None) for row in Shop.objects.filter(id__in=shops).order_by("id")]


def is_paused(shop_id: int) -> bool:
    """Whether nothing may leave the shop at present."""
    with reading([shop_id]):
        return Shop.objects.filter(id=shop_id, outbound_paused_at__isnull=False).exists()


def find_shop(name_or_id: str) -> int | None:
    """The shop that a person at the command line means: its id, its platform id or its exact name; None when
    there is none or more than one."""
    ids = all_shop_ids()
    if name_or_id.isdigit() and int(name_or_id) in ids:
        return int(name_or_id)
    with reading(ids):
        named = Shop.objects.filter(id__in=ids)
        found = list(named.filter(platform_shop_id=name_or_id).values_list("id", flat=True)[:2])
        found = found or list(named.filter(name=name_or_id).values_list("id", flat=True)[:2])
    return found[0] if len(found) == 1 else None


@prepared
def _members(shops: Sequence[int]) -> QuerySet[Member]:
    return Member.objects.filter(shop_id__one_of=shops).select_related("operator").order_by("shop_id", "id")


@prepared
def _connection(shop_id: int, kind: str) -> QuerySet[Connection]:
    return Connection.objects.filter(shop_id=shop_id, kind=kind)[:1]


@remembered
def members(shops: Sequence[int]) -> list[MemberInfo]:
    with reading(shops):
        return [
            MemberInfo(row.operator_id, row.operator.username, row.operator.display_name, Role(row.role), row.is_active)
            for row in _members(shops)
        ]


def operator_name(operator_id: int) -> str:
    """The name to show for an operator, "" when there is no such."""
    row = Operator.objects.filter(id=operator_id).values_list("display_name", "username").first()
    return (row[0] or row[1]) if row else ""


def connections(shops: Sequence[int]) -> list[ConnectionInfo]:
    with reading(shops):
        return [_connection_info(row) for row in Connection.objects.filter(shop_id__in=shops).order_by("shop_id", "id")]


@remembered
def connection(shop_id: int, kind: str) -> ConnectionInfo | None:
    with reading([shop_id]):
        row = _connection.first(shop_id, kind)
        return _connection_info(row) if row else None


@remembered
def in_use(shop_id: int) -> Mapping[str, ConnectionInfo]:
    """Kind → connection, of those that are not switched off."""
    return {each.kind: each for each in connections([shop_id]) if each.state != ConnectionState.OFF}


def tracking_kind(shop_id: int) -> str:
    """The tracking provider that the shop uses: the preferred one of those connected, "" for none."""
    with reading([shop_id]):
        there = set(
            Connection.objects.filter(shop_id=shop_id, kind__in=TRACKING_KINDS)
            .exclude(state=ConnectionState.OFF)
            .values_list("kind", flat=True)
        )
    return next((kind for kind in TRACKING_KINDS if kind in there), "")


@dataclass(frozen=True, slots=True)
class Asking:
    """How a shop's tracking provider is used. `pushes`: parcels are subscribed and pushed, and only those that could
    not be are asked about; else all are, by plan. `per_hour`: calls of the plan in an hour, 0 for none."""

    kind: str
    pushes: bool
    per_hour: int


def asking(shop_id: int) -> Asking:
    """By the tracking connection in use; `kind` "" without one."""
    kind = tracking_kind(shop_id)
    if not kind:
        return Asking("", pushes=True, per_hour=0)
    with reading([shop_id]):
        kept: dict[str, Any] = Connection.objects.values_list("settings", flat=True).get(shop_id=shop_id, kind=kind)
    per_hour = kept.get(PER_HOUR, 0)
    known = isinstance(per_hour, int) and not isinstance(per_hour, bool) and 0 <= per_hour <= MOST_PER_HOUR
    return Asking(kind, pushes=kept.get(FOLLOW) != BY_ASKING, per_hour=per_hour if known else 0)


def asking_shops(shop_ids: Sequence[int]) -> list[int]:
    """Those of the shops that may have something to ask by plan: one query, however many they are."""
    with reading(shop_ids):
        rows = Connection.objects.filter(shop_id__in=shop_ids, kind__in=TRACKING_KINDS).exclude(
            state=ConnectionState.OFF
        )
        return sorted(rows.filter(**{f"settings__{PER_HOUR}__gt": 0}).values_list("shop_id", flat=True).distinct())


def pushing_shops(shop_ids: Sequence[int]) -> list[int]:
    """Those of the shops whose tracking provider is to be subscribed at: one query, however many they are."""
    with reading(shop_ids):
        rows = Connection.objects.filter(shop_id__in=shop_ids, kind__in=TRACKING_KINDS).exclude(
            state=ConnectionState.OFF
        )
        found = list(rows.values_list("shop_id", "kind", f"settings__{FOLLOW}"))
    preferred: dict[int, tuple[int, bool]] = {}
    for shop_id, kind, follow in found:
        one = (TRACKING_KINDS.index(kind), follow != BY_ASKING)
        preferred[shop_id] = min(preferred.get(shop_id, one), one)
    return sorted(shop_id for shop_id, (_, pushes) in preferred.items() if pushes)


def policy_json(shop_id: int) -> dict[str, Any]:
    """The shop's policy as stored: only what differs from the defaults."""
    with reading([shop_id]):
        stored: dict[str, Any] = Shop.objects.values_list("policy", flat=True).get(id=shop_id)
        return stored


def policy(shop_id: int, now: datetime) -> Policy:
    """The shop's policy as the rules read it at `now`, its calendar included; two queries. Entries that make no sense
    are left out, never guessed."""
    stored = policy_json(shop_id)
    return Policy(
        warn_hours=_hours(stored.get("warn_hours")),
        hours=_hours(stored.get("hours")),
        muted=frozenset(str(rule) for rule in stored.get("muted", ()) if isinstance(rule, str)),
        pauses=pauses.standing(shop_id, now),
    )


@remembered
def pickup_addresses(shops: Sequence[int]) -> list[PickupInfo]:
    """Default first."""
    with reading(shops):
        rows = PickupAddress.objects.filter(shop_id__in=shops).order_by("-is_default", "id")
        return [
            PickupInfo(
                row.pk, row.platform_id, row.contact, row.phone, row.province, row.city, row.district, row.street,
                row.detail, row.is_default,
            )
            for row in rows
        ]  # fmt: skip


def origin_province(shop_id: int) -> str:
    """The province parcels leave from, by the default pickup address; "" when none is known."""
    found = pickup_addresses([shop_id])
    return found[0].province if found else ""


def hook_url(shop_id: int, kind: str) -> str:
    """The whole address that a provider pushes to: `BUFA_PUBLIC_URL`, else the address that the desk runs at."""
    info = connection(shop_id, kind)
    base = os.environ.get("BUFA_PUBLIC_URL") or os.environ.get("BUFA_ADDRESS") or "http://127.0.0.1:8800"
    return base.rstrip("/") + info.hook_path if info and info.hook_path else ""


def shop_of_hook(token: str) -> int | None:
    """The shop that a hook's token names; whether its secret is right, `check_hook` says."""
    match = _HOOK_TOKEN.fullmatch(token)
    return int(match["shop"]) if match else None


def check_hook(token: str, kind: str) -> int | None:
    """The shop whose hook `/hooks/<token>/<kind>` is, or None. Takes the same time for every wrong secret."""
    shop_id = shop_of_hook(token)
    if shop_id is None:
        return None
    with reading([shop_id]):
        stored = (
            Connection.objects.filter(shop_id=shop_id, kind=kind)
            .exclude(state=ConnectionState.OFF)
            .values_list("hook_digest", flat=True)
            .first()
        )
    given = hashlib.sha256(token.partition("-")[2].encode()).hexdigest()
    return shop_id if hmac.compare_digest(stored or "-" * 64, given) else None


def secrets_of(row: Connection) -> dict[str, Any]:
    """Unsealed secrets of a connection row; `_hook` among them is the secret part of its hook path."""
    if not row.secrets:
        return {}
    opened = crypto.unseal(row.shop_id, bytes(row.secrets), where=f"shops_connection.secrets:{row.kind}")
    found: dict[str, Any] = json.loads(opened)
    return found


def provider_settings(shop_id: int, kind: str, provider: tuple[str, str] | None = None) -> dict[str, Any] | None:
    """What the provider's own Settings take, secrets included; None when the shop has no such connection.

    `provider`: (area, name) where another provider lives on the same connection, as a mailbox does on mail.

    Keys that the provider does not know are ours (a sender's name, a template id) and stay out.
    """
    with reading([shop_id]):
        row = Connection.objects.filter(shop_id=shop_id, kind=kind).exclude(state=ConnectionState.OFF).first()
        if row is None:
            return None
        given = {**row.settings, **secrets_of(row)}
    known = registry.setting_names(*(provider or (PROVIDER_AREA[kind], kind)))
    return {name: value for name, value in given.items() if name in known and value not in (None, "")}


def _shop_info(row: Shop, role: Role | None) -> ShopInfo:
    paused = None
    if row.outbound_paused_at is not None:
        paused = Paused(row.outbound_paused_at, row.outbound_paused_why, row.outbound_paused_by)
    return ShopInfo(row.pk, row.name, row.platform_shop_id, row.is_demo, role, row.policy, paused)


def _connection_info(row: Connection) -> ConnectionInfo:
    opened = secrets_of(row)
    hook = opened.get("_hook", "")
    return ConnectionInfo(
        shop_id=row.shop_id,
        kind=row.kind,
        state=row.state,
        settings=row.settings,
        has_secret=tuple(sorted(name for name, value in opened.items() if value and not name.startswith("_"))),
        hook_path=f"/hooks/{row.shop_id}-{hook}/{row.kind}" if hook else "",
        tokens_expire_at=row.tokens_expire_at,
        synced_until=row.synced_until,
        progress=row.progress,
        error=row.error,
        checked_at=row.checked_at,
    )


def _hours(stored: object) -> dict[str, int]:
    if not isinstance(stored, Mapping):
        return {}
    return {str(rule): value for rule, value in stored.items() if isinstance(value, int) and 0 <= value <= 24 * 60}
