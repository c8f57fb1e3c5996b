"""One act on many cases: which acts there are, and when a run of them may do what."""

from __future__ import annotations

from enum import StrEnum

from bufa.domain.case_facts import Action
from bufa.domain.kinds import Measure


class ManyAct(StrEnum):
    """What can be done to many cases at once. `CONFIRM`: the verdict as it is weighed in each."""

    ASSIGN = "assign"
    SNOOZE = "snooze"
    CONFIRM = "confirm"
    MEASURE = "measure"
    NOTE = "note"
    DISMISS = "dismiss"


ACTION_OF: dict[ManyAct, Action] = {
    ManyAct.ASSIGN: Action.TAKE,
    ManyAct.CONFIRM: Action.CONFIRM_VERDICT,
    ManyAct.MEASURE: Action.CHOOSE_MEASURE,
    ManyAct.NOTE: Action.NOTE,
    ManyAct.DISMISS: Action.DISMISS,
}
"""Which action of a case decides whether it is open to the act; snoozing is open while something is found."""

NEEDS_WORDS = frozenset({ManyAct.SNOOZE, ManyAct.NOTE, ManyAct.DISMISS})
CAN_BE_UNDONE = frozenset({ManyAct.ASSIGN, ManyAct.SNOOZE})
"""The others tell somebody outside or begin a clock; they are changed case by case."""

MEASURES = (Measure.CHASE, Measure.REISSUE)
"""Measures that ask nothing more of a person than to be chosen."""

MOST = 1_000
"""Cases in one run."""
