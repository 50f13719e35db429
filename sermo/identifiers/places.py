"""Streets, postal codes, facilities and towns: every place smaller than a state."""

import re
from collections.abc import Iterator
from functools import cache

from sermo.identifiers.findings import DOUBT, STOP, Finding
from sermo.identifiers.lexicon import fold, lexicon

STREET = (
    r"(?:Street|St|Str|Avenue|Ave|Av|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl"
    r"|Terrace|Ter|Circle|Cir|Parkway|Pkwy|Highway|Hwy|Route|Rte|Trail|Trl|Square|Sq|Crescent|Cres"
    r"|Close|Alley|Loop|Run|Row|Pike|Turnpike|Heights|Plaza|Point|Ridge|Grove|Gardens|Mews|Walk"
    r"|Wharf|Bend|Cove|Crossing|Hollow|Path|Expressway|Freeway|Causeway|Esplanade|Promenade|Park"
    r"|Green|Hill|Commons|View|Landing|Knoll|Broadway)"
)
PLAIN = (
    r"(?:street|st|avenue|ave|road|rd|court|ct|ln|dr|circle|cir|place|pl|way|boulevard|blvd|lane"
    r"|drive|terrace|parkway|highway)"
)
STATE_CODE = (
    r"(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|P[AR]|RI"
    r"|S[CD]|T[NX]|UT|V[TA]|W[AVIY])"
)
STATES = (
    r"(?:Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia"
    r"|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts"
    r"|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New\s+(?:Hampshire|Jersey"
    r"|Mexico|York)|(?:North|South)\s+(?:Carolina|Dakota)|Ohio|Oklahoma|Oregon|Pennsylvania"
    r"|Rhode\s+Island|Tennessee|Texas|Utah|Vermont|(?:West\s+)?Virginia|Washington|Wisconsin"
    r"|Wyoming)"
)
UNIT = (
    r"(?:,?\s+(?:(?:Apt|Apartment|Unit|Suite|Ste|Floor|Fl|Room|Rm|Lot|Bldg|Trailer)\.?\s*#?\s*\w+"
    r"|#\s*\w+))?"
)
CAP = r"[A-ZÀ-Þ][\w'’-]{0,30}"
ADDRESS = re.compile(
    rf"(?<![\w/.-])\d{{1,6}}[A-Za-z]?(?:-\d+)?(?:\s+1/2)?\s+(?:(?:N|S|E|W|NE|NW|SE|SW|North|South"
    rf"|East|West)\.?\s+)?(?:(?:{CAP}|\d{{1,3}}(?:st|nd|rd|th)|of|de|la|the)\s+){{0,4}}(?:{CAP}"
    rf"|\d{{1,3}}(?:st|nd|rd|th))\s+{STREET}\b\.?(?:\s+(?:N|S|E|W|NE|NW|SE|SW)\b)?{UNIT}"
    rf"|(?<![\w/.-])\d{{1,6}}\s+(?:(?:(?:State|US|County|Old)\s+)?(?:Highway|Hwy|Route|Rte|Road"
    rf"|Rd)\s+\d+|Broadway|Avenue\s+[A-Z0-9]\b){UNIT}"
)
LOWER_ADDRESS = re.compile(
    rf"(?<![\w/.-])\d{{1,5}}\s+(?:(?:north|south|east|west|n|s|e|w)\.?\s+)?(?!(?:mg|ml|of|to|on|in"
    rf"|and|at|hour|day|year|mile|block)s?\b)[a-z]{{3,}}(?:\s+[a-z]{{3,}})?\s+{PLAIN}\b(?:\s+(?:apt"
    rf"|unit|#)\.?\s*\w+)?",
    re.IGNORECASE,
)
FOREIGN_ADDRESS = re.compile(
    rf"\b(?:Calle|Avenida|Av\.|Carrera|Paseo|Plaza|Camino|Colonia|Rua|Travessa|Praça|Via|Viale"
    rf"|Piazza|Corso|Largo|Vicolo|Rue|Avenue|Boulevard|Allée|Chemin|Impasse|Place|ul\.|ulica|aleja"
    rf"|al\.|ulitsa|prospekt|Jalan|Jl\.|Cadde|Sokak|Odos|Straat)\s+(?:(?:de|del|della|des|du|da|do"
    rf"|dos|la|el|las|los|di|dei|l')\s*)*{CAP}(?:\s+{CAP}){{0,3}},?\s+(?:n[°ºo]\.?\s*|#\s*"
    rf"|No\.?\s*)?\d{{1,5}}\b"
    rf"|(?<![\w/.-])\d{{1,5}}(?:\s?(?:bis|ter))?,?\s+(?:rue|avenue|boulevard|allée|chemin|impasse"
    rf"|place|quai|calle|via)\s+(?:(?:de|du|des|la|le|l'|d')\s*)*{CAP}"
    r"|(?<![\w-])[A-ZÀ-Þ][\wß-]{0,30}(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|straat|laan|gracht"
    r"|gade|vej|gatan|vägen|gata|veien|katu|tie)\s+\d{1,4}\s?[a-z]?\b"
    rf"|\b{CAP}\s+(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Ring|Damm|utca|út|körút|Caddesi"
    rf"|Sokağı|Sokak)\s+\d{{1,4}}\s?[a-z]?\b"
)
BOX = re.compile(
    r"\b(?:County|State|Farm)\s+(?:Road|Rd|Route|Highway)\s+\d+|\bP\.?\s?O\.?\s*Box\s*#?\s*\d+"
    r"|\bpost\s+office\s+box\s+\d+|\b(?:rural\s+route\s*#?\d+(?:\s+box\s+\d+)?"
    r"|RR\s*#?\d+\s+box\s+\d+)",
    re.IGNORECASE,
)
SPOKEN_ADDRESS = re.compile(
    r"\b(?:(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen"
    r"|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety|hundred|oh)[ -]){1,6}(?:(?:north|south|east|west)\s+)?(?!(?:way|small|other|more"
    r"|long|new|\w*hours?|\w*minutes?|days?|miles?|weeks?|blocks?|percent|milligrams|to|of|and|or"
    r"|by|in|for)\b)[a-z]+(?:\s+[a-z]+)?\s+(?:street|avenue|road|boulevard|lane|drive|court"
    r"|terrace|parkway|highway|circle)\b",
    re.IGNORECASE,
)
UNIT_ALONE = re.compile(r"\b(?:Apt|Apartment)\.?\s*#?\s*\d+\w?\b", re.IGNORECASE)
LIVES_AT = re.compile(
    rf"\b(?:lives?|living|lived|resid(?:es|ing|ed)|address|home|house|apartment|staying"
    rf"|moved)(?:(?<=ddress)|\s+(?:is\s+)?(?:at|on|to|in)"
    rf"|\s*:)\s+(?:the\s+)?(?P<it>\d{{1,6}}\s+{CAP}(?:\s+{CAP}){{0,3}})"
)
LIVES_AT_LOWER = re.compile(
    r"\b(?:lives?|living|lived|resides?"
    r"|staying)\s+at\s+(?P<it>\d{1,6}\s+[a-z]{3,}(?:\s+[a-z]{3,})?)(?!\w)"
)
STREET_ALONE = re.compile(
    rf"\b(?:on|at|off|near|from|down|along|of)\s+(?:the\s+corner\s+of\s+)?(?P<it>(?:{CAP}"
    rf"|\d{{1,3}}(?:st|nd|rd|th))(?:\s+{CAP}){{0,2}}\s+(?:Street|Avenue|Ave|Road|Rd|Boulevard|Blvd"
    rf"|Lane|Drive|Court|Parkway|Terrace|Highway|Square|Turnpike)\b|(?:Highway|Route|Interstate"
    rf"|I-)\s?\d+|(?:the\s+)?corner\s+of\s+\w+\s+and\s+\w+)"
)
ZIP = re.compile(
    rf"\b(?P<state>(?-i:{STATE_CODE})|{STATES})\.?,?\s+(?P<it>\d{{5}}(?:-\d{{4}})?)(?!\w|-\d"
    rf"|\s*(?:mg|mL|cells|copies|units|patients|/))|\b(?:zip(?:\s*code)?|postal\s+code|postcode"
    rf"|post\s+code|PLZ|c\.?p\.?)(?:\s*(?:is|was|:|#|of|code|\|"
    rf"|=))*\s*(?P<label>\d{{5}}(?:-\d{{4}})?|\d{{3}}(?!\d))(?!\w)"
    rf"|(?<![\w-])(?P<nine>\d{{5}}-\d{{4}})(?![\w-])",
    re.IGNORECASE,
)
LOWER_STATE = re.compile(
    r"\b[a-z]{3,}\s*,?\s+(?:a[lkzr]|c[ao]|dc|fl|ga|i[la]|k[sy]|m[dinsot]|n[evhjmycd]|pa|ri|s[cd]"
    r"|t[nx]|ut|v[ta]|w[aivy])\s+(?P<it>\d{5})(?!\w)"
)
AFTER_ADDRESS = re.compile(r"[ ,]+(?:[A-Z][\w.'-]+[ ,]+){0,3}(?P<it>\d{5}(?:-\d{4})?)(?!\w)")
FOREIGN_POST = re.compile(
    r"(?<!\w)(?:(?:[A-PR-UWYZ][A-HK-Y]?\d[A-HJKPSTUW\d]?\s\d[ABD-HJLNP-UW-Z]{2})"
    r"|(?:[ABCEGHJ-NPRSTVXY]\d[A-Z]\s?\d[A-Z]\d)|\d{4}\s[A-Z]{2}(?=\s+[A-Z][a-z]))(?!\w)"
)
TOWN_AND_CODE = re.compile(r"\b(?P<town>[^\W\d_]{3,}),?\s+(?P<it>\d{5})(?!\w|[.,]\d)")
CODE_AND_TOWN = re.compile(r"(?<!\w)(?:[A-Z]{1,2}-)?\d{4,5}\s+(?P<town>[A-ZÀ-Þ][\w-]{2,})")
KINDS_OF_HOUSE = {
    "a community hospital": "hospital hospitals",
    "a hospital": "infirmary",
    "a clinic": "clinic clinics",
    "a medical center": "center centre",
    "a school": "school elementary academy",
    "a university": "university",
    "a college": "college",
    "a church": "church",
    "a prison": "prison penitentiary",
    "a jail": "jail",
    "a pharmacy": "pharmacy",
    "a hospice": "hospice",
    "a nursing home": "manor home",
    "a care home": "village",
    "a park": "park",
    "an airport": "airport",
}
KIND_OF_HOUSE = {word: kind for kind, words in KINDS_OF_HOUSE.items() for word in words.split()}
HOUSE = (
    r"(?:(?:(?:Regional|Community|Memorial|General|County|City|State|University|Children'?s"
    r"|Women'?s|Veterans|Veterans\s+Affairs|Baptist|Methodist|Presbyterian|Lutheran|Adventist"
    r"|Catholic|Jewish|District|Teaching|Royal|Health|Medical|Surgical|Cancer|Heart|Rehabilitation"
    r"|Rehab|Psychiatric|Behavioral|Nursing|Care|Surgery|Dialysis|Dental|Family|Primary|Urgent"
    r"|Specialty|Eye|Pain|Wellness|Birth|Trauma|Imaging|Senior|Assisted|Correctional|Medicine"
    r"|Practice|and|&|of|the)\s+){0,6})"
    r"(?:Hospitals?|Medical\s+Cent(?:er|re)|Med\s+Ctr|Cent(?:er|re)|Clinics?|Infirmary|Hospice"
    r"|Nursing\s+Home|Nursing\s+Facility|Health\s+System|Healthcare|Health\s+Care|Health"
    r"|Sanatorium|Dispensary|Polyclinic|Medical\s+Group|Physicians\s+Group|Family\s+Practice"
    r"|Family\s+Medicine|Surgery\s+Center|Urgent\s+Care|Pharmacy|High\s+School"
    r"|Elementary(?:\s+School)?|Middle\s+School|School|Preschool|Kindergarten|Day\s?care"
    r"|University|College|Academy|Church|Parish|Synagogue|Temple|Mosque|Prison|Jail|Penitentiary"
    r"|Correctional\s+Facility|Correctional|Police\s+Department|Fire\s+Department|Airport"
    r"|Assisted\s+Living|Living\s+Center|Manor|Rehab|Rehabilitation|Shelter|Plant|Factory|Mill"
    r"|Mine|Refinery|Nursery|Lodge|Village|Park|Arena|Stadium|Casino|Hotel|Motel|Inn|Library|Mall"
    r"|Reservation|Army\s+Base|Air\s+Force\s+Base|AFB|County|Parish|Township|Borough|Beach|Lake"
    r"|Valley|Springs|Heights|Falls|Island|Bay|Creek|River|Mountain)"
)
FACILITY = re.compile(
    rf"(?:\b(?:at|to|from|in|near|of|the)\s+)?(?<![\w'’-])(?P<it>(?:St\.?|Saint|Mt\.?|Mount|Fort|Ft\.?"
    rf"|Our\s+Lady\s+of|{CAP})(?:\s+(?:{CAP}|of|the|and|&)){{0,4}}?\s+{HOUSE})\b(?!\s+(?:disease"
    rf"|syndrome|fever|virus|criteria|score|classification))"
)
SAINT = re.compile(
    r"\b(?:St\.?|Saint|Sts\.?|Mt\.?|Mount)\s+(?!Jude\s+(?:valve|device"
    r"|lead))(?:[A-Z][a-zà-ÿ]+)(?:['’]s)?(?:\s+(?:and|&)\s+[A-Z][a-z]+['’]?s?)?(?:\s+(?:Hospital"
    r"|Medical|East|West|North|South|Main))?"
)
CALLED = re.compile(
    r"\b(?:at|to|from|in|by|over\s+at|via)\s+(?P<it>(?:[A-Z][\w'’-]+\s+){0,2}(?:Memorial|Methodist"
    r"|Presbyterian|Baptist|Lutheran|Adventist|Mercy|Regional|General|County|Community|Lakeside"
    r"|Riverside|Good\s+Samaritan|Sacred\s+Heart|Holy\s+(?:Cross|Name|Spirit|Family)|Trinity"
    r"|Providence|Sinai|Bellevue|Kaiser|Cedars|Hopkins|Children['’]?s|Deaconess|Beth\s+Israel"
    r"|Intermountain|Ascension|Sutter|Geisinger|Ochsner|Northwell|Banner|Sentara|Mission|Baylor"
    r"|Emory|Duke|Stanford|Yale|Vanderbilt|UCLA|UCSF|MGH|UPMC|NYU|OSU|UNC|Penn|Mayo|Northwestern"
    r"|Rush|Walter\s+Reed|Grady|Parkland|Bayview|Harborview|Cook\s+County))(?![\w-]"
    r"|\s+(?:[a-z]*\s?(?:score|criteria|classification|formula|anesthesia|practice|medicine"
    r"|surgery|practitioner|pediatrics|internal|hospital\b|health\b)))"
)
PUBLIC_NAMES = re.compile(
    r"(?i)^(?:american|national|world|european|royal|international|global|royal|british|canadian"
    r"|australian|federal|united|cochrane|us|the\s+american|intensive|emergency|primary|critical"
    r"|acute|urgent|health|medical|nursing|mental|public|level|patient|veterans|community|children"
    r"|women|family|surgical|trauma|burn|cancer|stroke|transplant|day|home|palliative|internal"
    r"|ambulatory|long|skilled|poison|joint|our|my|your|this|any|every|each|a|an|in|if|when|most"
    r"|some|no|private|rural|academic|teaching|local|outside|referral|tertiary|county|district"
    r"|university|state|city|regional|general|memorial|great|oral|dental|behavioral|womens|surgeon"
    r"|department|preventive|surviving|centers?|institute|school|medicare|medicaid|one|two|and|or"
    r"|for|at|to|from|with|who|north|south|east|west|new|what|baker|fort|bell|crohn|black|red"
    r"|green|dead)$"
)


