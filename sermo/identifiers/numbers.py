"""Addresses on the net, telephones, numbers of persons and vehicles, and numbers that nothing announces."""

import ipaddress
import re
from collections.abc import Iterator

from sermo.identifiers import labels
from sermo.identifiers.findings import DOUBT, STOP, Finding
from sermo.identifiers.labels import QUANTITY, YEARS, is_year

EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}(?:@|\s@\s)[\w-]{1,63}(?:[.,]\s?[a-z]{2,20}|\.[\w-]{1,63})+"
    r"|(?<![\w.+-])[\w.+-]{2,64}@[a-z][\w-]{2,63}"
    r"|(?<![\w.+-])[\w.+-]{1,64}\s*[\[(]\s*at\s*[\])]\s*[\w-]{1,63}\s*(?:[\[(]\s*dot\s*[\])]|\.)\s*[a-z]{2,20}"
    r"|(?<![\w.+-])[\w.+-]{2,64}\s+at\s+(?:[\w-]{1,63}\s+dot\s+){1,4}(?:com|net|org|edu|gov|me|io|us|uk|de|fr|ca|mx|in)\b",
    re.IGNORECASE,
)
TOP = (
    r"(?:com|net|org|edu|info|biz|io|me|us|uk|co|de|fr|ca|mx|es|it|in|br|au|nl|se|ch|tv|app|health"
    r"|care|family|page|site|online|blog|link|ly|gl|ru|jp|cn|kr|za|ng|ke|eu|dev|xyz|fm|ai|clinic"
    r"|doctor|photos|ps|pro)"
)
URL = re.compile(
    rf"(?:https?|ftp)://[^\s<>)\]]*[\w/]|\bwww\.[\w-]+(?:\.[\w-]+)+(?:/[^\s<>)\]]*[\w/])?"
    rf"|(?<![\w@.·-])(?:[a-z0-9-]{{1,63}}\.){{1,5}}{TOP}/[^\s<>)\]]*[\w/]",
    re.IGNORECASE,
)
DOMAIN = re.compile(
    r"(?<![\w@.·-])(?:[a-z0-9-]{3,63}\.){1,5}(?:com|net|org|edu|info|io|health|care|app)(?![\w/@])",
    re.IGNORECASE,
)
HANDLE = re.compile(
    r"(?i)\b(?:instagram|insta|ig|twitter|tik ?tok|facebook|fb|snap(?:chat)?|whatsapp|telegram"
    r"|wechat|skype|discord|reddit|linkedin|youtube|venmo|mastodon|bluesky"
    r"|(?:user|screen)\s?name|log-?in|handle|gamertag|portal\s+(?:user|login|id))(?:\s+(?:handle"
    r"|account|name|user|username|profile|page|id|is|as|at|under|called|named"
    r"|channel)){0,3}\s*[:=]?\s*"
    r"(?P<it>@[\w.]{2,}|u/\w+|(?-i:(?=\w*[\d_.])[\w.]{4,}\w|(?<=[:=]\s)\w{4,}))"
    r"|(?<![\w.])(?P<at>@[A-Za-z0-9_][\w.]*)|(?<!\w)(?P<reddit>[ur]/[A-Za-z]\w{3,})"
)
IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
IPV6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}(?![\w:])", re.IGNORECASE)
MAC = re.compile(r"(?<!\w)(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?!\w)", re.IGNORECASE)
SSN = re.compile(
    r"(?<![\w-])(?:\d{3}|[X*]{3})[- ](?:\d{2}|[X*]{2})[- ]\d{4}(?![\w-])"
    r"|(?<![\w.-])\d{3}\.\d{2}\.\d{4}(?![\w-])",
    re.IGNORECASE,
)
SSN_LABEL = re.compile(
    r"(?i)\b(?:ssn|ss|s\.s\.n?\.?|social(?:\s+security)?|soc\.?\s*sec\.?|national\s+insurance|sin"
    r"|tax\s+id|itin)(?:\s*(?:#|no\.?|number|num|is|was|:|ends?(?:\s+in)?|ending\s+in|ending"
    r"|last\s+(?:four|4)(?:\s+digits)?|card|digits"
    r"|of)){0,5}\s*(?P<it>(?:[X*]{2,5}[- ]?){0,2}\d[\d -]{2,12}\d)"
    r"|\blast\s+(?:four|4)(?:\s+digits)?(?:\s+of)?(?:\s+(?:his|her|their|the))?(?:\s+(?:ssn"
    r"|social(?:\s+security)?(?:\s+number)?|card|account))?(?:\s*(?:are|is|:"
    r"|,))?\s*(?P<four>\d{4})(?!\d)"
)
PHONE = re.compile(
    r"(?<![\w/.-])(?:\+?1[ .-]?)?(?:\(\d{3}\)\s?|\d{3}[ .-])\d{3}[ .-]\d{4}(?:\s*(?:,|x|ext\.?"
    r"|extension)\s*(?:x|ext\.?|extension)?\s*\d{1,6})?(?![\w-])"
    r"|(?<![\w/.-])\(?\d{3}\)?[ /-]{1,2}\d{3}-?\d{4}(?![\w-])|(?<![\w/.,$-])[2-9]\d{2}[2-9]\d{6}(?![\w-])"
    r"|(?<![\w])(?:\+|00)[1-9]\d{0,2}[ ().-]{0,2}\d(?:[ ().-]{0,2}\d){6,12}(?!\w)"
    r"|(?<![\w/.-])0\d{1,4}[ /-]\d{2,4}(?:[ -]?\d{2,4}){1,4}(?![\w-])"
    r"|(?<![\w/.-])(?:\d{2}[ .]){4}\d{2}(?![\w-])"
)
LOCAL = re.compile(r"(?<![\w/.$-])[2-9]\d{2}[-.][0-9]{4}(?![\w-]|\s?(?:mg|mL|ml|mcg|kcal|steps))")
PHONE_LABEL = re.compile(
    r"(?i)\b(?:(?:tele)?phone|tel|telef[oó]n[oa]?|cell(?:ular|phone)?|mobile|mob|fax|facsimile"
    r"|pager|paged|beeper|beep|pgr|ph|p|ext|extension|hotline|voicemail|whatsapp|handy|m[oó]vil"
    r"|call(?:ed|ing)?|reach(?:ed|able)?|text(?:ed)?|contact|ring|dial|home\s+number|number)"
    r"(?:\s+(?:me|us|him|her|them|number|no|is|was|at|on|back|back\s+at|the|his|their|my|our|line"
    r"|home|office|desk|work|nurse|directly|using|:|#|daughter|son|wife|husband|mother|father"
    r"|family)){0,5}\.?\s*[:#]?\s*(?P<it>(?:x\s?\d{3,6}|\+?\(?\d[\d ().-]{2,16}\d))(?![\w%])"
)
WEAK_LABEL = re.compile(r"(?i)(?:number|reach|contact|text|ring|home|call(?!\s+(?:x\s?)?\d{4,5}\b))")
EXTENSION = re.compile(r"(?<!\w)(?:x\s?\d{4,5}|ext\.?\s?\d{3,6})(?!\w)", re.IGNORECASE)
MEDICARE = re.compile(r"(?<![\w-])[1-9][A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d{2}(?![\w-])")
CARD = re.compile(r"(?<![\w-])(?:\d{4}[ -]){3}\d{4}(?![\w-])|(?<![\w-])\d{4}[ -]\d{6}[ -]\d{5}(?![\w-])")
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){3,7}(?:\s?[A-Z0-9]{1,3})?(?!\w)")
VEHICLE = re.compile(
    r"(?i)\b(?:license\s+plates?|licen[sc]e\s+tag|number\s+plate|plates?|tag|registration|reg\.?"
    r"|vehicle)(?![a-z])(?:\s*(?:no\.?|number|#|:|is|was|reads?|reading|with|tag"
    r"|plates?)){0,4}\s*[:#]?\s*"
    r"(?P<it>(?-i:(?=[A-Z0-9 -]*\d)(?=[A-Z0-9 -]*[A-Z])[A-Z0-9]{2,8}(?:[ -][A-Z0-9]{1,5}){0,2})"
    r"|(?-i:[a-z]{2,3}[ -]?\d{3,5}|\d{1,3}[a-z]{3}\d{0,4}))(?!\w)"
    r"|\bvin\b(?:\s*(?:no\.?|number|#|:|is|was))*\s*(?P<vin>[A-HJ-NPR-Z0-9]{6,17})(?!\w)"
    r"|(?<!\w)(?P<bare>(?-i:(?=[A-Z0-9]*\d{4})(?=[A-Z0-9]*[A-Z]{2})[A-HJ-NPR-Z0-9]{17}))(?!\w)"
)
LONG = re.compile(r"(?<![\w.,$€£/-])\d{6,18}(?![\w%]|[.,]\d)")
MIXED = re.compile(
    r"(?<![\w./-])(?:[A-Z]{1,4}-?\d{5,12}[A-Z]?|[A-Z]{1,3}\d{1,3}-\d{3,8}"
    r"|\d{2,3}-[A-Z]{1,3}-\d{3,8}|\d{2,4}-\d{4,9}|\d{3,}-\d{3,}-\d{2,}"
    r"|[A-Z]{1,4}(?:-[A-Z0-9]{2,8}){1,3}-?\d{3,}[A-Z]?(?:-[A-Z0-9]+)?)(?![\w-])"
)
DIGIT_WORD = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|niner|double|triple|dash|hyphen)"
SPOKEN = re.compile(
    rf"(?<![\w-])(?:(?:{DIGIT_WORD}|\d{{1,4}})[\s,.-]+){{4,}}(?:{DIGIT_WORD}|\d{{1,4}})(?![\w-])",
    re.IGNORECASE,
)
CUED = re.compile(
    r"(?i)\b(?:number|no\.|numbered|file|filed\s+under|folder|tag|tagged|sticker|form|envelope"
    r"|label(?:led|ed)?|code|stamped|reads|marked|locker|badge|wristband|bracelet|card|slip|stub"
    r"|case"
    r"|under)\b(?:\s+[a-z]{1,9}){0,4}\s*[:#]?\s*(?P<it>(?-i:[A-Z]{1,4}-?)?\d[\d-]{3,}\d?)(?![\w%]"
    r"|[.,]\d)"
)
SPOKEN_ANY = (
    r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen"
    r"|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety|hundred|double|triple|dash|hyphen|dot|point)"
)
SPOKEN_CUED = re.compile(
    rf"(?i)\b(?:number|mrn|m\s?r\s?n|id|account|social(?:\s+security)?|ssn|extension|pager|phone"
    rf"|fax|call|policy|zip(?:\s+code)?|record|serial|member|plate|license|ends\s+in"
    rf"|ending\s+in)\b(?:\s+(?:is|was|at|number|in|of|code|dash|area|letter"
    rf"|[a-z])){{0,4}}[\s:,]+(?P<it>(?:(?:{SPOKEN_ANY}|\d{{1,4}})[\s,-]+){{3,30}}(?:{SPOKEN_ANY}"
    rf"|\d{{1,4}}))(?![\w-])"
)
SPOKEN_DATE = re.compile(
    rf"(?i)\b(?P<it>(?:(?:{SPOKEN_ANY}|\d{{1,2}})[\s-]+){{1,2}}slash\s+(?:(?:{SPOKEN_ANY}"
    rf"|\d{{1,2}})[\s-]+){{1,2}}slash\s+(?:{SPOKEN_ANY}|\d{{2,4}})(?:[\s-]+{SPOKEN_ANY}){{0,3}})"
)
UDI = re.compile(r"\(01\)\s?\d{12,14}(?:\s?\(\d{2}\)\s?[\w-]+)*")
ROW = re.compile(
    r"^.*(?:\|.*\||\t.*\t|\S {2,}\S.*\S {2,}\S|(?:[;,^][^;,^\n]*){3,}|(?:\s/\s.*){2,}).*$", re.MULTILINE
)
LINE = re.compile(r"[^\n]+")
DATE_IN_ROW = re.compile(
    r"(?<![\d/.-])(?:\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2})(?![\d/])"
)
SHORT = re.compile(
    r"(?<![\w./$-])(?:[A-Z]{1,4}-?\d{3,10}|\d{4,10}|\d{2,4}-\d{2,6}(?:-\d{1,6})?)(?![\w%/-]"
    r"|[.,]\d)"
)


