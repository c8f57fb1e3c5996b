"""Two parcels on their way: which ways are open, what each costs, which is proposed, what becomes of the claim."""

from __future__ import annotations

import pytest

from bufa.domain.claims import ClaimAct, ClaimState
from bufa.domain.double_delivery import Side, Way, check, claim_act, options, proposed
from bufa.domain.kinds import Stage
from bufa.domain.outcome import Refused

S = Stage


def ways(original: Stage, reissue: Stage, *, wished: bool = False) -> dict[Way, tuple[int, str]]:
    found = options(Side(original), Side(reissue), goods_fen=8900, recall_fen=2225, wished=wished)
    return {one.way: (one.cost_fen, one.why_not.code if one.why_not else "") for one in found}


def test_both_moving() -> None:
    assert ways(S.IN_TRANSIT, S.COLLECTED) == {
        Way.STOP_ORIGINAL: (2225, ""),
        Way.STOP_REISSUE: (2225, ""),
        Way.COME_BACK: (0, "not_coming_back"),
        Way.REFUSE_ONE: (0, ""),
        Way.KEEP_BOTH: (8900, ""),
    }


@pytest.mark.parametrize(
    ("original", "reissue", "way"),
    [
        (S.IN_TRANSIT, S.COLLECTED, Way.REFUSE_ONE),
        (S.RETURNING, S.IN_TRANSIT, Way.COME_BACK),
        (S.DELIVERED, S.IN_TRANSIT, Way.STOP_REISSUE),
        (S.DELIVERED, S.DELIVERED, Way.KEEP_BOTH),
    ],
)
def test_the_cheapest_open_way_is_proposed(original: Stage, reissue: Stage, way: Way) -> None:
    found = options(Side(original), Side(reissue), goods_fen=8900, recall_fen=2225, wished=False)
    assert proposed(found) is way


def test_a_recall_that_nobody_wished_is_accepted_with_its_cost() -> None:
    found = options(Side(S.IN_TRANSIT), Side(S.COLLECTED), goods_fen=1, recall_fen=2225, wished=False)
    with pytest.raises(Refused) as caught:
        check(found[0], accept_penalty=False)
    assert caught.value.why.params == {"cost_fen": 2225}
    check(found[0], accept_penalty=True)
    wished = options(Side(S.IN_TRANSIT), Side(S.COLLECTED), goods_fen=1, recall_fen=2225, wished=True)
    check(wished[0], accept_penalty=False)


@pytest.mark.parametrize("state", ClaimState)
def test_a_claim_for_a_loss_that_is_none_is_given_up_while_nothing_was_paid(state: ClaimState) -> None:
    open_ones = {"open", "lapsed", "asked", "answered", "refused"}
    assert claim_act(state, "lost") is (ClaimAct.WAIVE if state.value in open_ones else None)
    assert claim_act(state, "damaged") is None