@cache
def _towns() -> tuple[re.Pattern, re.Pattern]:
    """Towns of one word are looked up word by word; those of several have a pattern of their own."""
    several = sorted((town for town in lexicon().towns if " " in town), key=len, reverse=True)
    return re.compile(r"\b[^\W\d_][\w'’-]{2,}"), re.compile(
        r"\b(?:" + "|".join(map(re.escape, several)) + r")\b", re.IGNORECASE
    )


LOWER_SAINT = re.compile(
    r"\b(?:st|saint)\.?\s+(?:mary|joseph|luke|john|jude|francis|vincent|elizabeth|anthony|agnes"
    r"|thomas|peter|michael|barnabas|catherine|mark|paul|james|clare|rita|charles|george|andrew"
    r"|anne?|david|rose|alphonsus|bernard|edward|patrick|raphael|christopher|margaret|lucy|martin"
    r"|nicholas|alexius|dominic|cloud|louis)(?:['’]?s)?\b"
)
LOWER_HOUSE = re.compile(
    r"(?<![\w'’-])(?P<it>(?P<name>[^\W\d_][\w'’-]{2,30}(?:\s+(?:general|memorial|regional|county|city"
    r"|valley))?)\s+(?:hospital|medical\s+center|clinic|nursing\s+home|hospice|high\s+school"
    r"|elementary|middle\s+school|college|church|prison|jail|pharmacy|rehab|assisted\s+living"
    r"|care\s+home|plant|factory|mill|mine|refinery|warehouse|quarry|dealership|farm|ranch|brewery"
    r"|foundry|diner|bakery|park|county|general|memorial|regional))\b"
)
WORKS_AT = re.compile(
    r"\b(?i:(?:works?|worked|working|employed|job|shifts?|drives?|drove|driving|retired|teaches"
    r"|taught|coaches|coached|cooks?|cooked|welds?|welder|nurse|mechanic|foreman|manager|clerk"
    r"|cashier|guard|engineer|pilot|driver|principal|teacher|coach|waiter|waitress|janitor"
    r"|supervisor|laid\s+off|fired|hired|plays?\s+\w+|chaplain|pastor|deputy|chef)(?:\s+(?:a|the"
    r"|night|day|truck|bus|as|full|part|time|line|nights|days|security|forklift|school|trucks?"
    r"|buses?|\w+er))*\s+(?:at|for|with|from|by|in|of|over\s+at|down\s+at)(?:\s+(?:the|a|our"
    r"|local))*|(?:employer|company)(?:,"
    r"|\s+is)?)\s+(?P<it>(?-i:[A-Z])[\w'’&-]+(?:\s+(?:(?-i:[A-Z])[\w'’&-]+|&"
    r"|and(?=\s(?-i:[A-Z])))){0,3}(?:\s+(?:plant|factory|mill|mine|warehouse|store|depot|yard"
    r"|county|school|office))?)"
)
NOT_A_TOWN_AFTER = re.compile(
    r"[-\s]{1,2}(?:criteria|criterion|classification|score|scale|scales|definition|consensus|protocol"
    r"|guidelines?|rules?|system|staging|syndrome|disease|fever|stool|chart|coma|outcome|risk"
    r"|study|trial|heart|chromosome|virus|knee|ankle|regimen|nomogram|formula|method|depression"
    r"|sign|test|type|variant|bodies|grade|stage|I{1,3}V?\b|IV\b|\d|units|cohort|Medical|brace"
    r"|pouch|procedure|technique|Blatchford|Sleepiness|Mathews|dog|patch|symptom|equation|index"
    r"|agreement|declaration|data)",
    re.IGNORECASE,
)
TOWN_CUE = re.compile(
    r"(?:\b(?:in|from|near|to|at|outside|around|of|leaving|visiting|through|via|lives|downtown"
    r"|suburban|rural|into)\s+(?:downtown\s+|rural\s+|suburban\s+|outside\s+|the\s+)?)$",
    re.IGNORECASE,
)