def find(text: str) -> Iterator[Finding]:
    yield from _on_the_net(text)
    yield from _telephones(text)
    yield from _persons(text)
    yield from labels.find(text)
    yield from _all(UDI, text, "device", "Number of a device.")
    yield from _spoken(text)
    yield from _bare(text)


def _all(pattern: re.Pattern, text: str, kind: str, reason: str, level: str = STOP) -> Iterator[Finding]:
    for match in pattern.finditer(text):
        named = match.lastgroup
        start, end = match.span(named) if named else match.span()
        yield Finding(start, end, kind, level, reason, "")


def _on_the_net(text: str) -> Iterator[Finding]:
    if "@" in text or " at " in text.lower() or "at]" in text or "at)" in text:
        yield from _all(EMAIL, text, "email", "E-mail address.")
    yield from _all(URL, text, "web", "Address of a page that may be somebody's own.")
    yield from _all(DOMAIN, text, "web", "Address of a site.", DOUBT)
    yield from _all(HANDLE, text, "handle", "Name used on another site.")
    for match in IPV4.finditer(text):
        if all(int(part) < 256 for part in match[0].split(".")):
            yield Finding(*match.span(), "network", STOP, "Address of a computer.", "")
    for match in IPV6.finditer(text):
        try:
            ipaddress.IPv6Address(match[0])
        except ValueError:
            continue
        yield Finding(*match.span(), "network", STOP, "Address of a computer.", "")
    yield from _all(MAC, text, "device", "Address of a device.")


