"""Provider clients of one shop, made from its stored connection; tokens live under a lock in the same row."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bufa.apps.shops.models import Connection
from bufa.apps.shops.queries import PROVIDER_AREA, provider_settings
from bufa.domain.outcome import Refused
from bufa.integrations import registry
from bufa.integrations.ports import Tokens
from bufa.lib import crypto
from bufa.lib.tenancy import for_shops


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """A TokenKeeper over the connection's row: whoever renews holds the row's lock. The others wait for the result only
    where they have nothing to go on with: a token in its last hour still lives, and a refresh may take seconds."""

    shop_id: int
    kind: str

    def current(self) -> Tokens | None:
        with for_shops([self.shop_id]):
            return self._read(Connection.objects.get(shop_id=self.shop_id, kind=self.kind))

    def renew(self, seen: Tokens | None, fetch: Callable[[Tokens | None], Tokens], *, wait: bool = True) -> Tokens:
        with for_shops([self.shop_id]):
            rows = Connection.objects.select_for_update(skip_locked=not wait)
            row = rows.filter(shop_id=self.shop_id, kind=self.kind).first()
            if row is None:
                if wait or seen is None:
                    raise Connection.DoesNotExist(f"shop {self.shop_id} has no {self.kind} connection")
                return seen  # somebody else renews it now
            stored = self._read(row)
            if stored is not None and (seen is None or stored.access != seen.access):
                return stored
            fresh = fetch(stored)
            write_tokens(row, fresh)
            return fresh

    def _read(self, row: Connection) -> Tokens | None:
        if not row.tokens:
            return None
        kept = json.loads(crypto.unseal(row.shop_id, bytes(row.tokens), where=_tokens_where(row)))
        return Tokens(
            access=kept["access"],
            refresh=kept["refresh"],
            expires_at=datetime.fromisoformat(kept["expires_at"]),
            shop_id=kept["shop_id"],
            shop_name=kept.get("shop_name", ""),
        )


def write_tokens(row: Connection, tokens: Tokens) -> None:
    """Seal tokens into a row that the caller has locked."""
    kept = {
        "access": tokens.access,
        "refresh": tokens.refresh,
        "expires_at": tokens.expires_at.isoformat(),
        "shop_id": tokens.shop_id,
        "shop_name": tokens.shop_name,
    }
    row.tokens = crypto.seal(row.shop_id, json.dumps(kept).encode(), where=_tokens_where(row))
    row.tokens_expire_at = tokens.expires_at
    row.save(update_fields=["tokens", "tokens_expire_at"])


def client_for(shop_id: int, kind: str) -> Any:
    """The provider client of this shop's connection. Raises Refused("not_connected", kind) when there is none.

    Don't hold a transaction around its calls: they wait for the network.
    """
    beside: dict[str, Any] = {"keeper": StoredTokens(shop_id, kind)} if kind == "doudian" else {}
    return registry.load(PROVIDER_AREA[kind], kind, _settings(shop_id, kind), **beside)


def mailbox_for(shop_id: int) -> Any:
    """The reader of the shop's mailbox (ports.CanFetchMail), None where its mail connection names no IMAP server."""
    settings = provider_settings(shop_id, "smtp", ("mailbox", "imap"))
    return registry.load("mailbox", "imap", settings) if settings and settings.get("imap_host") else None


def push_for(shop_id: int, kind: str) -> Any:
    """The provider's receiver of pushes (ports.CanReceivePush) with this shop's secrets."""
    return registry.load_push(PROVIDER_AREA[kind], kind, _settings(shop_id, kind))


def _settings(shop_id: int, kind: str) -> dict[str, Any]:
    settings = provider_settings(shop_id, kind)
    if settings is None:
        raise Refused("not_connected", kind=kind)
    return settings


def _tokens_where(row: Connection) -> str:
    return f"shops_connection.tokens:{row.kind}"
