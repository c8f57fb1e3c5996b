"""What the platform calls its penalties in a notice, and which of them starts a clock (doudian-openapi.md §12)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Penalty(StrEnum):
    """The kind of penalty that a notice is about."""

    LATE = "late_shipping"
    OUT_OF_STOCK = "out_of_stock"
    TRACK_TIMEOUT = "track_timeout"
    TRACK_ABNORMAL = "track_abnormal"
    FRAUD = "fraud"

    @property
    def starts_clock(self) -> bool:
        """Three days after the notice the goods have to be there: only a track-abnormal notice says so."""
        return self is Penalty.TRACK_ABNORMAL


TITLES: Mapping[Penalty, str] = {
    Penalty.LATE: "发货超时",
    Penalty.OUT_OF_STOCK: "缺货",
    Penalty.TRACK_TIMEOUT: "物流轨迹超时",
    Penalty.TRACK_ABNORMAL: "物流轨迹异常",
    Penalty.FRAUD: "欺诈发货",
}
"""What the platform calls them; in Chinese, because that is what it reads."""

WORDS: Mapping[str, Penalty] = {
    "发货超时": Penalty.LATE,
    "延迟发货": Penalty.LATE,
    "超时发货": Penalty.LATE,
    "缺货": Penalty.OUT_OF_STOCK,
    "无货": Penalty.OUT_OF_STOCK,
    "缺货/无货": Penalty.OUT_OF_STOCK,
    "物流轨迹超时": Penalty.TRACK_TIMEOUT,
    "轨迹超时": Penalty.TRACK_TIMEOUT,
    "揽收超时": Penalty.TRACK_TIMEOUT,
    "发运超时": Penalty.TRACK_TIMEOUT,
    "中转超时": Penalty.TRACK_TIMEOUT,
    "物流轨迹异常": Penalty.TRACK_ABNORMAL,
    "轨迹异常": Penalty.TRACK_ABNORMAL,
    "虚假发货": Penalty.TRACK_ABNORMAL,
    "欺诈发货": Penalty.FRAUD,
    **{each.value: each for each in Penalty},
}
"""How notices and people write them."""


def penalty_of(written: str) -> Penalty | None:
    """The kind that a notice names; None for one that nobody knows."""
    return WORDS.get("".join(written.split()))
