"""What went wrong is said in words: what, why, what next. Nothing half-done stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import OperationalError
from django.test import Client

from bufa.lib import clock
from bufa.web import session, urls
from bufa.web.brake import Brake, TooManyTries
from tests.factories.sample import PASSWORD, Sample


@pytest.fixture
def without_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock that the shop follows is gone: every page that asks for the time breaks."""
    monkeypatch.setenv("BUFA_CLOCK_URL", "http://127.0.0.1:9/clock")
    token = clock._frozen.set(None)
    yield
    clock._frozen.reset(token)


def test_a_fault_is_no_bare_page(sample: Sample, owner: Client, without_clock: None) -> None:
    owner.raise_request_exception = False
    answer = owner.get("/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "这里出了故障" in page
    assert "回到今日" in page


def test_a_stale_form_is_told_so(sample: Sample) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/sign-in/", {"username": "owner", "password": PASSWORD})
    assert answer.status_code == 403
    assert "这次提交没有被接受" in answer.content.decode()


def test_what_is_not_there(sample: Sample, owner: Client) -> None:
    for address in ("/nowhere/", f"/cases/{sample.shop_id}/C-none/", f"/parcels/{sample.shop_id}/99999/"):
        answer = owner.get(address)
        assert answer.status_code == 404
        assert "没有这一页" in answer.content.decode()


@pytest.mark.parametrize(
    "address", ["/cases/?after=x~y", "/parcels/?after=2026", "/cases/?step=x&owner=-1", "/parcels/?stage=x"]
)
def test_a_mangled_address_is_no_fault(sample: Sample, owner: Client, address: str) -> None:
    assert owner.get(address).status_code == 200


@pytest.mark.parametrize("address", ["/inbox/retry/", "/choose-shop/", "/theme/", "/my-language/", "/sign-out/"])
def test_what_changes_something_is_never_done_by_a_link(sample: Sample, owner: Client, address: str) -> None:
    answer = owner.get(address)
    assert answer.status_code == 405
    assert answer["Allow"]
    assert "这个地址不能直接打开" in answer.content.decode()


def test_who_keeps_guessing_waits(sample: Sample, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SIGN_IN", Brake(most=3, within_s=300))
    tries = [client.post("/sign-in/", {"username": "agent", "password": "guess"}) for _ in range(4)]
    assert [each.status_code for each in tries] == [422, 422, 422, 429]
    assert "试得太多了" in tries[-1].content.decode()
    assert 290 < int(tries[-1]["Retry-After"]) <= 300
    # Not even the right one is tried; whoever else signs in is not kept out.
    assert client.post("/sign-in/", {"username": "Agent", "password": PASSWORD}).status_code == 429
    asked = client.post(
        "/session/", {"username": "agent", "password": PASSWORD}, headers={"Accept": "application/json"}
    )
    assert (asked.status_code, asked.json()["minutes"]) == (429, 5)
    assert client.post("/sign-in/", {"username": "lead", "password": PASSWORD}).status_code == 302


def test_a_brake_lets_go_after_a_while_and_when_it_went_well() -> None:
    brake = Brake(most=2, within_s=60)
    for at in (0.0, 10.0):
        brake.failed("lin", at)
    with pytest.raises(TooManyTries) as told:
        brake.check("lin", 11.0)
    assert told.value.wait_s == 49.0
    brake.check("zhou", 11.0)
    brake.check("lin", 60.0)
    brake.failed("lin", 61.0)
    brake.forget("lin")
    brake.check("lin", 62.0)


def test_too_much_at_once_is_said_in_words(sample: Sample, owner: Client) -> None:
    answer = owner.post("/find/", {"q": "x" * (6 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "一次提交的太多了" in answer.content.decode()


def test_a_database_that_is_away_is_no_fault_of_the_program(
    sample: Sample, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(next(path for path in urls.urlpatterns if path.name == "stock"), "callback", gone)
    owner.raise_request_exception = False
    answer = owner.get("/stock/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "数据库暂时不在" in answer.content.decode()


def test_an_error_in_the_frame_keeps_the_way_on(sample: Sample, owner: Client) -> None:
    page = owner.get(f"/cases/{sample.shop_id}/none/").content.decode()
    assert 'id="find"' in page  # its words point there
    assert "回到今日" in page
