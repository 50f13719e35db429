"""Dates. Of a patient's dates only the year may stay."""

import re
from collections.abc import Iterator

from sermo.identifiers.findings import DOUBT, STOP, Finding

MONTHS = {
    1: "jan january enero janvier januar jänner gennaio janeiro stycznia ocak января ianuarie leden",
    2: "feb february febrero février fevrier februar febbraio fevereiro lutego şubat февраля",
    3: "mar march marzo mars märz maerz marzec março marca mart марта maart",
    4: "apr april abril avril aprile kwietnia nisan апреля",
    5: "may mayo mai maggio maio maja mayıs мая mei",
    6: "jun june junio juin juni giugno junho czerwca haziran июня",
    7: "jul july julio juillet juli luglio julho lipca temmuz июля",
    8: "aug august agosto août aout sierpnia ağustos августа augustus",
    9: "sep sept september septiembre septembre settembre setembro września eylül сентября",
    10: "oct october octubre octobre oktober ottobre outubro października ekim октября",
    11: "nov november noviembre novembre listopada kasım ноября",
    12: "dec december diciembre décembre decembre dezember dicembre dezembro grudnia aralık декабря",
}
NUMBER_OF = {word: number for number, words in MONTHS.items() for word in words.split()}
MONTH = r"(?:" + "|".join(sorted(map(re.escape, NUMBER_OF), key=len, reverse=True)) + r")(?![^\W\d_])\.?"
ANY_MONTH = re.compile(rf"(?<![^\W\d_]){MONTH}", re.IGNORECASE)
ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "twenty-first",
    "twenty-second",
    "twenty-third",
    "twenty-fourth",
    "twenty-fifth",
    "twenty-sixth",
    "twenty-seventh",
    "twenty-eighth",
    "twenty-ninth",
    "thirtieth",
    "thirty-first",
]
SPOKEN = r"(?:" + "|".join(sorted(ORDINALS, key=len, reverse=True)).replace("-", "[- ]") + r")"
DAY = r"(?:0?[1-9]|[12]\d|3[01])"
DAY_TH = rf"(?:{DAY}(?:st|nd|rd|th|º|\.)?|{SPOKEN})"
YEAR = r"(?:(?:19|20)\d\d)"
YEAR2 = rf"(?:{YEAR}|['’]?\d\d)"
WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
LEAD = re.compile(
    rf"(?:\b(?:on|since|from|of|by|until|till|before|after)\s+(?:the\s+)?|(?<!\w)the\s+)?(?:(?:last"
    rf"|this|next|past)\s+)?(?:\b{WEEKDAY}\b,?\s+(?:the\s+)?)?$",
    re.IGNORECASE,
)
CLOCK = r"(?:[,T ]\s?(?:at\s+)?\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\b\.?)?)?"

SPOKEN_YEAR = (
    r"(?:nineteen|eighteen|twenty|two\s+thousand)(?:[- ](?:and|hundred|oh|ten|eleven|twelve"
    r"|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|one|two|three|four|five|six|seven|eight|nine))+"
)
ROMAN = r"(?:VIII|VII|III|VI|IV|IX|XII|XI|II|V|X|I)"
UNTIL = rf"(?:\s?(?:-|\u2013|to|and|through)\s?{DAY_TH})?"
END = r"(?!\d|/\d|\.\d)"

