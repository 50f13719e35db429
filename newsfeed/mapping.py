"""What an article is about, judged by its words alone. Pure; what is known comes from `newsfeed.services.mapping`.

First come the specialties of its sources, then rules on its section, its categories, its MeSH terms, and words of its
title and keywords. Each answer has its reason in words.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from anyascii import anyascii

from sermo.text import clip

MOST_SPECIALTIES = 4
LONGEST_REASON = 160
KEYWORD = "keyword"
EXACT = {
    "section": "sections",
    "category": "categories",
    "mesh": "mesh",
}  # rules and what they look at, best first
NAMES = {"section": "section", "category": "category", "mesh": "MeSH term"}
STRENGTH = {"section": 3, "category": 2, "mesh": 1, KEYWORD: 0}
CAPITALS = 3  # letters, up to which a lone word must be written in capitals: “MS”, and not “ms”

_WORD = re.compile(r"[A-Za-z0-9]+")


class Found(NamedTuple):
    """A specialty by its code, or a region, with how and why it was found."""

    code: str
    how: str  # as ArticleSpecialty.How has it
    why: str


class Rule(NamedTuple):
    where: str
    pattern: str
    specialty: str | None  # its code
    region: str = ""


class Gives(NamedTuple):
    specialty: str | None
    region: str


@dataclass
class Phrases:
    """Phrases by their first word, so that a title costs the same with ten of them as with ten thousand."""

    by_first: dict[str, list[tuple[tuple[str, ...], str, object]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, object]]) -> "Phrases":
        phrases = cls()
        for phrase, value in pairs:
            words = tuple(stem for stem, _ in _words(phrase))
            if words:
                phrases.by_first[words[0]].append((words, phrase, value))
        return phrases

    def found_in(self, text: str) -> Iterator[tuple[str, object]]:
        """Each phrase whose words stand one after the other in the text, with its value."""
        words = list(_words(text))
        stems = tuple(stem for stem, _ in words)
        for at, (stem, written) in enumerate(words):
            for phrase_words, phrase, value in self.by_first.get(stem, ()):
                if stems[at : at + len(phrase_words)] != phrase_words:
                    continue
                if len(phrase_words) == 1 and _is_short(phrase) and not written.isupper():
                    continue
                yield phrase, value


@dataclass
class Rules:
    exact: Mapping[tuple[str, str], list[Gives]]
    words: Phrases

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "Rules":
        exact, words = defaultdict(list), []
        for rule in rules:
            gives = Gives(rule.specialty, rule.region)
            if rule.where == KEYWORD:
                words.append((rule.pattern, gives))
            else:
                exact[rule.where, folded(rule.pattern)].append(gives)
        return cls(dict(exact), Phrases.of(words))

    def matches(self, title: str, terms: Mapping[str, list[str]]) -> Iterator[tuple[str, str, Gives]]:
        """Where a rule matched, the reason in words, and what it gives; the best evidence first."""
        for where, kind in EXACT.items():
            for term in terms.get(kind, ()):
                for gives in self.exact.get((where, term_of(where, term)), ()):
                    yield where, clip(f"{NAMES[where]} “{term.strip()}”", LONGEST_REASON), gives
        for phrase, gives in self.words.found_in(title):
            yield KEYWORD, f"“{phrase}” in the title", gives
        for keyword in terms.get("keywords", ()):
            for _, gives in self.words.found_in(keyword):
                yield KEYWORD, clip(f"keyword “{keyword.strip()}”", LONGEST_REASON), gives


def specialties_of(
    *, title: str, terms: Mapping[str, list[str]], defaults: Iterable[Found], rules: Rules
) -> list[Found]:
    """The best few: those of its sources, then by the strength of the evidence, then by how much there is of it."""
    found = {each.code: each for each in reversed(list(defaults))}
    found = dict(reversed(found.items()))
    best: dict[str, tuple[int, str]] = {}
    hits: dict[str, int] = defaultdict(int)
    for where, why, gives in rules.matches(title, terms):
        if gives.specialty:
            hits[gives.specialty] += 1
            best.setdefault(gives.specialty, (STRENGTH[where], why))
    ranked = sorted(best, key=lambda code: (-best[code][0], -hits[code]))
    for code in ranked:
        found.setdefault(code, Found(code, "rule", best[code][1]))
    return list(found.values())[:MOST_SPECIALTIES]


def region_of(
    *, title: str, terms: Mapping[str, list[str]], default: tuple[str, str], rules: Rules
) -> tuple[str, str]:
    """The region and why: that of its source, else what the best rule says. Two regions at once are none."""
    if default[0]:
        return default
    found: dict[str, tuple[int, str]] = {}
    for where, why, gives in rules.matches(title, terms):
        if gives.region:
            found.setdefault(gives.region, (STRENGTH[where], why))
    if not found:
        return "", ""
    strongest = max(strength for strength, _ in found.values())
    best = [(region, why) for region, (strength, why) in found.items() if strength == strongest]
    return best[0] if len(best) == 1 else ("", "")


def topics_of(*, title: str, keywords: Iterable[str], tags: Phrases) -> set[int]:
    """The ids of the tags whose words stand in the title or in a keyword."""
    return {tag for text in (title, *keywords) for _, tag in tags.found_in(text)}


def folded(text: str) -> str:
    """As rules are compared: without accents and case, one space between words."""
    plain = anyascii(unicodedata.normalize("NFKC", text))
    return " ".join(plain.lower().split()).strip(" .:;")


def term_of(where: str, term: str) -> str:
    """A MeSH term without its qualifier and the star of a major topic; others as they are."""
    if where == "mesh":
        term = term.split("/")[0].replace("*", "")
    return folded(term)


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Each word as it is compared (“Crohn’s” as “crohn”, “strokes” as “stroke”) and as it is written."""
    plain = anyascii(unicodedata.normalize("NFKC", text)).replace("'s", " ")
    for found in _WORD.finditer(plain):
        yield _stem(found[0].lower()), found[0]


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _is_short(phrase: str) -> bool:
    return len(phrase) <= CAPITALS and phrase.isalpha()
