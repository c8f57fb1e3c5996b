"""China's provinces, cities and districts as one looks them up: by full names, short names and names of the past.

The table itself comes from outside (`bufa.lib.divisions`); what the package behind it lacks, the divisions renamed or
dissolved since 2010, stands in `rulebooks/former_divisions.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

_PEOPLES = (
    "土家|哈尼|哈萨克|傈僳|拉祜|东乡|纳西|景颇|柯尔克孜|达斡尔|仫佬|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|鄂温克|德昂|"
    "保安|裕固|独龙|鄂伦春|蒙古|维吾尔|布依|朝鲜|回|藏|苗|彝|壮|满|侗|瑶|白|傣|黎|佤|畲|水|土|羌|怒|各"
)
_BARE = "蒙古|哈萨克|柯尔克孜|锡伯|塔吉克|维吾尔"
_PEOPLE = re.compile(f"(?:(?:{_PEOPLES})族|{_BARE})+$")
_AUTONOMOUS = re.compile(r"自治([州县旗])$")
_CITY_END = re.compile(r"(?:市|地区|盟|林区|县)$")
_DISTRICT_END = re.compile(r"(?:新区|特区|林区|[县市区旗])$")
_OUTSIDE = frozenset({"香港特别行政区", "澳门特别行政区", "台湾省"})
_PLACEHOLDER = frozenset(
    {"市辖区", "县", "省直辖县级行政区划", "省直辖县级行政单位", "自治区直辖县级行政区划", "省直辖县", "直辖县级"}
)
_OTHER = frozenset({"其它区", "其他区", "其它", "其他"})
_REMEMBERED = 5_000
_ZONE = re.compile(r"新区$|高新|经开|开发区|园区$|保税|度假|示范区|合作区|管理区|功能区|产业园")


class Level(StrEnum):
    PROVINCE = "province"
    CITY = "city"
    DISTRICT = "district"


@dataclass(frozen=True, slots=True, order=True)
class Division:
    """A province (`city` and `district` empty), a city (`district` empty) or a district, county or county-level city.

    `code`: six digits. A municipality is its own only city. A county right under its province (仙桃市) and a city
    without districts (东莞市) are cities that have nothing below.
    """

    code: str
    province: str
    city: str = ""
    district: str = ""

    @property
    def level(self) -> Level:
        return Level.DISTRICT if self.district else Level.CITY if self.city else Level.PROVINCE

    @property
    def name(self) -> str:
        return self.district or self.city or self.province

    def holds(self, other: Division) -> bool:
        """Whether the other one is this one or lies in it."""
        return (
            self.province == other.province
            and self.city in ("", other.city)
            and (not self.district or self.district == other.district)
        )


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write divisions. `is_short`: without its suffix (杭州), so that it may be the beginning of something
    else. `is_former`: a name of the past. Several `meant`: the old one was shared out."""

    meant: tuple[Division, ...]
    is_short: bool = False
    is_former: bool = False


class Fit(StrEnum):
    """What three written names are to the table."""

    REAL = "real"
    FORMER = "former"
    NO_DISTRICT = "no_district"
    ZONE = "zone"
    NOT_LISTED = "not_listed"
    PROVINCE_UNKNOWN = "province_unknown"
    CITY_UNKNOWN = "city_unknown"
    DISTRICT_UNKNOWN = "district_unknown"
    DISAGREE = "disagree"


@dataclass(frozen=True, slots=True)
class Finding:
    """`fit` of written province, city and district; `meant`: the divisions they are, or where the written name is."""

    fit: Fit
    meant: tuple[Division, ...] = ()


