"""Names. After a title or a label they must go; of a capital that belongs to no known word the author judges."""

from collections.abc import Iterator
from itertools import islice

from sermo.identifiers import titles
from sermo.identifiers.findings import DOUBT, STOP, Finding
from sermo.identifiers.lexicon import MEDICAL, lexicon
from sermo.identifiers.people_forms import (
    ANIMATE,
    DOSE_NEXT,
    DRUG_CUE,
    DRUG_STRONG_CUE,
    EPONYM_NEXT,
    EPONYM_OF_ONE,
    GIVEN_ALSO_TERMS,
    LEFT_CUE,
    LOWER_AFTER,
    LOWER_CUE,
    LOWER_SEEN,
    NOT_AFTER_A_TITLE,
    ORGANIZATION_NEXT,
    REASON_FULL,
    REASON_NAME,
    REASON_WORD,
    RELATIVE_CUE,
    RIGHT_CUE,
    SCRIPT,
    STRONG_NEXT,
    VERB,
)
from sermo.identifiers.words import Word, read


def find(text: str) -> Iterator[Finding]:
    yield from titles.find(text)
    for match in SCRIPT.finditer(text):
        yield Finding(
            *match.span(), "script", DOUBT, "Words in another script. Is it a name or a place?", None
        )
    words = read(text)
    yield from _capitals(text, words)
    yield from _lower(text, words)


def _capitals(text: str, words: list[Word]) -> Iterator[Finding]:
    """Runs of words with a capital, judged together: a given name beside a surname says more than either."""
    titled = _is_headline(words)
    place = 0
    while place < len(words):
        run = _run(text, words, place)
        place += max(1, len(run))
        if run:
            yield from _judge(text, words, run, titled)


def _run(text: str, words: list[Word], place: int) -> list[Word]:
    run: list[Word] = []
    for number, word in enumerate(islice(words, place, None), place):
        if run:
            between = text[run[-1].end : word.start]
            particle = (
                word.text.lower()
                in {
                    "de",
                    "la",
                    "van",
                    "von",
                    "der",
                    "den",
                    "del",
                    "di",
                    "da",
                    "dos",
                    "bin",
                    "al",
                    "el",
                    "du",
                    "of",
                }
                and between == " "
            )
            if particle and word.text.islower() and word.text != "of":
                following = words[number + 1 : number + 3]
                if any(one.is_capitalized for one in following):
                    run.append(word)
                    continue
            if (
                between not in (" ", "  ", ". ", ", ")
                or (between == ". " and len(run[-1].text) > 2)
                or (word.opens and between != " ")
            ):
                break
            listed = (
                run[-1].is_name or run[-1].looks_like_a_surname or (run[-1].opens and not run[-1].is_known)
            )
            if between == ", " and not (listed and word.is_name and not word.is_term):
                break
        if (
            not word.is_capitalized
            and not (run and len(word.text) == 1 and word.text.isupper())
            and not word.is_shouted
        ):
            break
        run.append(word)
    while run and not (run[-1].is_capitalized or run[-1].is_shouted):
        run.pop()
    return run


def _is_headline(words: list[Word]) -> bool:
    """Most words carry a capital, as in a headline; then a capital says nothing."""
    longer = [word for word in words if len(word.text) > 3]
    return len(longer) > 4 and sum(word.text[0].isupper() for word in longer) > 0.7 * len(longer)


def _judge(text: str, words: list[Word], run: list[Word], titled: bool) -> Iterator[Finding]:
    suspects = [word for number, word in enumerate(run) if _is_suspect(text, run, number, titled)]
    if not suspects:
        return
    first, last = run.index(suspects[0]), run.index(suspects[-1])
    while last + 1 < len(run) and run[last + 1].is_name and not EPONYM_NEXT.match(text, run[last + 1].end):
        last += 1
    start, end = run[first].start, run[last].end
    if text[start:end].endswith(("'s", "’s")):
        end -= 2
    named = any(word.is_name for word in suspects)
    before = text[max(0, start - 60) : start]
    instead = None
    if named:
        instead = (
            "" if RELATIVE_CUE.search(before) else ("The patient" if run[first].opens else "the patient")
        )
    if _is_full_name(run[first : last + 1]):
        yield Finding(start, end, "name", STOP, REASON_FULL, instead)
    else:
        kind, reason = ("name", REASON_NAME) if named else ("capitalized", REASON_WORD)
        yield Finding(start, end, kind, DOUBT, reason, instead)


def _is_full_name(run: list[Word]) -> bool:
    """A given name and a surname side by side, neither of them a plain word or an eponym."""
    words = lexicon()
    sure = [word for word in run if word.is_name and not word.is_word and not word.is_term]
    given = [word for word in sure if word.is_given and word.folded not in words.eponyms]
    surname = [
        word
        for word in run
        if word not in given[:1]
        and (word.folded in words.family or (word.is_capitalized and not word.is_known))
    ]
    return bool(given and surname)