FULL = [
    re.compile(
        rf"(?<![^\W_])(?P<month>{MONTH})[\s-]*(?:the\s+)?{DAY_TH}{UNTIL}(?:,|\s|-|of"
        rf"|in)+(?P<year>{YEAR}|['’]\d\d|\d\d(?=\s*(?:[.,;)\n]|$|pt\b|seen\b|\()))(?!\d){CLOCK}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![\w/.-]){DAY_TH}{UNTIL}\s*(?:of\s+|de\s+|-|/|\.)?\s*(?P<month>{MONTH})(?:,|\s|-|/|\."
        rf"|de[l]?|of|in)*(?P<year>{YEAR}|['’]\d\d|(?<=[-/.\s])\d\d|\d\d)(?!\d|\s?%|\s*(?:mg|mcg|g\b|ml"
        rf"|units|patients|\())(?!:\d){CLOCK}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![\w/.-])(?P<n1>{DAY})(?P<sep>\s?[/.-]\s?)(?P<n2>{DAY})(?P=sep)(?P<year>{YEAR}"
        rf"|['’]?\d\d){END}{CLOCK}",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<![\w/.-])(?:(?:0[1-9]|1[0-2])\s(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])\s(?:0[1-9]"
        r"|1[0-2]))\s(?P<year>(?:19|20)\d\d)(?![\w/-])"
    ),
    re.compile(
        rf"(?<![\w/.-])(?P<year>{YEAR})(?P<sep>[/.-])(?:0?[1-9]|1[0-2])(?P=sep){DAY}{END}{CLOCK}",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![\w/.-])(?P<year>(?:19|20)\d\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\w)"),
    re.compile(rf"\b(?P<year>{YEAR})[\s,-]+(?P<month>{MONTH})[\s-]+{DAY}(?:st|nd|rd|th)?\b", re.IGNORECASE),
    re.compile(rf"(?<![\w/.-]){DAY}[./-]{ROMAN}[./-](?P<year>{YEAR})\b"),
    re.compile(rf"(?<![\w/.-])(?P<year>{YEAR})年\s?\d{{1,2}}月(?:\s?\d{{1,2}}日)?"),
]
SPELLED = re.compile(
    rf"\b(?:the\s+)?(?:{DAY}(?:st|nd|rd|th)"
    rf"|{SPOKEN})\s+(?:day\s+)?of\s+(?P<month>{MONTH})(?:,?\s+{SPOKEN_YEAR})?"
    rf"|\b(?P<month2>{MONTH})\s+(?:the\s+)?(?:{SPOKEN})\b(?P<spoken>,?\s+(?:{SPOKEN_YEAR}|{YEAR}))?"
    rf"|\b(?P<month3>{MONTH})\s+{DAY}(?:st|nd|rd|th)?,?\s+(?:{SPOKEN_YEAR})",
    re.IGNORECASE,
)
BIRTH = re.compile(
    rf"\b(?:d\.?\s?o\.?\s?b\.?|date\s+of\s+birth|birth\s?date|birthday|birth\s?day|born|b\.?day"
    rf"|geb\.?|f\.?\s?nac\.?|fecha\s+de\s+nacimiento|née?\s+le|expired|date\s+of\s+death|dod"
    rf"|d\.o\.d\.)(?:\s*(?:is|was|on|:|=|-|the"
    rf"|of)){{0,3}}\s*(?P<it>{DAY}[/.-]{DAY}(?:[/.-]\d{{2,4}})?|{MONTH}\s+{DAY}(?:st|nd|rd"
    rf"|th)?(?:,?\s+{YEAR})?|{DAY}(?:st|nd|rd|th)?\s+(?:of\s+)?{MONTH}(?:\s+{YEAR})?"
    rf"|{MONTH}\s+{YEAR}(?:\s+{DAY})?|\d{{8}}|\d{{6}})(?!\d)",
    re.IGNORECASE,
)
CUED_DIGITS = re.compile(
    r"\b(?:admit\w*|adm|seen|dos|date\w*|d/c|discharged?|dc|drawn|collected|expires?|exp|born"
    r"|visit)\s*[:=]?\s*(?:on\s+)?(?P<it>\d{6}|\d{8})(?!\w)",
    re.IGNORECASE,
)
NUMBER_WORD = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    r"|oh|hundred|thousand|and|of)"
)
CUED_WORDS = re.compile(
    rf"\b(?:d\s?o\s?b|date\s+of\s+(?:birth|service|admission|discharge|surgery|death|visit)"
    rf"|birth\s?(?:day|date)|born|admitted|discharged|seen|dictated)(?:\s+(?:is|was|on"
    rf"|the))*[\s:,]+(?P<it>{NUMBER_WORD}(?:[\s-]+{NUMBER_WORD}){{2,}})\b",
    re.IGNORECASE,
)
HOLIDAY = (
    r"(?:Christmas(?:\s+(?:Day|Eve|morning|night))?|New\s+Year'?s(?:\s+(?:Day|Eve))?"
    r"|Thanksgiving(?:\s+Day)?|Easter(?:\s+(?:Sunday|Monday))?|Halloween|Independence\s+Day"
    r"|Labor\s+Day|Memorial\s+Day|Valentine'?s(?:\s+Day)?|Mother'?s\s+Day|Father'?s\s+Day"
    r"|St\.?\s+Patrick'?s\s+Day|Boxing\s+Day|Groundhog\s+Day|Columbus\s+Day|Veterans\s+Day"
    r"|Presidents'?\s+Day|Good\s+Friday|Ash\s+Wednesday|Super\s+Bowl\s+Sunday|Election\s+Day"
    r"|Diwali|Eid|Hanukkah|Yom\s+Kippur|Rosh\s+Hashanah|Passover|Fourth\s+of\s+July"
    r"|4th\s+of\s+July)"
)
HOLIDAY_FULL = re.compile(rf"(?:\bon\s+)?\b{HOLIDAY},?\s+(?:of\s+|in\s+)?(?P<year>{YEAR})", re.IGNORECASE)
PARTIAL = [
    re.compile(
        rf"\b(?P<month>{MONTH})\s+{DAY}(?:st|nd|rd|th)?(?![\w/%]|[.,]\d|\s?(?:mg|mcg|mL|ml|units|years"
        rf"|y\b|percent|of\s+(?:the|us|them)))",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<![\w/.-]){DAY}(?:st|nd|rd|th)?[\s-]+(?:of\s+)?(?P<month>{MONTH})(?!\w)", re.IGNORECASE),
    re.compile(
        rf"(?P<lead>\b(?:in|since|from|until|by|of)\s+)?(?:\b(?:early|mid"
        rf"|late)[- ]+)?\b(?P<month>{MONTH}),?\s+(?:of\s+)?(?P<year>{YEAR}|['’]\d\d)(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![\w/.-])(?:0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)(?![\w/])", re.IGNORECASE),
    re.compile(
        rf"(?P<lead>\bon\s+)?\b(?:last\s+|this\s+|next\s+|past\s+)?{WEEKDAY},?\s+(?:the\s+)?{DAY}(?:st"
        rf"|nd|rd|th)\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<!\w)(?:the\s+)(?:week\s+of\s+the\s+)?{DAY}(?:st|nd|rd|th)(?=\s*(?:[.,;:!?)\n]|$|and\b"
        rf"|at\b|with\b|she\b|he\b|we\b|they\b|i\b|after\b|because\b|when\b|but\b|in\s+the\s+(?:morning"
        rf"|evening|afternoon)|to\b|until\b|through\b|then\b|so\b|for\s+(?:a|her|his|the)\b))(?!\s*(?:,"
        rf"|and|or|to|through|-)\s*(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)\s+[a-z]*(?:rib|inter|digit|metat"
        rf"|metac|toe|finger|day|week|percent|cent|nerve|cran|dose|cycle|month|year))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:\b(?:day|night|week|morning|weekend)\s+(?:after|before"
        rf"|of)\s+)?\b(?i:{HOLIDAY})(?!\s+(?:tree|disease|factor|light|dinner|rash|bush|effect|party"
        rf"|Island))"
    ),
    re.compile(
        rf"\bthe\s+(?:first|second|third|fourth|last|1st|2nd|3rd|4th)\s+{WEEKDAY}\s+(?:of|in)\s+(?P<month>{MONTH})(?!\w)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?P<lead>\b(?:(?:in|since|until|by|during)\s+)?(?:early|mid|late|the\s+(?:first|second|third"
        rf"|last)\s+week\s+of)[- ]+)(?P<month>{MONTH})(?!\w)",
        re.IGNORECASE,
    ),
]
SLASHED = re.compile(
    r"(?P<lead>\b(?:on|since|from|until|till|by|seen|admitted|discharged|started|stopped|dated"
    r"|date|drawn|scan|labs?|mri|ct|x-?ray|film|surgery|op|visit|appointment|appt|last|next|due"
    r"|collected|f/u|at|of|between|through|and)\s+(?:on\s+)?:?\s*)(?<![\d/.])(?P<m>0?[1-9]"
    r"|1[0-2])/(?P<d>[12]\d|3[01]|0?[1-9])(?![\d/%]|\.\d|\s*(?:strength|power|murmur|pain|points?"
    r"|criteria|of\b|on\s+the|mg|score|nodes?|answered|apgar|positive|patients|weakness|teeth"
    r"|joints))"
    r"|(?<![\w/.])(?P<m2>0?[1-9]|1[0-2])/(?P<d2>1[3-9]|2\d|3[01])(?![\w/%]|\.\d|\s*(?:mg|patients"
    r"|points|score|on\b|nodes|questions|of\b))"
    r"|(?<=\|\s)(?P<m3>0?[1-9]|1[0-2])/(?P<d3>[12]\d|3[01]|0?[1-9])(?=\s*\|)",
    re.IGNORECASE,
)
TWO_PARTS = re.compile(
    rf"(?P<lead>\b(?:in|since|last|this|next|until|during)\s+)(?P<month>{MONTH})(?=\s*(?:[.,;:)]|$"
    rf"|\n|and\b|with\b|after\b|she\b|he\b|for\b|when\b|but\b|of\s+(?:last|this|that|some)\b))",
    re.IGNORECASE,
)
WORDS_THAT_ARE_MONTHS = {
    "may",
    "mar",
    "mars",
    "march",
    "mart",
    "mai",
    "mei",
    "dec",
    "sep",
    "jun",
    "jul",
    "juni",
    "juli",
    "maja",
    "marca",
    "nisan",
    "oct",
    "maart",
}
FULL_REASON = "A full date. Only the year may stay."
PART_REASON = "Date finer than a year."