def find(text: str) -> Iterator[Finding]:
    yield from _addresses(text)
    yield from _codes(text)
    yield from _facilities(text)
    yield from _named_towns(text)


def _addresses(text: str) -> Iterator[Finding]:
    for pattern in (ADDRESS, LOWER_ADDRESS, FOREIGN_ADDRESS, SPOKEN_ADDRESS, BOX, UNIT_ALONE):
        for match in pattern.finditer(text):
            if pattern is LOWER_ADDRESS and not _is_street(match):
                continue
            yield Finding(*match.span(), "address", STOP, "Street address.", "")
            if follows := AFTER_ADDRESS.match(text, match.end()):
                yield Finding(*follows.span("it"), "zip", STOP, "Postal code.", "")
    for pattern in (LIVES_AT, LIVES_AT_LOWER):
        for match in pattern.finditer(text):
            yield Finding(*match.span("it"), "address", STOP, "Street address.", "")
    for match in STREET_ALONE.finditer(text):
        yield Finding(*match.span("it"), "address", DOUBT, "A street.", "")


def _is_street(match: re.Match) -> bool:
    """In lower case a number, a word and "way" or "dr" may be plain prose."""
    words = match[0].lower().rstrip(".").split()
    short = {"st", "dr", "way", "place", "court", "drive", "pl", "ct", "circle", "lane", "road", "ln", "cir"}
    plain = {
        "drug",
        "hour",
        "gauge",
        "french",
        "lead",
        "vessel",
        "the",
        "other",
        "no",
        "any",
        "same",
        "long",
        "each",
        "one",
    }
    prose = words[-1] in short and lexicon().is_word(fold(words[-2])) and words[-2] not in STREET_WORDS
    return words[1] not in plain and not prose