def _is_suspect(text: str, run: list[Word], number: int, titled: bool) -> bool:
    word = run[number]
    if not word.is_capitalized and not word.is_shouted:
        return False
    before, beside = run[number - 1] if number else None, run[number + 1] if number + 1 < len(run) else None
    companions = [
        one
        for one in (before, beside)
        if one and one.is_name and not (one.is_word and one.opens and not one.is_given)
    ]
    if not word.is_shouted and not word.is_name and (word.is_known or titled):
        return False
    ahead = text[max(0, word.start - 40) : word.start]
    left, relative = LEFT_CUE.search(ahead), RELATIVE_CUE.search(ahead)
    if word.is_shouted:
        return _is_suspect_shout(word, companions)
    if _is_eponym(text, word):
        return False
    if ORGANIZATION_NEXT.match(text, word.end) or (DOSE_NEXT.match(text, word.end) and not word.is_name):
        return False
    person = RIGHT_CUE.match(text, run[-1].end - 2 if run[-1].text.endswith(("'s", "’s")) else run[-1].end)
    if word.is_name:
        return _is_suspect_name(word, companions, bool(relative), bool(left), bool(person), titled)
    if word.opens:
        end = run[-1].end - 2 if run[-1].text.endswith(("'s", "’s")) else run[-1].end
        cue = (VERB.match(text, end) and not word.looks_medical) or (
            ANIMATE.match(text, end) and not MEDICAL.search(word.folded)
        )
        return bool(companions or cue or word.looks_like_a_surname)
    if len(word.folded) < 3 or (DRUG_CUE.search(ahead) and word.looks_medical):
        return False
    if DRUG_STRONG_CUE.search(ahead) and not word.looks_like_a_surname and not companions:
        return False
    return not MEDICAL.search(word.folded)


def _is_eponym(text: str, word: Word) -> bool:
    """What it names is a disease, a sign, a test: a known eponym before many nouns, any other word before a few."""
    after = word.end - 2 if word.text.endswith(("'s", "’s")) else word.end
    if word.is_term:
        return bool(EPONYM_NEXT.match(text, after))
    return bool(STRONG_NEXT.match(text, after) or (not word.is_name and EPONYM_OF_ONE.match(text, after)))


def _is_suspect_name(
    word: Word, companions: list[Word], relative: bool, left: bool, person: bool, titled: bool
) -> bool:
    """A word of the lists of names. The more it is also a plain word or an eponym, the more must speak for a person."""
    common = word.folded in lexicon().common or word.folded in lexicon().english
    if word.is_term:
        return bool(
            relative
            or any(not one.is_term and not one.is_word for one in companions)
            or (companions and word.is_given)
            or (person and (left or word.is_given) and not word.opens)
        )
    if common:
        if word.folded in NOT_AFTER_A_TITLE or len(word.folded) < 3:
            return False
        if word.opens:
            return bool(
                [one for one in companions if not one.is_word]
                or (companions and word.is_given)
                or (
                    person
                    and word.is_given
                    and len(word.folded) > 3
                    and word.folded
                    not in {"will", "may", "mark", "can", "grant", "chase", "rush", "page", "bill"}
                )
                or relative
            )
        return not titled or bool(relative)
    if titled or (len(word.folded) < 3 and not left):
        return bool(companions)
    return True


def _is_suspect_shout(word: Word, companions: list[Word]) -> bool:
    words = lexicon()
    if not word.is_name or word.is_word or word.is_term:
        return False
    return bool([one for one in companions if one.is_shouted]) or (
        word.folded in words.family and len(word.folded) > 5
    )


def _lower(text: str, words: list[Word]) -> Iterator[Finding]:
    """Names typed without capitals: a given name beside a surname, or alone where a person is spoken of."""
    for number, word in enumerate(words):
        if (
            word.text.islower()
            and len(word.text) > 3
            and LOWER_SEEN.search(text[max(0, word.start - 8) : word.start])
        ):
            yield from _unknown_lower(text, words, number)
        if (
            not word.text.islower()
            or not word.is_name
            or len(word.folded) < 3
            or word.is_word
            or word.is_term
            or word.folded in GIVEN_ALSO_TERMS
            or MEDICAL.search(word.folded)
        ):
            continue
        following = (
            words[number + 1]
            if number + 1 < len(words) and text[word.end : words[number + 1].start] == " "
            else None
        )
        if (
            following
            and following.text.islower()
            and following.is_name
            and word.is_given
            and not following.is_word
            and not following.is_term
        ):
            yield Finding(word.start, following.end, "name", STOP, REASON_FULL, "the patient")
        elif (
            word.is_given
            and len(word.folded) > 3
            and (
                LOWER_CUE.search(text[max(0, word.start - 14) : word.start])
                or RIGHT_CUE.match(text, word.end)
            )
        ):
            yield Finding(word.start, word.end, "name", DOUBT, REASON_NAME, "the patient")


def _unknown_lower(text: str, words: list[Word], number: int) -> Iterator[Finding]:
    """Somebody seen or called whose name stands in no list: a word, or two, that are nothing else."""
    run = []
    for word in words[number : number + 2]:
        if run and text[run[-1].end : word.start] != " ":
            break
        if not word.text.islower() or word.is_known or word.looks_medical or len(word.text) < 3:
            break
        run.append(word)
    if run and (len(run) == 2 or LOWER_AFTER.match(text, run[-1].end)):
        yield Finding(run[0].start, run[-1].end, "name", DOUBT, REASON_NAME, "the patient")
