"""Make shops, people and connections. Every act is in the shop's audit chain."""

from __future__ import annotations

import hashlib
import json
import secrets as random_secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.db import transaction

from bufa.apps.audit import actions as audit
from bufa.apps.shops.clients import write_tokens
from bufa.apps.shops.models import (
    Connection,
    ConnectionKind,
    ConnectionState,
    Member,
    Operator,
    PickupAddress,
    Roster,
    Shop,
)
from bufa.apps.shops.queries import secrets_of
from bufa.apps.shops.remembered import forget_hooks
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.integrations.ports import PickupAddressFact, Tokens
from bufa.lib import clock, crypto
from bufa.lib.tenancy import for_shops

SECRET_SETTINGS: Mapping[str, frozenset[str]] = {
    ConnectionKind.DOUDIAN: frozenset({"app_secret"}),
    ConnectionKind.KUAIDI100: frozenset({"key", "salt"}),
    ConnectionKind.KDNIAO: frozenset({"app_key"}),
    ConnectionKind.TRACK17: frozenset({"key"}),
    ConnectionKind.SMTP: frozenset({"password", "imap_password"}),
    ConnectionKind.ALIYUN_SMS: frozenset({"key_secret"}),
    ConnectionKind.TENCENT_SMS: frozenset({"secret_key"}),
    ConnectionKind.ALIYUN_VOICE: frozenset({"key_secret"}),
}
"""Names that are sealed even when a form hands them over among the plain settings."""


def create_shop(
    name: str,
    *,
    owner_login: str,
    owner_password: str,
    owner_name: str = "",
    platform_shop_id: str = "",
    is_demo: bool = False,
) -> int:
    """Make a shop and its owner, and return the shop's id. An existing login becomes owner of this shop too (its
    password stays). Raises Refused("name_empty" | "login_empty" | "password_weak")."""
    if not name.strip():
        raise Refused("name_empty")
    with transaction.atomic():
        with database.cursor() as cursor:
            cursor.execute("SELECT nextval('shops_shop_id_seq')")
            shop_id = int(cursor.fetchone()[0])
        Roster.objects.create(shop_id=shop_id)
        with for_shops([shop_id]):
            Shop.objects.create(
                id=shop_id,
                name=name.strip()[:80],
                platform_shop_id=platform_shop_id,
                is_demo=is_demo,
                created_at=clock.now(),
            )
            operator_id = add_operator(owner_login, owner_password, display_name=owner_name, check_password=not is_demo)
            Member.objects.create(shop_id=shop_id, operator_id=operator_id, role=Role.OWNER)
            audit.record(shop_id, "system", "shop.create", f"shop:{shop_id}", {"owner": operator_id})
    return shop_id


def add_operator(
    login: str, password: str, *, display_name: str = "", language: str = "zh-hans", check_password: bool = True
) -> int:
    """Make a person who can sign in, or find the one with that login, and return their id. They see no shop yet."""
    login = login.strip()
    if not login:
        raise Refused("login_empty")
    found = Operator.objects.filter(username=login).values_list("id", flat=True).first()
    if found is not None:
        return found
    operator = Operator(username=login, display_name=display_name[:60], language=language)
    if check_password:
        try:
            validate_password(password, operator)
        except ValidationError as error:
            raise Refused("password_weak", problems=[problem.code for problem in error.error_list]) from None
    operator.set_password(password)
    operator.save()
    return operator.pk


def set_language(*, operator_id: int, language: str) -> None:
    """The language in which this person reads the desk."""
    Operator.objects.filter(id=operator_id).update(language=language)


def set_hints(*, operator_id: int, on: bool) -> None:
    """Whether this person is shown what to press next."""
    Operator.objects.filter(id=operator_id).update(hints=on)


def rename_shop(*, shop_id: int, name: str, by: str) -> None:
    """Raises Refused("name_empty")."""
    if not name.strip():
        raise Refused("name_empty")
    with for_shops([shop_id]):
        Shop.objects.filter(id=shop_id).update(name=name.strip()[:80])
        audit.record(shop_id, by, "shop.rename", f"shop:{shop_id}")


def add_member(*, shop_id: int, operator_id: int, role: Role, by: str) -> None:
    """Give an operator a role in the shop; one who was there before comes back with this role."""
    with for_shops([shop_id]):
        Member.objects.update_or_create(
            shop_id=shop_id, operator_id=operator_id, defaults={"role": Role(role), "is_active": True}
        )
        audit.record(shop_id, by, "member.add", f"operator:{operator_id}", {"role": Role(role).value})


