"""docs/carrier-states.md from the carrier case's one table."""

from __future__ import annotations

from bufa.domain.carrier_cases import TABLE, WAITING, Event, TalkState, diagram

WHAT = {
    Event.ASK: "the first question of a round left",
    Event.REMIND: "a further message to the same level left",
    Event.ESCALATE: "a message to a higher level left: branch, head office, platform",
    Event.ANSWER: "an answer was accepted that says neither yes nor no",
    Event.PROMISE: "an answer was accepted that names a day",
    Event.CONSENT: "a consent was recorded",
    Event.REFUSE: "a refusal was recorded",
    Event.CLOSE: "the case closed, its next round began, or a lead went on without the carrier's word",
}


def page() -> str:
    """The whole page: picture, and what each event is."""
    order = list(TalkState)
    rows = []
    for event in Event:
        moves = [(source, target) for (source, each), target in TABLE.items() if each is event]
        sources = sorted({source for source, _ in moves}, key=order.index)
        targets = sorted({target for _, target in moves}, key=order.index)
        rows.append(f"| `{event.value}` | {WHAT[event]} | {', '.join(sources)} | {', '.join(targets)} |")
    waiting = ", ".join(state.value for state in order if state in WAITING)
    return "\n".join(
        [
            "# The states of a carrier case",
            "",
            "Generated from `bufa/domain/carrier_cases.py` by `make docs`. A carrier case is the talk with a carrier",
            "about one parcel in one round of a case. Its state is a fold of what happened, in the order of time; an",
            f"event that the table does not list for a state is no news. The clock runs in: {waiting}.",
            "",
            "```mermaid",
            diagram().rstrip("\n"),
            "```",
            "",
            "| Event | When | In | Leads to |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )
