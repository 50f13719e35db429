"""The members of a load: log-ins nobody can use, handles, specialties, and what ties some of them to others."""

import random
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts import handles
from accounts.demo import HEADCOUNT
from accounts.models import Block, Connection, Face, Follow, Handle, Member, Specialty, User
from accounts.places import STATES
from questions.models import Tag, TopicFollow

DOMAIN = "load.sermo.test"
PREFIX = "load_"
SEED = "people of the load"
SPAN = timedelta(days=730)  # from the first member, and the first discussion, to the last


def of_the_load():
    """The members that were made here, in the order of their making."""
    return Member.objects.filter(user__email__endswith=f"@{DOMAIN}", handle__startswith=PREFIX).order_by("pk")


@transaction.atomic
def make_people(number: int, *, now: datetime) -> None:
    """All of them at once, who joined before the first discussion; with connections, follows and blocks."""
    rng = random.Random(SEED)  # noqa: S311 - the same every time is the purpose
    unusable = make_password(None)
    users = User.objects.bulk_create(
        (User(email=f"{place:06}@{DOMAIN}", password=unusable) for place in range(number)), batch_size=1000
    )
    EmailAddress.objects.bulk_create(
        (EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users),
        batch_size=1000,
    )
    members = Member.objects.bulk_create(_members(rng, users, joined_at=now - SPAN), batch_size=1000)
    Handle.objects.bulk_create(
        (
            Handle(key=handles.key(row.handle), text=row.handle, member=row, taken_at=row.joined_at)
            for row in members
        ),
        batch_size=1000,
    )
    _tie(rng, members)


def _members(rng: random.Random, users: list[User], *, joined_at: datetime):
    choices = {row.name: row for row in Specialty.objects.filter(is_choice=True)}
    practices = [name for name in HEADCOUNT if name in choices]
    headcount = [HEADCOUNT[name] for name in practices]
    states = [code for code, _ in STATES]
    for place, user in enumerate(users):
        mode = rng.choices(["anonymous", "partial", "public"], weights=[80, 14, 6])[0]
        yield Member(
            user=user,
            handle=f"{PREFIX}{place:06}",
            standing=Member.Standing.PHYSICIAN,
            specialty=choices[rng.choices(practices, weights=headcount)[0]],
            state=rng.choice(states),
            years_band=rng.choice(Member.YearsBand.values),
            visibility={"state": "physicians", "years_band": "physicians"} if mode == "partial" else {},
            byline_mode=mode,
            display_name=f"Dr. Number {place}" if mode == "public" else "",
            physician_key=f"{PREFIX}{place:06}",
            joined_at=joined_at,
        )


def _tie(rng: random.Random, members: list[Member]) -> None:
    """Each is connected with six, follows two handles and a specialty; one in ten blocked a handle."""
    number = len(members)
    made = [(place, (place + step) % number) for place in range(number) for step in (1, 2, 5)]
    Connection.objects.bulk_create(
        (
            Connection(
                requester=members[one],
                addressee=members[other],
                state=Connection.State.ACCEPTED,
                requested_at=members[one].joined_at,
                answered_at=members[one].joined_at,
            )
            for one, other in made
        ),
        batch_size=1000,
    )
    Follow.objects.bulk_create(
        (
            Follow(follower=member, followed=members[(place + step) % number])
            for place, member in enumerate(members)
            for step in (3, 7)
        ),
        batch_size=1000,
    )
    TopicFollow.objects.bulk_create(
        (TopicFollow(member=member, specialty=member.specialty) for member in members), batch_size=1000
    )
    Block.objects.bulk_create(
        Block(
            blocker=member,
            blocker_face=Face.HANDLE,
            blocked=members[(place + 11) % number],
            blocked_face=Face.HANDLE,
        )
        for place, member in enumerate(members)
        if rng.random() < 0.1
    )


def make_tags(names: list[str]) -> list[int]:
    """The ids of these tags, made where missing."""
    Tag.objects.bulk_create([Tag(slug=name, name=name) for name in names], ignore_conflicts=True)
    return list(Tag.objects.filter(slug__in=names).order_by("slug").values_list("pk", flat=True))