def change_role(*, shop_id: int, operator_id: int, role: Role, by: str) -> None:
    """Raises Refused("no_such_member") and Refused("last_owner")."""
    with for_shops([shop_id]):
        member = _member(shop_id, operator_id)
        if member.role == Role.OWNER and Role(role) is not Role.OWNER:
            _keep_an_owner(shop_id, operator_id)
        member.role = Role(role)
        member.save(update_fields=["role"])
        audit.record(shop_id, by, "member.change_role", f"operator:{operator_id}", {"role": Role(role).value})


def disable_member(*, shop_id: int, operator_id: int, by: str) -> None:
    """Take an operator out of the shop; what they did stays. Raises as `change_role`."""
    with for_shops([shop_id]):
        member = _member(shop_id, operator_id)
        if member.role == Role.OWNER:
            _keep_an_owner(shop_id, operator_id)
        member.is_active = False
        member.save(update_fields=["is_active"])
        audit.record(shop_id, by, "member.disable", f"operator:{operator_id}")


def enable_member(*, shop_id: int, operator_id: int, by: str) -> None:
    """Let an operator back into the shop, with the role that they had. Raises Refused("no_such_member")."""
    with for_shops([shop_id]):
        member = Member.objects.select_for_update().filter(shop_id=shop_id, operator_id=operator_id).first()
        if member is None:
            raise Refused("no_such_member", operator_id=operator_id)
        member.is_active = True
        member.save(update_fields=["is_active"])
        audit.record(shop_id, by, "member.enable", f"operator:{operator_id}")


def connect(
    *,
    shop_id: int,
    kind: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str] | None = None,
    by: str = "system",
    renew_hook: bool = False,
) -> str:
    """Store credentials of an outside service and return the path it pushes to.

    A secret that is left out or empty keeps its stored value, so that a form need not show it. The path stays the
    same unless `renew_hook`. The hook's check keeps only a digest; the sealed copy serves to tell the other side.
    """
    if kind not in ConnectionKind.values:
        raise Refused("unknown_connection", kind=kind)
    hidden = SECRET_SETTINGS[kind]
    plain = {name: value for name, value in settings.items() if name not in hidden}
    given = {name: str(value) for name, value in settings.items() if name in hidden and value}
    given |= {name: value for name, value in (secrets or {}).items() if value}
    with for_shops([shop_id]):
        row = _locked_connection(shop_id, kind)
        kept = secrets_of(row)
        if renew_hook or "_hook" not in kept:
            kept["_hook"] = random_secrets.token_urlsafe(32)
        if kind == ConnectionKind.KUAIDI100 and not kept.get("salt"):
            given.setdefault("salt", random_secrets.token_hex(16))  # ours to choose: their pushes are signed with it
        changed = sorted(name for name, value in given.items() if kept.get(name) != value)
        same_app = not changed and row.settings.get("app_key") == plain.get("app_key")
        kept |= given
        row.settings = plain
        row.secrets = crypto.seal(shop_id, json.dumps(kept).encode(), where=f"shops_connection.secrets:{kind}")
        row.hook_digest = hashlib.sha256(kept["_hook"].encode()).hexdigest()
        row.state = ConnectionState.CONNECTED if same_app and row.state == "connected" else ConnectionState.NEW
        row.error = ""
        if not same_app:
            row.tokens, row.tokens_expire_at = b"", None
        row.save()
        forget_hooks()
        said = {"secrets": changed, "settings": sorted(plain)}
        audit.record(shop_id, by, "connection.set", f"connection:{kind}", said)
    return f"/hooks/{shop_id}-{kept['_hook']}/{kind}"


def save_tokens(*, shop_id: int, kind: str, tokens: Tokens) -> None:
    """Store tokens under the row's lock."""
    with for_shops([shop_id]):
        write_tokens(Connection.objects.select_for_update().get(shop_id=shop_id, kind=kind), tokens)


def set_connection_state(
    *, shop_id: int, kind: str, state: ConnectionState | str, error: str = "", now: datetime | None = None
) -> None:
    """Say how a connection fares. `error` is a code with the other side's own words, never buyers' data."""
    with for_shops([shop_id]):
        Connection.objects.filter(shop_id=shop_id, kind=kind).exclude(state=ConnectionState.OFF).update(
            state=str(state), error=error[:500], checked_at=now or clock.now()
        )


