"""Write docs/case-states.md from the case's transition table: `python tools/case_diagram.py`."""

from __future__ import annotations

from pathlib import Path

from bufa.domain.cases import TABLE, Action, CaseState, diagram

PAGE = Path(__file__).resolve().parent.parent / "docs" / "case-states.md"


def page() -> str:
    """The whole page: picture, and a table of who may do what where."""
    order = list(CaseState)
    rows = []
    for action in Action:
        moves = [move for move in TABLE if move.action is action]
        sources = sorted({source for move in moves for source in move.sources}, key=order.index)
        arrows = [(at, to) for move in moves for at in move.sources for to in move.targets]
        leaves = sorted({to for at, to in arrows if to is not at}, key=order.index)
        stays = ["stays"] if any(to is at for at, to in arrows) else []
        needs = moves[0].permission.value if moves[0].permission else "–"
        rows.append(
            f"| `{action.value}` | {', '.join(sources)} | {', '.join([*stays, *leaves])} "
            f"| {needs} | {'yes' if moves[0].system else ''} |"
        )
    return "\n".join(
        [
            "# The states of a case",
            "",
            "Generated from `bufa/domain/case_moves.py` by `python tools/case_diagram.py`; a test keeps it fresh.",
            "A case is at its first unfinished step. A later action is open whenever its guard passes; it",
            "then leaves the case where it is. `closed` belongs to no step and is left by `reopen` only.",
            "",
            "```mermaid",
            diagram().rstrip("\n"),
            "```",
            "",
            "| Action | In | Leads to | Permission | Facts that come in may do it |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
