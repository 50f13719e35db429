"""Which names must not stand in what a firm reads of a discussion, and what stands there instead."""

from collections import defaultdict
from collections.abc import Iterable

from accounts import handles
from accounts.masks import Masks, like_handles, names_of, patterns_of
from observers.aliases import Person, people_and_handles
from rewards.models import Firm


def masks_of(firm: Firm, question_pks: Iterable[int], texts: Iterable[str] = ()) -> dict[int, Masks]:
    """The masks of discussions, each of which has some. One query.

    With the texts that will be shown, the handles of colleagues who did not write there are hidden in them as well,
    wherever they are no plain words. They are hidden before they write there as after, so that nobody sees by it when
    they do.
    """
    question_pks = list(question_pks)
    like = like_handles(texts)
    people, known = people_and_handles(firm, question_pks, map(handles.key, like))
    others = patterns_of(known, like)
    by_question: dict[int, list[Person]] = defaultdict(list)
    for person in people:
        by_question[person.question].append(person)
    return {question: _masks(by_question[question], others) for question in question_pks}


def _masks(people: list[Person], others: frozenset[str] = frozenset()) -> Masks:
    return Masks(
        aliases={person.member: person.alias for person in people},
        mentions={
            handles.key(handle): person.alias
            for person in people
            if person.is_read
            for handle in person.handles
        },
        hidden=others.union(*(names_of(person.handles, person.display_name) for person in people)),
        voices=frozenset(person.member for person in people if person.is_voice),
        asker=next((person.member for person in people if person.is_asker), None),
    )
