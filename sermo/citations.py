"""Works a text refers to: PubMed, DOI and ClinicalTrials.gov numbers, and bare addresses. Nothing leaves the site."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

PUBMED = "https://pubmed.ncbi.nlm.nih.gov/{}/"
DOI = "https://doi.org/{}"
TRIAL = "https://clinicaltrials.gov/study/{}"
LONGEST = 400  # characters of a value
UNSEEN = r"\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # control, bidirectional, no width

CITATION = re.compile(
    r"""
    (?<![\w/])(?:
        (?P<url>https?://[^\s<>"'`|\\^{}]{1,1000})
      | PMID:?[ ]?\#?(?P<pmid>[1-9][0-9]{0,7})(?![0-9]|\.[0-9])
      | (?:doi:[ ]?)?(?P<doi>10\.[0-9]{4,9}/[^\s<>"'`|\\^{}]{1,300})
      | (?P<nct>NCT[0-9]{8})(?![0-9])
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
PUBMED_HOSTS = (
    "pubmed.ncbi.nlm.nih.gov",
    "www.ncbi.nlm.nih.gov",
    "ncbi.nlm.nih.gov",
    "pubmed.gov",
    "www.pubmed.gov",
)
DOI_HOSTS = ("doi.org", "dx.doi.org", "www.doi.org")
TRIAL_HOSTS = ("clinicaltrials.gov", "www.clinicaltrials.gov")
PUBMED_PATH = re.compile(r"/(?:pubmed/)?([1-9][0-9]{0,7})/?")
DOI_PATH = re.compile(rf"/(10\.[0-9]{{4,9}}/[^{UNSEEN}]+)")
HIDDEN = re.compile(f"[{UNSEEN}]")
TRIAL_PATH = re.compile(r"/(?:ct2/show/|study/|show/)?(NCT[0-9]{8})/?", re.IGNORECASE)


@dataclass(frozen=True)
class Citation:
    """Where in a text which address stands, as words or as an address itself."""

    start: int
    end: int
    address: str


@dataclass(frozen=True)
class Work:
    """What an address leads to: a `kind` of pmid, doi, nct or url, and its number or address."""

    kind: str
    value: str

    @property
    def address(self) -> str:
        if self.kind == "pmid":
            return PUBMED.format(self.value)
        if self.kind == "doi":
            return DOI.format(quote(self.value, safe="/:;()._-"))
        return TRIAL.format(self.value) if self.kind == "nct" else self.value


def citations(text: str) -> Iterator[Citation]:
    """The works and bare addresses that plain text names, in its order."""
    for match in CITATION.finditer(text):
        found = match.lastgroup
        words = match[found] if found in ("pmid", "nct") else _without_tail(match[found])
        end = match.start(found) + len(words)
        if found == "url":
            if _is_address(words):
                yield Citation(match.start(), end, words)
        elif words:
            value = words.upper() if found == "nct" else words
            yield Citation(match.start(), end, Work(found, value).address)


def _without_tail(words: str) -> str:
    """Without what ends the sentence around it, and without a closing bracket that was opened before it."""
    while words:
        last = words[-1]
        opened = {")": "(", "]": "["}.get(last)
        if last in ".,;:!?*_" or (opened and words.count(last) > words.count(opened)):
            words = words[:-1]
        else:
            break
    return words


def _is_address(words: str) -> bool:
    try:
        return "." in (urlsplit(words).hostname or "")
    except ValueError:
        return False


def work_at(address: str) -> Work | None:
    """What an address refers to, however it is written.

    None for one that is not of the web, too long, or with characters that nobody sees.
    """
    if HIDDEN.search(address):
        return None
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    if host in PUBMED_HOSTS and (found := PUBMED_PATH.fullmatch(parts.path)):
        return Work("pmid", found[1])
    if host in DOI_HOSTS and (found := DOI_PATH.fullmatch(unquote(parts.path))):
        return _short(Work("doi", found[1].lower()))
    if host in TRIAL_HOSTS and (found := TRIAL_PATH.fullmatch(parts.path)):
        return Work("nct", found[1].upper())
    return _short(Work("url", address))


def _short(work: Work) -> Work | None:
    return work if len(work.value) <= LONGEST else None
