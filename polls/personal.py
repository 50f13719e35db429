"""What polls know of a person, for the ledger of personal data: that one voted, and never what."""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet

from accounts.leaving.ledger import DERIVED, NUMBER, OTHERS, OWNER, PLACE, SECRET, Entry, Fate, Person, Shown
from polls.models import Concern, Option, Poll, Sight, Trend
from polls.services.concerns import LEFT

STAYS = "Colleagues voted in it and rely on it. It is signed by a former member."
NOBODYS = "Nobody knows whose it is, so it can be found for nobody."

# Erasers


def erase_sights(person: Person) -> None:
    """Which polls one saw; how many members saw each stays a number."""
    Sight.objects.filter(member=person.member).delete()


def sever_options(person: Person) -> None:
    Option.objects.filter(added_by=person.member).update(added_by=None)


def end_trends(person: Person) -> None:
    """No poll is asked in the name of somebody who is gone."""
    open_ones = Trend.objects.filter(creator=person.member, next_at__isnull=False)
    open_ones.update(next_at=None, stopped="Its author has left.")


def erase_reasons(person: Person) -> None:
    """Words about and of the member go; that a vote was found against the rules belongs to the poll."""
    Concern.objects.decided().filter(member=person.member).update(reason=LEFT, objection="")


ERASERS = (erase_sights, sever_options, end_trends, erase_reasons)


# Export


def _poll(row):
    return row.poll_id


def _opened_by(person: Person) -> QuerySet[Poll]:
    """With the options that are one's own; what readers added is theirs."""
    own = Option.objects.filter(Q(is_added=False) | Q(added_by=person.member), poll=OuterRef("pk"))
    texts = ArraySubquery(own.order_by("place").values("text"))
    return Poll.objects.filter(question__asker__user=person.user).annotate(own_options=texts)


def _options(poll):
    return poll.own_options


ENTRIES = (
    Entry(
        "polls.Poll",
        "Polls you opened",
        Fate.KEPT,
        STAYS,
        find=_opened_by,
        shown=(
            Shown("question", "question", lambda poll: poll.pk),
            "kind",
            "prompt",
            Shown("", "options", _options),
            "shown",
            "may_change",
            "may_add",
            "low_label",
            "high_label",
            "opened_at",
            "closes_at",
            "closed_at",
            "close_reason",
            "specialties",
            "states",
            "tiers",
            "invited",
            "wave",
        ),
        withheld={"trend": "stands with your repeated polls"},
    ),
    Entry(
        "polls.Trend",
        "Polls you repeat",
        Fate.ANONYMIZED,
        "They are asked no more. What was asked stays.",
        path="creator__user",
        shown=("waves", "days", "next_at", "stopped"),
        withheld={"id": NUMBER, "creator": OWNER},
        eraser=end_trends,
    ),
    Entry(
        "polls.Option",
        "Options you added to polls",
        Fate.ANONYMIZED,
        "Colleagues voted for them. That you added them goes.",
        path="added_by__user",
        shown=(Shown("poll", "poll", _poll), "text"),
        withheld={
            "id": NUMBER,
            "place": PLACE,
            "is_added": DERIVED,
            "added_by": OWNER,
            "after_votes": "a figure of the poll",
        },
        eraser=sever_options,
    ),
    Entry(
        "polls.Receipt",
        "Polls you took, or looked at instead",
        Fate.KEPT,
        "The count stays right, under a member nobody can be traced to. What you chose is stored with nobody.",
        path="member__user",
        shown=(Shown("poll", "poll", _poll), "kind"),
        withheld={"id": "a number drawn by lot", "member": OWNER},
    ),
    Entry(
        "polls.Sight",
        "Polls you saw",
        Fate.DELETED,
        "All of it goes. How many members saw a poll stays a number.",
        path="member__user",
        shown=(Shown("poll", "poll", _poll),),
        withheld={"id": "a number drawn by lot", "member": OWNER},
        eraser=erase_sights,
    ),
    Entry(
        "polls.Concern",
        "Votes of yours that somebody looked at",
        Fate.ANONYMIZED,
        "The words to you and yours go; that a vote was looked at stays with the poll.",
        path="member__user",
        shown=(
            Shown("poll", "poll", _poll),
            "kind",
            "raised_on",
            "state",
            "reason",
            "objection",
            "decided_at",
        ),
        withheld={"id": NUMBER, "member": OWNER, "decided_by": OTHERS},
        eraser=erase_reasons,
    ),
    Entry(
        "polls.Ticket",
        "Votes on their way",
        Fate.KEPT,
        NOBODYS,
        withheld={"key": "a hash of what only your browser knows", "poll": PLACE},
    ),
    Entry(
        "polls.Ballot",
        "Votes that can be changed or are ranked",
        Fate.KEPT,
        NOBODYS,
        withheld={
            "id": "a number drawn by lot",
            "poll": PLACE,
            "key": SECRET,
            "choices": "nobody knows whose",
            "is_settled": PLACE,
        },
    ),
    Entry(
        "polls.Tally",
        "Counts of polls",
        Fate.KEPT,
        "Names nobody.",
        withheld={
            "poll": PLACE,
            "voters": PLACE,
            "counts": PLACE,
            "cells": PLACE,
            "cells_voters": PLACE,
            "seconds": PLACE,
            "seen": PLACE,
        },
    ),
    Entry(
        "polls.Sponsor",
        "Sponsors of polls",
        Fate.KEPT,
        "A firm, and no person.",
        withheld={
            "poll": PLACE,
            "name": PLACE,
            "kind": PLACE,
            "honorarium": PLACE,
            "quota": PLACE,
            "taken": PLACE,
        },
    ),
    Entry(
        "polls.Correction",
        "Slips of the pen put right in polls",
        Fate.KEPT,
        "A part of the poll.",
        withheld={
            "id": NUMBER,
            "poll": PLACE,
            "option": PLACE,
            "was": PLACE,
            "became": PLACE,
            "moderator": OTHERS,
            "made_at": PLACE,
        },
    ),
)
