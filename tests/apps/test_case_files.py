"""Files of a case: what is taken, that nothing of it can be read in the table, who gets it back, when it goes."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.db import connection

from bufa.apps.audit import queries as audit
from bufa.apps.cases import actions, files, pasting, queries
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import CaseFile, FilePart
from bufa.apps.cases.shapes import CaseView, FileView
from bufa.apps.parcels.models import Scan
from bufa.apps.shops import actions as shops
from bufa.domain.cases import Action
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.lib.tenancy import for_shops
from tests.factories.sample import Sample, make_sample
from tests.lib.test_images import camera, jpeg

AGENT = Actor(7, "林", Role.AGENT)
PDF = b"%PDF-1.7\n1 0 obj\n%%EOF"
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(range(256)) * 8192  # two parts


def ids(sample: Sample, name: str = "fresh") -> dict[str, int]:
    return {"shop_id": sample.shop_id, "case_id": sample.ids[name]}


def page(sample: Sample, name: str = "fresh") -> CaseView:
    found = queries.case_page(sample.shop_id, sample.cases[name], Role.LEAD, sample.now)
    assert found is not None
    return found


def keep(sample: Sample, raw: bytes, name: str = "张三家门口.jpg", slot: str = "photo") -> FileView:
    file_id = files.add_file(**ids(sample), name=name, raw=raw, slot=slot, by=AGENT)
    return next(file for file in page(sample).files if file.file_id == file_id)


def body(sample: Sample, file_id: int) -> bytes:
    opened = files.open_file(**ids(sample), file_id=file_id, by=AGENT)
    assert opened is not None
    return b"".join(opened.body)


def test_a_photo_is_kept_without_its_camera_and_sealed(sample: Sample) -> None:
    kept = keep(sample, jpeg(exif=camera()))
    assert (kept.slot, kept.is_image, kept.name) == ("photo", True, "张三家门口.jpg")
    assert b"SecretCam" not in body(sample, kept.file_id)
    with for_shops([sample.shop_id]), connection.cursor() as cursor:
        cursor.execute("SELECT name, thumb, body FROM cases_casefile f JOIN cases_filepart p ON p.file_id = f.id")
        for column in cursor.fetchone():
            assert b"\xff\xd8\xff" not in bytes(column)
            assert "张三".encode() not in bytes(column)


def test_a_video_comes_back_whole_from_its_parts(sample: Sample) -> None:
    kept = keep(sample, MP4, "打包.mp4", "video")
    assert (kept.slot, kept.media_type, kept.is_image) == ("video", "video/mp4", False)
    with for_shops([sample.shop_id]):
        assert FilePart.objects.filter(file_id=kept.file_id).count() == 3
        digest = CaseFile.objects.get(id=kept.file_id).digest
    assert body(sample, kept.file_id) == MP4
    assert digest == hashlib.sha256(MP4).hexdigest()


def test_that_somebody_looked_is_kept(sample: Sample) -> None:
    kept = keep(sample, PDF, "证明.pdf")
    body(sample, kept.file_id)
    newest = audit.newest([sample.shop_id], subject=f"case:{sample.ids['fresh']}", limit=2)
    assert [(act.action, act.by) for act in newest] == [("file.open", "operator:7"), ("file.add", "operator:7")]


@pytest.mark.parametrize(
    ("raw", "slot", "code"),
    [
        (b"", "photo", "file_empty"),
        (b"MZ\x90\x00 a program", "photo", "file_kind_unknown"),
        (b"<html><script>", "photo", "file_kind_unknown"),
        (b"\xff\xd8\xff broken", "photo", "not_an_image"),
        (jpeg(), "video", "slot_wants_video"),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 32, "photo", "file_kind_unknown"),
        (b"%PDF-" + b"x" * (10 * files.PART), "photo", "file_too_large"),
    ],
)
def test_what_cannot_be_kept_says_why(sample: Sample, raw: bytes, slot: str, code: str) -> None:
    with pytest.raises(Refused) as told:
        files.add_file(**ids(sample), name="x", raw=raw, slot=slot, by=AGENT)
    assert told.value.why.code == code
    assert page(sample).files == ()


def test_another_shop_or_case_gets_nothing(sample: Sample) -> None:
    kept = keep(sample, PDF)
    other = make_sample("别家店", prefix="x")
    assert files.open_file(shop_id=sample.shop_id, case_id=sample.ids["asking"], file_id=kept.file_id, by=AGENT) is None
    assert files.open_file(shop_id=other.shop_id, case_id=sample.ids["fresh"], file_id=kept.file_id, by=AGENT) is None
    assert files.thumb(other.shop_id, sample.ids["fresh"], kept.file_id) is None


def test_files_go_some_time_after_their_case_closed(sample: Sample) -> None:
    kept = keep(sample, jpeg())
    shops.change_policy(shop_id=sample.shop_id, changes={"file_days": 30}, by="test")
    assert files.forget_old(sample.shop_id, sample.now + timedelta(days=400)) == 0  # it is open
    actions.act(**ids(sample), action=Action.CLOSE, by=AGENT, reason="x")
    assert files.forget_old(sample.shop_id, sample.now + timedelta(days=29)) == 0
    assert files.forget_old(sample.shop_id, sample.now + timedelta(days=31)) == 1
    (gone,) = page(sample).files
    assert (gone.is_gone, gone.file_id) == (True, kept.file_id)
    assert files.open_file(**ids(sample), file_id=kept.file_id, by=AGENT) is None
    with for_shops([sample.shop_id]):
        assert FilePart.objects.count() == 0


# --- pasted traces ----------------------------------------------------------------------------------------------------


def test_a_pasted_trace_is_judged_like_any_other(sample: Sample) -> None:
    before = page(sample)
    damaged = "2026-11-20 09:10 【深圳市】快件外包装破损，已登记问题件"
    text = f"中通快递\n{damaged}\n2026-11-20 09:00 【深圳市】到达 深圳转运中心"
    parcel = before.original.parcel_id
    read = pasting.paste_trace(shop_id=sample.shop_id, parcel_id=parcel, text=text, by=AGENT)
    assert (len(read.lines), read.new_scans, read.unread) == (2, 2, ("中通快递",))
    found = page(sample)
    assert "damaged" in {finding.rule for finding in found.findings if finding.state == "open"}
    with for_shops([sample.shop_id]):
        assert set(Scan.objects.filter(parcel_id=parcel, kind="damaged").values_list("provider", flat=True)) == {
            "pasted:7"
        }
    newest = found.timeline[0]
    assert (newest.kind, newest.words, newest.by) == ("trace_pasted_partly", "中通快递", "林")
    again = pasting.paste_trace(shop_id=sample.shop_id, parcel_id=parcel, text=text, by=AGENT)
    assert again.new_scans == 0


def test_a_trace_without_a_time_is_refused(sample: Sample) -> None:
    with pytest.raises(Refused) as told:
        pasting.paste_trace(
            shop_id=sample.shop_id, parcel_id=page(sample).original.parcel_id, text="快件已揽收", by=AGENT
        )
    assert told.value.why.code == "trace_unreadable"
