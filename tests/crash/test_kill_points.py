"""SIGKILL at every write of one act's way to the platform: never twice, never lost, always settled or shown.

These are the short runs: our own kill points around commits and requests. `make crash` (whole.py) kills at every write
to a socket, in every act and for every way the platform behaves.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bufa.apps.effects import actions as effects
from bufa.jobs import effects as jobs
from bufa.jobs.status import status
from bufa.lib import clock
from tests.crash import whole
from tests.crash.acts import Act, Chain, Stock
from tests.crash.dying import Victims
from tests.crash.other_acts import Refund, effect
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.usefixtures("impatient")]

SHORT = (
    *(f"worker ticket {platform}" for platform in whole.PLATFORMS),
    "click ticket drops_the_answer",
    "worker correct_whole drops_the_answer",
    "worker label drops_the_answer",
    "worker refund drops_the_answer",
    "worker sheet answers",
    "click payment answers",
)
AT_ONCE = 14
"""So many cases are got ready together: letting time pass and asking the platform is what costs."""


@pytest.mark.parametrize("name", SHORT)
def test_killed_anywhere(world: World, victims: Victims, name: str) -> None:
    act: Act = whole.act_of(name, Stock(world, AT_ONCE))
    chain = Chain(act, victims, by_strace=False, statements=False)
    n = 1
    while chain.kill(n):
        n += 1
    assert n > act.least
    assert status(act.stock.shops)["violations"] == []


def test_real_time_is_what_leases_go_by(world: World) -> None:
    """The rescue looks at the database's clock, not at the world's: a day passing there frees nothing."""
    act = Refund(Stock(world, 1))
    job = act.stock.take(act.kind)
    with clock.frozen(world.now):
        effect_id = act.ready(job)["effect_id"]
        assert effects.begin(shop_id=job.shop_id, effect_id=effect_id) is not None
    with clock.frozen(world.advance(hours=24)):
        assert jobs.rescue([job.shop_id]) == 0
    assert effect(job.shop_id, effect_id).state == "sending"


@pytest.mark.django_db(transaction=False)
def test_a_cut_off_run_goes_on_where_it_stood(tmp_path: Path) -> None:
    """What was killed is not killed again, what failed is, and half a line is none."""
    name = "worker label hangs"
    base = {"chain": name, "jobs": 1, "seconds": 1.0}
    lines = [
        {"tree": "abc strace"},
        {**base, "write": 1, "died": True, "bad": {}},
        {**base, "write": 2, "died": True, "bad": {"why": "sent twice"}},
        {**base, "write": 3, "died": True, "bad": {}},
    ]
    journal = tmp_path / "crash.jsonl"
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"chain": "worker la')
    digest, told = whole.read_journal(journal)
    assert digest == "abc strace"
    assert (told[name].done, set(told[name].bad), told[name].is_whole) == ({1, 3}, {2}, False)
    to_do = told[name].to_do()
    assert [next(to_do) for _ in range(3)] == [2, 4, 5]
    with journal.open("a") as out:
        out.write("\n")
        for line in ({**base, "write": 2, "died": True, "bad": {}}, {**base, "write": 4, "died": False, "bad": {}}):
            out.write(json.dumps(line) + "\n")
    _, told = whole.read_journal(journal)
    assert told[name].is_whole
    assert whole.tally({name: told[name]})["kills"] == 3
    assert list(told[name].to_do()) == []
