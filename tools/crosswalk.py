"""Write docs/crosswalk.md: what every code of every feed means in our kinds and reasons."""

from __future__ import annotations

from collections.abc import Mapping

from bufa.domain import lexicon
from bufa.domain.codes import WORDS, Coded, Grade, tables
from bufa.domain.kinds import Kind

_MARK = {Grade.FINE: "", Grade.COARSE: "°", Grade.SILENCE: "…"}


def page() -> str:
    """The whole page: one table a kind and reason, then the rules for texts."""
    feeds = tables()
    names = sorted({coded.name for table in feeds.values() for coded in table.values()}, key=_order)
    lines = [
        "# What feeds say, in our words",
        "",
        "Generated from `bufa/domain/codes*.toml` and `lexicon.toml` by `make docs`; `make check` keeps it fresh.",
        "",
        "Each row is a kind with its reason. Unmarked codes decide alone, except where their text disagrees on purpose",
        "(`bufa/domain/reading.py`); `°` marks codes that speak only where the text cannot be read; `…` marks those",
        "that say how long a provider heard nothing. A number means different things to different feeds.",
        "",
        f"Feeds: {', '.join(f'`{feed}`' for feed in sorted(feeds))}. `{WORDS}` serves all of them.",
        "",
        "| Kind | Reason | Codes |",
        "|---|---|---|",
    ]
    lines += [_row(name, feeds) for name in names]
    lines += [
        "",
        "## Texts",
        "",
        "Rules are tried from the top; the first that fits says the kind. `*`: the reason is looked up in the text.",
        "",
        "| Rule | Kind | Reason | Why it is there |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{rule.name}` | {rule.kind.value} | {'*' if rule.reasoned else (rule.reason or '')} | {rule.why} |"
        for rule in lexicon.rules()
    ]
    return "\n".join([*lines, ""])


def _order(name: str) -> tuple[int, str]:
    return list(Kind).index(Kind(name.partition(".")[0])), name


def _row(name: str, feeds: Mapping[str, Mapping[str, Coded]]) -> str:
    kind, _, reason = name.partition(".")
    cells = []
    for feed in sorted(feeds):
        codes = [f"`{code}`{_MARK[coded.grade]}" for code, coded in feeds[feed].items() if coded.name == name]
        if codes:
            cells.append(f"{feed} {' '.join(codes)}")
    return f"| {kind} | {reason} | {' · '.join(cells)} |"
