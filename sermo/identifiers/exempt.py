"""What a check does not look at: what physicians cite, and how they address each other here."""

import re

FILLER = "·"
LONG_GAP = re.compile(r"\s{9,}")
PUBLIC = (
    r"(?:doi\.org|nih\.gov|nejm\.org|thelancet\.com|jamanetwork\.com|bmj\.com|nature\.com"
    r"|sciencedirect\.com|springer\.com"
    r"|wiley\.com|ahajournals\.org|acpjournals\.org|cochranelibrary\.com|cochrane\.org"
    r"|clinicaltrials\.gov|who\.int"
    r"|europa\.eu|nice\.org\.uk|nhs\.uk|mdcalc\.com|uptodate\.com|radiopaedia\.org|wikipedia\.org"
    r"|medscape\.com|statpearls\.com"
    r"|lww\.com|oup\.com|sagepub\.com|tandfonline\.com|plos\.org|frontiersin\.org|mdpi\.com"
    r"|medrxiv\.org|biorxiv\.org"
    r"|arxiv\.org|acc\.org|heart\.org|escardio\.org|diabetes\.org|idsociety\.org|asco\.org"
    r"|nccn\.org|acog\.org|aap\.org"
    r"|aafp\.org|acr\.org|gold\w*\.org|ginasthma\.org|kdigo\.org"
    r"|uspreventiveservicestaskforce\.org|choosingwisely\.org"
    r"|orpha\.net|omim\.org|genereviews\.org|litfl\.com|emcrit\.org|rebelem\.com|crediblemeds\.org"
    r"|hiv-druginteractions\.org"
    r"|[\w-]{1,63}\.gov|[\w-]{1,63}\.gov\.[a-z]{2})"
)
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
EXEMPT = re.compile(
    "|".join(
        [
            rf"https?://(?:[\w-]{{1,63}}\.){{0,4}}{PUBLIC}(?:[/?#][^\s<>\])]*)?",
            rf"(?<![\w@.-])(?:www\.)?(?:[\w-]{{1,63}}\.){{0,4}}{PUBLIC}(?:/[^\s<>\])]*)?(?![\w@])",
            rf"\b(?i:{MONTH})\.?\s+\d{{1,2}},\s+(?:19|20)\d\d(?=,\s+(?:doi:|PMID))",
            r"\bdoi:?\s*10\.\S+",
            r"\b10\.\d{4,9}/[^\s\])]+",
            r"\bPMID:?\s*#?\d{4,9}",
            r"\bPMC\d{4,9}",
            r"\b(?:NCT|ISRCTN|ACTRN|DRKS|jRCT|ChiCTR|CTRI|EudraCT|IND|CRD|RFA|HMDB|OMIM|MIM|ORPHA:?|LOINC"
            r"|SNOMED|ICD-?1?\d(?:-CM)?"
            r"|CPT|HCPCS|NDC|RxNorm|ATC|UMLS|CAS)(?:\scodes?\b)?[\s:#-]{0,8}[\dA-Z][\dA-Z./-]{0,40}\d",
            r"\b(?:CMS|FDA|ISO|IEC|ASTM)[ -]?\d{3,5}[A-Z]?\b",
            r"\b(?:rs|rsid)\d{3,}\b",
            r"\b[NX][MPRC]_\d+(?:\.\d+)?",
            r"\bN[ .]?Engl[ .]?J[ .]?Med\.?[^\n]{0,40}",
            r"\b(?:19|20)\d\d;\s?\d+(?:\s?\(\d+\))?:\s?[eE]?\d+(?:[-\u2013]\d+)?",
            r"[A-Z][\w'’-]{1,40}(?:\s+(?:and|&)\s+[A-Z][\w'’-]{1,40})?\s+et\s+al\b\.?,?(?:\s+\(?(?:19|20)\d\d\)?)?",
            r"[A-Z][\w'’-]{1,40}\s+(?:and|&)\s+[A-Z][\w'’-]{1,40},?\s+\((?:19|20)\d\d\)",
            r"\b(?i:accessed|published|approved|updated|revised|issued|released|posted|retrieved|guideline"
            r"|label|version|edition)"
            rf"(?:\s+(?i:on|in|of|dated|by\s+the\s+FDA\s+(?:on"
            rf"|in)))?:?\s+(?i:{MONTH})\.?\s+(?:\d{{1,2}}(?:st|nd|rd|th)?,?\s+)?(?:19|20)\d\d",
            r"(?<![\w.])@[a-z0-9][a-z0-9_-]{2,}(?![\w.]*\.\w)",
            r"\b(?:Sister Mary Joseph|Uncle Sam|St\.? Jude(?= (?:valve|device|lead|pacemaker))"
            r"|(?:The )?Mayo Clinic|Dr\.? (?:Google|House|Who)|Mr\.? [XYZ]\b)",
            r"(?<!\w)(?:1-)?800[- ]222[- ]1222|(?<!\w)(?:1-)?800[- ]273[- ]8255"
            r"|(?<!\w)(?:1-)?800[- ]332[- ]1088",
        ]
    )
)
SOCIAL = re.compile(
    r"(?i)\b(?:instagram|insta|ig|twitter|tik ?tok|facebook|fb|snap(?:chat)?|whatsapp|telegram"
    r"|wechat|skype|discord|reddit|linkedin"
    r"|youtube|venmo|signal|viber|threads|mastodon|bluesky|x|handle|username|user name|screen name"
    r"|tweet(?:s|ed|ing)?)\W{1,4}(?:\w{1,20}\W{1,3}){0,3}$"
)
ELSEWHERE = re.compile(
    r"(?i)\W{1,3}(?:on|at|is\s+\w+)\s+(?:her\s+|his\s+)?(?:instagram|insta|ig|twitter|tik ?tok"
    r"|facebook|fb|snapchat|youtube|reddit|x)\b"
)


def blank(text: str) -> str:
    """The text at its own length, with a filler where nothing is to be found.

    Long runs of blanks are cut by it too: some patterns would take their time over them.
    """
    text = LONG_GAP.sub(lambda gap: gap[0][:4] + FILLER * (len(gap[0]) - 8) + gap[0][-4:], text)
    return EXEMPT.sub(lambda match: _filled(match, text), text)


def _filled(match: re.Match, text: str) -> str:
    around = SOCIAL.search(text[max(0, match.start() - 60) : match.start()]) or ELSEWHERE.match(
        text, match.end()
    )
    if match[0].startswith("@") and around:
        return match[0]
    return FILLER * len(match[0])
