"""Reading a carrier's scan: provider's code and text -> what happened.

Order: the provider's fine code; the text, where the two disagree on purpose; the coarse state. What none of them
says stays unmapped; it is never guessed to be in transit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from bufa.domain import lexicon
from bufa.domain.codes import Coded, Grade, lookup
from bufa.domain.kinds import Kind, Reason
from bufa.domain.parcels import Scan
from bufa.domain.personal import strip_personal

__all__ = [
    "Reading",
    "is_carrier_hub",
    "is_platform_hub",
    "place_in",
    "read",
    "strip_personal",
    "template_of",
    "text_digest",
    "to_scan",
]

FINE, TEXT, COARSE = 2, 1, 0

_PROGRESS = frozenset(
    {
        Kind.LABEL_CREATED,
        Kind.COLLECTED,
        Kind.ARRIVED_HUB,
        Kind.IN_TRANSIT,
        Kind.ARRIVED_DESTINATION,
        Kind.OUT_FOR_DELIVERY,
        Kind.FORWARDED,
        Kind.NOTE,
    }
)
_SUCCESS = _PROGRESS | {Kind.DELIVERED, Kind.READY_FOR_PICKUP}
_TROUBLE = frozenset(
    {
        Kind.ATTEMPT_FAILED,
        Kind.REFUSED,
        Kind.RETURNING,
        Kind.RETURNED,
        Kind.DAMAGED,
        Kind.LOST,
        Kind.HELD,
        Kind.INTERCEPTED,
        Kind.CANCELLED,
    }
)
_GENERIC = frozenset({(Kind.ATTEMPT_FAILED, None), (Kind.HELD, Reason.OTHER), (Kind.HELD, None)})


@dataclass(frozen=True, slots=True)
class Reading:
    """What one scan says. `why` names the code or the rule that said so ("kuaidi100:208", "text:refused", "unmapped");
    `fineness`: 2 the provider's fine code, 1 the text, 0 a coarse state or nothing."""

    kind: Kind
    reason: Reason | None
    why: str
    fineness: int


UNMAPPED = Reading(Kind.UNMAPPED, None, "unmapped", COARSE)


def read(
    *,
    provider: str,
    carrier: str = "",
    code: str = "",
    state: str = "",
    text: str = "",
    templates: Mapping[str, Reading] | None = None,
    forced: Collection[str] = (),
) -> Reading:
    """What one scan says happened.

    `provider`: kuaidi100, kdniao, 17track, doudian, a carrier's own feed by its company code, file or "". `code` is the
    scan's own code, `state` the parcel's state as told beside the newest scan. `carrier` is the company code; rules are
    the same for all carriers today.

    `templates` is what operators taught: template (`template_of`) -> reading. It says what else would be unmapped or a
    note; a template in `forced` says it against code and text as well.
    """
    found = _read(provider, code, state, text)
    if templates and text and (forced or found.kind in _TEACHABLE):
        template = template_of(text)
        taught = templates.get(template)
        if taught is not None and (template in forced or found.kind in _TEACHABLE):
            return replace(taught, why=f"template:{template_id(template)}", fineness=TEXT)
    return found


_TEACHABLE = frozenset({Kind.UNMAPPED, Kind.NOTE})


def _read(provider: str, code: str, state: str, text: str) -> Reading:
    said = _read_text(_without_digits(text)) if text else None
    for value in (code, state):
        coded = lookup(provider, value) if value else None
        if coded is None:
            continue
        if coded.grade is Grade.FINE and value is code:
            return _settle(coded, said, f"{provider}:{value.strip()}")
        if said is not None:
            return said
        why = f"{provider or 'words'}:{value.strip()}"
        return Reading(coded.kind, coded.reason, why, COARSE if coded.grade is Grade.COARSE else FINE)
    return said or UNMAPPED


def _settle(coded: Coded, said: Reading | None, why: str) -> Reading:
    """A fine code against its text. The text wins where providers are known to smooth over what it says."""
    by_code = Reading(coded.kind, coded.reason, why, FINE)
    if said is None:
        return by_code
    text_wins = (
        # 退回 妥投 under "delivered", 派送不成功 under "out for delivery", a delay under "in transit"
        (said.kind in _TROUBLE and coded.kind in _SUCCESS)
        # 代收,请及时取件 under "signed for": it lies there until it is fetched
        or (said.kind is Kind.READY_FOR_PICKUP and coded.kind is Kind.DELIVERED)
        # a promise dated in the future under any progress
        or (said.kind is Kind.ETA and coded.kind in _PROGRESS)
        # "delivery exception" or "problem" without saying which
        or ((coded.kind, coded.reason) in _GENERIC and said.kind in _TROUBLE and said.reason is not Reason.OTHER)
        # a fresh order or an assigned pickup under "collected"
        or (said.kind is Kind.LABEL_CREATED and coded.kind is Kind.COLLECTED)
    )
    return Reading(said.kind, said.reason, said.why, FINE) if text_wins else by_code


