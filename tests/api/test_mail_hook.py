"""A mail handed over by the shop's own mail server: kept once, refused without the shop's secret."""

from __future__ import annotations

import pytest
from django.test import Client

from bufa.apps.negotiations import mails
from bufa.apps.shops import actions as shops
from bufa.apps.shops import queries
from tests.factories import make_shop

MAIL = b"From: a@carrier.example\r\nSubject: hi\r\nMessage-ID: <1@x>\r\n\r\nhello"


@pytest.mark.django_db
def test_kept_once_behind_the_shops_secret(client: Client) -> None:
    shop = make_shop()
    shops.connect(shop_id=shop, kind="smtp", settings={"host": "127.0.0.1", "port": 1, "sender": "desk@shop.example"})
    info = queries.connection(shop, "smtp")
    assert info is not None
    at = info.hook_path.rstrip("/").rsplit("/", 1)[0] + "/mail"

    def post(path: str, body: bytes) -> tuple[int, object]:
        answer = client.post(path, body, content_type="message/rfc822")
        return answer.status_code, answer.json()

    assert post(at, MAIL) == (200, {"new": True})
    assert post(at, MAIL) == (200, {"new": False})
    assert [one.subject for one in mails.unplaced([shop])] == ["hi"]
    assert post(at[:-8] + "x/mail", MAIL)[0] == 404
    assert post(at, b"x" * (6 * 1024 * 1024 + 1))[0] == 413
    assert client.get(at).status_code == 405
