"""Write docs/rules.md: the platform's rules as we read them, with their dates and sources."""

from __future__ import annotations

from bufa.domain import appeals, rulebook
from bufa.domain.money import yuan
from bufa.domain.rulebook import PayClass, Rule


def page() -> str:
    """The whole page: rules, classes of promise, thresholds."""
    book = rulebook.load()
    lines = [
        "# The rule book",
        "",
        "Generated from `bufa/domain/rulebooks/doudian-2026.toml` by `make docs`; `make check` keeps it fresh.",
        "The file's head explains the words under Begins and Ends. A rule holds for breaches on days in its dates.",
        "",
        "| Rule | Kind | Mark | In force | Begins | Hours | Ends | Costs | Source |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{rule.id}` | {rule.kind.value} | {rule.mark.value} | {rule.valid_from} to {rule.valid_to or '…'} "
        f"| {rule.starts} | {_hours(rule)} | {', '.join(rule.ends) or '–'} | {_costs(rule)} | {rule.source} |"
        for rule in book.rules
    ]
    lines += [
        "",
        "## Classes of promise",
        "",
        "| Class | Mark | In force | Ship by | Source |",
        "|---|---|---|---|---|",
    ]
    for one in book.promises:
        late = f", paid from {one.cutoff:%H:%M} on one day later" if one.cutoff else ""
        when = f"{one.hours} h, or the merchant's own" if one.days is None else f"end of day +{one.days}{late}"
        lines.append(f"| `{one.id}` | {one.mark} | {one.valid_from} to {one.valid_to or '…'} | {when} | {one.source} |")
    lines += [
        "",
        "## When the platform acts against the whole shop",
        "",
        "| Threshold | Mark | In force | Of a day's orders | At least | Days running | Measure | Source |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{one.id}` | {one.mark.value} | {one.valid_from} to {one.valid_to or '…'} "
        f"| {'>' if one.over else '≥'} {one.percent} % {', '.join(one.counts)} | {one.at_least} | {one.days} "
        f"| {one.measure} | {one.source} |"
        for one in book.thresholds
    ]
    return "\n".join([*lines, *_appeals(), ""])


def _appeals() -> list[str]:
    lines = [
        "",
        "## Appeals against deductions",
        "",
        "Generated from `bufa/domain/rulebooks/appeals.toml` and the table of `bufa/domain/appeals.py`.",
        "",
        "| In force | Days from the notice | Working days to the answer | Mark | Source |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.since} to … | {one.days} | {one.answer_workdays} | {one.mark} | {one.source} |"
        for one in appeals.all_clocks()
    ]
    lines += ["", "| Ground | Deductions | Wants | Mark | Source |", "|---|---|---|---|---|"]
    lines += [
        f"| `{one.id}` | {', '.join(kind.value for kind in one.kinds) or 'all'} | {', '.join(one.wants)} | {one.mark} "
        f"| {one.source} |"
        for one in appeals.grounds().values()
    ]
    lines += ["", "```mermaid", "stateDiagram-v2"]
    lines += [f"    {was.value} --> {then.value}: {act.value}" for (was, act), then in appeals.TABLE.items()]
    return [*lines, "    open --> lapsed: its days are over", "```"]


def _hours(rule: Rule) -> str:
    if not rule.by_distance:
        return str(max(rule.hours.values()))
    return " / ".join(f"{distance.value} {hours}" for distance, hours in rule.hours.items())


def _costs(rule: Rule) -> str:
    costs = [_cost(pay) for pay in rule.pay if pay.percent] or ["–"]
    also = [f"also {', '.join(rule.also)}"] if rule.also else []
    once = [f"once among `{rule.once}`"] if rule.once else []
    return "; ".join([*costs, *also, *once])


def _cost(pay: PayClass) -> str:
    promise = (
        "" if not pay.over_hours and pay.to_hours is None else f"promise {pay.over_hours}–{pay.to_hours or '∞'} h: "
    )
    goods = f"{pay.order_class.value}: " if pay.order_class else ""
    under = f" (paid under ¥{yuan(pay.under_fen)})" if pay.under_fen else ""
    return f"{goods}{promise}{pay.percent} %, ¥{yuan(pay.min_fen)}–{yuan(pay.max_fen)}{under}"
