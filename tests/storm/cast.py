"""Gets a shop ready before the storm: so many cases whose forms are filled in, and people who will press submit.

`python -m tests.storm.cast CASES HELLO` prints one JSON object: shop, logins, cases. HELLO is the world's first line.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from typing import Any

import httpx

PASSWORD = "right-horse-battery"
PEOPLE = 4


class Outside:
    """The world, as tests/factories/journey.py wants it."""

    def __init__(self, hello: dict[str, Any]) -> None:
        self.hello = hello
        self.http = httpx.Client(timeout=120, trust_env=False)

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self.hello['control']}/{path}"
        return self.http.request("GET" if body is None else "POST", url, json=body).raise_for_status().json()

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.control("clock")["now"])

    def advance(self, **by: float) -> datetime:
        self.control("clock", {"advance_to": (self.now + timedelta(**by)).isoformat()})
        return self.now


def prepare(world: Outside, count: int) -> dict[str, Any]:
    from bufa.apps.shops import actions as shops
    from bufa.domain.kinds import Role
    from tests.factories.journey import connected_shop, forms_filled

    shop = connected_shop(world)
    logins = [f"lead{at}" for at in range(PEOPLE)]
    for login in logins:
        person = shops.add_operator(login, PASSWORD, display_name=login)
        shops.add_member(shop_id=shop, operator_id=person, role=Role.LEAD, by="test")
    by_ticket = count // 2
    cases = forms_filled(world, shop, by_ticket, ticket=True)
    cases += forms_filled(world, shop, count - by_ticket, ticket=False)
    return {"shop": shop, "logins": logins, "cases": [_told(case) for case in cases]}


def _told(case: Any) -> dict[str, Any]:
    form = case.form
    fields = {"do": "submit", "carrier": form.carrier, "number": form.number, "pickup": form.pickup_id or ""}
    fields |= {"override_reason": case.reason} | {f"line_{at}": count for at, (_, count) in enumerate(form.items)}
    return {"id": case.case_id, "code": case.code, "order": case.order, "number": case.number, "fields": fields}


if __name__ == "__main__":
    import django

    django.setup()
    sys.stdout.write(json.dumps(prepare(Outside(json.loads(sys.argv[2])), int(sys.argv[1]))) + "\n")
