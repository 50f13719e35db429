"""Under which words firms meet members: two, steady inside a discussion, others in any other and for any other firm."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef

from accounts.models import Handle
from questions.models import Byline, Post
from rewards.models import Firm
from sermo.crypto import keyed_digest

DATA = Path(__file__).with_name("data")
PURPOSE = "observers.aliases"
HOUSE = "Sermo"


@dataclass(frozen=True)
class Person:
    """Somebody who wrote in a discussion: the alias a firm meets, and the names that it must not.

    Of one who is not read, no post there is open to the firm. A voice is the site's or a firm's, and has no such names.
    """

    question: int
    member: int
    alias: str
    handles: frozenset[str]
    display_name: str
    is_read: bool = True
    is_voice: bool = False
    is_asker: bool = False


def aliases_of(firm: Firm, question_pks: Iterable[int]) -> dict[tuple[int, int], str]:
    """By discussion and member: what stands for each who wrote there. One query."""
    return {(person.question, person.member): person.alias for person in people_in(firm, question_pks)}


def people_in(firm: Firm, question_pks: Iterable[int]) -> list[Person]:
    """Everybody who signed in these discussions. One query.

    Of two with the same words the one who signed later gets others, so that nobody's alias ever changes.
    """
    taken: set[tuple[int, str]] = set()
    people = []
    for question, asker, member, mode, voice, name, handle, handles, is_read in _rows(firm, question_pks):
        is_asker = member == asker
        if mode in (Byline.Mode.HOUSE, Byline.Mode.FIRM):
            said = voice or name or HOUSE
            people.append(
                Person(question, member, said, frozenset(), "", is_read, is_voice=True, is_asker=is_asker)
            )
            continue
        alias = _free_alias(firm, question, member, taken)
        taken.add((question, alias))
        names = frozenset({handle, *handles})
        people.append(Person(question, member, alias, names, name, is_read, is_asker=is_asker))
    return people


def _rows(firm: Firm, question_pks: Iterable[int]):
    read = Post.objects.open_to(firm).filter(byline=OuterRef("pk"))
    ever = Handle.objects.filter(member=OuterRef("member")).values("text")
    return (
        Byline.objects.filter(question__in=list(question_pks))
        .order_by("pk")
        .values_list(
            "question",
            "question__asker",
            "member",
            "mode",
            F("member__voice_of__firm__name"),
            "member__display_name",
            "member__handle",
            ArraySubquery(ever),
            Exists(read),
        )
    )


def _free_alias(firm: Firm, question: int, member: int, taken: set[tuple[int, str]]) -> str:
    attempt = 0
    while (question, alias := _alias(firm, question, member, attempt)) in taken:
        attempt += 1
    return alias


def _alias(firm: Firm, question: int, member: int, attempt: int) -> str:
    digest = keyed_digest(f"{firm.pk}:{question}:{member}:{attempt}", PURPOSE)
    first, second = _words("first"), _words("second")
    number = int.from_bytes(digest[:8]) % (len(first) * len(second))
    return f"{first[number // len(second)]} {second[number % len(second)]}".capitalize()


@cache
def _words(which: str) -> tuple[str, ...]:
    lines = (DATA / f"alias_{which}.txt").read_text("utf-8").splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())
