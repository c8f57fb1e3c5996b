"""Which service a message is from, by its form; and the tracks in it, wherever they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bufa.integrations import registry
from bufa.integrations.feeds import china, world
from bufa.integrations.ports import TrackReport
from bufa.integrations.wire import load_json, rows

Reader = Callable[[dict[str, Any]], TrackReport | None]

_DEEPEST = 6
_LARGEST = 4000
"""How many tracks one message may hold: whoever hands in more sends several."""


def recognise(told: Any) -> tuple[TrackReport, ...]:
    """Every track in a message, of any of the services whose form we know; () where there is none.

    A message may be wrapped (`{"data": …}`, `{"result": …}`, a list, JSON as text within JSON, as forms carry it).
    Lines of several messages about one number (one push a scan) become one track.
    """
    found: dict[tuple[str, str, str], TrackReport] = {}
    for report in _walk(told, 0):
        key = (report.provider, report.carrier, report.number)
        there = found.get(key)
        if there is not None:
            report = TrackReport(
                report.provider,
                report.carrier,
                report.number,
                (*there.scans, *report.scans),
                state=report.state or there.state,
            )
        found[key] = report
        if len(found) >= _LARGEST:
            break
    return tuple(found.values())


def _walk(told: Any, depth: int) -> Iterator[TrackReport]:
    if depth > _DEEPEST:
        return
    if isinstance(told, dict):
        report = _report(told)
        if report is not None:
            yield report
            return
        for value in told.values():
            yield from _walk(value, depth + 1)
    elif isinstance(told, list):
        for value in told:
            yield from _walk(value, depth)
    elif isinstance(told, str) and told.lstrip()[:1] in ("{", "["):
        try:
            inside = load_json(told)
        except ValueError:
            return
        yield from _walk(inside, depth + 1)


def _report(told: dict[str, Any]) -> TrackReport | None:
    return next((report for reader in READERS if (report := reader(told)) is not None), None)


def _kuaidi100(told: dict[str, Any]) -> TrackReport | None:
    lines = rows(told.get("data"))
    if "nu" not in told or "data" not in told or any("scantype" in line for line in lines):
        return None
    return _by_provider("kuaidi100", told)


def _kdniao(told: dict[str, Any]) -> TrackReport | None:
    return _by_provider("kdniao", told) if "LogisticCode" in told and "Traces" in told else None


def _17track(told: dict[str, Any]) -> TrackReport | None:
    return _by_provider("17track", told) if isinstance(told.get("track_info"), dict) and "number" in told else None


def _by_provider(name: str, told: dict[str, Any]) -> TrackReport:
    report: TrackReport = registry.report_reader("tracking", name)(told)
    return report


READERS: tuple[Reader, ...] = (_kuaidi100, _kdniao, _17track, *china.READERS, *world.READERS)
"""Tried in this order; each returns None for a form that is not its own."""
