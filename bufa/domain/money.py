"""Money is integer fen. These helpers round the way the platform and the shop do."""

from __future__ import annotations

FEN_PER_YUAN = 100


def whole_yuan_half_up(fen_times_100: int) -> int:
    """Hundredths of a fen rounded to whole yuan, half up, returned in fen.

    The platform takes whole yuan (doudian-openapi.md §12.7); "half up" is our reading. The argument is
    `paid_fen * percent`, so that no fraction is lost before rounding.
    """
    if fen_times_100 < 0:
        raise ValueError(f"money can't be negative here: {fen_times_100}")
    hundredths_per_yuan = FEN_PER_YUAN * 100
    return (fen_times_100 + hundredths_per_yuan // 2) // hundredths_per_yuan * FEN_PER_YUAN


def percent_in_whole_yuan(amount_fen: int, percent: int, *, min_fen: int, max_fen: int) -> int:
    """`percent` per cent of the amount in whole yuan (half up), not below `min_fen`, not above `max_fen`."""
    if min_fen > max_fen:
        raise ValueError(f"minimum {min_fen} above maximum {max_fen}")
    return max(min_fen, min(max_fen, whole_yuan_half_up(amount_fen * percent)))


def share_half_up(amount_fen: int, numerator: int, denominator: int) -> int:
    """`amount_fen * numerator / denominator` in fen, half up; for parts of an order and for expected values."""
    if denominator <= 0 or amount_fen < 0 or numerator < 0:
        raise ValueError("a share needs amounts of zero or more and a positive denominator")
    return (2 * amount_fen * numerator + denominator) // (2 * denominator)


def yuan(fen: int) -> str:
    """`1250` -> `"12.50"`, `-5` -> `"-0.05"`."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), FEN_PER_YUAN)
    return f"{sign}{whole}.{rest:02d}"
