"""The benchmark of reading: what it counts, on histories of our own and on the shared ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bufa.bench import reading
from bufa.host.trouble import Trouble
from tests.samples import needs_samples


def history(label: str, *events: tuple[str, str], **more: Any) -> dict[str, Any]:
    told = [{"time": time, "text": text, "code": None} for time, text in events]
    return {"id": "own", "carrier": "YTO", "origin": "captured", "label": label, "events": told, **more}


ARRIVED = history(
    "delivered",
    ("2020-03-01 10:00:00", "【慈溪网点】已揽收"),
    ("2020-03-01 20:00:00", "快件已到达【宁波转运中心】"),
    ("2020-03-03 09:00:00", "【温州网点】正在派件"),
    ("2020-03-03 12:00:00", "快件已签收,签收人:本人"),
)
STOPPED = history(
    "stuck",
    ("2020-03-01 10:00:00", "【慈溪网点】已揽收"),
    ("2020-03-01 20:00:00", "快件已到达【宁波转运中心】"),
)


def test_a_good_parcel_that_the_plain_rule_calls_stuck() -> None:
    said = reading.quiet([ARRIVED], reading.GOOD)
    assert (said["parcels"], said["alarms_per_1000"], said["plain_24h_alarms_per_1000"]) == (1, 0.0, 1000.0)


def test_lead_is_counted_back_from_the_day_it_counts_as_lost() -> None:
    said = reading.early([STOPPED])
    assert (said["parcels"], said["found"]) == (1, 1)
    assert said["first_rules"] == {"transit_timeout": 1}
    assert said["median_lead_hours"] == 240 - 72
    assert said["median_lead_hours_of_plain_24h"] == 240 - 24


def test_shares() -> None:
    wrong = history("lost", ("2020-03-01 10:00:00", "甲乙丙丁"))
    undated = history("delivered", ("", "快件已签收"))
    said = reading.score([ARRIVED, wrong, undated])
    assert (said["histories"], said["share"], said["wrong"]) == (2, 0.5, {"lost as unmapped": 1})
    assert (said["texts"], said["unmapped_share"]) == (6, round(1 / 6, 4))


def test_without_samples_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFA_SAMPLES", str(tmp_path))
    with pytest.raises(Trouble, match="BUFA_SAMPLES"):
        list(reading.histories())


@needs_samples
def test_the_goals_hold_and_watching_beats_the_plain_rule() -> None:
    figure = reading.measure()
    good = figure.beside["good_parcels"]

    assert figure.ok
    assert good["alarms_per_1000"] < good["plain_24h_alarms_per_1000"] / 2
    assert figure.beside["bad_parcels"]["found"] == figure.beside["bad_parcels"]["parcels"]


def test_own_texts_are_counted_by_writing_with_what_they_were_at_first(tmp_path: Path) -> None:
    (tmp_path / "texts.jsonl").write_text(
        '{"written": 1, "is": ["delivered"], "text": "快件已签收"}\n'
        '{"written": 2, "is": ["held.weather", "eta"], "text": "快件已签收", "first": "held.other"}\n',
        "utf-8",
    )
    assert reading.own_texts(tmp_path / "texts.jsonl") == {
        "writing 1": "1 of 1",
        "writing 2": "0 of 1, 1 when first read",
    }
    assert reading.own_texts(tmp_path / "none") == {}