NEAR = 50  # letters around the name of a month that a date can take


def find(text: str) -> Iterator[Finding]:
    spans = _near_months(text)
    yield from _full(text, spans)
    yield from _partial(text, spans)


def _near_months(text: str) -> list[tuple[int, int]]:
    """The parts of a text that could hold a date in words; most texts have none, and the patterns are slow."""
    spans: list[tuple[int, int]] = []
    for match in ANY_MONTH.finditer(text):
        start, end = max(0, match.start() - NEAR), match.end() + NEAR
        if spans and start <= spans[-1][1]:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def _matches(pattern: re.Pattern, text: str, spans: list[tuple[int, int]]) -> Iterator[re.Match]:
    if not pattern.groupindex.keys() & {"month", "month2"}:
        return pattern.finditer(text)
    return (match for span in spans for match in pattern.finditer(text, *span))


def _full(text: str, spans: list[tuple[int, int]]) -> Iterator[Finding]:
    for pattern in (*FULL, HOLIDAY_FULL):
        for match in _matches(pattern, text, spans):
            if _is_full_date(match):
                year = match["year"].lstrip("'’")
                yield _finding(match, STOP, FULL_REASON, f"in {year}" if len(year) == 4 else "that year")
    for match in _matches(SPELLED, text, spans):
        month = match["month"] or match["month2"] or match["month3"]
        if (
            match["spoken"]
            or not match["month2"]
            or month[0].isupper()
            or month.lower() not in {"may", "march", "mar"}
        ):
            yield _finding(match, STOP, FULL_REASON, _season(month))
    for pattern in (CUED_DIGITS, CUED_WORDS):
        for match in pattern.finditer(text):
            yield Finding(*match.span("it"), "date", STOP, FULL_REASON, "")
    for match in BIRTH.finditer(text):
        yield Finding(*match.span("it"), "date", STOP, "A day of birth or death. Only the year may stay.", "")


