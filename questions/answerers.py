"""Who answered, by specialty: "3 cardiologists and 1 in Clinical Pharmacology"."""

import tomllib
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.db.models import F

from questions.models import Post, Question
from questions.signature import Signature, Signer, signed, signer_columns
from sermo.prepared import prepared

NOUNS = Path(__file__).parent / "data" / "practitioners.toml"
MOST_READ = 500  # answers of one discussion


def by_specialty(question: Question) -> list[tuple[str, int]]:
    """How many colleagues gave a standing answer, by the specialty their byline shows, most first. One query.

    The asker is no answerer. Whoever shows no specialty, or has left, is counted under an empty one, which comes last.
    """
    rows = _answers(None, question=question.pk, asker=question.asker_id)
    return tally((row[0], signed(Signer(*row[1:]))) for row in rows)


@prepared
def _answers(shape: None, *, question: int, asker: int):
    answers = Post.objects.filter(question=question).answers().standing().exclude(author=asker)
    return answers.order_by("pk").values_list("author", *signer_columns(F("byline__mode"), "author"))[
        :MOST_READ
    ]


def tally(answers: Iterable[tuple[int, Signature]]) -> list[tuple[str, int]]:
    """The same from pairs of an author and how they signed, where all answers are at hand."""
    specialties = {author: one.specialty if one.is_verified else "" for author, one in answers}
    counts = Counter(specialties.values())
    return sorted(counts.items(), key=lambda pair: (not pair[0], -pair[1], pair[0]))


def in_words(counts: list[tuple[str, int]]) -> list[str]:
    """["3 cardiologists", "1 nephrologist", "1 colleague"]; a specialty without a noun reads "2 in Phlebology"."""
    return [_words(specialty, number) for specialty, number in counts]


def _words(specialty: str, number: int) -> str:
    if not specialty:
        return f"{number} colleague{'' if number == 1 else 's'}"
    noun = nouns().get(specialty)
    if noun is None:
        return f"{number} in {specialty}"
    return f"{number} {noun}{'' if number == 1 else 's'}"


@cache
def nouns() -> dict[str, str]:
    """What one practitioner of a specialty is called; more of them add an s."""
    return tomllib.loads(NOUNS.read_text(encoding="utf-8"))["one"]