STREET_WORDS = frozenset(
    [
        "oak",
        "elm",
        "main",
        "pine",
        "maple",
        "cedar",
        "park",
        "lake",
        "hill",
        "washington",
        "walnut",
        "spring",
        "north",
        "ridge",
        "river",
        "church",
        "mill",
        "view",
        "high",
        "second",
        "third",
        "first",
        "fourth",
        "fifth",
        "sixth",
        "market",
        "king",
        "queen",
        "broad",
        "center",
        "central",
        "front",
        "court",
        "union",
        "water",
        "state",
        "pleasant",
        "meadow",
        "forest",
        "cherry",
        "chestnut",
        "willow",
        "birch",
        "ash",
        "spruce",
    ]
)


def _codes(text: str) -> Iterator[Finding]:
    for match in ZIP.finditer(text):
        group = next(name for name in ("it", "label", "nine") if match[name])
        yield Finding(*match.span(group), "zip", STOP, "Postal code.", "")
    for match in FOREIGN_POST.finditer(text):
        yield Finding(*match.span(), "zip", STOP, "Postal code.", "")
    for match in LOWER_STATE.finditer(text):
        yield Finding(*match.span("it"), "zip", STOP, "Postal code.", "")
    for match in TOWN_AND_CODE.finditer(text):
        if fold(match["town"]) in lexicon().towns:
            yield Finding(*match.span("it"), "zip", STOP, "Postal code.", "")
    for match in CODE_AND_TOWN.finditer(text):
        if fold(match["town"]) in lexicon().towns:
            yield Finding(*match.span(), "zip", STOP, "Postal code and town.", "")


