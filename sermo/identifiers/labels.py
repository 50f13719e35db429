"""Numbers under a label: of records, specimens and orders, of accounts and plans, of devices and of licenses.

A label is a word that only ever announces a number (MRN), or any word before "number", "no.", "#" or "ID", or the name
of a paper or a thing right before what has the form of its number (slide S24-11903).
"""

import re
from collections.abc import Iterator

from sermo.identifiers.findings import STOP, Finding, neighborhoods

# A number as it is written: letters around it, groups with dashes, points, strokes or, when they are short, blanks.
NUMBER = (
    r"(?:(?-i:[A-Z]{1,5})[ -])?(?:(?-i:[A-Z]{0,2})\d{1,4}(?:[ ]\d{2,6}){1,4}(?:[ ]\d{1,3}"
    r"|[ ](?-i:[A-Z]))?(?![\w%])"
    r"|(?=[A-Z0-9./_-]*\d)[A-Z0-9]+(?:[-./_][A-Z0-9]+)*(?:,\d{3}\b)?(?:[ ]\d[\d-]{2,}){0,3}(?:[ ](?-i:[A-Z]\d))?)"
)
# What stands between a label and its number.
IS = (
    r"\.{0,3}(?:\s*(?:[:=#|^(\[\"\u2013\u2014\u2026]|[-=]>|\.{2,3}|-(?=[\s\d])|is|was|are|ending\s+in"
    r"|ends\s+in|ending|ends|n[or]s?\.?|num(?:ber)?s?\.?|ids?|n[°o]\.?|code|card|of|reads?|read|says?"
    r"|listed\s+as)){0,5}\s*[:=#|]?\s*"
)
RECORD = (
    r"m\.?r\.?n\.?(?:\s*\(\w+\)|,)?|mnr|m\.?r\.?\s?(?:#|no\.?)|e?mpi|umrn|ihi|chi|dva|gtin|crn|icn|dcn"
    r"|dossier|ipd?\s+no\.?|opd?\s+no\.?|cr\s+no\.?|pid|h\.?n|u\.?r(?:\s+(?:no\.?|number))?|enc"
    r"|lab(?:oratory)?\s+(?:no\.?|number|id|#)|episode(?:\s+(?:no\.?|number|id|#))?|adm(?:ission|it"
    r"|\.)?\s+(?:no\.?|number|id|#)|epi|hcn|phn|tracking\s+(?:no\.?|number|#)|(?:report|film|x-ray"
    r"|imaging|scan|donor|unit|bed\s+label|ticket|tag)\s+(?:no\.?|number|#)|(?:our|the|their|hospital"
    r"|clinic)\s+number\s+for\s+(?:him|her|them|this\s+\w+)|filed\s+(?:under|as)|subject"
    r"|participant\s+(?:no\.?|number|id|#)|med(?:ical)?\.?\s*rec(?:ord)?s?|medical\s+chart"
    r"|patient\s+(?:id(?:entifier)?|no\.?|number|file|record|chart|code)|pt\s+(?:id|no\.?|#)"
    r"|hospital\s+(?:no\.?|number|id|record|file)|hosp\.?\s+(?:no\.?|number|id)|chart(?:\s+(?:no\.?"
    r"|number|id|#))?|case\s+(?:no\.?|number|id|file|#)|visit\s+(?:no\.?|number|id|#)"
    r"|encounter(?:\s+(?:no\.?|number|id|#))?|acc(?:ession)?\.?\s*(?:no\.?|number|id|#)|accession"
    r"|specimen(?:\s+(?:no\.?|number|id|#))?|sample\s+(?:no\.?|number|id|#)|slide\s+(?:no\.?|number|id"
    r"|#)|csn|fin|har|uhid|u\.?r\.?n|unit\s+(?:no\.?|number)|emr(?:\s+(?:id|no\.?|number|#))?"
    r"|ehr\s+(?:id|no\.?|number|#)|epic\s+(?:id|no\.?|number|#)|registration\s+(?:no\.?|number|id)"
    r"|file\s+(?:no\.?|number|#)|record\s+(?:no\.?|number|id|#)|study\s+id|subject\s+(?:id|no\.?|number)"
    r"|requisition(?:\s+(?:no\.?|number|#))?|order\s+(?:no\.?|number|id|#)|referral\s+(?:no\.?|number|id"
    r"|#)|hosp\.?\s*#|rx|rx\s*(?:no\.?|number|#)|prescription\s+(?:no\.?|number|#)|wristband|barcode"
    r"|identifier|records?|file|folder|(?<!\w)id"
    r"|(?<!\w)(?<!mg )(?<!tabs )(?<!caps )(?<!disp )(?<!disp: )(?<!dispense )(?<!quantity )#"
    r"|nhs(?:\s+(?:no\.?|number))?|chi\s+number|booking\s+(?:no\.?|number|ref\w*)|ticket\s+(?:no\.?"
    r"|number|#)|confirmation\s+(?:no\.?|number|code)|reference\s+(?:no\.?|number)|incident\s+(?:no\.?"
    r"|number|report|#)|autopsy\s+(?:no\.?|number|#)|path(?:ology)?\s+(?:no\.?|number|#)"
)
ACCOUNT = (
    r"(?:bank\s+|billing\s+|bill\s+|checking\s+|savings\s+|patient\s+)?(?:account|acct|accnt|acc)s?\.?"
    r"|a/c|iban|routing|credit\s+card|debit\s+card|card|invoice|bill\s+(?:no\.?|number|#)|(?:health\s+"
    r"|medical\s+|dental\s+)?(?:insurance|ins\.?|plan|policy|payer|payor|member(?:ship)?|subscriber"
    r"|group|grp|beneficiary|claim|certificate|authorization|auth|pre-?auth\w*|medicare|medicaid|mbi"
    r"|hicn?|medi-?cal|rx\s?(?:bin|grp|group|pcn)|policy\s?holder|guarantor|tricare|health\s+card|ohip"
    r"|bcbs|aetna|cigna|humana|kaiser|blue\s+cross)"
)
DEVICE = (
    r"serial|ser\.?|s/n|sn|udi|imei|mac\s+address|lot|device|implant|pump|pacemaker|icd\s+(?:serial"
    r"|no\.?|number)|generator|lead|stent|valve|cgm|transmitter|sensor|monitor|ventilator|asset\s+tag"
    r"|asset|model/serial|catalog(?:ue)?|ref(?:erence)?|model|scs|vns|dbs|prosthesis|graft|catheter|port"
    r"|loop\s+recorder|hearing\s+aid|cpap|insulin\s+pump|component|cup|stem|liner|head|screw|plate|cage"
    r"|mesh|lens|iol|barcode\s+sticker"
)
LICENSE = (
    r"(?:driver'?s?|driving|state|medical|nursing|pilot'?s?|hunting|gun|marriage|professional"
    r"|physician)?\s*(?:licen[sc]e|lic\.?)|d\.?l\.?|passport|visa|green\s+card|alien|dea|npi|upin"
    r"|certificate|permit|birth\s+certificate|death\s+certificate|badge|employee|student|military"
    r"|veteran|service|national|tax|tin|ein|state\s+id|id\s+card|dni|curp|cpf|aadhaar|pan\s+card|inmate"
    r"|booking"
)


