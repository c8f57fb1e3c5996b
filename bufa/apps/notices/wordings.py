"""The shop's own texts, version by version, and how far each vendor has approved them. Nothing is changed: a change is
a new version, and taking one back makes the one before it the newest again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.notices.models import NoticeWording
from bufa.apps.shops import queries as shops
from bufa.domain import notice_wording
from bufa.domain.case_facts import Purpose
from bufa.domain.notices import SMS_CHANNELS, VENDOR_CHANNELS, Channel, Language, Wording, default_wording
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading, writing

DRAFT, SUBMITTED, APPROVED, REFUSED = APPROVALS = ("draft", "submitted", "approved", "refused")

Key = tuple[str, str, str]
"""Purpose, channel, language."""


@dataclass(frozen=True, slots=True)
class WordingView:
    """The newest version of one text, or the trade's own (`version` 0). `vendor_id`, `approval`: at the vendor that
    sends it, for channels that need an approved template."""

    purpose: Purpose
    channel: Channel
    language: Language
    version: int
    is_own: bool
    text: str
    subject: str
    vendor_id: str
    approval: str
    refusal: str
    at: datetime | None
    by: str

    @property
    def wording(self) -> Wording:
        return Wording(self.text, self.subject)

    @property
    def needs_vendor(self) -> bool:
        return self.channel in VENDOR_CHANNELS

    @property
    def may_be_sent(self) -> bool:
        """Whether a vendor would take it."""
        return not self.needs_vendor or (bool(self.vendor_id) and self.approval == APPROVED)


@remembered
def newest(shop_id: int) -> Mapping[Key, WordingView]:
    """Every text that the shop ever changed, in its newest version: one query."""
    with reading([shop_id]):
        rows = (
            NoticeWording.objects.filter(shop_id=shop_id)
            .order_by("purpose", "channel", "language", "-version")
            .distinct("purpose", "channel", "language")
        )
        return {(row.purpose, row.channel, row.language): _view(shop_id, row) for row in rows}


def wording_of(shop_id: int, purpose: Purpose, channel: Channel, language: Language) -> WordingView:
    """The text that counts: the shop's own, else the trade's with the template named in the platform's connection."""
    found = newest(shop_id).get((purpose.value, channel.value, language.value))
    return found or _usual(shop_id, purpose, channel, language)


def history(shop_id: int, purpose: Purpose, channel: Channel, language: Language) -> tuple[WordingView, ...]:
    """All versions, newest first."""
    with reading([shop_id]):
        rows = NoticeWording.objects.filter(
            shop_id=shop_id, purpose=purpose.value, channel=channel.value, language=language.value
        )
        return tuple(_view(shop_id, row) for row in rows.order_by("-version")[:50])


def platform_template(shop_id: int, purpose: Purpose) -> Mapping[str, Any] | None:
    """The platform's template for a purpose: `{"id": …, "params": {their name: our name}}` in the connection."""
    connection = shops.connection(shop_id, "doudian")
    templates = connection.settings.get("sms_templates", {}) if connection else {}
    found = templates.get(purpose.value)
    return found if isinstance(found, Mapping) and found.get("id") else None


def problems_of(purpose: Purpose, channel: Channel, text: str, subject: str) -> tuple[Why, ...]:
    """Why a text can't be kept."""
    needs = ("number",) if purpose is Purpose.REISSUE_SENT else ()
    return notice_wording.problems(
        text, subject, is_sms=channel in SMS_CHANNELS, is_voice=channel is Channel.VOICE, needs=needs
    )


def save(
    *,
    shop_id: int,
    purpose: Purpose,
    channel: Channel,
    language: Language,
    text: str,
    by: Actor,
    subject: str = "",
    vendor_id: str = "",
    approval: str = DRAFT,
    refusal: str = "",
    now: datetime | None = None,
) -> int:
    """Keep a text as the newest version; returns its number (the same as before where nothing changed).

    A text that changed is a draft again at its vendor: what was approved is not what would be sent. Raises Refused:
    not_allowed, wording_* (the first problem), parameter_unknown (approval), vendor_id_missing, refusal_missing.
    """
    _check(by)
    if approval not in APPROVALS:
        raise Refused("parameter_unknown", name="approval", value=approval)
    text, subject = text.strip(), subject.strip()
    if found := problems_of(purpose, channel, text, subject):
        raise Refused(found[0].code, **found[0].params)
    vendor_id = vendor_id.strip()[:40] if channel in VENDOR_CHANNELS else ""
    if approval == APPROVED and channel in VENDOR_CHANNELS and not vendor_id:
        raise Refused("vendor_id_missing")
    if approval == REFUSED and not refusal.strip():
        raise Refused("refusal_missing")
    with writing([shop_id]):
        before = wording_of(shop_id, purpose, channel, language)
        same_id = bool(vendor_id) and vendor_id == before.vendor_id
        if same_id and before.text != text and approval == APPROVED:
            approval = DRAFT
        said = {
            "is_own": True,
            "text": text,
            "subject": subject,
            "vendor_id": vendor_id,
            "approval": approval if channel in VENDOR_CHANNELS else APPROVED,
            "refusal": refusal.strip()[:200] if approval == REFUSED else "",
        }
        if before.version and all(getattr(before, name) == value for name, value in said.items()):
            return before.version
        return _add(shop_id, purpose, channel, language, said, by, now)