@lru_cache(maxsize=65_536)
def _read_text(text: str) -> Reading | None:
    found = lexicon.match(lexicon.clean(text))
    if found is None:
        return None
    reason = f".{found.reason}" if found.reason and found.reason is not Reason.OTHER else ""
    return Reading(found.kind, found.reason, f"text:{found.rule}{reason}", TEXT)


_DIGITS = str.maketrans("23456789", "11111111")


def _without_digits(text: str) -> str:
    """Texts of one template share one reading: their digits are evened out (0 and 1 tell landlines from mobiles)."""
    return text.translate(_DIGITS)


def is_platform_hub(text: str) -> bool:
    """Whether the text puts the parcel at a 转运中心, 中转中心, 集散中心 or 分拨中心, not only announces one."""
    return lexicon.names_platform_hub(text)


def is_carrier_hub(text: str) -> bool:
    """Whether the text puts the parcel at what its carrier calls a hub, by any of the carriers' words."""
    return lexicon.names_carrier_hub(text)


_PLACE = re.compile(r"【([^】]{2,30})】|\[([^\]]{2,30})\]")
_NO_PLACE = re.compile(
    r"<[NPL]>|^(?:签收|派件|到件|收件|发件|装袋|代收点|问题件|拒收|自提柜|家门口|本人)|\d{5}|原因|代签|客户|联系"
)


def place_in(text: str) -> str:
    """The first bracketed place of a text (city or site), or ""."""
    for match in _PLACE.finditer(lexicon.fold_width(text)):
        name = (match.group(1) or match.group(2)).strip()
        if name and not _NO_PLACE.search(name):
            return name
    return ""


_NUMBERS = re.compile(r"[a-z]*\d[a-z\d]*(?:[-:/.]\d+)*")
_LOOSE_BLANKS = re.compile(r"(?<![a-z#])\s+|\s+(?![a-z#])")
_BARE_PLACE = re.compile(
    r"(?<=到达|抵达|发往|运往|离开|前往|送往|经过|已到)[一-鿿]{2,16}?"
    r"(?:转运中心|中转中心|集散中心|分拨中心|分拣中心|处理中心|枢纽中心|营业部|揽投部|投递部|转运场|中转部|集散点"
    r"|网点|分部|公司|驿站|站|市|县|区|镇|店)(?![一-鿿])"
)


def template_of(text: str) -> str:
    """The text with everything cut out that differs from parcel to parcel: names, phones, numbers, dates and places.

    Brackets keep what kind of place they held, and reasons and spoken words keep their content. Idempotent; "" for "".
    """
    return _template(strip_personal(text))


@lru_cache(maxsize=16_384)
def _template(stripped: str) -> str:
    text = lexicon.fold_width(stripped).lower()
    text = lexicon.mask_places(text)
    text = _BARE_PLACE.sub(lexicon.PLACE, text)
    text = _NUMBERS.sub("#", text)
    return _LOOSE_BLANKS.sub("", text).strip()


def template_id(template: str) -> str:
    """12 hex characters for a template, for links and exports."""
    return hashlib.blake2b(template.encode(), digest_size=6).hexdigest()


_NOT_SAME = re.compile(r"<[NPL]>|[\W\d_]+")


def text_digest(text: str) -> str:
    """32 hex characters for "the same scan": over the text without digits, names, phones, blanks and punctuation."""
    return _facts(strip_personal(text))[0]


@lru_cache(maxsize=65_536)
def _understood(provider: str, code: str, state: str, stripped: str) -> tuple[Reading, str, str, bool]:
    """What is read without anything taught, and `_facts`: the same few thousand texts come by the million."""
    return (_read(provider, code, state, stripped), *_facts(stripped))


@lru_cache(maxsize=65_536)
def _facts(stripped: str) -> tuple[str, str, bool]:
    """(digest, place, platform hub) of a text without people, so that what is remembered here names nobody."""
    bare = _NOT_SAME.sub("", stripped).lower()
    digest = hashlib.blake2b(bare.encode(), digest_size=16).hexdigest()
    return digest, place_in(stripped), is_platform_hub(stripped)


def to_scan(
    *,
    provider: str,
    scanned_at: datetime,
    received_at: datetime,
    carrier: str = "",
    code: str = "",
    state: str = "",
    text: str = "",
    place: str = "",
    templates: Mapping[str, Reading] | None = None,
    forced: Collection[str] = (),
) -> Scan:
    """A provider's message as a scan, ready to be stored and folded: read, stripped of names and phones."""
    stripped = strip_personal(text)
    reading, digest, own_place, platform_hub = _understood(provider, code, state, stripped)
    if templates:
        reading = read(
            provider=provider,
            carrier=carrier,
            code=code,
            state=state,
            text=stripped,
            templates=templates,
            forced=forced,
        )
    return Scan(
        scanned_at=scanned_at,
        received_at=received_at,
        kind=reading.kind,
        reason=reading.reason,
        place=place or own_place,
        text=stripped,
        digest=digest,
        provider=provider,
        code=code,
        fineness=reading.fineness,
        platform_hub=platform_hub,
    )