def _facilities(text: str) -> Iterator[Finding]:
    for match in FACILITY.finditer(text):
        words = match["it"].split()
        leading = [word for word in words if word[0].isupper()]
        if len(leading) > 1 and not _is_public(words) and not _is_sentence(text, match.start("it"), words):
            house = KIND_OF_HOUSE.get(words[-1].lower())
            yield Finding(*match.span("it"), "facility", DOUBT, "A facility or a place.", house)
    for match in SAINT.finditer(text):
        yield Finding(*match.span(), "facility", DOUBT, "A facility or a place.", "a community hospital")
    for match in LOWER_SAINT.finditer(text):
        yield Finding(*match.span(), "facility", DOUBT, "A facility or a place.", "a community hospital")
    for match in LOWER_HOUSE.finditer(text):
        if _is_proper(text, match):
            yield Finding(*match.span("it"), "facility", DOUBT, "A facility or a place.", None)
    for match in WORKS_AT.finditer(text):
        first = fold(match["it"].split()[0]).removesuffix("'s")
        if first not in lexicon().capitals or first in EMPLOYERS:
            yield Finding(*match.span("it"), "employer", DOUBT, "An employer.", None)
    for match in CALLED.finditer(text):
        yield Finding(*match.span("it"), "facility", DOUBT, "A facility.", "a community hospital")


