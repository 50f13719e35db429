"""People's names: a normal form to find them by, and how well a claimed name fits the registry's.

Normal form (the keys that imports store and indexes hold; a change of it needs all registries read anew):
compatibility forms folded, written in ASCII, lower case; apostrophes and dots dropped, hyphens made spaces;
generational suffixes and credentials dropped from the end unless nothing else is left ("Do" and "Ma" are surnames);
then the spellings that registries and people mix: ae, oe and ue for umlauts, St and Ste for Saint, Mac for Mc, and
the many ways to write Muhammad.

The score is that of the last name or of the first, whichever is lower; of several names of a registry the best counts.
From 0.92 a claim is accepted, from 0.85 people look at it, below it is refused. Words, keys and what is dropped are in
`name_words`, likeness by ear and the lists in `name_spellings`.

    how the last names agree                                             score
    the same as one word: Delacruz, De la Cruz                           1.00
    one holds all words of the other, particles aside: Smith-Jones,
      Smith; van der Berg, Berg; or the same under Saint and St          0.95
    the same by ear, in six letters or more: Hussain, Hussein;
      Petrov, Petrova; in fewer 0.90: Smith, Smyth                       0.93
    one slip in five letters or more: Jonson, Johnson                    Jaro-Winkler, 0.88 at least
    another spelling of a script (`surname_spellings.txt`): Xu, Hsu      0.90
    a particle or a half written into the word: Alhaddad, Haddad         0.90
    the last name of one is a middle name of the other                   0.90
    a part in common: Garcia Lopez, Garcia Ruiz                          0.88
    anything else                                                        Jaro-Winkler, 0.91 at most

    how the first names agree                                            score
    the same, or the same first word: Mary Ann, Mary                     1.00
    an initial; a nickname; two words written as one: Bill, William      0.95
    the same by ear; one slip: Sreedhar, Sridhar                         0.93
    perhaps a nickname (~ in `nicknames.txt`): Juan, John; Dickie, Dick  0.90
    a later first name or the middle name used; other words after the
      first; two slips; two listed names that are merely alike           0.90
    one slip in a short name; the same first three letters; one a part
      of the other (Topher); the same but for Wade and Giles             0.88
    anything else                                                        0

    both names together                                                  score
    first and last name changed places; all words there in other order   0.88
    contradicting middle names, or Jr. and Sr.                           0.91 at most

So what is accepted is a name written otherwise; what could as well be a relative or a namesake goes to people. That is
stricter in two places than Jaro-Winkler with 0.92 alone, which takes Martin for Martinez and Daniel for Danielle.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from verification.name_spellings import (
    FEMININE,
    by_ear,
    nickname_lines,
    on_one_line,
    perhaps_lines,
    romanized,
    served,
    stem,
    surname_lines,
)
from verification.name_words import (
    ENDINGS,
    FURTHER_ENDINGS,
    GENERATIONS,
    TITLES,
    as_one_word,
    fold,
    split,
    without_endings,
    words_of,
)

ACCEPT = 0.92
REVIEW = 0.85

SAME = 1.0
PART_OF_NAME = 0.95
BY_EAR = 0.93
JUST_REVIEW = 0.91  # the most that a likeness is worth which people must look at
PERHAPS = 0.90
FAR = 0.88
LIKE = 0.90  # Jaro-Winkler similarity of first names that are one with a slip
TYPED_LONG = 5  # letters of a last name from which one slip leaves it recognizable
SHORT = 4  # letters below which likeness by ear says little

Verdict = Literal["accepted", "review", "refused"]

_SMALL_WORDS = (
    "de da do das dos di del della dello dei du des d vda y e la le las los lo li l "
    "van von vande vander vanden der den dem ter ten te t op zu zum zur und af av o ap "
    "al el ul as bin ibn ben bint bar abu abou abo"
)
_PARTICLES = frozenset(_SMALL_WORDS.split())
_WRITTEN_IN = re.compile(
    r"(?:del[al]?|della|delos|delas|de|di|da|dos|das|du|la|le|lo|van(?:den|der|de)?|von(?:der)?|ter|ten|op(?:den)?|"
    r"o|d|al|el|ben|bin|ibn|bar|abu|abou?|saint|st|mc)(?=[a-z]{4})"
)


class PersonName(NamedTuple):
    """A name as somebody wrote it. A suffix (Jr.) may stand here or behind any of the others."""

    last: str
    first: str
    middle: str = ""
    suffix: str = ""


class NameScore(NamedTuple):
    """How well two names fit: 0 to 1, and what that means for a claim."""

    score: float
    verdict: Verdict


# Keys


def name_key(last: str, first: str) -> str:
    """Last name as one word, then the first word of the first name: De la Cruz, Mary Ann: "delacruz mary"."""
    return f"{last_key(last)} {first_key(first)}".strip()


def last_key(last: str) -> str:
    """A last name as one word in normal form; empty only when there is no letter or digit in it."""
    return as_one_word(words_of(last))


def first_key(first: str) -> str:
    """The first word of a first name in normal form."""
    words = words_of(first)
    return words[0] if words else ""


# The score


def name_score(claimed: PersonName, registry: PersonName, *others: PersonName) -> NameScore:
    """The best fit of a claimed name among the registry's name and its other (former, professional) names.

    An other name without a first name borrows the registry's. Former last names count in full: a license may
    stand under either.
    """
    names = [
        registry,
        *(other if other.first else other._replace(first=registry.first) for other in others if other.last),
    ]
    best = max(_score(_parsed(claimed), _parsed(name)) for name in names)
    return NameScore(best, judge(best))


def judge(score: float) -> Verdict:
    """What a score means for a claim."""
    if score >= ACCEPT:
        return "accepted"
    return "review" if score >= REVIEW else "refused"


class _Parsed(NamedTuple):
    """The words of a name, and which of a family's generations it is (1 senior, 2 junior; 0 unsaid)."""

    last: tuple[str, ...]
    first: tuple[str, ...]
    middle: tuple[str, ...]
    generation: int

    @property
    def given(self) -> tuple[str, ...]:
        return self.first + self.middle


