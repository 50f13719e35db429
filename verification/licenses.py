"""License numbers: one form for comparing them, whatever the punctuation, prefixes and leading zeros.

Shapes vary inside one state, and registries and people write the same number in several ways, so a shape
never refuses anybody; it only helps to compare. A license is known by state, normal number and degree
together, since several states number MDs and DOs apart.
"""

import re

# Letters that merely say "physician" in a state and that people leave out as often as they write them.
# Letters that belong to the number stay: A, C and G are three separate series in California, and Texas
# counts A0001, B0001 and so on.
_PREFIXES = {
    "CO": ("DR",),
    "FL": ("ME", "OS"),
    "MD": ("D", "H"),
    "PA": ("OS",),
    "WA": ("OP",),
}
_EVERYWHERE = ("MD", "DO")
_PREFIX = {
    state: re.compile(rf"(?:{'|'.join((*_EVERYWHERE, *_PREFIXES.get(state, ())))})(?=[0-9])")
    for state in ("", *_PREFIXES)
}
_NOT_ALNUM = re.compile(r"[^0-9A-Z]+")
_SAYS_SOMETHING = re.compile(r"[1-9]")
_NY_SUFFIX = re.compile(r"([0-9]{6,7})\s*-\s*[0-9]")
_ILLINOIS = re.compile(r"36([0-9]{6})")
_CA_OSTEOPATH = re.compile(r"(20A)0*([0-9]+)")
_CA_LETTER = re.compile(r"([A-Z]{1,3})0*([0-9]+)")

# What people leave out when they type their number: (prefixes, digits that follow). For looking it up only.
_COMPLETIONS = {
    "CA": (("A", "C", "G", "20A"), 0),
    "MI": (("4301", "5101"), 6),
    "OH": (("35", "34"), 6),
    "VA": (("101", "102"), 6),
}


def normal_number(state: str, number: str) -> str:
    """The form in which two spellings of one license number are equal; empty where there is no number.

    Upper case, letters and digits only, without the state's own prefix (ME in Florida, MD anywhere, 036
    before six digits in Illinois), New York's -9 suffix, and leading zeros. Masked values ($$$$, ****,
    ____), N/A, words and zeros give an empty string, since a real number has a digit in it other than 0.
    """
    state = state.strip().upper()
    text = number.strip().upper()
    if state == "NY" and (suffixed := _NY_SUFFIX.fullmatch(text)):
        text = suffixed[1]
    if not (text.isalnum() and text.isascii()):
        text = _NOT_ALNUM.sub("", text)
    if text[:1].isalpha() and (prefixed := _PREFIX.get(state, _PREFIX[""]).match(text)):
        text = text[prefixed.end() :]
    text = text.lstrip("0")
    if state == "IL" and (prefixed := _ILLINOIS.fullmatch(text)):
        text = prefixed[1].lstrip("0")
    if state == "CA" and (lettered := _CA_OSTEOPATH.fullmatch(text) or _CA_LETTER.fullmatch(text)):
        text = lettered[1] + lettered[2]
    return text if _SAYS_SOMETHING.search(text) else ""


def candidate_keys(state: str, number: str) -> list[str]:
    """Normal forms that a typed number may stand for: its own, then with what people leave out put back."""
    state = state.strip().upper()
    normal = normal_number(state, number)
    if not normal:
        return []
    prefixes, width = _COMPLETIONS.get(state, ((), 0))
    if not normal.isdigit() or (width and len(normal) > width):
        return [normal]
    return [normal, *(prefix + normal.zfill(width) for prefix in prefixes)]