def take_back(
    *, shop_id: int, purpose: Purpose, channel: Channel, language: Language, by: Actor, now: datetime | None = None
) -> int:
    """Make the version before the newest one the newest; before the first stands the trade's text."""
    _check(by)
    with writing([shop_id]):
        versions = history(shop_id, purpose, channel, language)
        if not versions:
            raise Refused("not_there_any_more")
        return _again(shop_id, versions[1] if len(versions) > 1 else None, purpose, channel, language, by, now)


def restore(
    *,
    shop_id: int,
    purpose: Purpose,
    channel: Channel,
    language: Language,
    version: int,
    by: Actor,
    now: datetime | None = None,
) -> int:
    """Make an earlier version the newest; 0 is the trade's text."""
    _check(by)
    with writing([shop_id]):
        versions = {each.version: each for each in history(shop_id, purpose, channel, language)}
        if version and version not in versions:
            raise Refused("not_there_any_more")
        return _again(shop_id, versions.get(version), purpose, channel, language, by, now)


def _again(
    shop_id: int,
    wanted: WordingView | None,
    purpose: Purpose,
    channel: Channel,
    language: Language,
    by: Actor,
    now: datetime | None,
) -> int:
    if wanted is None or not wanted.is_own:
        said: dict[str, Any] = {"is_own": False}
    else:
        said = {
            name: getattr(wanted, name) for name in ("is_own", "text", "subject", "vendor_id", "approval", "refusal")
        }
    return _add(shop_id, purpose, channel, language, said, by, now)


def _add(
    shop_id: int,
    purpose: Purpose,
    channel: Channel,
    language: Language,
    said: Mapping[str, Any],
    by: Actor,
    now: datetime | None,
) -> int:
    rows = NoticeWording.objects.filter(
        shop_id=shop_id, purpose=purpose.value, channel=channel.value, language=language.value
    )
    version = (rows.order_by("-version").values_list("version", flat=True).first() or 0) + 1
    row = NoticeWording.objects.create(
        shop_id=shop_id,
        purpose=purpose.value,
        channel=channel.value,
        language=language.value,
        version=version,
        at=now or clock.now(),
        by=by.name,
        **said,
    )
    told = {"purpose": purpose.value, "channel": channel.value, "language": language.value, "version": version}
    audit.record(shop_id, by.ref, "wording.set", f"wording:{row.pk}", told | {"approval": row.approval})
    return version


def _check(by: Actor) -> None:
    if by.role is not None:
        check(by.role, Permission.EDIT_POLICY)


def _usual(shop_id: int, purpose: Purpose, channel: Channel, language: Language) -> WordingView:
    usual = default_wording(purpose, language)
    template = platform_template(shop_id, purpose) if channel is Channel.SMS else None
    vendor_id = str(template["id"]) if template else ""
    approval = APPROVED if vendor_id or channel not in VENDOR_CHANNELS else DRAFT
    subject = usual.subject if channel is Channel.EMAIL else ""
    return WordingView(purpose, channel, language, 0, False, usual.text, subject, vendor_id, approval, "", None, "")


def _view(shop_id: int, row: NoticeWording) -> WordingView:
    purpose, channel, language = Purpose(row.purpose), Channel(row.channel), Language(row.language)
    if not row.is_own:
        usual = _usual(shop_id, purpose, channel, language)
        return WordingView(
            purpose, channel, language, row.version, False, usual.text, usual.subject, usual.vendor_id, usual.approval,
            "", row.at, row.by,
        )  # fmt: skip
    return WordingView(
        purpose, channel, language, row.version, True, row.text, row.subject, row.vendor_id, row.approval,
        row.refusal, row.at, row.by,
    )  # fmt: skip


def all_of(shop_id: int, channels: Sequence[Channel], language: Language) -> tuple[WordingView, ...]:
    """Every text of the channels named, by purpose."""
    return tuple(wording_of(shop_id, purpose, channel, language) for purpose in Purpose for channel in channels)
