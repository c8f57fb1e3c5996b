"""`bufa read`: what a provider's message says, line by line, for people who build on it or check our reading."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from bufa.domain.parcels import fold
from bufa.domain.reading import read, to_scan

_FIELDS = ("provider", "carrier", "code", "state", "text")
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)  # one scan's stage doesn't depend on when it was


def read_lines(lines: Iterable[str]) -> Iterator[str]:
    """One JSON object out for each line in: `kind`, `stage`, `reason`, `why`.

    Any of the fields may be missing. A line that is no JSON object gives `{"error": …}`, so that the n-th line out
    always answers the n-th line in; an empty line does, too.
    """
    for line in lines:
        yield json.dumps(_answer(line), ensure_ascii=False)


def _answer(line: str) -> dict[str, Any]:
    try:
        given = json.loads(line)
    except json.JSONDecodeError as error:
        return {"error": f"not JSON: {error.msg}"}
    if not isinstance(given, dict):
        return {"error": "not a JSON object"}
    wrong = [name for name in _FIELDS if not isinstance(given.get(name) or "", str | int)]
    if wrong:
        return {"error": f"not a text: {', '.join(wrong)}"}
    provider, carrier, code, state, text = (
        str(given.get(name) if given.get(name) is not None else "") for name in _FIELDS
    )
    reading = read(provider=provider, carrier=carrier, code=code, state=state, text=text)
    scan = to_scan(
        provider=provider,
        scanned_at=_ANY_TIME,
        received_at=_ANY_TIME,
        carrier=carrier,
        code=code,
        state=state,
        text=text,
    )
    return {
        "kind": reading.kind.value,
        "stage": fold([scan]).stage.value,
        "reason": reading.reason.value if reading.reason else None,
        "why": reading.why,
    }
