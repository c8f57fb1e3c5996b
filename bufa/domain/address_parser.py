"""Recipients as people paste them, read into fields: name, phone, divisions, the rest.

Reads for certain or not at all: what could be two places is `ambiguous` with its candidates, what is none is `unknown`,
and the original is always kept. Nothing that was written gets lost: what is not read as something stays in the detail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bufa.domain import address_words as words
from bufa.domain.address_words import ADDRESS_LIKE, DISTRICT_LIKE, LABEL, NO_DISTRICT_END, PHONE, POSTCODE, TOWN, ZONE
from bufa.domain.division_paths import Path, after_gap, best, paths
from bufa.domain.divisions import Division, Divisions, Level
from bufa.domain.outcome import Why


class Verdict(StrEnum):
    """Whether the divisions are sure."""

    OK = "ok"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    """A recipient in fields. Empty fields were not written, or are not sure.

    `district` and `city` have today's official names; `code` is that of the lowest division when the verdict is ok.
    `town` and `detail` together are the rest of the address, in the writer's own signs. `problems`: what to look at,
    even when the verdict is ok. `candidates`: what an ambiguous address could mean.
    """

    original: str
    name: str = ""
    phone: str = ""
    extension: str = ""
    postcode: str = ""
    province: str = ""
    city: str = ""
    district: str = ""
    town: str = ""
    detail: str = ""
    code: str = ""
    verdict: Verdict = Verdict.UNKNOWN
    problems: tuple[Why, ...] = ()
    candidates: tuple[Division, ...] = ()


def parse(text: str, table: Divisions) -> ParsedAddress:
    """A recipient in one piece of text, its parts in any order, with or without labels."""
    return _Reading(text, table).read()


def parse_columns(
    table: Divisions,
    *,
    province: str = "",
    city: str = "",
    district: str = "",
    detail: str = "",
    name: str = "",
    phone: str = "",
) -> ParsedAddress:
    """A recipient in columns, some of which may be empty; the detail may repeat the divisions, or hold everything."""
    text = " ".join(part.strip() for part in (province, city, district, detail) if part.strip())
    return _Reading(text, table, name=name.strip(), phone=phone.strip()).read()


_PHONE_CUT, _CUT = "\x1f", "\x1e"
_SEPARATORS = re.compile(r"[\s,，;；、。|\x1e\x1f()\[\]（）【】]+")
_ENDS = " ,，;；、。|/-—_:：.·"
_EMPTY = re.compile(r"[(（\[【]\s*[)）\]】]")


class _Reading:
    """One text while it is read. What has been understood is cut out of `text`; positions never move."""

    def __init__(self, original: str, table: Divisions, name: str = "", phone: str = "") -> None:
        self.original = original
        self.table = table
        self.kept = "".join(_fold(sign, punctuation=False) for sign in original)
        self.text = "".join(_fold(sign, punctuation=True) for sign in original)
        self.name, self.phone, self.extension, self.postcode = name, "", "", ""
        self.wants_name, self.wants_phone = not name, not phone
        self.problems: list[Why] = []
        self.candidates: tuple[Division, ...] = ()
        self.marked: list[tuple[str, int]] = []
        if phone:
            self._phone_column(phone)

    def read(self) -> ParsedAddress:
        if self.wants_phone:
            self._take_phones()
        self._take_postcode()
        self._take_labels()
        path, weak = self._find()
        start, division, verdict = self._judge(path, weak)
        sure = path or weak
        begin = sure.start if sure else start
        end = path.end if path else start
        if self.wants_name:
            self._take_name(begin, max(start, end))
        elif self.name:
            self.name = words.bare_name(self.name)
        town, detail = self._rest(begin, start)
        if not detail and not town:
            self._say("detail_missing")
        if "*" in detail:
            self._say("detail_masked")
        if not self.phone:
            self._say("phone_missing")
        if not self.name:
            self._say("name_missing")
        lowest = verdict is Verdict.OK
        return ParsedAddress(
            original=self.original,
            name=self.name,
            phone=self.phone,
            extension=self.extension,
            postcode=self.postcode,
            province=division.province if division else "",
            city=division.city if division else "",
            district=division.district if division else "",
            town=town,
            detail=detail,
            code=division.code if division and lowest else "",
            verdict=verdict,
            problems=tuple(self.problems),
            candidates=self.candidates,
        )

    # --- phone, postcode, labels -------------------------------------------------------------------------------------

    def _phone_column(self, phone: str) -> None:
        text = "".join(_fold(sign, punctuation=True) for sign in phone)
        found = PHONE.search(text)
        if found:
            self._keep_phone(found)
        else:
            self.phone = text
            self._say("phone_unreadable")

    def _keep_phone(self, found: re.Match[str]) -> None:
        said = found.groupdict()
        number = said["mobile"] or said["land"] or said["free"] or said["abroad"] or said["masked"] or ""
        if said["mobile"]:
            number = re.sub(r"\D", "", number)
        elif said["land"]:
            number = re.sub(r"^\(?(0\d{2,3})\)?[-\s]?", r"\1-", number)
        if said["masked"]:
            self._say("phone_masked")
        self.phone = number.strip()
        self.extension = said["ext1"] or said["brk1"] or said["ext2"] or said["brk2"] or ""

    def _take_phones(self) -> None:
        for place, found in enumerate(list(PHONE.finditer(self.text))):
            if place == 0:
                self._keep_phone(found)
            elif place == 1:
                self._say("phones_several")
            self._cut(found.start(), found.end(), _PHONE_CUT)

    def _take_postcode(self) -> None:
        found = POSTCODE.search(self.text)
        if found:
            self.postcode = found["said"] or found["code"]
            self._cut(found.start(), found.end(), _CUT)

    def _take_labels(self) -> None:
        labels = [(one.lastgroup or "", one.start(), one.end()) for one in LABEL.finditer(self.text)]
        for kind, start, end in labels:
            self._cut(start, end, _CUT)
            self.marked.append((kind, end))
        if not self.wants_name or self.name:
            return
        for kind, end in self.marked:
            token = next(iter(_tokens(self.text, end)), None)
            if kind == "name" and token and words.name_rank(self.text[token[0] : token[1]]):
                self._cut_name(*token)
                return

    # --- divisions ---------------------------------------------------------------------------------------------------

    def _find(self) -> tuple[Path | None, Path | None]:
        """(the sure reading, the doubtful one that would say more)."""
        strong: Path | None = None
        doubtful: Path | None = None
        starts = self._starts()
        for start in starts:
            found = paths(self.text, start, self.table)
            one, other = best(found, weak=False), best(found, weak=True)
            if one and (strong is None or one.rank[0] > strong.rank[0]):
                strong, doubtful = one, other if other and other.rank > one.rank else None
            elif other and strong is None and (doubtful is None or other.rank[0] > doubtful.rank[0]):
                doubtful = other
        return strong, doubtful

    def _starts(self) -> list[int]:
        """Where an address may begin: at pieces of text, and behind a name that is glued to a province."""
        found = []
        for start, end in _tokens(self.text, 0):
            found.append(start)
            for inner in range(start + 2, min(start + 5, end - 3)):
                named = [
                    form
                    for length in (3, 5, 6, 7, 8)
                    for form in self.table.named(Level.PROVINCE, self.text[inner : inner + length])
                ]
                if named and words.name_rank(self.text[start:inner]) == 2:
                    found.append(inner)
        return found

    def _judge(self, path: Path | None, weak: Path | None) -> tuple[int, Division | None, Verdict]:
        """(where the detail begins, what is sure of the divisions, the verdict)."""
        if path is None:
            if weak is None:
                self._say("divisions_not_found")
                return 0, None, Verdict.UNKNOWN
            self._doubt("divisions_ambiguous", weak.meant)
            province = weak.written[0].level is Level.PROVINCE and len({one.province for one in weak.meant}) == 1
            if not province:
                return weak.start, None, Verdict.AMBIGUOUS
            return weak.written[0].end, Division("", weak.meant[0].province), Verdict.AMBIGUOUS
        if len(path.meant) > 1:
            self._doubt("divisions_ambiguous", path.meant)
            return self._agreed(path)
        division = path.meant[0]
        former = path.former(self.text)
        if former:
            self._say("division_renamed", written=former, now=division.name)
        end = self._past_repeats(path, division)
        if end < 0:
            return path.end, division, Verdict.AMBIGUOUS
        return end, division, self._judge_rest(division, end, weak)

    def _agreed(self, path: Path) -> tuple[int, Division | None, Verdict]:
        """What all readings share; names that are not represented stay in the detail."""
        provinces, cities, districts = ({getattr(one, level) for one in path.meant} for level in Level)
        named = path.written[-1].level is Level.DISTRICT and len(districts) == 1
        if len(provinces) == 1 and len(cities) == 1:
            division = Division("", path.meant[0].province, path.meant[0].city, districts.pop() if named else "")
        else:
            province = provinces.pop() if len(provinces) == 1 else ""
            division = Division("", province, "", districts.pop() if named else "")
        start = path.end if named else path.written[-1].start
        return start, division, Verdict.AMBIGUOUS

    def _past_repeats(self, path: Path, division: Division) -> int:
        """Behind divisions that are written twice; -1 when the second time they are others."""
        end = path.end
        while True:
            again = best(paths(self.text, after_gap(self.text, end), self.table), weak=False)
            if again is None or (len(again.written) == 1 and again.written[0].form.is_short):
                return end
            if not any(one.holds(division) for one in again.meant):
                if len(again.written) > 1 or again.written[0].level is Level.PROVINCE:
                    self._doubt("divisions_disagree", (division, *again.meant))
                    return -1
                return end
            end = again.end

    def _judge_rest(self, division: Division, end: int, weak: Path | None) -> Verdict:
        rest = self.text[after_gap(self.text, end) :]
        if division.level is Level.PROVINCE and not self.table.has_cities(division):
            self._say("outside_mainland", province=division.province)
            return Verdict.OK
        other = self._district_at(rest)
        is_bare = division.level is Level.CITY and not self.table.has_districts(division)
        if other and not is_bare and division not in other:
            inside = tuple(one for one in other if one.province == division.province)
            self._doubt("divisions_disagree", inside or other)
            return Verdict.AMBIGUOUS
        if weak and not is_bare and len(weak.written) > 1 and division.level is not Level.DISTRICT:
            self._doubt("district_doubtful", weak.meant)
            return Verdict.AMBIGUOUS
        if division.level is Level.PROVINCE:
            self._say("city_missing")
            return Verdict.UNKNOWN
        if division.level is Level.DISTRICT or is_bare:
            return Verdict.OK
        return self._judge_missing_district(division, rest)

    def _judge_missing_district(self, city: Division, rest: str) -> Verdict:
        zone = ZONE.match(rest)
        if zone:
            self._say("zone_no_division", zone=zone.group())
            return Verdict.OK
        like = DISTRICT_LIKE.match(rest)
        if like and not NO_DISTRICT_END.search(like.group()) and not re.search(r"[路街道镇村]", like.group()):
            self._doubt("district_unknown", self._near(city, like.group()), written=like.group())
            return Verdict.AMBIGUOUS
        self._say("district_not_written")
        return Verdict.OK

    def _district_at(self, rest: str) -> tuple[Division, ...]:
        """The districts that are called like the beginning of the rest, by a full name of three signs or more."""
        for length in range(min(self.table.longest[Level.DISTRICT], len(rest)), 2, -1):
            named = [one for one in self.table.named(Level.DISTRICT, rest[:length]) if not one.is_short]
            if named and rest[length - 1] in "区县市旗":
                return tuple(dict.fromkeys(one for form in named for one in form.meant))
        return ()

    def _near(self, city: Division, written: str) -> tuple[Division, ...]:
        """Districts of the city that differ in one sign."""
        return tuple(
            one
            for one in self.table.all
            if one.district
            and city.holds(one)
            and len(one.district) == len(written) > 2
            and sum(a != b for a, b in zip(one.district, written, strict=True)) == 1
        )

    # --- name and detail ---------------------------------------------------------------------------------------------

    def _take_name(self, begin: int, end: int) -> None:
        """A name stands before the address or next to the phone; where two could be one, none is taken."""
        if self.name:
            return
        ranked: list[tuple[int, int, int]] = []
        for start, stop in _tokens(self.text, 0):
            if begin <= start < end:
                continue
            stop = min(stop, begin) if start < begin else stop
            beside = self._beside_phone(start, stop)
            rank = words.name_rank(self.text[start:stop])
            if rank and (beside or start < begin):
                ranked.append((rank * 2 + beside, start, stop))
        if not ranked:
            self._take_glued_name(end)
            return
        ranked.sort(reverse=True)
        if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
            self._say("name_uncertain")
            return
        points, start, stop = ranked[0]
        if start >= end and not self._clean(end, start) and not self._clean(stop, len(self.text)):
            self._say("name_uncertain")  # it would be all that there is of the detail
            return
        if points < 4:
            self._say("name_uncertain")
        self._cut_name(start, stop)

    def _beside_phone(self, start: int, stop: int) -> bool:
        before = self.text[:start].rstrip(" ,;:、" + _CUT)
        after = self.text[stop:].lstrip(" ,;:、" + _CUT)
        return before.endswith(_PHONE_CUT) or after.startswith(_PHONE_CUT)

    def _take_glued_name(self, end: int) -> None:
        """…1203室张伟 138…: behind the last door, right before the phone."""
        found = re.search(r"(?<=[号室楼栋层幢座铺])([一-鿿]{2,3})[ ,]*(?=\x1f)", self.text[end:])
        if found and words.name_rank(found[1]) == 2:
            self._cut_name(end + found.start(1), end + found.end(1))

    def _cut_name(self, start: int, stop: int) -> None:
        # A virtual number's code ([1234]) stands behind the name and belongs to it.
        code = re.match(r"\s?[\[(]\d{3,6}[\])]", self.text[stop:])
        stop += code.end() if code else 0
        self.name = words.bare_name(self.kept[start:stop])
        self._cut(start, stop, _CUT)

    def _rest(self, begin: int, start: int) -> tuple[str, str]:
        """(town, detail): all that has not been understood as something else."""
        moved = self._clean(0, begin)
        moved = moved if self._is_worth_keeping(moved) else ""
        detail = self._clean(start, len(self.text))
        if moved:
            self._say("text_moved")
            detail = f"{detail} {moved}".strip()
        found = TOWN.match(detail)
        if not found:
            return "", detail
        return found.group(), detail[found.end() :].lstrip(_ENDS)

    def _is_worth_keeping(self, moved: str) -> bool:
        """Divisions that are written again further on are not."""
        if not moved:
            return False
        left = moved
        while found := best(paths(left, 0, self.table), weak=False):
            left = left[after_gap(left, found.end) :]
            if not left:
                return False
        return bool(ADDRESS_LIKE.search(left) or left.strip(_ENDS))

    def _clean(self, start: int, end: int) -> str:
        signs = [
            " " if cut in (_CUT, _PHONE_CUT) else sign
            for sign, cut in zip(self.kept[start:end], self.text[start:end], strict=True)
        ]
        return re.sub(r"\s+", " ", _EMPTY.sub(" ", "".join(signs))).strip(_ENDS)

    def _cut(self, start: int, end: int, sign: str) -> None:
        self.text = self.text[:start] + sign * (end - start) + self.text[end:]

    def _say(self, code: str, **params: object) -> None:
        self.problems.append(Why(code, params))

    def _doubt(self, code: str, candidates: tuple[Division, ...], **params: object) -> None:
        self.candidates = candidates
        told = [one.province + (one.city if one.city != one.province else "") + one.district for one in candidates[:6]]
        self._say(code, candidates=told, **params)


def _tokens(text: str, start: int) -> list[tuple[int, int]]:
    """Pieces of text between blanks, commas, brackets and what has been cut out, from `start` on."""
    found = []
    at = start
    for gap in _SEPARATORS.finditer(text, start):
        if gap.start() > at:
            found.append((at, gap.start()))
        at = gap.end()
    if at < len(text):
        found.append((at, len(text)))
    return found


def _fold(sign: str, *, punctuation: bool) -> str:
    """Full width to half width, one sign for one sign; signs that can't be seen to blanks."""
    code = ord(sign)
    if code in (0x3000, 0x00A0, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF) or code < 0x20:
        return " "
    if 0xFF01 <= code <= 0xFF5E:
        half = chr(code - 0xFEE0)
        return half if punctuation or half.isalnum() else sign
    if punctuation and sign in "—–－‐":
        return "-"
    return sign
