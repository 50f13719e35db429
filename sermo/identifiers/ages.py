"""Ages of 90 and more: so few reach them that the age alone may point to one person."""

import datetime
import re
from collections.abc import Iterator

from sermo.identifiers.findings import STOP, Finding

UNIT = r"(?:one|two|three|four|five|six|seven|eight|nine)"
SPOKEN = (
    rf"(?:ninety(?:[- ]{UNIT}\b)?|(?:a|one)[- ]hundred(?:[- ](?:and[- ])?(?:{UNIT}|ten|eleven"
    rf"|twelve)\b)?|hundred[- ]and[- ]{UNIT}\b)"
)
NUMBER = r"(?:9\d|1[01]\d|12[0-2])"
OLD = rf"(?:{NUMBER}|{SPOKEN})"
EXACT = (
    r"(?<!over )(?<!above )(?<!than )(?<!> )(?<!>)(?<!≥ )(?<!≥)(?<!<)(?<!< )(?<!under )(?<!below )"
    r"(?<!least )(?<!past )(?<!beyond )(?<!until )(?<!before )(?<!after )"
)
CLOSED = (
    r"(?!\s*(?:and\s+(?:older|over|above|up\b)|or\s+(?:older|over|above|more|under|younger)|plus\b"
    r"|\+|to\s+\d|[-\u2013]\s?\d|and\s+\d|or\s+\d))"
)
PERSON = (
    r"(?:(?:wo)?man|lady|gentleman|male|female|patient|pt|person|veteran|vet|widow(?:er)?|nun"
    r"|priest|farmer|grand(?:mother|father|ma|pa|mom|dad)|mother|father|mom|mum|dad|husband|wife"
    r"|aunt|uncle|resident|sister|brother|neighbor|friend|member|guy|fellow|nonagenarian"
    r"|centenarian|survivor|teacher|rancher|miner|nurse|physician|doctor|spouse|client|one|she|he"
    r"|they|who|nana|granny)"
)
SEX = r"(?:M|F|m|f|W|♀|♂)"
YEAR = r"(?:years?|yrs?\.?|y\.?(?!\w))"
NUMBER_OF_MORE = (
    r"(?!\s*(?:%|percent|mg|mmhg|bpm|kg|degrees|°|systolic|on\s+(?:room|ra\b)|/\d|\.\d|,\d{3}"
    r"|days?|hours?|minutes?|weeks?|months?|patients?|cases|people|beats|mm\b|ml\b|units?|miles"
    r"|points?|times))"
)
BEGIN = rf"{EXACT}(?<![\w.,/$-])"
RULES = [
    re.compile(
        rf"(?P<article>\ban?\s+)?{BEGIN}(?:{OLD}|hundred)(?:\s?-?\s?{YEAR}[- ]?(?:s[- ])?(?:olds?|young"
        rf"|of\s+age|and\s+\w+\s+months?)\b|\s?-?(?:yo|y/o|y\.o\.?|y-o|yof|yom|y\s+o)(?!\w)"
        rf"|[- ]?jährige[rn]?\b){CLOSED}(?:[- ]+(?P<who>{PERSON})\b)?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{BEGIN}(?P<n>{OLD}\s?-?(?:{YEAR}\s?)?-?(?:/\s?)?(?:{SEX}(?![\w°])|(?i:(?:fe)?male|(?:wo)?man"
        rf"|lady|gentleman)\b)){CLOSED}"
    ),
    re.compile(
        rf"\b(?:age[ds]?|edad|alter|âge|âgée?|wiek)(?:\s*/\s*sex)?(?:\s*\(\w+\))?(?:\s+(?:is|of|was"
        rf"|at\s+\w+|:|=|about|now|exactly))*\s*[:="
        rf"|-]?\s*{EXACT}(?P<n>{OLD})(?![\w%.]\w)(?!\s*[-\u2013]\s*\d){CLOSED}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b{PERSON}(?:'s|’s|\s+is|\s+was|\s+turned|\s+just\s+turned|\s+turns|\s+am|\s+has\s+turned"
        rf"|\s+had\s+turned|\s+is\s+now|\s+now|\s+of|\s+aged?|'?ll\s+be|\s+will\s+be|\s+would\s+be"
        rf"|\s+must\s+be|,\s+(?:age[d]?\s+)?|\s+\()\s*{EXACT}(?P<n>{OLD})(?=\s*(?:[.,;!?)\n]|$|and\b|&"
        rf"|but\b|with\b|who\b|years?\b|now\b|next\b|this\b|in\s+(?:a|the|{'may'}|june|july|two|three"
        rf"|january|february|march|april|august|september|october|november|december)\b|on\s+(?:her|his"
        rf"|the|my|our|warfarin)\b|last\b|when\b|yesterday|today|tomorrow|soon|still|from\b|living"
        rf"|lives)){NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:i|s?he|they)(?:'m|’m|'s|’s|s|\s+is|\s+was"
        rf"|\s+am)\s+{EXACT}(?P<n>{OLD})(?=\s*(?:[.,;!?)\n]|$|and\b|&|but\b|now\b|with\b|when\b"
        rf"|years?\b|today|this|next)){NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:died\s+(?:at|aged)|dead\s+at|alive\s+at|gone\s+at|turn(?:ed|s|ing)?|reach(?:ed|es|ing)?"
        rf"|celebrat(?:ed|es|ing)|made\s+it\s+to|live[ds]?\s+to(?:\s+be)?|(?:has|had)\s+lived|nearly"
        rf"|almost|now|just|going\s+on|close\s+to|pushing|a\s+spry|a\s+sharp"
        rf"|a\s+healthy)\s+{EXACT}(?P<n>{OLD})(?=\s*(?:[.,;!?)\n]|$|and\b|&|but\b|in\b|on\b|last\b"
        rf"|this\b|years?\b|when\b|yesterday|with\b)){NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:at|of)\s+(?:age\s+|the\s+age\s+of\s+)?(?P<n>{OLD}),?\s+(?:s?he|they|(?:the|this|our"
        rf"|my)\s+(?:patient|lady|man|woman)|and\s+still|years\s+of\s+age|still\s+(?:\w+ing|drives"
        rf"|lives|works|walks|plays)|and\s+(?:lives|frail|independent))\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:^|(?<=[.!?\n]\s)|(?<=\n)|(?<=- )){EXACT}(?P<n>{SPOKEN}|{NUMBER}),\s+(?:lives?|living"
        rf"|still|from|with|frail|widow\w*|retired|independent|sharp|alert|doing|was|is|has|had|came"
        rf"|fell|presents|and\s+\w+|nursing|wheelchair|demented|male|female)\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:nonagenarian|centenarian)s?,?\s+(?:of\s+)?(?P<n>\d{2,3})\b", re.IGNORECASE),
    re.compile(
        r"\b(?:9\d(?:st|nd|rd|th)|1[01]\d(?:st|nd|rd|th)|ninet(?:ieth|y[- ](?:first|second|third"
        r"|fourth|fifth|sixth|seventh|eighth|ninth))|hundredth)\s+(?:birthday|bday|b-day"
        r"|year\b(?!\s+of\s+the))",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:super)?centenarian\b", re.IGNORECASE),
    re.compile(
        rf"(?<![\w.,/-]){NUMBER}\s?(?:años|ans\b|anos\b|Jahre|anni\b|jaar\b|lat\b|yaş|лет|歳|岁|세)",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?:has|had|have)\s+lived\s+(?P<n>{OLD}\s+years)\b", re.IGNORECASE),
    re.compile(
        rf"(?<=[a-z]), (?P<n>{OLD}),? (?=(?:with|who|has|had|is|was|came|fell|lives|presents|from"
        rf"|admitted|living|still|and (?:frail|his|her|lives|still|independent|living))\b)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:^|(?<=[.!?\n] )|(?<=\n)|(?<=- ))(?P<n>{OLD})(?= (?:&|and) (?:frail|sharp|still"
        rf"|independent|living|lives|widowed|healthy|active|demented)\b)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:soon\s+to\s+be|about\s+to\s+(?:be|turn)|(?:shy|short)\s+of|will\s+turn|going\s+to\s+be"
        rf"|oldest\s+\w+(?:\s+\w+){{0,4}},)\s+(?P<n>{OLD})\b{NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<n>ninety-{UNIT})\b{CLOSED}(?!\s*-?(?:percent|per\s+cent|%|degrees?|days?|hours?"
        rf"|minutes?|weeks?|months?|milli\w*|micro\w*|mg|over|beats|patients|cases|people|point|dollars"
        rf"|on\s+room))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:^|(?<=[\s(,|/]))(?:M|F|(?i:(?:fe)?male))\s?[ /,]\s?(?P<n>{NUMBER})(?=\s*(?:[,.;:)|\n]|$"
        rf"|with\b|w/|y)){NUMBER_OF_MORE}"
    ),
    re.compile(
        rf"(?<!for )(?<!over )(?<!last )(?<!past )(?<!within )(?<!about )(?<!after )(?<!by ){BEGIN}(?P<n>(?:{NUMBER}"
        rf"|ninety[- ]{UNIT})\s?(?:yrs?|years))(?=\.?\s*(?:[,.;:)|\n]|$|[fm]\b))",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:her|his|their|my|mother's|father's)\s+(?P<n>(?:9\d|10\d)(?:th|st|nd"
        r"|rd))\b(?!\s+(?:percentile|centile|day|visit|dose))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:onset|diagnosed|presented|widowed|operated|stroke|fall|died|passed(?:\s+away)?|death"
        rf"|lived\s+(?:until|till|past)|alive\s+until|being|retired"
        rf"|moved)\s+(?:at\s+)?(?P<n>{OLD})(?=\s*(?:[.,;!?)\n]|$|and\b|with\b|after\b|of\b"
        rf"|from\b)){NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
    re.compile(rf"{BEGIN}(?P<n>{OLD})\s+now\b", re.IGNORECASE),
]
BORN = re.compile(
    r"\b(?:born|birth\s?year|year\s+of\s+birth|yob|dob|d\.o\.b\.?|b\.)\s*(?:in|:|is"
    r"|was)?\s*(?P<year>(?:18|19)\d\d)\b(?![/-]\d)",
    re.IGNORECASE,
)
WARM = re.compile(
    r"(?:temp\w*|fever\w*|febrile|t\s?max|tm|\bt|\bof|\bto|\bat|\bwas|\bis|above|over|>|hit|spiked"
    r"|spiking|reached|°)\W*$",
    re.IGNORECASE,
)
REASON = "Age above 89. Such ages point to one person."


def find(text: str) -> Iterator[Finding]:
    for rule in RULES:
        for match in rule.finditer(text):
            parts = match.groupdict()
            start, end = match.span("n") if parts.get("n") else match.span()
            if not _is_temperature(text, start, end):
                yield Finding(start, end, "age", STOP, REASON, _instead(text[start:end], parts))
    oldest = datetime.date.today().year - 90
    for match in BORN.finditer(text):
        if int(match["year"]) <= oldest:
            yield Finding(*match.span(), "age", STOP, REASON, "born more than 89 years ago")


def _is_temperature(text: str, start: int, end: int) -> bool:
    return bool(re.fullmatch(r"\d+\s?F", text[start:end]) and WARM.search(text[max(0, start - 16) : start]))


def _instead(words: str, parts: dict) -> str:
    if parts.get("who"):
        return f"{(parts.get('article') and 'a ') or ''}{parts['who']} over 89"
    if match := re.search(r"(?:fe)?male|(?:wo)?man|lady|gentleman", words, re.IGNORECASE):
        return f"{match[0]} over 89"
    if match := re.search(rf"{SEX}$", words):
        return f"over 89 {match[0]}"
    return "someone over 89" if parts.get("article") else "over 89"