def _labelled(labels: str, kind: str, reason: str, fewest: int) -> tuple:
    pattern = re.compile(
        rf"(?<![\w-])(?:{labels}){IS}(?<![A-Za-z](?=[A-Za-z]))(?P<it>{NUMBER})(?![\w%])", re.IGNORECASE
    )
    return pattern, kind, reason, fewest


RECORD_REASON = "Record number."
LABELLED = [
    _labelled(
        rf"(?:{ACCOUNT})(?:\s+(?:card|plan|policy|group|member))?(?:'?s)?",
        "account",
        "Account or insurance number.",
        4,
    ),
    _labelled(rf"(?:{DEVICE})(?:\s+(?:serial|device|lot|model))?", "device", "Number of a device.", 5),
    _labelled(LICENSE, "license", "License or certificate number.", 5),
    _labelled(rf"(?:{RECORD})(?:'?s)?", "record", RECORD_REASON, 4),
]
STRONG_LABEL = re.compile(
    r"(?i)(?:[#:=]|\bn[or]s?\b|number|\bid\b|\bids\b|ending|mrn|m\.r\.n|serial|s/n|\bsn\b|iban|passport"
    r"|npi|dea)"
)
# Labels that announce nothing but the number of a patient's own record or paper; what follows is no quantity.
SURE = (
    r"(?:m\.?r\.?n\.?|e?mpi|umrn|csn|uhid|m\.?r\.?\s?#|(?:(?:medical\s+|health\s+)?record"
    r"|med(?:ical)?\s+rec|chart|account|acct|encounter|visit|accession|specimen|claim|policy|member"
    r"|subscriber|requisition|hospital|patient|pt|case|file|order|serial|medicaid|medicare"
    r"|insurance)[ .]{1,2}(?:number|no\b\.?|num\b\.?|nr\b\.?|#|id\b))(?:'?s)?"
)
FAR = re.compile(
    rf"(?<![\w-]){SURE}(?:[ \t:,(\[-]{{1,3}}[a-z']{{1,12}}\b\)?){{0,6}}[ \t]*[:=,-]?[ \t]*[\[(\"']?"
    r"(?P<it>(?-i:[A-Z]{0,4}-?)\d[\d-]{3,}\d(?-i:[A-Z]?))(?![\w%])",
    re.IGNORECASE,
)
SURE_LABEL = re.compile(SURE, re.IGNORECASE)
# Any word before "number": what physicians cite by number comes after these, and is nobody's.
CITED = (
    r"(?:trial|protocol|grant|award|article|application|registry|patent|issue|catalog(?:ue)?|cat|model"
    r"|product|item|part|nda|bla|ec|cas|genbank|volume|page|table|figure|version|the|a|an|this|that"
    r"|total|copy|large|small|round|cell|whole|mean|any|some|which|what|no|in|of|and|or|actual|absolute"
    r"|exact|raw|magic|cutoff|real|big|bigger|their|our|my|same)"
)
NUMBERED = re.compile(
    rf"(?<![\w-])(?!{CITED}\b)[a-z][a-z/.-]{{0,20}}[ \t]*(?P<word>\bn[or]\.|\bn[or]s?\b(?=\s*[:#\d(])|#"
    rf"|\bnum(?:ber)?s?\b\.?|\bid\b|\bident(?:ifier)?\b"
    rf"|\bref(?:erence)?\b\.?){IS}(?P<it>{NUMBER})(?![\w%])",
    re.IGNORECASE,
)
# Things that carry a number of their own, which then stands beside their name.
THING = (
    r"(?:block|cassette|tube|bottle|vial|bag|cytology|histology|path(?:ology)?|biopsy|autopsy|slide"
    r"|specimen|sample|culture|visit|order|request|script|participant|subj(?:ect)?|pt|patient|donor"
    r"|recipient|unit|product|din|incident|run|e?pcr|dispatch|trip|transport|docket|case|admission|stay"
    r"|label|sticker|band|bracelet|tag|voucher|receipt|kit|screening|randomi[sz]ation|enrol+ment"
    r"|registry|report|film|scan|imaging|exam|study|log|dictation|job|document|form|letter|complaint"
    r"|event|crn|ref|claim|contract|cert(?:ificate)?|policy|locker|envelope|pager|stub)"
)
CODE = (
    r"(?!(?:CMS|FDA|ISO|IEC|EN|DS|ASTM|USP|CDC|OSHA|WHO)\b)(?-i:[A-Z]{1,4}-\d{4,12}[A-Z]?"
    r"|[A-Z]{1,4}\d{5,12}[A-Z]?|[A-Z]{1,4}\d{2}-\d{3,8}|\d{2,4}[-/](?:[A-Z]{1,3}-?)?\d{4,9}"
    r"|[A-Z]{1,5}(?:-[A-Z0-9]{2,8}){1,3}-?\d{3,}[A-Z]?|[A-Z]\d{4}(?: \d{2,6}){1,3}"
    r"|\d{3,}-\d{3,}(?:-\w+)?|\d{6,12}|\d{2,4}-\d{2,4}-\d{2,4})(?:[ ](?-i:[A-Z]\d))?"
)
BESIDE = re.compile(rf"(?<![\w-]){THING}s?\b{IS}(?P<it>{CODE})(?![\w%-])", re.IGNORECASE)
SIGNED = re.compile(rf"(?<![\w-]){THING}s?\s*[:#=(]\s*(?P<it>{NUMBER})(?![\w%])", re.IGNORECASE)
ALONE = re.compile(r"(?<![\w.-])(?:(?:No|Nr|NO|NR|Num)\.|\u2116)[ ]?:?[ ]?(?P<it>\d{6,12})(?![\w%,.]\d|\w)")
AFTERWARDS = re.compile(
    rf"(?<![\w./-])(?P<it>{CODE}|\d{{4,12}})\s*(?:\(|=|\bis\b|\bwas\b|,\s+(?:that\s+is|that's))\s*"
    r"(?:(?:his|her|their|the|this|pt'?s|patient'?s|my|our|old|new)\s+){0,2}"
    rf"(?:{SURE}|(?:medical\s+)?record\b|chart\b|acct\b|account\b)",
    re.IGNORECASE,
)
ONE_MORE = re.compile(
    rf"\s*(?:,|;|/|&|\+|\band\b|\bor\b|\bthen\b)\s*(?:and\s+)?(?P<it>{CODE}|\d{{4,12}})(?![\w%/])",
    re.IGNORECASE,
)
SEGMENT = re.compile(
    r"(?:^|(?<=\s))(?:MSH|PID|PV1|PD1|OBR|ORC|OBX|NK1|GT1|IN1|SPM|MRG|FT1|DG1)(?=\|)[^\n]*", re.MULTILINE
)
IN_SEGMENT = re.compile(r"(?<![\w.-])(?:[A-Z]{0,5}\d{4,}[A-Z]?|[A-Z0-9]{1,5}-\d{4,})(?=[|^~&\s]|$)")
# The least that is the number of something: three digits with not much between them.
CANDIDATE = re.compile(r"\d(?:[^\s\d]{0,3}[ ]?[^\s\d]{0,3}\d){2}")
BEFORE, AFTER = 140, 60  # how far from it its label may stand
YEARS = re.compile(r"(?:19|20)\d\d-(?:19|20)\d\d")
QUANTITY = re.compile(
    r"\s*(?:%|/|\$|€|x\s?10|(?:percent|mg|mcg|µg|ug|g|kg|ml|l|units?|iu|u|meq|mmol|cells?|copies|per"
    r"|years?|days?|weeks?|months?|hours?|hrs?|min(?:utes?|s)?|patients?|cases|people|subjects"
    r"|participants|women|men|children|persons|steps|k?cals?|calories|dollars|usd|bpm|mmhg|cm|mm|km"
    r"|miles|feet|lbs?|pounds|ng|pg|million|thousand|births|deaths|tablets|doses|points|times|rpm|hz|gy"
    r"|cgy|cfu|colonies|ppm|people|adults|calls|visits)(?![a-z]))",
    re.IGNORECASE,
)
PER = re.compile(
    r"\s*/(?!\s?(?:[µu]?l|ml|dl|mm|cu|hpf|h|hr|hour|d|day|wk|week|mo|month|yr|year|min|kg|m2|m²|cc|10)\b)",
    re.IGNORECASE,
)