def _telephones(text: str) -> Iterator[Finding]:
    for match in PHONE.finditer(text):
        yield Finding(*match.span(), "phone", STOP, "Telephone or fax number.", "")
    for match in LOCAL.finditer(text):
        yield Finding(*match.span(), "phone", STOP, "Telephone number.", "")
    for match in PHONE_LABEL.finditer(text):
        digits = sum(letter.isdigit() for letter in match["it"])
        if (
            digits >= (7 if WEAK_LABEL.match(match[0]) else 4)
            and not QUANTITY.match(text, match.end())
            and not is_year(match["it"])
        ):
            yield Finding(*match.span("it"), "phone", STOP, "Telephone or fax number.", "")
    yield from _all(EXTENSION, text, "phone", "Telephone extension.")


def _persons(text: str) -> Iterator[Finding]:
    yield from _all(SSN, text, "ssn", "Social security number.")
    for match in SSN_LABEL.finditer(text):
        yield Finding(*match.span(match.lastgroup), "ssn", STOP, "Social security number.", "")
    yield from _all(MEDICARE, text, "account", "Medicare number.")
    yield from _all(CARD, text, "account", "Number of a card.")
    yield from _all(IBAN, text, "account", "Account number.")
    yield from _all(VEHICLE, text, "vehicle", "Plate or number of a vehicle.")