EMPLOYERS = frozenset(
    [
        "amazon",
        "walmart",
        "costco",
        "uber",
        "lyft",
        "target",
        "delta",
        "starbucks",
        "google",
        "apple",
        "facebook",
        "epic",
        "pfizer",
        "abbott",
        "medtronic",
        "lilly",
        "merck",
        "walgreens",
        "cvs",
        "davita",
        "labcorp",
        "quest",
        "army",
        "navy",
    ]
)
HOUSES_IN_LOWER_CASE = frozenset(
    [
        "mercy",
        "methodist",
        "baptist",
        "presbyterian",
        "lutheran",
        "providence",
        "trinity",
        "lakeside",
        "riverside",
        "sinai",
        "memorial",
        "deaconess",
    ]
)


def _is_proper(text: str, match: re.Match) -> bool:
    """A house called by a name. In lower case only a town or a person tells; a capital may begin a sentence."""
    words, name = lexicon(), match["name"].split()[0]
    folded = fold(name).removesuffix("'s")
    if name.islower():
        known = words.is_word(folded) or words.is_term(folded) or folded in words.common
        return folded in HOUSES_IN_LOWER_CASE or (
            (folded in words.towns or folded in words.names) and not known
        )
    if not name[0].isupper() or name.isupper() or PUBLIC_NAMES.match(name) or words.is_term(folded):
        return False
    begins = match.start() == 0 or text[: match.start()].rstrip(' "“(*_#>-').endswith(
        (".", "?", "!", ":", "\n")
    )
    return not (words.is_word(folded) and (begins or folded.endswith(("y", "ic", "al", "ology"))))


