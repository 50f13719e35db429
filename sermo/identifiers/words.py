"""The words of a text, and what the lists say of each."""

import re

from sermo.identifiers.lexicon import MEDICAL, SURNAME, WORDLIKE, fold, lexicon
from sermo.identifiers.people_forms import UPPER

WORD = re.compile(r"[^\W\d_](?:[^\W_]|['’.-](?=[^\W\d_]))*")
INNER = re.compile(
    rf"^(?:Mc|Mac|De|Di|Du|La|Le|Van|Von|El|Al|Ab|O['’]|D['’]|L['’]|N['’]|M['’]|Fitz"
    rf"|St)[{UPPER}][^\W\d_{UPPER}]+(?:['’]s)?$"
)
PLAIN = re.compile(rf"^[{UPPER}][^\W\d_{UPPER}]+(?:['’][^\W\d_]+)?(?:-[{UPPER}]?[^\W\d_{UPPER}]+)*$")


class Word:
    """One word of the text and what the lists say of it."""

    __slots__ = ("end", "folded", "opens", "parts", "start", "text")

    def __init__(self, start: int, end: int, text: str, opens: bool):
        self.start, self.end, self.text = start, end, text
        self.opens = opens  # it begins a sentence, a line or a cell, where every word has a capital
        self.folded = fold(text).removesuffix("'s").removesuffix("'").strip(".")
        self.parts = [part for part in self.folded.split("-") if part] or [self.folded]

    @property
    def is_capitalized(self) -> bool:
        if (
            not self.text[0].isupper()
            or len(self.folded) < 2
            or self.folded in {"st", "saint", "mt", "mount", "fort"}
        ):
            return False
        return bool(PLAIN.match(self.text) or INNER.match(self.text))

    @property
    def is_shouted(self) -> bool:
        return len(self.text) > 3 and self.text.isupper()

    @property
    def is_name(self) -> bool:
        names = lexicon().names
        return (
            self.folded in names
            or ("'" in self.folded and self.folded.replace("'", "") in names)
            or (len(self.parts) > 1 and all(part in names for part in self.parts))
        )

    @property
    def is_given(self) -> bool:
        return self.parts[0] in lexicon().given

    @property
    def is_term(self) -> bool:
        """A capital of its own: an eponym, a drug, a country. A joined name of two persons' is none."""
        words = lexicon()
        if words.is_term(self.folded):
            return True
        return len(self.parts) > 1 and any(map(words.is_term, self.parts)) and not self.is_name

    @property
    def is_word(self) -> bool:
        words = lexicon()
        return all(part in words.common or words.is_word(part) for part in self.parts)

    @property
    def is_known(self) -> bool:
        return self.is_term or self.is_word

    @property
    def looks_medical(self) -> bool:
        return any(MEDICAL.search(part) or WORDLIKE.fullmatch(part) for part in self.parts)

    @property
    def looks_like_a_surname(self) -> bool:
        return any(map(SURNAME.fullmatch, self.parts)) and not MEDICAL.search(self.folded)


def read(text: str) -> list[Word]:
    return [
        Word(match.start(), match.end(), match[0], _opens(text, match.start()))
        for match in WORD.finditer(text)
    ]


ABBREVIATION = re.compile(
    r"(?:(?i:\b(?:vs|cf|eg|e\.g|i\.e|approx|dr|mr|mrs|ms|st|pt|prof|resp))|[a-z] [A-Z])\.$"
)


def _opens(text: str, start: int) -> bool:
    before = text[max(0, start - 12) : start]
    if start <= 12 and not before.strip(" \t\"“‘'(*_#>-|"):
        return True
    stripped = before.rstrip(" \t\"“‘'([*_#>~")
    if not stripped:
        return True
    if (
        stripped[-1] in "!?:;|•…\n·/"
        or (stripped[-1] in "-–—" and (len(stripped) < 2 or stripped[-2] in "\n "))
        or before[-1] in "\"“‘'(*_["
    ):
        return True
    if stripped[-1] == ".":
        return not ABBREVIATION.search(stripped)
    return bool(re.search(r"(?:^|\n)\s*\(?\d{1,2}[.)]$", stripped))
