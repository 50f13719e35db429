"""The rarity warning: details that are harmless alone and may together point to one patient.

A rare disease, an exact age, a place and a recent day break no rule, yet whoever reads the local paper may put them
together. `assess` finds such details, weighs them by `KINDS`, and proposes coarser words and a delay before
publishing. It never stops a post: the author decides. Of each facet (age, place, time, ...) the heaviest detail counts,
so a long post weighs little more than a short one that says the same; no detail alone reaches `LINE`.

Pure: no database, no network. The words are in data/rare.txt, data/uncommon.txt and data/regions.txt, the wordings in
rarity_forms.py. Word lists find what their author thought of: of stories it was not tuned on, about four in ten.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sermo.identifiers.rarity_forms import DAY, MONTH, PATTERNS

LINE = 5
TOGETHER = 1  # added where details of three or more facets meet, or two of one facet in COUNTED_TWICE
COUNTED_TWICE = {"event", "attention", "role"}
DELAY_DAYS = 14
PARAGRAPH = re.compile(r"\n[^\S\n]*\n")  # no sign goes across: what stands on both sides is not one phrase
DATA = Path(__file__).parent / "data"


class Kind(NamedTuple):
    facet: str
    weight: int
    advice: str


AGE = "Age to the year. A decade is nearly always enough."
WHERE = "Narrows down where. A large region, or no place at all, asks the same question."
WHEN = "Tells when. How long it has lasted says more, and a later post says less."
KNOWN = "People nearby, or the news, know of this. Leave it out unless the question turns on it."
ROLE = "Few people do this. Name the exposure, not the occupation."
FAMILY = "Families like this are few. Keep only what bears on inheritance."

KINDS = {
    "age": Kind("age", 1, AGE),
    "state": Kind("place", 1, WHERE),
    "small_state": Kind("place", 2, WHERE),
    "shown_state": Kind(
        "place", 1, "Few people live in the state shown beside your post. Consider not showing it."
    ),
    "small_place": Kind("place", 2, "In a small place everybody is known."),
    "town": Kind("place", 2, WHERE),
    "recent": Kind("time", 1, WHEN),
    "date": Kind("time", 2, WHEN),
    "rare_condition": Kind(
        "condition", 2, "Few people have this. Where the question allows, name the group of diseases."
    ),
    "measure": Kind("body", 2, "Few people have this measure. Give a bound."),
    "unusual_event": Kind("event", 3, "Such events are talked about. Say only the kind of injury."),
    "setting": Kind("event", 2, "Such scenes are remembered. Say only the kind of injury or exposure."),
    "public_event": Kind("attention", 2, KNOWN),
    "publicity": Kind("attention", 3, KNOWN),
    "group": Kind("origin", 1, "A small community. Leave it out unless it bears on the question."),
    "occupation": Kind("role", 1, ROLE),
    "trade": Kind("role", 2, ROLE),
    "office": Kind("role", 3, ROLE),
    "fame": Kind("role", 4, ROLE),
    "twins": Kind("family", 1, FAMILY),
    "siblings": Kind("family", 2, FAMILY),
    "triplets": Kind("family", 3, FAMILY),
    "multiples": Kind("family", 4, FAMILY),
    "small_specialty": Kind(
        "author", 1, "Few physicians practice your specialty in one state: readers may guess the hospital."
    ),
}


@dataclass(frozen=True)
class Sign:
    """One detail. `replacement` is the coarser wording for text[start:end], or None where only the author can judge.

    A sign that comes from what is shown beside the post, not from its text, has start == end == 0.
    """

    kind: str
    words: str
    start: int
    end: int
    replacement: str | None = None

    @property
    def advice(self) -> str:
        return KINDS[self.kind].advice

    @property
    def facet(self) -> str:
        return KINDS[self.kind].facet

    @property
    def weight(self) -> int:
        return KINDS[self.kind].weight


@dataclass(frozen=True)
class Rarity:
    score: int
    signs: list[Sign]

    @property
    def is_high(self) -> bool:
        return self.score >= LINE

    @property
    def delay_days(self) -> int:
        """Days to wait before publishing; none where nothing is wrong."""
        return DELAY_DAYS if self.is_high else 0


def assess(text: str, *, state: str = "", specialty: str = "") -> Rarity:
    """Weigh what a post gives away. `state` (name or postal code) and `specialty` are what the page shows beside it."""
    found = [*_worded(text), *_ages(text), *_unlisted_places(text), *_listed(text)]
    signs = _without_overlaps([sign for sign in found if not PARAGRAPH.search(text, sign.start, sign.end)])
    signs += _shown_beside(state, specialty)
    return Rarity(score=_score(signs), signs=signs)


def _score(signs: list[Sign]) -> int:
    facets: dict[str, list[Sign]] = {}
    for sign in signs:
        facets.setdefault(sign.facet, []).append(sign)
    score = sum(max(sign.weight for sign in same) for same in facets.values())
    score += sum(
        TOGETHER
        for facet, same in facets.items()
        if facet in COUNTED_TWICE and len({s.words.lower() for s in same}) > 1
    )
    return score + (TOGETHER if len(facets) >= 3 else 0)


def coarsened(text: str, signs: list[Sign]) -> str:
    """The text with every replacement made: "Use all replacements"."""
    for sign in sorted(signs, key=lambda sign: sign.start, reverse=True):
        if sign.replacement is not None and sign.end > sign.start:
            text = text[: sign.start] + sign.replacement + text[sign.end :]
    return text


def _without_overlaps(signs: list[Sign]) -> list[Sign]:
    """Heavier signs win over lighter ones in the same words, then longer over shorter; in order of the text."""
    kept: list[Sign] = []
    taken: set[int] = set()
    for sign in sorted(signs, key=lambda sign: (-sign.weight, sign.start - sign.end, sign.start)):
        if taken.isdisjoint(range(sign.start, sign.end)):
            kept.append(sign)
            taken.update(range(sign.start, sign.end))
    return sorted(kept, key=lambda sign: sign.start)


ARTICLE_BEFORE = re.compile(r"\b(an?)\s$", re.IGNORECASE)
SENTENCE_BEFORE = re.compile(r"(?:^|[.!?:\n])\W{0,3}$")
OWN_ARTICLE = ("a ", "an ", "some", "several", "in ", "the ")


def _sign(kind: str, text: str, start: int, end: int, replacement: str | None = None) -> Sign:
    """A sign whose replacement takes over the article before it and begins a sentence with a capital."""
    if replacement:
        article = ARTICLE_BEFORE.search(text, max(0, start - 4), start)
        if article and not replacement.startswith(OWN_ARTICLE):
            start = article.start(1)
            replacement = f"{'an' if replacement[0] in 'aeiou8' else 'a'} {replacement}"
        if not text[start].islower() and SENTENCE_BEFORE.search(text, max(0, start - 4), start):
            replacement = replacement[0].upper() + replacement[1:]
    return Sign(kind, text[start:end], start, end, replacement)


# Ages

TENS = {
    **{"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80},
    "ninety": 90,
}
UNITS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}
TEENS = {
    **{"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15},
    **{"sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19},
}
NUMBER_WORDS = {
    **{f"{tens}-{unit}": TENS[tens] + UNITS[unit] for tens in TENS for unit in UNITS},
    **TENS,
    **TEENS,
    **UNITS,
}
NUMBER = r"\d{1,2}|" + "|".join(word.replace("-", "[- ]") for word in NUMBER_WORDS)
WHO = r"(?:wo)?m[ae]n|(?:fe)?males?|boys?|girls?|lady|gentlem[ae]n|patient|child|infant|baby"
AGE_WITH_UNIT = re.compile(
    rf"\b(?P<number>{NUMBER})(?:[-\s]?(?P<unit>year|yr|month|week|day)s?[-\s]old\b|\s?(?:yo\b|y/o\b|y\.o\.))"
    rf"(?:\s(?P<who>{WHO}|[MF](?![\w.]))\b)?",
    re.IGNORECASE,
)
AGE_AND_SEX = re.compile(r"\b(?P<number>\d\d)\s?(?P<who>[MF])(?![\w.])")
AGE_ALONE = [
    re.compile(pattern)
    for pattern in (
        r"\b(?:at (?:the )?)?[Aa]ged? (?:of )?(\d{1,2})\b(?!\s*(?:to|-|–|and (?:over|older|under|up)))",
        r"(?<=\bages )(\d{1,2})\b",
        r"(?<=man )of (\d{1,2})\b|(?<=\bgirl )of (\d{1,2})\b|(?<=\bboy )of (\d{1,2})\b",
        r"(?<=\b[Hh]e is )(\d{2})(?=[.,;]?(?:\s|$))(?! ?(?:%|mg|kg|percent))",
        r"(?<=\b[Ss]he is )(\d{2})(?=[.,;]?(?:\s|$))(?! ?(?:%|mg|kg|percent))",
        r"(?<=[a-z], )([1-8]\d)(?=, (?!\d))",
        r"(?<=cancer )at (\d{2})\b|(?<=disease )at (\d{2})\b|(?<=diagnosed )at (\d{2})\b",
    )
]
NO_NOUN_FOLLOWS = re.compile(
    r"\s*(?:$|[.,;:!?)]|\b(?:with|who|whose|in|on|at|is|was|has|had|presents?|presented|comes?|came|after|and|for|"
    r"from)\b)"
)
STAGES = [
    *((5, "newborn"), (52, "infant"), (5 * 52, "toddler-age"), (13 * 52, "school-age")),  # weeks, up to
    (20 * 52, "teenage"),
]


def _ages(text: str) -> Iterator[Sign]:
    for found in AGE_WITH_UNIT.finditer(text):
        stands_alone = not found["who"] and NO_NOUN_FOLLOWS.match(text, found.end())
        who = "person" if stands_alone else found["who"]
        coarser = _coarser_age(_number(found["number"]), (found["unit"] or "year").lower(), who)
        yield _sign("age", text, found.start(), found.end(), coarser)
    for found in AGE_AND_SEX.finditer(text):
        coarser = _coarser_age(int(found["number"]), "year", found["who"])
        yield _sign("age", text, found.start(), found.end(), coarser)
    for pattern in AGE_ALONE:
        for found in pattern.finditer(text):
            age = int(found[found.lastindex])
            yield _sign(
                "age", text, found.start(), found.end(), f"in the {_decade(age)}" if age > 12 else None
            )


def _number(words: str) -> int:
    return int(words) if words.isdigit() else NUMBER_WORDS[words.lower().replace(" ", "-")]


def _decade(age: int) -> str:
    return "teens" if age < 20 else f"{age // 10 * 10}s"


def _coarser_age(age: int, unit: str, who: str | None) -> str:
    """ "man in the 40s" with a noun, "40-something" before one that follows; children by stage, not by decade."""
    weeks = {"day": age / 7, "week": age, "month": age * 4.3}.get(unit, age * 52)
    years = int(weeks / 52)
    if years >= 90:
        return f"{who} over 89" if who else "over-89"
    if years >= 20:
        return f"{who} in the {_decade(years)}" if who else f"{years // 10 * 10}-something"
    if who == "person":
        who = None if weeks < 52 else "child" if years < 13 else "person"
    stage = next(stage for limit, stage in STAGES if weeks < limit)
    return f"{stage} {who}" if who else stage


# Places

POSTAL = (
    "AL AK AZ AR CA CO CT DC DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "
    "PA RI SC SD TN TX UT VT VA WA WV WI WY PR"
)
FEW_PEOPLE_CODES = "AK DE GU HI ID ME MT ND NE NH NM RI SD VT WV WY"
FEW_PEOPLE_NAMES = (
    "alaska, delaware, guam, hawaii, idaho, maine, montana, north dakota, nebraska, new hampshire, new mexico, "
    "rhode island, south dakota, vermont, west virginia, wyoming"
)
FEW_PEOPLE = {*FEW_PEOPLE_CODES.split(), *FEW_PEOPLE_NAMES.split(", ")}
SMALL_SPECIALTIES_NAMES = (
    "Medical Genetics, Medical Biochemical Genetics, Medical Toxicology, Pediatric Rheumatology, "
    "Pediatric Transplant Hepatology, Transplant Hepatology, Neuro-ophthalmology, Pediatric Surgery, "
    "Pediatric Urology, Pediatric Dermatology, Pediatric Pathology, Pediatric Orthopaedic Surgery, Adult "
    "Congenital Heart Disease, Aerospace Medicine, Undersea and Hyperbaric Medicine"
)
SMALL_SPECIALTIES = {*SMALL_SPECIALTIES_NAMES.split(", ")}
GAP = r"(?:[^\S\n]+(?:\n[^\S\n]*)?|\n[^\S\n]*)"  # between words: a new line, never a new paragraph
WITHIN = r"in|on|near|from|outside(?: of)?|around|at|off|to|visiting|of|over|across"
BEFORE = re.compile(rf"\b({WITHIN}){GAP}$", re.IGNORECASE)
STATE_AFTER = re.compile(rf", (?:{POSTAL.replace(' ', '|')})\b")
MEDICINE_AFTER = re.compile(
    rf"['’]s?\b|{GAP}(?:criteria|score|scale|classification|protocol|study|trial|consensus|sign|manual|University|Heart|"
    r"equation|system|guidelines?|definition|test|virus|fever|bag|tube|drain|bandage|brace|disease|syndrome)\b"
)
UNLISTED_TOWN = re.compile(
    rf"\b(?:{WITHIN}){GAP}(?:[A-Z][a-z]+(?:ville|burgh?|boro(?:ugh)?|ington|town|port|shire|haven|wick)|"
    r"(?:[A-Z][a-z]+ ){1,2}(?:Beach|Springs|Falls|Creek|Lake|City|Island|Rapids|Heights|Harbor|Junction|County))\b"
)
TOWN_WITH_STATE = re.compile(
    rf"\b(?!{DAY}|{MONTH})[A-Z][a-z]+(?: [A-Z][a-z]+)?, (?!PR\b)(?:{POSTAL.replace(' ', '|')})\b"
)


@cache
def _regions() -> dict[tuple[str, ...], tuple[str, str]]:
    """("state" or "town", large region) of each name in data/regions.txt, as folded words."""
    regions = {}
    for line in _lines("regions.txt"):
        region, kind, names = line.split(" | ")
        for name in names.split(", "):
            regions[_fold(name)] = (kind.removesuffix("s"), region)
    return regions


def _unlisted_places(text: str) -> Iterator[Sign]:
    for found in UNLISTED_TOWN.finditer(text):
        if not MEDICINE_AFTER.match(text, found.end()):
            yield _sign("town", text, found.start(), found.end(), "in one town")
    for found in TOWN_WITH_STATE.finditer(text):
        yield _sign("town", text, found.start(), found.end(), "one town")


def _listed_place(text: str, start: int, end: int, term: tuple[str, ...]) -> Sign | None:
    """A listed name is a place when it is capitalized and no eponym; a town, only after a word such as "in"."""
    kind, region = _regions()[term]
    before, state_after = BEFORE.search(text, max(0, start - 14), start), STATE_AFTER.match(text, end)
    if not text[start].isupper() or MEDICINE_AFTER.match(text, end) or (kind == "town" and not before):
        return None
    if kind == "state" and " ".join(term) in FEW_PEOPLE:
        kind = "small_state"
    end = state_after.end() if state_after else end
    if not before:
        return _sign(kind, text, start, end, region)
    return _sign(kind, text, before.start(), end, _within_region(before[1], region))


def _within_region(within: str, region: str) -> str:
    return f"{within} {region}" if within.lower() in ("from", "to", "of", "across", "off") else f"in {region}"


def _shown_beside(state: str, specialty: str) -> list[Sign]:
    if not state:
        return []
    signs = []
    if state in FEW_PEOPLE or state.lower() in FEW_PEOPLE:
        signs.append(Sign("shown_state", state, 0, 0))
    if specialty in SMALL_SPECIALTIES:
        signs.append(Sign("small_specialty", specialty, 0, 0))
    return signs


# Words from the lists: rare conditions, uncommon roles and scenes, places


@cache
def _terms() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """(folded words, kind) of every listed term, by its first word, longest first."""
    listed = [(_fold(line), "rare_condition") for line in _lines("rare.txt")]
    listed += [(name, "place") for name in _regions()]
    kind = ""
    for line in _lines("uncommon.txt"):
        if line.startswith("["):
            kind = line.strip("[]")
        else:
            listed += [(_fold(term), kind) for term in line.split(", ")]
    terms: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for words, kind in sorted(listed, key=lambda entry: -len(entry[0])):
        terms.setdefault(words[0], []).append((words, kind))
    return terms


def _listed(text: str) -> Iterator[Sign]:
    words = list(_folded_words(text))
    for place, (first, start, _) in enumerate(words):
        for term, kind in [*_terms().get(first, ()), *_terms().get(first.removesuffix("s"), ())]:
            here = tuple(word for word, _, _ in words[place : place + len(term)])
            if here != term and (here[:-1] != term[:-1] or here[-1] != f"{term[-1]}s"):
                continue
            end = words[place + len(term) - 1][2]
            if PARAGRAPH.search(text, start, end):
                continue
            sign = _listed_place(text, start, end, term) if kind == "place" else _sign(kind, text, start, end)
            if sign:
                yield sign
                break


def _fold(term: str) -> tuple[str, ...]:
    return tuple(word for word, _, _ in _folded_words(term))


def _folded_words(text: str) -> Iterator[tuple[str, int, int]]:
    """Words in lower case without accents and possessives, each with where it stands."""
    for found in re.finditer(r"[^\W_]+", text):
        word = found[0]
        if word == "s" and text[found.start() - 1 : found.start()] in ("'", "’"):
            continue
        if not word.isascii():
            word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
        yield word.lower(), found.start(), found.end()


def _lines(name: str) -> list[str]:
    lines = (DATA / name).read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _worded(text: str) -> Iterator[Sign]:
    for kind, pattern, coarser in PATTERNS:
        for found in pattern.finditer(text):
            replacement = coarser.format(**found.groupdict()) if coarser else None
            yield _sign(kind, text, found.start(), found.end(), replacement)
