"""Specialties and tags that a text speaks for, offered while it is written. What the asker chose stays as it is."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.utils.text import slugify

from accounts.models import Specialty
from questions.forms import MOST_SPECIALTIES
from questions.models import QuestionSpecialty, Tag
from questions.services.writing import MOST_TAGS
from sermo.text import searchable

WORDS = Path(__file__).parent / "data" / "specialty_words.toml"
LONGEST_TAG = 3  # words
LONGEST_TEXT = 4_000  # characters that are looked at
ENOUGH = 2  # words in the text; in the title, one counts as two


@dataclass(frozen=True)
class Suggested:
    specialties: list[Specialty] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)

    def __bool__(self):
        return bool(self.specialties or self.tags)


def suggest(
    title: str, body: str, *, alike: Iterable[int] = (), chosen: Iterable[str] = (), typed: str = ""
) -> Suggested:
    """What could still be added to a question: `alike` are similar ones, `chosen` codes of specialties, `typed` tags.

    At most three queries. Both lists are empty where as many are chosen as there can be.
    """
    chosen = set(chosen)
    room = MOST_SPECIALTIES - len(chosen)
    return Suggested(
        _specialties(title, body, list(alike), chosen, room) if room > 0 else [],
        _tags(f"{title}\n{body}", typed),
    )


def _specialties(title, body, alike, chosen, room):
    votes = Counter(speaking(title, body))
    of_alike = QuestionSpecialty.objects.filter(question__in=alike).values_list("specialty__name", flat=True)
    votes.update(of_alike if alike else ())
    likely = [name for name, count in votes.most_common() if count >= ENOUGH]
    known = Specialty.objects.filter(is_choice=True, name__in=likely).exclude(pk__in=chosen)
    return sorted(known, key=lambda one: likely.index(one.name))[:room]


def speaking(title: str, body: str) -> Counter:
    """How many words of a text speak for each specialty, by its name; those of the title count twice."""
    votes = Counter()
    for text, weight in ((title, ENOUGH), (body[:LONGEST_TEXT], 1)):
        folded = f"{searchable(text)} "
        for name, pattern in _patterns().items():
            found = len(set(pattern.findall(folded)))
            if found:
                votes[name] += found * weight
    return votes


@cache
def _patterns() -> dict[str, re.Pattern]:
    table = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return {
        name: re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + ")")
        for name, words in table.items()
    }


def _tags(text: str, typed: str) -> list[Tag]:
    """Tags whose name, or a synonym's name, stands in the text, the longer ones first."""
    here = {slugify(name) for name in typed.replace(";", ",").split(",")} - {""}
    if len(here) >= MOST_TAGS:
        return []
    found = Tag.objects.filter(slug__in=phrases(text)).select_related("merged_into")
    tags = {tag.pk: tag for tag in (row.merged_into or row for row in found) if tag.slug not in here}
    longest = sorted(tags.values(), key=lambda tag: (-tag.slug.count("-"), -len(tag.slug), tag.slug))
    return longest[: MOST_TAGS - len(here)]


def phrases(text: str) -> set[str]:
    """All that could be a tag in a text: one to three words that follow each other, as an address has them."""
    found = set()
    for sentence in re.split(r"[.!?;:,()\n|*]+", text[:LONGEST_TEXT]):
        words = [word for word in slugify(searchable(sentence)).split("-") if word]
        for length in range(1, LONGEST_TAG + 1):
            found.update("-".join(words[start : start + length]) for start in range(len(words) - length + 1))
    return {phrase for phrase in found if 3 <= len(phrase) <= 40}