def _partial(text: str, spans: list[tuple[int, int]]) -> Iterator[Finding]:
    for pattern in PARTIAL:
        for match in _matches(pattern, text, spans):
            if _is_date(match):
                yield _finding(match, DOUBT, PART_REASON, _instead(match))
    for match in SLASHED.finditer(text):
        month = match["m"] or match["m2"] or match["m3"]
        start = match.start("m" if match["m"] else "m2" if match["m2"] else "m3")
        day = match["d"] or match["d2"] or match["d3"]
        if month != day or match["m"]:
            yield Finding(start, match.end(), "date", DOUBT, PART_REASON, None)
    for match in _matches(TWO_PARTS, text, spans):
        if match["month"][0].isupper() or match["month"].lower() not in {
            "mar",
            "mars",
            "may",
            "dec",
            "sep",
            "oct",
            "march",
        }:
            yield _finding(match, DOUBT, PART_REASON, _season(match["month"]))


def _is_full_date(match: re.Match) -> bool:
    """Numbers that can be a day and a month. Three numbers with dashes may be anything, so their year has four digits,
    or the first two are written as in forms."""
    parts = match.groupdict()
    if parts.get("month") and len(parts["year"]) == 2 and parts["year"].isdigit():
        return parts["month"].lower() != "may" or parts["month"][0].isupper()
    if not parts.get("n1"):
        return True
    one, two, separator = int(parts["n1"]), int(parts["n2"]), parts["sep"].strip()
    if min(one, two) > 12:
        return False
    return (
        len(parts["year"].strip("'’")) == 4
        or separator == "/"
        or (separator == "-" and one <= 12)
        or max(one, two) > 3
    )