def switch_off(*, shop_id: int, kind: str, by: str) -> None:
    """Stop using a connection: nothing is called, no push is taken. `connect` switches it on again."""
    with for_shops([shop_id]):
        Connection.objects.filter(shop_id=shop_id, kind=kind).update(state=ConnectionState.OFF)
        forget_hooks()
        audit.record(shop_id, by, "connection.off", f"connection:{kind}")


def set_sync(
    *, shop_id: int, kind: str, progress: Mapping[str, Any] | None = None, synced_until: datetime | None = None
) -> None:
    """Write how far a sync has come; what is None stays as it is."""
    fields: dict[str, Any] = {}
    if progress is not None:
        fields["progress"] = dict(progress)
    if synced_until is not None:
        fields["synced_until"] = synced_until
    if fields:
        with for_shops([shop_id]):
            Connection.objects.filter(shop_id=shop_id, kind=kind).update(**fields)


def set_policy(*, shop_id: int, policy: Mapping[str, Any], by: str) -> None:
    """Replace the shop's policy: `warn_hours` and `hours` by rule id (0 to 1440), `muted` rule ids, `retention_days`
    of raw messages, and what other rooms keep there. Raises Refused("policy_hours", rule)."""
    for group in ("warn_hours", "hours"):
        for rule, value in dict(policy.get(group, {})).items():
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 24 * 60:
                raise Refused("policy_hours", rule=str(rule))
    with for_shops([shop_id]):
        Shop.objects.filter(id=shop_id).update(policy=dict(policy))
        audit.record(shop_id, by, "policy.set", f"shop:{shop_id}", {"keys": sorted(str(key) for key in policy)})


def change_policy(*, shop_id: int, changes: Mapping[str, Any], by: str) -> dict[str, list[Any]]:
    """Change some entries of the shop's policy and leave the others; None takes an entry out. What changed, from what
    to what, is in the audit log and comes back: name → [before, after]."""
    with for_shops([shop_id]):
        row = Shop.objects.select_for_update().get(id=shop_id)
        changed = {name: [row.policy.get(name), new] for name, new in changes.items() if row.policy.get(name) != new}
        if changed:
            kept = {**row.policy, **changes}
            row.policy = {name: value for name, value in kept.items() if value is not None}
            row.save(update_fields=["policy"])
            audit.record(shop_id, by, "policy.change", f"shop:{shop_id}", {"changed": changed})
        return changed


def set_pickup_address(*, shop_id: int, fact: PickupAddressFact, by: str) -> int:
    """Add a pickup address, or update the one with the same platform id; the first is the default. Returns its id."""
    with for_shops([shop_id]):
        existing = PickupAddress.objects.filter(shop_id=shop_id)
        row = existing.filter(platform_id=fact.platform_id).first() if fact.platform_id else None
        row = row or PickupAddress(shop_id=shop_id, platform_id=fact.platform_id)
        for name in ("phone", "province", "city", "district", "street", "detail"):
            setattr(row, name, getattr(fact, name))
        row.contact = fact.name
        wanted = fact.is_default or not existing.filter(is_default=True).exclude(pk=row.pk).exists()
        if wanted:
            existing.exclude(pk=row.pk).update(is_default=False)
        row.is_default = wanted
        row.save()
        audit.record(shop_id, by, "pickup_address.set", f"pickup_address:{row.pk}")
        return row.pk


def remove_pickup_address(*, shop_id: int, pickup_id: int, by: str) -> None:
    """Raises ProtectedError when a reissue was collected there."""
    with for_shops([shop_id]):
        PickupAddress.objects.filter(shop_id=shop_id, id=pickup_id).delete()
        audit.record(shop_id, by, "pickup_address.remove", f"pickup_address:{pickup_id}")


def _locked_connection(shop_id: int, kind: str) -> Connection:
    row, _ = Connection.objects.select_for_update().get_or_create(shop_id=shop_id, kind=kind)
    return row


def _member(shop_id: int, operator_id: int) -> Member:
    member = Member.objects.select_for_update().filter(shop_id=shop_id, operator_id=operator_id, is_active=True).first()
    if member is None:
        raise Refused("no_such_member", operator_id=operator_id)
    return member


def _keep_an_owner(shop_id: int, leaving: int) -> None:
    owners = Member.objects.select_for_update().filter(shop_id=shop_id, role=Role.OWNER, is_active=True)
    if not owners.exclude(operator_id=leaving).exists():
        raise Refused("last_owner")
