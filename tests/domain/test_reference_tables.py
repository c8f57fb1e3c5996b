"""The tables of the protocols' reference against ours: every row of its crosswalk, every code that its lists name.

It is read where it lies, beside the shared samples (`../shared/reference`, by BUFA_SAMPLES); nothing of it is copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from bufa.domain.codes import lookup, tables
from bufa.domain.kinds import Kind
from tests.samples import SAMPLES

REFERENCE = SAMPLES.parent / "reference" / "tracking-protocols.md"
needs_reference = pytest.mark.skipif(
    not REFERENCE.is_file(), reason=f"the protocols' reference is not at {REFERENCE}; set BUFA_SAMPLES"
)
pytestmark = [pytest.mark.samples, needs_reference]

COLUMNS = ("kuaidi100", "kdniao", "17track", "aftership", "easypost", "karrio", "kdzs")

OURS: dict[str, frozenset[str]] = {
    "no_trace": frozenset({"note"}),
    "pending_pickup": frozenset({"label_created"}),
    "picked_up": frozenset({"collected"}),
    "in_transit": frozenset(
        {"in_transit", "arrived_hub", "arrived_destination", "collected", "forwarded", "customs", "customs.regulation"}
    ),
    "out_for_delivery": frozenset({"out_for_delivery"}),
    "at_pickup_point": frozenset({"ready_for_pickup"}),
    "pickup_overdue": frozenset({"held.pickup_overdue", "ready_for_pickup"}),
    "delivered": frozenset({"delivered"}),
    "delivery_failed": frozenset({"attempt_failed"}),
    "contact_failed": frozenset({"attempt_failed.contact_failed", "held.contact_failed"}),
    "address_problem": frozenset({"attempt_failed.address_problem", "held.address_problem"}),
    "out_of_area": frozenset({"held.out_of_area"}),
    "missort": frozenset({"held.missort"}),
    "refused": frozenset({"refused.refused"}),
    "returning": frozenset({"returning"}),
    "returned": frozenset({"returned", "returning"}),
    "stuck": frozenset({"held.other", "held.weather", "held.regulation"}),
    "damaged": frozenset({"damaged.damaged"}),
    "lost": frozenset({"lost"}),
    "cancelled": frozenset({"cancelled"}),
    "intercepted": frozenset({"intercepted"}),
    "forwarded / other carrier": frozenset({"forwarded"}),
}
"""Our kinds for each row of the crosswalk. A word that a feed uses for two rows is allowed what the first says:
EasyPost and Karrio have one word for the way back and its end, and one for a parcel that waits and waits too long."""

NO_CODES = frozenset({"unknown", "isLoop"})
"""Words in the crosswalk's cells that are no code of a scan: "nothing known", and a flag beside the track."""