class Divisions:
    """The table with its indexes. Build it once (about 30 ms); it never changes."""

    def __init__(self, rows: Iterable[Division], former: Iterable[str] | None = None) -> None:
        """`former`: lines `province/city/old name > new name`; None takes those that come with the program."""
        self.all: tuple[Division, ...] = tuple(sorted(set(rows)))
        self._at = {(one.province, one.city, one.district): one for one in self.all}
        with_districts = {(one.province, one.city) for one in self.all if one.district}
        self._bare = {one for one in self.all if one.city and (one.province, one.city) not in with_districts}
        self.forms: dict[Level, dict[str, list[Form]]] = {level: {} for level in Level}
        for one in self.all:
            self._add_forms(one)
        self._add_suffixes()
        for line in _former() if former is None else former:
            self._add_former(line)
        self._checked: dict[tuple[str, str, str], Finding] = {}
        self._provinces_with_cities = {one.province for one in self.all if one.city}
        self.longest = {level: max(map(len, self.forms[level]), default=0) for level in Level}

    @property
    def counties(self) -> tuple[Division, ...]:
        """The lowest division of every place: districts, and cities that have none."""
        return tuple(one for one in self.all if one.district or one in self._bare)

    def get(self, province: str, city: str = "", district: str = "") -> Division | None:
        """By full official names."""
        return self._at.get((province, city, district))

    def has_districts(self, city: Division) -> bool:
        return city not in self._bare

    def has_cities(self, province: Division) -> bool:
        return province.province in self._provinces_with_cities

    def named(self, level: Level, written: str) -> tuple[Form, ...]:
        return tuple(self.forms[level].get(written, ()))

    def check(self, province: str, city: str, district: str) -> Finding:
        """What three written names are: real and belonging together, renamed, a zone that is no division, or wrong.

        A suffix may lack (浙江, 杭州); a placeholder (市辖区) and a city repeated as district count as nothing.
        """
        # Remembered: a thousand forms name a few hundred places.
        asked = (province, city, district)
        known = self._checked.get(asked)
        if known is None:
            if len(self._checked) >= _REMEMBERED:
                self._checked.clear()
            known = self._checked[asked] = self._check(province, city, district)
        return known

    def _check(self, province: str, city: str, district: str) -> Finding:
        province, city, district = ("".join(part.split()) for part in (province, city, district))
        found = self._meant(Level.PROVINCE, province, ())
        if not found:
            return Finding(Fit.PROVINCE_UNKNOWN)
        if found[0].province in _OUTSIDE:
            return Finding(Fit.NOT_LISTED, found)
        if city in _PLACEHOLDER:
            city = ""
        if not city and district:
            city, district = (district, "") if self._meant(Level.CITY, district, found) else ("", district)
        cities = self._meant(Level.CITY, city, found) if city else found
        if not cities and city and not district:  # a county of the province, written as its city
            cities = self._meant(Level.DISTRICT, city, found)
            if cities:
                return Finding(Fit.REAL if len(cities) == 1 else Fit.DISAGREE, cities)
        if not cities:
            elsewhere = self._meant(Level.CITY, city, ())
            return Finding(Fit.DISAGREE, elsewhere) if elsewhere else Finding(Fit.CITY_UNKNOWN, found)
        former = city != cities[0].city and self._is_former(Level.CITY, city, found)
        return self._check_district(cities, city, district, former=former)

    def _check_district(self, cities: tuple[Division, ...], city: str, district: str, *, former: bool) -> Finding:
        real = Fit.FORMER if former else Fit.REAL
        bare = cities[0] in self._bare
        if district in _PLACEHOLDER or district == city:
            district = "" if bare or not self._meant(Level.DISTRICT, district, cities) else district
        if bare:
            # Their towns stand where others write a district, and this table knows no towns.
            return Finding(real, cities)
        if not district:
            return Finding(Fit.NO_DISTRICT, cities)
        inside = self._meant(Level.DISTRICT, district, cities)
        if inside:
            return Finding(Fit.FORMER if former or self._is_former(Level.DISTRICT, district, cities) else real, inside)
        if district in _OTHER:
            return Finding(Fit.ZONE, cities)
        elsewhere = self._meant(Level.DISTRICT, district, ())
        if elsewhere:
            return Finding(Fit.DISAGREE, elsewhere)
        return Finding(Fit.ZONE if _ZONE.search(district) else Fit.DISTRICT_UNKNOWN, cities)

    def _meant(self, level: Level, written: str, parents: tuple[Division, ...]) -> tuple[Division, ...]:
        """What a name means under one of the parents (anywhere when there are none); full names come first."""
        fitting = self._fitting(level, written, parents)
        best = [form for form in fitting if not form.is_former] or fitting
        best = [form for form in best if not form.is_short] or best
        return tuple(dict.fromkeys(one for form in best for one in form.meant))

    def _is_former(self, level: Level, written: str, parents: tuple[Division, ...]) -> bool:
        fitting = self._fitting(level, written, parents)
        return bool(fitting) and all(form.is_former for form in fitting)

    def _fitting(self, level: Level, written: str, parents: tuple[Division, ...]) -> list[Form]:
        return [
            form
            for form in self.named(level, written)
            if not parents or any(parent.holds(one) for parent in parents for one in form.meant)
        ]

    # --- ways to write -----------------------------------------------------------------------------------------------

    def _add_forms(self, one: Division) -> None:
        if one.level is Level.PROVINCE:
            full, short = _province_names(one.name)
        elif one.level is Level.CITY:
            full, short = _names(one.name, _CITY_END)
        else:
            full, short = _names(one.name, _DISTRICT_END)
        for written in full:
            self._add(one.level, written, Form((one,)))
        for written in short - full:
            if one.level is not Level.DISTRICT or not self._is_province(written):
                self._add(one.level, written, Form((one,), is_short=True))

    def _add_suffixes(self) -> None:
        """吴江市, 崇明县, 铜仁地区: most changes made a district of a county, and changed the suffix only."""
        for one in self.all:
            if one.level is Level.CITY and one.city.endswith("市") and one not in self._bare:
                self._add_past(one, Level.CITY, one.city.removesuffix("市") + "地区")
            if one.level is not Level.DISTRICT:
                continue
            stem = _DISTRICT_END.sub("", one.district)
            if len(stem) < 2 or _AUTONOMOUS.search(one.district):
                continue
            for suffix in {"区": "县市", "市": "县"}.get(one.district[-1], ""):
                if not (suffix == "市" and stem.endswith("城")):  # 新城市花园 is no district
                    self._add_past(one, Level.DISTRICT, stem + suffix)

    def _add_past(self, one: Division, level: Level, written: str) -> None:
        """Unless something in the same province is called so today."""
        today = [form for lower in (Level.CITY, Level.DISTRICT) for form in self.named(lower, written)]
        if not any(other.province == one.province for form in today for other in form.meant):
            self._add(level, written, Form((one,), is_former=True))

    def _add_former(self, line: str) -> None:
        old, _, new = line.partition(">")
        province, *between, name = (part.strip() for part in old.split("/"))
        meant = []
        for target in new.split("|"):
            path = [part.strip() for part in target.split("/")]
            if len(path) == 1:
                path = [*between, *path]
            found = self.get(province, *path)
            if found is None:
                raise ValueError(f"no such division today: {line}")
            meant.append(found)
        level = Level.CITY if not between else Level.DISTRICT
        self._add(level, name, Form(tuple(meant), is_former=True))

    def _add(self, level: Level, written: str, form: Form) -> None:
        there = self.forms[level].setdefault(written, [])
        if form not in there:
            there.append(form)

    def _is_province(self, written: str) -> bool:
        return any(form.is_short for form in self.named(Level.PROVINCE, written))


