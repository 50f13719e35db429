"""Under which words firms meet members: two, steady inside a discussion, others in any other and for any other firm."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef

from accounts.models import Handle
from questions.models import Byline, Post
from rewards.models import Firm
from sermo.aliases import alias_of

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
    return {
        (person.question, person.member): person.alias for person in people_and_handles(firm, question_pks)[0]
    }


def people_and_handles(
    firm: Firm, question_pks: Iterable[int], keys: Iterable[str] = ()
) -> tuple[list[Person], set[str]]:
    """Everybody who signed in these discussions, and which handles of these keys there are or were. One query.

    Of two with the same words the one who signed later gets others, so that nobody's alias ever changes.
    """
    taken: set[tuple[int, str]] = set()
    people, others = [], set()
    for question, asker, member, mode, voice, name, handle, handles, is_read, known in _rows(
        firm, question_pks, keys
    ):
        is_asker = member == asker
        others.update(known or ())
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
    return people, others


def _rows(firm: Firm, question_pks: Iterable[int], keys: Iterable[str]):
    read = Post.objects.open_to(firm).filter(byline=OuterRef("pk"))
    ever = Handle.objects.filter(member=OuterRef("member")).values("text")
    known = Handle.objects.filter(pk__in=set(keys)).values("text")  # looked up once, for all rows
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
            ArraySubquery(known),
        )
    )


def _free_alias(firm: Firm, question: int, member: int, taken: set[tuple[int, str]]) -> str:
    attempt = 0
    while (question, alias := _alias(firm, question, member, attempt)) in taken:
        attempt += 1
    return alias


def _alias(firm: Firm, question: int, member: int, attempt: int) -> str:
    return alias_of(f"{firm.pk}:{question}:{member}:{attempt}", PURPOSE)