def _spoken(text: str) -> Iterator[Finding]:
    """Digits read aloud, as in dictation."""
    for match in SPOKEN.finditer(text):
        if len(re.findall(DIGIT_WORD, match[0], re.IGNORECASE)) >= 3:
            yield Finding(*match.span(), "number", STOP, "A number read out digit by digit.", "")
    yield from _all(SPOKEN_CUED, text, "number", "A number read out digit by digit.")
    if "slash" in text.lower():
        yield from _all(SPOKEN_DATE, text, "date", "A date read out.")


def _bare(text: str) -> Iterator[Finding]:
    """Numbers without a label. In a row of a table they stand under one."""
    rows = [match.span() for match in ROW.finditer(text)]
    for start, end in (match.span() for match in LINE.finditer(text)):
        if DATE_IN_ROW.search(text, start, end):
            in_row = any(begin <= start < finish for begin, finish in rows)
            for match in SHORT.finditer(text, start, end):
                few = sum(letter.isdigit() for letter in match[0]) < (4 if in_row else 5)
                if few or DATE_IN_ROW.fullmatch(match[0]):
                    continue
                if not QUANTITY.match(text, match.end()) and not is_year(match[0]):
                    yield Finding(*match.span(), "record", STOP, "Record number.", "")
    for match in CUED.finditer(text):
        if (
            not QUANTITY.match(text, match.end("it"))
            and not is_year(match["it"])
            and not YEARS.fullmatch(match["it"])
        ):
            yield Finding(*match.span("it"), "number", DOUBT, "A long number, such as records have.", "")
    for pattern in (LONG, MIXED):
        for match in pattern.finditer(text):
            if QUANTITY.match(text, match.end()) or YEARS.fullmatch(match[0]):
                continue
            long = sum(letter.isdigit() for letter in match[0]) > 6
            level = STOP if long and any(start <= match.start() < end for start, end in rows) else DOUBT
            yield Finding(*match.span(), "number", level, "A long number, such as records have.", "")