def _province_names(name: str) -> tuple[set[str], set[str]]:
    """({full names}, {short names})."""
    stem = re.sub(r"(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|省|市)$", "", name)
    full = {name}
    if name.endswith("自治区"):
        full |= {stem + "自治区", stem + "省"}
    if name.endswith("特别行政区"):
        full.add(stem + "特区")
    return full, {stem} | ({"内蒙"} if stem == "内蒙古" else set())


def _names(name: str, ending: re.Pattern[str]) -> tuple[set[str], set[str]]:
    """({full names}, {short names}). 恩施州 and 长阳县 are as full as the long names; one sign alone says nothing."""
    kind = _AUTONOMOUS.search(name)
    if kind:
        whole = name[: kind.start()]
        stem = _PEOPLE.sub("", whole) or whole.removesuffix("族")
        full = {name, stem + kind.group(1)} if len(stem) > 1 else {name}
    else:
        stem = ending.sub("", name)
        full = {name}
    if stem.endswith("县"):  # 沙县区: its people write 沙县
        full.add(stem)
    return full, {stem} if len(stem) > 1 else set()


def _former() -> Iterable[str]:
    said: Mapping[str, list[str]] = tomllib.loads(
        (files("bufa.domain") / "rulebooks" / "former_divisions.toml").read_text("utf-8")
    )
    return said["former"]
