"""By what a work is known: its DOI, its PMID, and its address without what varies."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit, urlunsplit

LONGEST_DOI = 200  # as the columns hold them
LONGEST_ADDRESS = 1000
LONGEST_KEY = 600

DOI = re.compile(r"10\.[0-9]{4,9}/[^\s<>\"'`|\\^{}\x00-\x1f\x7f\ud800-\udfff]{1,400}", re.IGNORECASE)
WRITTEN_DOI = re.compile(
    rf"(?:\bdoi:?\s*(?:https?://(?:dx\.)?doi\.org/)?|\b(?:dx\.)?doi\.org/)({DOI.pattern})", re.IGNORECASE
)
VERSION = re.compile(r"(?<=\d{5})v(\d{1,2})$|(?<=\d)[./]v(\d{1,2})$")
FORM = re.compile(
    r"(?:(?<=v\d)|(?<=v\d\d))?[./](?:full-?text|full|abstract|abs|short|epdf|pdf|meta|html?)(?:\.(?:pdf|html?))?/?$"
)
SUPPLEMENT = re.compile(r"/doi/suppl/|/suppl_file/", re.IGNORECASE)
OWN_NUMBER = re.compile(r"(10\.\d+/[a-z][^/]*/[^/]*[a-z][^/]*)/\d{5,9}")  # of a page, behind the DOI
PMID = re.compile(r"(?:pmid|pubmed):\s*([1-9][0-9]{0,8})$", re.IGNORECASE)
PUBMED_PATH = re.compile(r"/(?:pubmed/)?([1-9][0-9]{0,8})/?")
TRACKING = re.compile(
    r"(utm_\w*|mc_[ce]id|mkt_tok|fbclid|gclid|dclid|msclkid|yclid|igshid|_ga|_gl|af|rss|feed|cmpid)",
    re.IGNORECASE,
)
TRACKING_PAIRS = {("src", "rss"), ("source", "rss"), ("ref", "rss"), ("from", "rss")}


def doi_of(text: str | None) -> str | None:
    """The DOI that an identifier is, however it is written: bare, doi:, an address of doi.org. None for all else."""
    text = unquote(text or "").strip()
    text = re.sub(r"^(?:info:doi/|urn:doi:|doi:\s*|https?://(?:www\.|dx\.)?doi\.org/)+", "", text, flags=re.I)
    match = DOI.fullmatch(text)
    return _normal(match[0]) if match else None


def doi_in_address(url: str | None) -> str | None:
    """The DOI an address leads to: of doi.org, in a path such as /doi/abs/10..., or as the value of a parameter.

    A file that belongs to a work is not the work.
    """
    parts = _split(url)
    if parts is None or SUPPLEMENT.search(parts.path):
        return None
    values = [unquote(parts.path), *(value for _, value in parse_qsl(parts.query))]
    for value in values:
        if match := re.search(rf"(?:^|/)({DOI.pattern})", value, re.IGNORECASE):
            doi = FORM.sub("", re.split(r"[?#&]", match[1].lower())[0])
            return _normal(OWN_NUMBER.sub(r"\1", doi))
    return None


def dois_written(text: str) -> Iterator[str]:
    """The DOIs that words name as such, in their order, each once."""
    seen = set()
    for match in WRITTEN_DOI.finditer(text):
        doi = _normal(match[1])
        if doi and doi not in seen:
            seen.add(doi)
            yield doi


def version_in(text: str | None) -> int:
    """The version of a preprint that its DOI or address ends in."""
    path = re.split(r"[?#]", text or "")[0].lower()
    match = VERSION.search(FORM.sub("", path))
    return max(1, int(match[1] or match[2])) if match else 1


def _normal(doi: str) -> str | None:
    """In lower case, without its version and without what a sentence has behind it."""
    doi = _without_tail(re.split(r"[?#&]", doi.lower())[0])
    doi = VERSION.sub("", doi)
    return doi if DOI.fullmatch(doi) and len(doi) <= LONGEST_DOI else None


def _without_tail(words: str) -> str:
    while words:
        opened = {")": "(", "]": "["}.get(words[-1])
        if words[-1] in ".,;:!*_/" or (opened and words.count(words[-1]) > words.count(opened)):
            words = words[:-1]
        else:
            break
    return words


def pmid_of(text: str | None) -> int | None:
    """The PMID that an identifier or the address of a PubMed page is."""
    text = (text or "").strip()
    if match := PMID.fullmatch(text):
        return int(match[1])
    parts = _split(text)
    if parts and _is_pubmed(parts) and (match := PUBMED_PATH.fullmatch(parts.path)):
        return int(match[1])
    return None


def _is_pubmed(parts) -> bool:
    host = parts.hostname.removeprefix("www.")
    return host.startswith("pubmed.") or (host == "ncbi.nlm.nih.gov" and parts.path.startswith("/pubmed/"))


def web_address(url: str | None, base: str = "") -> str:
    """An address of the web without what tracks its readers, relative ones made whole; empty for all other schemes."""
    url = re.sub(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]", "", url or "")
    try:
        parts = _split(urljoin(base, url) if base and url else url)
    except ValueError:
        return ""
    if parts is None:
        return ""
    netloc = parts.netloc.rpartition("@")[2]
    address = urlunsplit((parts.scheme, netloc, parts.path, "&".join(_kept(parts)), parts.fragment))
    return address if len(address) <= LONGEST_ADDRESS else ""


def url_key(url: str | None) -> str | None:
    """What stays the same of an address, however it is linked. None for a mere home page: many works may lead there."""
    parts = _split(url)
    if parts is None:
        return None
    host = parts.hostname.removeprefix("www.")
    try:
        port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    except ValueError:
        return None
    query = "&".join(sorted(_kept(parts)))
    path = parts.path.rstrip("/")
    key = urlunsplit(("https", host + port, path, query, ""))
    return key if (path or query) and len(key) <= LONGEST_KEY else None


def _kept(parts) -> list[str]:
    """The parameters that say which page it is: none, of a record of PubMed."""
    if _is_pubmed(parts) and PUBMED_PATH.fullmatch(parts.path):
        return []
    pairs = [(pair, *pair.partition("=")[::2]) for pair in parts.query.split("&") if pair]
    return [
        pair
        for pair, name, value in pairs
        if not TRACKING.fullmatch(name) and (name.lower(), value.lower()) not in TRACKING_PAIRS
    ]


def _split(url: str | None):
    """The parts of an address of the web, else None."""
    try:
        parts = urlsplit((url or "").strip())
        return parts if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None
