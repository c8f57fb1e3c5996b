"""Names of providers → where their client lives. Strings, so that nobody imports a provider he does not use.

`load(kind, name)` gives the factory; every factory takes the provider's own `Settings` first. To add a provider: copy a
folder, add a line.
"""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from typing import Any

PROVIDERS: dict[str, dict[str, str]] = {
    "platform": {"doudian": "bufa.integrations.platforms.doudian"},
    "tracking": {
        "kuaidi100": "bufa.integrations.tracking.kuaidi100",
        "kdniao": "bufa.integrations.tracking.kdniao",
        "17track": "bufa.integrations.tracking.seventeentrack",
    },
    "mail": {"smtp": "bufa.integrations.messaging.smtp"},
    "message": {
        "aliyun_sms": "bufa.integrations.messaging.aliyun_sms",
        "tencent_sms": "bufa.integrations.messaging.tencent_sms",
        "aliyun_voice": "bufa.integrations.messaging.aliyun_voice",
    },
    "mailbox": {"imap": "bufa.integrations.messaging.imap"},
    "robot": {
        "wecom": "bufa.integrations.messaging.wecom",
        "dingtalk": "bufa.integrations.messaging.dingtalk",
        "feishu": "bufa.integrations.messaging.feishu",
    },
}


class UnknownProvider(LookupError):
    """No provider of that kind and name is registered."""


def names(kind: str) -> tuple[str, ...]:
    """The registered providers of one kind, in order."""
    return tuple(PROVIDERS.get(kind, {}))


def _module(kind: str, name: str, module: str) -> Any:
    try:
        folder = PROVIDERS[kind][name]
    except KeyError:
        raise UnknownProvider(f"{kind}:{name}") from None
    return import_module(f"{folder}.{module}")


def setting_names(kind: str, name: str) -> frozenset[str]:
    """What the provider's `Settings` take."""
    return frozenset(field.name for field in fields(_module(kind, name, "settings").Settings))


def load(kind: str, name: str, settings: dict[str, Any], **beside: Any) -> Any:
    """A client: `settings` are the fields of the provider's `settings.Settings`; `beside` goes to its `Client`
    (for Doudian `keeper=` a TokenKeeper; `http=` an httpx client everywhere but SMTP).

    Raises UnknownProvider, and TypeError for settings the provider does not know.
    """
    made = _module(kind, name, "settings").Settings(**settings)
    return _module(kind, name, "client").Client(made, **beside)


def load_push(kind: str, name: str, settings: dict[str, Any]) -> Any:
    """The provider's receiver of pushes (a ports.CanReceivePush)."""
    made = _module(kind, name, "settings").Settings(**settings)
    return _module(kind, name, "push").Push(made)


def report_reader(kind: str, name: str) -> Any:
    """`report_of(told) -> ports.TrackReport`: how a tracking provider's answer is read, without a connection to it."""
    return _module(kind, name, "mapping").report_of


def load_reader(kind: str, name: str) -> Any:
    """The provider's `reading` module: what came in as our types, in pure functions."""
    return _module(kind, name, "reading")


def limits(kind: str, name: str) -> Any:
    """The provider's limits module (pure questions), None when it has none of its own."""
    try:
        return _module(kind, name, "limits")
    except ModuleNotFoundError:
        return None
