"""Plain makers of focus groups for tests: rows as the services leave them, without their rules."""

import uuid
from datetime import timedelta
from itertools import count

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.roles import MODERATORS
from accounts.tests.factories import make_member, make_user
from focusgroups.models import (
    Acceptance,
    Agreement,
    Answer,
    Candidate,
    Cell,
    Completion,
    LiveHour,
    Message,
    Participant,
    Prompt,
    PromptOption,
    Room,
    RoomModerator,
    ScreenerOption,
    ScreenerQuestion,
    Section,
    Sponsor,
)
from sermo.aliases import alias_of
from sermo.text import plain, render_markdown

ALIASES = "focusgroups.aliases"
AGREEMENT = "What is said here stays here. Nobody copies pictures or words out of this group."
DAY = timedelta(days=1)
HONORARIUM = 5_000
numbers = count(1)


# Rooms


def make_moderator(**fields):
    """Staff of the moderators' group, with a second factor and no member."""
    user = make_user(is_staff=True, **fields)
    user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


def make_room(by=None, *, cells=True, agreement=AGREEMENT, **fields):
    """A draft that starts in three days and lasts ten, with its owner, one cell of all seats and an agreement."""
    now = timezone.now()
    starts_at = fields.setdefault("starts_at", now + 3 * DAY)
    ends_at = fields.setdefault("ends_at", starts_at + 10 * DAY)
    fields.setdefault("pay_on", (ends_at + 14 * DAY).date())
    fields.setdefault("title", f"How clinics start heparin {next(numbers)}")
    fields.setdefault("about", "How you decide on a first dose, and what would change it.")
    room = Room.objects.create(**fields)
    RoomModerator.objects.create(room=room, user=by or make_moderator(), is_owner=True)
    if cells:
        make_cell(room, "All", seats=room.seats)
    if agreement:
        make_agreement(room, agreement)
    return room


def make_recruiting_room(*, sections=2, prompts=2, sponsor=True, **fields):
    """A published room that starts in three days, with a guide."""
    fields.setdefault("published_at", timezone.now())
    room = make_room(**fields)
    for number in range(sections):
        make_section(room, opens_at=room.starts_at + number * DAY, prompts=prompts)
    if sponsor:
        make_sponsor(room)
    return room


def make_running_room(*, sections=2, prompts=2, released=None, sponsor=True, honorarium=HONORARIUM, **fields):
    """A published room that runs: so many sections (all of them, unless said) opened on the days before now, the
    others open on the days to come. It ends ten days after the last has opened."""
    released = sections if released is None else released
    now = timezone.now()
    fields.setdefault("starts_at", now - max(released, 1) * DAY)
    fields.setdefault("ends_at", now + (sections - released + 10) * DAY)
    fields.setdefault("published_at", fields["starts_at"] - 7 * DAY)
    room = make_room(**fields)
    for number in range(sections):
        days = number - released if number < released else number - released + 1
        make_section(room, opens_at=now + days * DAY, prompts=prompts, honorarium=honorarium)
    if sponsor:
        make_sponsor(room)
    return room


def make_sponsor(room, **fields):
    same = {"name": "Aldgate Labs", "kind": Sponsor.Kind.PHARMA, "budget": 5_000_000}
    return Sponsor.objects.create(room=room, **{**same, **fields})


def make_cell(room, name=None, *, seats=12, **fields):
    place = fields.pop("place", room.cells.count())
    return Cell.objects.create(
        room=room, place=place, name=name or f"Cell {place + 1}", seats=seats, **fields
    )


def make_agreement(room, text=AGREEMENT, **fields):
    fields.setdefault("version", room.agreements.count() + 1)
    return Agreement.objects.create(room=room, text=text, **fields)


def make_screener(room, *questions):
    """A question for each list of options; one that ends it begins with a minus. Without any: one yes-no question."""
    made = []
    for place, options in enumerate(questions or [["Yes", "-No"]]):
        question = ScreenerQuestion.objects.create(
            room=room, place=place, text=f"Do you see question {place + 1}?"
        )
        ScreenerOption.objects.bulk_create(
            ScreenerOption(question=question, place=at, text=text.lstrip("-"), is_out=text.startswith("-"))
            for at, text in enumerate(options)
        )
        made.append(question)
    return made


# The guide