@lru_cache(maxsize=16_384)
def _parsed(name: PersonName) -> _Parsed:
    parts, generation = [], 0
    for text in (name.last, name.first, name.middle):
        words = split(text)
        while len(words) > 1 and words[0] in TITLES:
            words = words[1:]
        kept = without_endings(words, ENDINGS | FURTHER_ENDINGS)
        parts.append(tuple(fold(word) for word in kept))
        generation = generation or _generation(words[len(kept) :])
    return _Parsed(*parts, generation or _generation(split(name.suffix)))


def _generation(endings: Iterable[str]) -> int:
    return next((GENERATIONS[word] for word in endings if word in GENERATIONS), 0)


def _score(claimed: _Parsed, known: _Parsed) -> float:
    if not (claimed.last and known.last and claimed.first and known.first):
        return 0.0
    straight = _last_score(claimed, known)
    if straight >= REVIEW:
        straight = min(straight, _first_score(claimed, known))
    if straight >= ACCEPT:
        return min(straight, JUST_REVIEW) if _contradict(claimed, known) else straight
    return max(straight, FAR if _same_in_other_order(claimed, known) else 0.0)


def _contradict(claimed: _Parsed, known: _Parsed) -> bool:
    """Whether both have a middle name, or a generation, and not the same. Maiden names in the middle are no middle."""
    if claimed.generation and known.generation and claimed.generation != known.generation:
        return True
    if not claimed.middle or not known.middle:
        return False
    one, other = set(claimed.middle + claimed.first[1:]), set(known.middle + known.first[1:])
    if {word[0] for word in one} & {word[0] for word in other}:
        return False
    return not (_begin_alike(claimed.middle, known.last) or _begin_alike(known.middle, claimed.last))


def _begin_alike(middle: tuple[str, ...], last: tuple[str, ...]) -> bool:
    return any(word == part or (len(word) == 1 and part[0] == word) for word in middle for part in last)


def _same_in_other_order(claimed: _Parsed, known: _Parsed) -> bool:
    if sorted(claimed.last + claimed.given) == sorted(known.last + known.given):
        return True
    return as_one_word(claimed.last) in _ways_to_join(known) and as_one_word(known.last) in _ways_to_join(
        claimed
    )


def _ways_to_join(name: _Parsed) -> set[str]:
    return {name.first[0], "".join(name.first), "".join(name.given)}


# Last names


def _last_score(claimed: _Parsed, known: _Parsed) -> float:
    score = _surname_score(claimed.last, known.last)
    if score < PERHAPS and (_stands_in(claimed.last, known.middle) or _stands_in(known.last, claimed.middle)):
        return PERHAPS
    return score


def _stands_in(last: tuple[str, ...], middle: tuple[str, ...]) -> bool:
    return any(len(word) > 2 and word in middle for word in last)


@lru_cache(maxsize=16_384)
def _surname_score(claimed: tuple[str, ...], known: tuple[str, ...]) -> float:
    one, other = as_one_word(claimed), as_one_word(known)
    if one == other:
        return SAME
    if _holds_all(claimed, known) or _saints(one) == _saints(other):
        return PART_OF_NAME
    if by_ear(one, FEMININE) == by_ear(other, FEMININE):
        return BY_EAR if min(len(one), len(other)) > TYPED_LONG else PERHAPS
    likeness = JaroWinkler.similarity(one, other)
    slips = OSA.distance(one, other)
    if slips == 1 and min(len(one), len(other)) >= TYPED_LONG:
        return max(likeness, FAR)
    if on_one_line(one, other, surname_lines()) or _written_in(one, other):
        return PERHAPS
    if _share_a_part(claimed, known) or (slips == 1 and min(len(one), len(other)) >= SHORT):
        return max(FAR, min(likeness, JUST_REVIEW))
    return min(likeness, JUST_REVIEW)


def _holds_all(claimed: tuple[str, ...], known: tuple[str, ...]) -> bool:
    one, other = set(_bare(claimed)), set(_bare(known))
    return one <= other or other <= one or "".join(_bare(claimed)) == "".join(_bare(known))


