"""Which discussions are like one that is being written: found by its rarest words, inside the reader's gate."""

from itertools import combinations

from django.conf import settings
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection
from django.db.models import Exists, F, Max, OuterRef

from accounts.models import User
from questions.models import Post, Question
from sermo.text import searchable

LONGEST_TEXT = 4_000  # characters that are looked at
RAREST_WORDS = 4
MOST_MATCHES = 1_500  # posts that the words may occur in together; commoner words add time and no likeness
RANKED = 300  # matches, the newest

LEXEMES = """
SELECT written.lexeme, coalesce(counted.documents, 0)
  FROM unnest(to_tsvector('english', %s)) AS written
  LEFT JOIN questions_lexeme counted ON counted.word = written.lexeme
 WHERE written.lexeme ~ '[a-z]{2}'
 ORDER BY counted.documents NULLS LAST, written.lexeme
"""


class Alike(SearchQuery):
    """Two of these stems, or one where there are no more than two.

    One of many would do for most posts. They come from a search vector, so nothing may be stemmed or cut anew.
    """

    def __init__(self, lexemes: list[str]):
        quoted = ["'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in lexemes]
        pairs = [f"({one} & {other})" for one, other in combinations(quoted, 2)]
        self.text = " | ".join(pairs if len(quoted) > 2 else quoted)
        super().__init__(self.text, search_type="raw")

    def as_sql(self, compiler, connection, **extra):
        return "%s::tsquery", [self.text]


def similar_to(user: User, title: str, body: str = "") -> list[dict]:
    """The discussions most like a title and text, the likest first, as values for a row each. Two queries.

    A title still shorter than the setting finds nothing.
    """
    if len(title.strip()) < settings.SIMILAR_FROM:
        return []
    words = rarest_words(searchable(title, body)[:LONGEST_TEXT])
    return _most_alike(user, Alike(words)) if words else []


def rarest_words(text: str) -> list[str]:
    """The stems of a text that tell most about it: the rarest counted ones; uncounted ones where there is no other.

    As many as occur in not too many posts together, and always one.
    """
    with connection.cursor() as cursor:
        cursor.execute(LEXEMES, [text])
        stems = cursor.fetchall()
    counted = [(word, documents) for word, documents in stems if documents]
    rarest, room = [], MOST_MATCHES
    for word, documents in counted[:RAREST_WORDS]:
        if rarest and documents > room:
            break
        rarest.append(word)
        room -= documents
    return rarest or [word for word, _ in stems[:RAREST_WORDS]]


def _most_alike(user: User, query: Alike) -> list[dict]:
    member = user.as_member
    open_to = Question.objects.visible_to(user).listed().besides_silent_articles().besides_blocked(member)
    matches = (
        Post.objects.standing()
        .matching(query)
        .filter(Exists(open_to.filter(pk=OuterRef("question"))), folded_at=None)
        .opened_to(user)
        .besides_blocked(member)
        .order_by("-pk")[:RANKED]
    )
    return list(
        Post.objects.filter(pk__in=matches.values("pk"))
        .values(
            "question_id",
            kind_of_question=F("question__kind"),
            title=F("question__title"),
            answer_count=F("question__answer_count"),
            status=F("question__status"),
            solved_at=F("question__solved_at"),
        )
        .annotate(likeness=Max(SearchRank(F("search_vector"), query)))
        .order_by("-likeness", "-question_id")[: settings.SIMILAR_SHOWN]
    )