def section(number: str) -> str:
    text = REFERENCE.read_text("utf-8")
    found = re.search(rf"^##+ {re.escape(number)} .*?(?=^##+ )", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {number} in the reference"
    return found[0]


def rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("|") and set(line) - set("|-: "):
            yield [cell.strip().replace("**", "") for cell in line.split("|")[1:-1]]


def crosswalk() -> Iterator[tuple[str, str, str]]:
    """(row, provider, code) of every cell of §7."""
    for ours, *cells in list(rows(section("7.")))[1:]:
        for provider, cell in zip(COLUMNS, cells, strict=True):
            for code in codes_of(cell, provider):
                yield ours, provider, code


def codes_of(cell: str, provider: str) -> Iterator[str]:
    cell = re.sub(r"\(.*?\)|code \d+|web \d+", "", cell.replace("**", ""))
    last = ""
    for word in re.split(r"[,/+\s]+", cell):
        if not word or word in NO_CODES or word in ("–", "none"):
            continue
        if re.fullmatch(r"\d{3}", word) and "_" in last:  # Exception_004/005/016
            word = f"{last.rpartition('_')[0]}_{word}"
        if found := re.fullmatch(r"(\d+)–(\d+)", word):
            yield from (str(code) for code in range(int(found[1]), int(found[2]) + 1))
        elif word.endswith("*"):
            yield from (code for code in tables()[provider] if code.startswith(word[:-1]))
        else:
            yield word
        last = word


def name_of(provider: str, code: str) -> str:
    coded = lookup(provider, code)
    assert coded is not None, f"{provider} {code} is in no table"
    return coded.name


def test_the_crosswalk_is_read_as_a_whole():
    found = list(crosswalk())
    assert {ours for ours, _, _ in found} == set(OURS)
    assert len(found) > 100


def test_every_row_of_the_crosswalk_says_what_ours_says():
    first: dict[tuple[str, str], str] = {}
    wrong = []
    for ours, provider, code in crosswalk():
        row = first.setdefault((provider, code), ours)
        allowed = OURS[row] | OURS[ours]
        if provider == "kdniao" and code == "0":
            allowed |= {"note"}
        name = name_of(provider, code)
        if name not in allowed and name.partition(".")[0] not in allowed:
            wrong.append((ours, provider, code, name))
    assert wrong == []


_WITHOUT_REASON = frozenset(
    {Kind.LOST, Kind.RETURNING, Kind.RETURNED, Kind.CANCELLED, Kind.INTERCEPTED, Kind.NOTE, Kind.READY_FOR_PICKUP}
)
_GOOD = frozenset(
    {
        Kind.LABEL_CREATED, Kind.COLLECTED, Kind.IN_TRANSIT, Kind.ARRIVED_DESTINATION, Kind.ARRIVED_HUB, Kind.CUSTOMS,
        Kind.OUT_FOR_DELIVERY, Kind.READY_FOR_PICKUP, Kind.DELIVERED, Kind.FORWARDED, Kind.NOTE, Kind.ETA,
    }
)  # fmt: skip


def explained(provider: str, code: str, *, generic: tuple[str, ...] = ()) -> bool:
    """Whether an exception has a kind of trouble and a reason (where its kind takes one)."""
    coded = lookup(provider, code)
    if coded is None or coded.kind in (Kind.UNMAPPED, Kind.DELIVERED):
        return False
    return coded.kind in _WITHOUT_REASON or coded.reason is not None or code in generic


def test_17track_every_sub_status_and_every_exception():
    subs = [cells[1] for cells in list(rows(section("6.1")))[1:]]
    assert len(subs) == 30
    assert all(lookup("17track", code) for code in subs)
    exceptions = [code for code in subs if code.startswith(("Exception_", "DeliveryFailure_", "Expired_"))]
    assert len(exceptions) == 17
    plain = ("DeliveryFailure_Other",)
    assert [code for code in exceptions if not explained("17track", code, generic=plain)] == []


def test_aftership_every_subtag_that_was_seen():
    told = section("6.2")
    cells = [cell for row in list(rows(told))[1:] for cell in (row[0], row[-2])]
    found = {code for cell in cells for code in re.findall(r"[A-Z]\w+_\d{3}", cell)}
    found |= {f"Delivered_00{n}" for n in range(1, 6)}
    unseen = {"Exception_014", "Exception_015"}
    assert len(found - unseen) >= 38
    assert [code for code in sorted(found - unseen) if lookup("aftership", code) is None] == []
    assert [code for code in sorted(unseen) if lookup("aftership", code) is not None] == []
    exceptions = sorted(code for code in found - unseen if code.startswith(("Exception_", "AttemptFail_", "Expired_")))
    assert [code for code in exceptions if not explained("aftership", code, generic=("AttemptFail_001",))] == []


def words_of(text: str, after: str) -> list[str]:
    """The words of a list in running text, from `after` to the end of its sentence or line."""
    told = text.split(after, 1)[1].split("\n", 1)[0].replace("*", "").replace("`", "")
    return re.findall(r"[A-Za-z_]{3,}", re.sub(r"\(.*?\)", "", told.partition(". ")[0]))


def test_easypost_every_detail():
    details = words_of(section("6.3"), "`status_detail`:")
    assert len(details) == 28
    nothing = {"unknown", "status_update"}
    assert [code for code in details if code not in nothing and lookup("easypost", code) is None] == []
    troubles = "address_correction damaged delayed held lost missorted refused return weather_delay delivery_exception"
    assert [code for code in troubles.split() if not explained("easypost", code, generic=("delivery_exception",))] == []


def test_shippo_every_substatus():
    told = section("6.4").partition("substatus.code:")[2].partition("; flag")[0]
    codes = [code for code in re.findall(r"[a-z_]{4,}", told) if code != "other"]
    assert len(codes) == 25
    assert [code for code in codes if lookup("shippo", code) is None] == []
    troubles = [code for code in codes if (found := lookup("shippo", code)) and found.kind not in _GOOD]
    plain = ("delivery_attempted", "package_undeliverable")
    assert [code for code in troubles if not explained("shippo", code, generic=plain)] == []


def test_karrio_every_incident_says_why():
    told = section("6.5").partition("TrackingIncidentReason")[2]
    groups = re.findall(r"(\w+)_\{([^}]*)\}", told)
    reasons = [f"{who}_{what.strip()}" for who, whats in groups for what in whats.split(",")]
    tail = told.rpartition("}")[2]
    reasons += [word for word in re.findall(r"[a-z_]{5,}", tail.partition(". ")[0]) if word != "unknown"]
    assert len(reasons) >= 33
    assert [code for code in reasons if lookup("karrio", code) is None] == []
    assert [code for code in reasons if not explained("karrio", code)] == []


def test_ems_reasons_and_flash_problems():
    told = section("3.4")
    ems = re.search(r"EMS undelivered reasons.*?$", told, re.MULTILINE)
    assert ems
    codes: list[str] = re.findall(r"(\d{3}) [一-鿿]", ems[0].replace("*", ""))
    assert len(codes) >= 24
    assert [code for code in codes if not explained("ems", code)] == []
