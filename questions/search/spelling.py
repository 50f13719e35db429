"""Words, tags and handles that come close to what was typed.

A word is only offered if it stands in at least so many posts (MEETS_OFTEN), in one of them open to the reader: a rarer
one could be somebody's name, and one in none of them would tell what others write about. Tags and handles come through
the gate as well. Where the database has pg_trgm it finds what is alike; else a bounded list with the same first letters
is compared here.
"""

import re
from difflib import get_close_matches

from django.contrib.postgres.search import SearchQuery, TrigramSimilarity
from django.db import connection
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Lower

from accounts.models import Member, User
from questions.models import Lexeme, Question, Tag
from questions.search.gate import readable
from questions.search.language import Typed
from questions.search.trigrams import has_trigrams
from sermo.text import searchable

MEETS_OFTEN = 5  # posts
SHORTEST = 4  # letters of a word that may be spelled wrong
MOST_WORDS = 2  # put right in one search
CANDIDATES = 3
COMPARED = 2_000  # words compared in Python, where the database cannot
ALIKE = 0.72  # of 1, by difflib
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def put_right(typed: Typed, unknown: list[str], user: User) -> Typed | None:
    """The same search with words that occur nowhere replaced by the nearest that do; None if there is none near.

    `unknown` are stems, as the full text has them.
    """
    wrong = [stem for stem in unknown if len(stem) >= SHORTEST and stem.isalpha()][:MOST_WORDS]
    if not wrong:
        return None
    said = _stems({searchable(word) for word in WORD.findall(typed.looked_for)})
    better = {stem: word for stem in wrong if (word := _near_word(stem, user))}

    def instead(match: re.Match) -> str:
        return better.get(said.get(searchable(match[0])), match[0])

    words = WORD.sub(instead, typed.words)
    return Typed(words, typed.filters) if words != typed.words else None


def near_tags(name: str, user: User) -> list[str]:
    """Tags called almost so that stand on a discussion open to the reader."""
    rows = Tag.objects.filter(merged_into=None)
    tagged = Question.objects.visible_to(user).filter(tags=OuterRef("pk"))
    return _alike(searchable(name), rows.filter(Exists(tagged)), "name")


def near_handles(typed: str, user: User) -> list[Member]:
    """Members whose page the reader may see and whose handle is almost what was typed."""
    rows = Member.objects.visible_to(user)
    handles = _alike(typed.lower(), rows, "handle")
    found = rows.filter(handle__in=handles).select_related("specialty", "rank") if handles else []
    return sorted(found, key=lambda member: handles.index(member.handle))


def _near_word(stem: str, user: User) -> str:
    """The word nearest to a stem, as somebody wrote it where the reader can read it."""
    often = Lexeme.objects.filter(documents__gte=MEETS_OFTEN, word__regex="^[a-z]+$").exclude(word=stem)
    for candidate in _alike(stem, often.order_by("-documents", "word"), "word"):
        query = SearchQuery(candidate, search_type="plain", config="simple")
        posts = readable(user).matching(query).order_by((F("pk") + 0).desc())
        texts = posts.values_list("search_text", flat=True)
        if (text := texts.first()) and (word := _spelled(candidate, text)):
            return word
    return ""


def _alike(typed: str, rows, name: str) -> list[str]:
    """What comes closest to what was typed, the closest first.

    Two letters changed places in a short word leave few groups of three the same, so where the database finds nothing
    the words with the same first letter are compared all the same.
    """
    rows = rows.annotate(said=Lower(name))
    if has_trigrams():
        alike = rows.filter(said__trigram_similar=typed).order_by(TrigramSimilarity("said", typed).desc())
        if found := _closest(typed, alike[: 10 * CANDIDATES], name):
            return found
    return _closest(typed, rows.filter(said__startswith=typed[:1])[:COMPARED], name)


def _closest(typed: str, rows, name: str) -> list[str]:
    known = dict(rows.values_list("said", name))
    return [known[word] for word in get_close_matches(typed, known, CANDIDATES, ALIKE)]


def _spelled(stem: str, text: str) -> str:
    """The commonest word of a text that has this stem."""
    words = [word for word in WORD.findall(text) if word.startswith(stem[: len(stem) - 1])]
    stems = _stems(set(words))
    fitting = [word for word in words if stems.get(word) == stem]
    return max(fitting, key=fitting.count, default="")


def _stems(words: set[str]) -> dict[str, str]:
    """By word, its stem in the full text. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, (ts_lexize('english_stem', word))[1] FROM unnest(%s::text[]) word", [[*words]]
        )
        return dict(cursor.fetchall())
