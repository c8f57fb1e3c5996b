"""What cases asked of other rooms: done here, because only here all rooms are known to each other."""

from __future__ import annotations

from collections.abc import Sequence

from procrastinate.contrib.django import app

from bufa.apps.cases import actions as cases
from bufa.apps.cases import queries
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.notices import actions as notices
from bufa.apps.reissues import actions as reissues
from bufa.domain.cases import Action, EffectKind, Purpose
from bufa.lib import clock
from bufa.lib.tenancy import writing


@app.task(name=cases.CARRY_OUT)
def carry_out(shop_id: int, case_ids: list[int]) -> None:
    """Do what these cases asked for; what was done already is not there any more."""
    do_todo(shop_id, case_ids)


def do_todo(shop_id: int, case_ids: Sequence[int]) -> int:
    """Each case in a transaction of its own: its list is emptied together with what it asked for."""
    done = 0
    for case_id in case_ids:
        with writing([shop_id]):
            wanted = cases.take_todo(shop_id=shop_id, case_id=case_id)
            if not wanted:
                continue
            now = clock.now()
            # A round that ended, or a reissue that arrived: its row says so before anything is told about it.
            reissues.follow(shop_id=shop_id, case_id=case_id, now=now)
            for one in wanted:
                if one.kind is EffectKind.SEND_NOTICE:
                    purpose = Purpose(one.params["purpose"])
                    notices.send_by_itself(shop_id=shop_id, case_id=case_id, purpose=purpose, now=now)
                elif one.kind is EffectKind.OPEN_NEXT_ROUND:
                    # Back to the carrier, and the customer hears it from us before they ask.
                    negotiations.ask_about_reissue(shop_id=shop_id, case_id=case_id, now=now)
                    purpose = Purpose.REISSUE_TROUBLE
                    notices.send_by_itself(shop_id=shop_id, case_id=case_id, purpose=purpose, now=now)
                elif one.kind is EffectKind.WRITE_TO_CARRIER:
                    negotiations.write_by_itself(shop_id=shop_id, case_id=case_id, now=now)
                done += 1
    return done


def end_waits(shops: Sequence[int]) -> int:
    """Cases whose waiting is over come back to people, and those whose answer did not come in time."""
    now = clock.now()
    ended = 0
    for shop_id, case_id in queries.due_waits(shops, now):
        if cases.react(shop_id=shop_id, case_id=case_id, event=Action.WAIT_OVER, now=now) is not None:
            ended += 1
    for shop_id, case_id in queries.silences_over(shops, now):
        if cases.react(shop_id=shop_id, case_id=case_id, event=Action.SILENCE_OVER, now=now) is not None:
            ended += 1
    for shop_id, case_id in queries.unanswered(shops, now):
        cases.look_again(shop_id=shop_id, case_id=case_id, now=now)
        ended += 1
    return ended
