"""What `bufa outbound` and `bufa audit` do: lines for a person, each with whether it is good news."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bufa.apps.audit import anchors
from bufa.apps.shops import outbound as pausing
from bufa.apps.shops import queries as shops
from bufa.domain.outcome import Refused
from bufa.host.trouble import Trouble
from bufa.jobs.outbound import resume_outbound

Line = tuple[bool, str]

_NOT_READ_BACK = (
    "not yet: the platform has not been read back since the restore. Start Bufa, wait for one sync (bufa status), "
    "or connect the shop again under Settings."
)


def outbound(act: str, wanted: str | None) -> Iterator[Line]:
    """Show, pause or resume what leaves the shops."""
    for shop_id in _shops(wanted):
        info = shops.shop(shop_id)
        name = f"{info.name} ({shop_id})"
        if act == "pause":
            changed = pausing.pause(shop_id=shop_id, by="system")
            yield True, f"{name}: nothing leaves it any more." if changed else f"{name}: was paused before."
        elif act == "resume":
            try:
                changed = resume_outbound(shop_id, "system")
            except Refused:
                yield False, f"{name}: {_NOT_READ_BACK}"
                continue
            yield True, f"{name}: sends again." if changed else f"{name}: was not paused."
        elif info.paused is None:
            yield True, f"{name}: sends."
        else:
            since = info.paused.at.isoformat(timespec="minutes")
            yield True, f"{name}: paused since {since} ({info.paused.why}, by {info.paused.by})."


def verify_audit(wanted: str | None, *, as_json: bool) -> Iterator[Line]:
    """Walk each shop's chain and compare it with its anchors."""
    for shop_id in _shops(wanted):
        found = anchors.verify(shop_id)
        if as_json:
            said = {"shop": shop_id, "entries": found.entries, "ok": found.ok, "broken_at": found.broken_at}
            yield found.ok, json.dumps(said | {"why": found.why, "anchored": found.anchored})
        elif found.ok:
            yield True, f"shop {shop_id}: {found.entries} entries hold, {found.anchored} anchors agree."
        else:
            yield False, f"shop {shop_id}: BROKEN at entry {found.broken_at}: {WHY[found.why]} Those before it hold."


WHY = {
    "changed": "it does not say what it said when it was written.",
    "missing": "one is missing or was put in before it.",
    "cut": "the log is shorter than it was when it was last anchored.",
    "rewritten": "the log was written anew since it was anchored.",
    "anchor": "the anchors' own file was changed.",
}


def _shops(wanted: str | None) -> list[int]:
    if wanted is None:
        return shops.all_shop_ids()
    found = shops.find_shop(wanted)
    if found is None:
        raise Trouble(f"There is no shop {wanted}.")
    return [found]