def _is_public(words: list[str]) -> bool:
    """Offices and societies that belong to everybody."""
    first = words[1] if words[0] == "The" and len(words) > 1 else words[0]
    return bool(PUBLIC_NAMES.match(first.removesuffix("'s").removesuffix("’s").strip(".")))


def _is_sentence(text: str, start: int, words: list[str]) -> bool:
    """A sentence that starts with a plain word: the capital is not a name's."""
    return (
        len(words) < 3
        and (
            start == 0
            or text[start - 1] in '\n"“('
            or text[max(0, start - 2) : start] in (". ", "? ", "! ", ": ")
        )
        and lexicon().is_word(fold(words[0]))
    )


def _named_towns(text: str) -> Iterator[Finding]:
    single, several = _towns()
    for match in several.finditer(text):
        if not NOT_A_TOWN_AFTER.match(text, match.end()):
            yield Finding(*match.span(), "place", DOUBT, "A place smaller than a state.", "a city")
    for match in single.finditer(text):
        word = fold(match[0]).removesuffix("'s")
        if word not in lexicon().towns or (
            match[0].islower() and (lexicon().is_word(word) or lexicon().is_term(word))
        ):
            continue
        if NOT_A_TOWN_AFTER.match(text, match.end()):
            continue
        cue = TOWN_CUE.search(text[max(0, match.start() - 20) : match.start()])
        if cue or (
            match[0][0].isupper()
            and not lexicon().is_term(word)
            and not lexicon().is_word(word)
            and word not in lexicon().names
        ):
            yield Finding(*match.span(), "place", DOUBT, "A place smaller than a state.", "a city")