def find(text: str) -> Iterator[Finding]:
    for finding in _labelled_numbers(text):
        yield finding
        yield from _more_of_them(text, finding)
    for match in SEGMENT.finditer(text):
        for number in IN_SEGMENT.finditer(text, match.start(), match.end()):
            if not is_year(number[0]):
                yield Finding(*number.span(), "record", STOP, RECORD_REASON, "")


def is_year(token: str) -> bool:
    return bool(re.fullmatch(r"(?:19|20)\d\d", token))


def _labelled_numbers(text: str) -> Iterator[Finding]:
    for start, end in neighborhoods(text, CANDIDATE, BEFORE, AFTER):
        yield from _labelled_between(text, start, end)


def _labelled_between(text: str, start: int, end: int) -> Iterator[Finding]:
    for pattern, kind, reason, fewest in LABELLED:
        for match in pattern.finditer(text, start, end):
            label = text[match.start() : match.start("it")]
            least = fewest if not STRONG_LABEL.search(label) else max(3, fewest - 2)
            if _is_number(text, match, least, sure=bool(SURE_LABEL.match(label))):
                whole = kind == "record" and label.strip()[0].isalpha()
                yield Finding(
                    match.start() if whole else match.start("it"), match.end("it"), kind, STOP, reason, ""
                )
    for pattern, least in ((FAR, 5), (NUMBERED, 4), (BESIDE, 4), (SIGNED, 5), (ALONE, 6), (AFTERWARDS, 4)):
        for match in pattern.finditer(text, start, end):
            if _is_number(text, match, least, sure=pattern is FAR or pattern is AFTERWARDS):
                yield Finding(*match.span("it"), "record", STOP, RECORD_REASON, "")


def _is_number(text: str, match: re.Match, least: int, *, sure: bool) -> bool:
    """Whether enough digits stand there, and neither a year nor so much of something."""
    token, end = match["it"], match.end("it")
    if sum(letter.isdigit() for letter in token) < least or is_year(token) or YEARS.fullmatch(token):
        return False
    return sure or not QUANTITY.match(text, end) or bool(PER.match(text, end))


def _more_of_them(text: str, first: Finding) -> Iterator[Finding]:
    """Further numbers in a row after one that has a label: they have it too."""
    end = first.end
    while match := ONE_MORE.match(text, end):
        if is_year(match["it"]) or QUANTITY.match(text, match.end()):
            return
        yield Finding(*match.span("it"), first.kind, STOP, first.reason, "")
        end = match.end()
