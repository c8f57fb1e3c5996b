"""What each member is told, worked out from findings and warnings as they are."""

from __future__ import annotations

from datetime import timedelta

from bufa.apps.cases import actions, told_whom
from bufa.apps.cases.told_whom import Chair, Told
from bufa.apps.parcels import watching
from bufa.apps.shops import actions as shops
from bufa.apps.shops import queries as shop_queries
from bufa.domain.cases import Action
from bufa.domain.kinds import Role
from bufa.jobs.sweep import due_parcels
from tests.factories import make_shop
from tests.factories.sample import Sample


def member(sample: Sample, role: Role) -> int:
    return next(each.operator_id for each in shop_queries.members([sample.shop_id]) if each.role is role)


def chair(sample: Sample, role: Role) -> Chair:
    return Chair(sample.shop_id, role, shop_queries.policy_json(sample.shop_id))


def heard(sample: Sample, role: Role, hours: float = 0) -> Told:
    now = sample.now + timedelta(hours=hours)
    return told_whom.told(member(sample, role), [chair(sample, role)], now, limit=500)


def say(sample: Sample, **said: str) -> None:
    shops.change_policy(shop_id=sample.shop_id, changes={"tell": said}, by="test")


def rules(told: Told) -> set[str]:
    return {row.rule for row in told.rows}


def test_leads_hear_of_what_nobody_works_on_and_agents_of_their_own(sample: Sample) -> None:
    lead, agent = heard(sample, Role.LEAD), heard(sample, Role.AGENT)
    assert "transit_timeout" in rules(lead)
    assert agent.rows == ()
    fresh = sample.cases["fresh"]
    assert fresh in {row.case_code for row in lead.rows}
    actions.act(
        shop_id=sample.shop_id,
        case_id=sample.ids["fresh"],
        action=Action.TAKE,
        by=sample.actor(),
        owner=member(sample, Role.AGENT),
    )
    assert {row.case_code for row in heard(sample, Role.AGENT).rows if not row.is_warning} == {fresh}
    assert fresh not in {row.case_code for row in heard(sample, Role.LEAD).rows}


def test_warnings_are_told_too_with_what_they_will_cost(sample: Sample) -> None:
    warned = [row for row in heard(sample, Role.LEAD).rows if row.is_warning]
    assert warned
    assert all(row.at > sample.now for row in warned)
    assert any(row.rule == "late_shipping" and row.fen > 0 for row in warned)


def test_the_shops_choice_by_rule(sample: Sample) -> None:
    say(sample, transit_timeout="nobody", late_shipping="everybody")
    assert "transit_timeout" not in rules(heard(sample, Role.LEAD))
    assert rules(heard(sample, Role.AGENT)) == {"late_shipping"}
    say(sample, transit_timeout=f"operator:{member(sample, Role.FINANCE)}")
    assert rules(heard(sample, Role.FINANCE)) == {"transit_timeout"}
    assert "transit_timeout" not in rules(heard(sample, Role.LEAD))
    say(sample, transit_timeout="nonsense")
    assert "transit_timeout" in rules(heard(sample, Role.LEAD))


def test_seen_is_each_persons_own_and_later_findings_are_new_again(sample: Sample) -> None:
    lead, owner = member(sample, Role.LEAD), member(sample, Role.OWNER)
    mine = [chair(sample, Role.LEAD)]
    before = told_whom.news(lead, mine, sample.now)
    assert before == heard(sample, Role.LEAD).news > 0
    told_whom.seen(operator_id=lead, shop_ids=[sample.shop_id], now=sample.now)
    assert told_whom.news(lead, mine, sample.now) == heard(sample, Role.LEAD).news == 0
    assert heard(sample, Role.LEAD).rows  # still there to be looked at
    assert told_whom.news(owner, [chair(sample, Role.OWNER)], sample.now) == before

    later = sample.now + timedelta(hours=30)
    watching.judge_soon(sample.shop_id, later)
    due_parcels([sample.shop_id], later)
    new = [row for row in heard(sample, Role.LEAD, 30).rows if row.is_new]
    assert new
    assert {row.parcel_id for row in new if not row.is_warning} <= {
        row.parcel_id for row in heard(sample, Role.LEAD, 30).rows if row.at > sample.now
    }


def test_nothing_of_another_shop(sample: Sample) -> None:
    other = make_shop("别家店", login="other")
    assert told_whom.told(member(sample, Role.LEAD), [Chair(other, Role.LEAD, {})], sample.now).rows == ()
    assert told_whom.news(member(sample, Role.LEAD), [], sample.now) == 0