def make_section(room, *, prompts=0, **fields):
    """A section that opened a day ago, due three days after it opens, with so many open prompts."""
    place = fields.setdefault("place", room.sections.count())
    fields.setdefault("title", f"Day {place + 1}")
    opens_at = fields.setdefault("opens_at", timezone.now() - DAY)
    fields.setdefault("due_at", opens_at + 3 * DAY if opens_at else None)
    fields.setdefault("honorarium", HONORARIUM)
    section = Section.objects.create(room=room, **fields)
    for _ in range(prompts):
        make_prompt(section)
    return section


def make_prompt(section, kind=Prompt.Kind.OPEN, *, options=None, **fields):
    """A prompt; choices get three options, a scale five points."""
    place = fields.setdefault("place", section.prompts.count())
    fields.setdefault("text", f"What do you do first, and why? ({place + 1})")
    if kind == Prompt.Kind.SCALE:
        fields.setdefault("points", 5)
    prompt = Prompt.objects.create(section=section, kind=kind, **fields)
    if prompt.has_options:
        texts = ("A", "B", "C") if options is None else options
        PromptOption.objects.bulk_create(
            PromptOption(prompt=prompt, place=at, text=text) for at, text in enumerate(texts)
        )
    return prompt


def make_live_hour(room, **fields):
    """One that is on now."""
    starts_at = fields.setdefault("starts_at", timezone.now() - timedelta(minutes=5))
    fields.setdefault("ends_at", starts_at + timedelta(hours=1))
    fields.setdefault("title", "Live hour")
    return LiveHour.objects.create(room=room, **fields)


# People


def make_candidate(room, member=None, *, state=Candidate.State.INVITED, **fields):
    """A member asked into a room, told of it; one who waits does so for the first cell."""
    if state == Candidate.State.WAITING:
        fields.setdefault("waiting_since", timezone.now())
        fields.setdefault("cell", room.cells.first())
    fields.setdefault("is_told", True)
    return Candidate.objects.create(room=room, member=member or make_member(), state=state, **fields)


def make_participant(room, cell=None, *, member=None, accepts=True, attempt=0, **fields):
    """A member with a seat (in the first cell unless said), who accepted the newest version of the agreement."""
    member = member or make_member()
    cell = cell or room.cells.first()
    candidate = fields.pop("candidate", None) or make_candidate(
        room, member, state=Candidate.State.SEATED, cell=cell, decided_at=timezone.now()
    )
    if accepts and (agreement := room.agreements.last()):
        Acceptance.objects.create(candidate=candidate, agreement=agreement)
    while True:
        alias = fields.get("alias") or alias_of(f"{room.pk}:{member.pk}:{attempt}", ALIASES)
        if "alias" in fields or not room.participants.filter(alias=alias).exists():
            break
        attempt += 1
    fields["alias"] = alias
    return Participant.objects.create(room=room, member=member, candidate=candidate, cell=cell, **fields)


# What is said


def make_answer(participant, prompt, source="Low dose first, then what the platelets say.", **fields):
    """An answer: to a choice with its first option, to a scale with its middle."""
    html = render_markdown(source) if source else ""
    if prompt.has_options and "chosen" not in fields:
        options = list(prompt.options.values_list("pk", flat=True))
        fields["chosen"] = options if prompt.kind == Prompt.Kind.RANKED else options[:1]
    if prompt.kind == Prompt.Kind.SCALE:
        fields.setdefault("points", (prompt.points + 1) // 2)
    fields.setdefault("is_private", prompt.is_private)
    fields.setdefault("words", len(plain(html).split()))
    return Answer.objects.create(prompt=prompt, participant=participant, source=source, html=html, **fields)


def make_message(
    room,
    *,
    participant=None,
    moderator=None,
    kind=Message.Kind.REPLY,
    source="I would wait a day.",
    **fields,
):
    """What a participant says, or a moderator."""
    html = render_markdown(source) if source else ""
    if kind == Message.Kind.NOTE or fields.get("to"):
        fields.setdefault("is_private", True)
    fields.setdefault("words", len(plain(html).split()))
    fields.setdefault("key", uuid.uuid4())
    return Message.objects.create(
        room=room,
        participant=participant,
        moderator=moderator,
        kind=kind,
        source=source,
        html=html,
        **fields,
    )


def make_completion(participant, section, *, is_final=False, **fields):
    fields.setdefault("cents", section.honorarium)
    if is_final:
        fields.setdefault("final_at", timezone.now())
    return Completion.objects.create(participant=participant, section=section, **fields)