def _is_date(match: re.Match) -> bool:
    """Not a verb (may, march)."""
    parts = match.groupdict()
    month = (parts.get("month") or "").strip(".").lower()
    if month not in WORDS_THAT_ARE_MONTHS or parts["month"][0].isupper():
        return True
    before = match.string[max(0, match.start() - 12) : match.start("month")]
    if (
        re.search(r"\b(?:on|since|from|until|till|of|last|started|seen|for)\s+$|^\s*$", before)
        or month == "march"
    ):
        return bool(re.search(r"\d", match[0]))
    return bool(re.search(r"\d{4}", match[0])) and month not in {"may", "march"}


def _finding(match: re.Match, level: str, reason: str, replacement: str | None) -> Finding:
    """The preposition goes with the date, so that a replacement reads well."""
    start = match.start() + len(match[0]) - len(match[0].lstrip())
    start = LEAD.search(match.string, max(0, start - 40), start).start()
    end = match.end() - len(match[0]) + len(match[0].rstrip())
    if (replacement and start == 0) or match.string[max(0, start - 2) : start] in (". ", "\n"):
        replacement = replacement and replacement[0].upper() + replacement[1:]
    return Finding(start, end, "date", level, reason, replacement)


def _instead(match: re.Match) -> str | None:
    parts = match.groupdict()
    if parts.get("year"):
        year = parts["year"].lstrip("'’")
        return f"in {year}" if len(year) == 4 else None
    return _season(parts["month"]) if parts.get("month") else "that month"


def _season(month: str) -> str:
    number = NUMBER_OF[month.strip(".").lower()]
    return "in " + ("winter", "spring", "summer", "fall")[number % 12 // 3]