def _bare(words: tuple[str, ...]) -> tuple[str, ...]:
    """Without particles and initials, unless there is nothing else."""
    return tuple(word for word in words if len(word) > 1 and word not in _PARTICLES) or words


def _saints(joined: str) -> str:
    return "saint" + joined[2:] if re.match(r"st[^aeiouy]", joined) else joined


def _written_in(one: str, other: str) -> bool:
    """Whether they differ by a particle in front, or one is a half of the other: Vanderlinde, Linde."""
    if {one, _WRITTEN_IN.sub("", one, count=1)} & {other, _WRITTEN_IN.sub("", other, count=1)}:
        return True
    short, long = sorted((one, other), key=len)
    return (
        len(short) >= 5 and len(long) - len(short) >= 5 and (long.startswith(short) or long.endswith(short))
    )


def _share_a_part(claimed: tuple[str, ...], known: tuple[str, ...]) -> bool:
    """Whether a word of a name of several words stands in the other, perhaps with a slip."""
    if len(claimed) == len(known) == 1:
        return False
    return any(
        one == other
        or (min(len(one), len(other)) >= TYPED_LONG and OSA.distance(one, other) == 1)
        or (min(len(one), len(other)) >= SHORT and by_ear(one) == by_ear(other))
        for one in _bare(claimed)
        for other in _bare(known)
        if len(one) > 2 and len(other) > 2
    )


# First names


def _first_score(claimed: _Parsed, known: _Parsed) -> float:
    return _given_score(claimed.first, claimed.middle, known.first, known.middle)


@lru_cache(maxsize=16_384)
def _given_score(typed: tuple, typed_middle: tuple, known: tuple, known_middle: tuple) -> float:
    one, other = "".join(typed), "".join(known)
    if one == other:
        return SAME
    if typed[0] == known[0] and len(typed[0]) > 1:
        return SAME if _may_follow(typed[1:], known[1:] + known_middle) else PERHAPS
    if one == other + "".join(known_middle) or other == one + "".join(typed_middle):
        return PART_OF_NAME
    if len(typed[0]) == 1 or len(known[0]) == 1:
        as_initial = PART_OF_NAME if typed[0][0] == known[0][0] else 0.0
    else:
        as_initial = 0.0
    alike = max(_word_score(typed[0], known[0]), _word_score(one, other), as_initial)
    if alike >= ACCEPT:
        return alike
    return max(alike, PERHAPS if _used_otherwise(typed, typed_middle, known, known_middle) else 0.0)


def _may_follow(typed: tuple[str, ...], known: tuple[str, ...]) -> bool:
    """Whether the words after the same first one do not contradict: Mary Ann, Mary A; not Xiao Ming, Xiao Hong."""
    if not typed or not known:
        return True
    return (
        typed[0][0] == known[0][0]
        if 1 in (len(typed[0]), len(known[0]))
        else _word_score(typed[0], known[0]) >= REVIEW
    )


def _used_otherwise(typed: tuple, typed_middle: tuple, known: tuple, known_middle: tuple) -> bool:
    """Whether somebody goes by another of their first names, by their initials, or writes them in another order."""
    all_typed, all_known = typed + typed_middle, known + known_middle
    if sorted(typed) == sorted(all_known) or sorted(all_typed) == sorted(known):
        return True
    if any(_is_one_of(typed[-1], word) for word in all_known[1:]):
        return True
    if any(_is_one_of(known[0], word) for word in all_typed[1:]):
        return True
    initials = {"".join(word[0] for word in words) for words in (all_typed, all_known) if len(words) > 1}
    return bool({"".join(typed), "".join(known)} & initials)


def _is_one_of(name: str, word: str) -> bool:
    return len(name) > 1 and len(word) > 1 and _word_score(name, word) >= PERHAPS


@lru_cache(maxsize=16_384)
def _word_score(one: str, other: str) -> float:
    """How well two first names fit, each one word of two letters or more."""
    if one == other:
        return SAME
    if len(one) == 1 or len(other) == 1:
        return 0.0
    if on_one_line(one, other, nickname_lines()):
        return PART_OF_NAME
    shorter = min(len(one), len(other))
    are_two_names = one in nickname_lines() and other in nickname_lines()
    if not are_two_names and by_ear(one) == by_ear(other):
        return BY_EAR if shorter >= SHORT else PERHAPS
    is_like = JaroWinkler.similarity(one, other) >= LIKE
    is_slip = OSA.distance(one, other) == 1
    if is_like and is_slip and not are_two_names:
        return BY_EAR
    if is_like or on_one_line(one, other, perhaps_lines()) or served(one) == served(other):
        return PERHAPS
    if on_one_line(stem(one), other, nickname_lines()) or on_one_line(one, stem(other), nickname_lines()):
        return PERHAPS
    if shorter < SHORT or are_two_names:
        return 0.0
    is_part = one in other or other in one
    return FAR if is_slip or is_part or one[:3] == other[:3] or romanized(one) == romanized(other) else 0.0
