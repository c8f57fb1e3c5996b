"""The first step at the desk: files in and out, a pasted trace, the second person, the settings."""

from __future__ import annotations

from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bufa.apps.cases import queries
from bufa.apps.cases.shapes import CaseView
from bufa.apps.shops import queries as shop_queries
from bufa.domain.kinds import Role
from tests.factories.sample import Sample, make_sample
from tests.lib.test_images import jpeg

SignIn = Callable[[str], Client]


def page(sample: Sample, name: str = "fresh") -> CaseView:
    found = queries.case_page(sample.shop_id, sample.cases[name], Role.LEAD, sample.now)
    assert found is not None
    return found


def url(sample: Sample, act: str = "") -> str:
    return f"/cases/{sample.shop_id}/{sample.cases['fresh']}/{act}"


def upload(name: str, raw: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, raw)


def test_what_a_customer_says_comes_with_items_photos_and_a_wish(sample: Sample, signed_in: SignIn) -> None:
    agent = signed_in("agent")
    said = {
        "source": "customer", "claim": "damaged", "said_at": "2026-11-20T11:00", "wish": "refund", "words": "碎了",
        "item_0": "1", "photos": [upload("a.jpg", jpeg()), upload("b.exe", b"MZ program")],
    }  # fmt: skip
    answer = agent.post(url(sample, "statement/"), said, follow=True)
    html = answer.content.decode()
    assert "收下 1 个文件" in html
    assert "b.exe" in html  # refused by name, the photo is kept
    statement = page(sample).statements[-1]
    assert (statement.claim, statement.wish, statement.words) == ("damaged", "refund", "碎了")
    assert [(item.quantity, item.ordered) for item in statement.items] == [(1, 1)]
    (file,) = statement.files
    assert f"/files/{file.file_id}/?size=small" in html
    assert "客户要退款" in html


def test_files_are_for_members_only_and_never_run(sample: Sample, signed_in: SignIn) -> None:
    agent = signed_in("agent")
    agent.post(url(sample, "files/"), {"photos": [upload("a.png", jpeg()), upload("证明.pdf", b"%PDF-1.4 x")]})
    photo, paper = page(sample).files
    shown = agent.get(url(sample, f"files/{photo.file_id}/"))
    assert (shown["Content-Type"], shown["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert b"".join(shown.streaming_content)[:3] == b"\xff\xd8\xff"
    handed = agent.get(url(sample, f"files/{paper.file_id}/"))
    assert handed["Content-Disposition"].startswith("attachment")
    assert handed["Cache-Control"] == "private, no-store"
    make_sample("别家店", prefix="x")
    stranger = Client()
    assert stranger.get(url(sample, f"files/{photo.file_id}/")).status_code == 302
    stranger.post("/sign-in/", {"username": "xowner", "password": "right-horse-battery"})
    assert stranger.get(url(sample, f"files/{photo.file_id}/")).status_code == 404


def test_a_pasted_trace_is_shown_before_it_is_kept(sample: Sample, signed_in: SignIn) -> None:
    agent = signed_in("agent")
    text = "运单 7300\n11-20 09:10 快件到达 深圳转运中心"
    looked = agent.post(url(sample, "paste/"), {"trace": text, "do": "look"}).content.decode()
    assert "运单 7300" in looked
    assert "到达转运中心" in looked
    assert len(page(sample).original.scans) == 3
    kept = agent.post(url(sample, "paste/"), {"trace": text, "do": "save"}, follow=True).content.decode()
    assert "读出 1 条轨迹，新增 1 条；1 行没有时间，没有采用" in kept
    assert "人工粘贴" in kept
    empty = agent.post(url(sample, "paste/"), {"trace": "没有时间", "do": "save"}, follow=True).content.decode()
    assert "没有读出一条轨迹" in empty


def test_a_dear_measure_is_asked_for_and_approved_on_the_page(sample: Sample, signed_in: SignIn) -> None:
    owner, agent, lead = signed_in("owner"), signed_in("agent"), signed_in("lead")
    saved = owner.post(
        "/settings/measures/",
        {"approve_over": "50", "compensation_percent": "5", "sure": "60", "refund_hours": "48", "file_days": "90"},
        follow=True,
    )
    assert "措施设置已保存" in saved.content.decode()
    assert shop_queries.policy_json(sample.shop_id)["approve_over_fen"] == 5000
    html = saved.content.decode()
    assert "超过多少元要第二个人批准" in html.partition("最近改过")[2]
    assert "<b>¥50</b>" in html
    assert "approve_over_fen" not in html

    decide = {"claim": "lost", "measure": "reissue", "hours": "24"}
    bare = agent.post(url(sample, "decide/"), decide)
    assert bare.status_code == 422
    assert "写明原因，请另一位同事批准" in bare.content.decode()
    asked = agent.post(url(sample, "decide/"), decide | {"reason": "客户急用"}, follow=True).content.decode()
    assert "已申请补发" in asked
    assert "撤回申请" in asked
    assert "等你批准" in lead.get("/").content.decode()
    assert "等你批准" not in agent.get("/").content.decode()
    seen = lead.get(url(sample)).content.decode()
    assert "客户急用" in seen
    lead.post(url(sample, "approve/"))
    assert page(sample).row.measure == "reissue"


def test_a_refund_by_hand_from_choice_to_ledger(sample: Sample, signed_in: SignIn) -> None:
    agent = signed_in("agent")
    chosen = agent.post(
        url(sample, "decide/"), {"claim": "lost", "measure": "refund", "hours": "24", "amount": "60"}, follow=True
    ).content.decode()
    assert "小额打款" in chosen
    assert page(sample).order.number in chosen
    done = agent.post(url(sample, "remedy-done/"), {"reference": "T2026", "amount": "60"}, follow=True).content.decode()
    assert "台账：退款 ¥60" in done


def test_only_those_who_may_change_the_settings(sample: Sample, signed_in: SignIn) -> None:
    lead = signed_in("lead")
    given = {"approve_over": "1", "compensation_percent": "5", "sure": "60", "refund_hours": "48", "file_days": "90"}
    lead.post("/settings/measures/", given)
    assert "approve_over_fen" not in shop_queries.policy_json(sample.shop_id)
