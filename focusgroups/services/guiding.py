"""Writing a room's guide: its sections and what each of them asks.

Of a published room only sections that have not opened may change, no honorarium goes down, and a section asks no more
than it did from a day before it opens. One that is added then opens once it has its questions: until it is given its
time nobody reads it. Whoever has a seat is told when times move.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from focusgroups import readiness
from focusgroups.models import Prompt, PromptOption, Room, Section, Stimulus
from focusgroups.models.guides import FEWEST_POINTS, MOST_OPTIONS, MOST_POINTS
from focusgroups.models.rooms import MOST_CENTS, MOST_PROMPTS, MOST_SECTIONS
from focusgroups.services import holding, planning, telling
from focusgroups.services.holding import Fixed, Unfit, hold, note
from sermo import private_files
from sermo.errors import RuleBroken

Kind = Prompt.Kind
DAY = timedelta(days=1)


class Opened(Fixed):
    message = "Participants read this section already. It cannot change any more."


class AsksNoMore(Fixed):
    message = "This section opens within a day, so it asks no more than it does now. Let it open later first."


class Incomplete(RuleBroken):
    """What participants would find: its text says what is wrong."""


class TooManySections(RuleBroken):
    message = f"A guide has at most {MOST_SECTIONS} sections."


class TooManyPrompts(RuleBroken):
    message = f"A section has at most {MOST_PROMPTS} questions."


# Sections


@transaction.atomic
def save_section(
    *,
    room: Room,
    by: User,
    section: Section | None = None,
    title: str,
    intro: str = "",
    opens_at: datetime | None = None,
    due_at: datetime | None = None,
    honorarium: int = 0,
    submission: UUID | None = None,
) -> Section:
    """Add a section at the end of the guide, or change one. Money is in cents. The same form sent twice adds one.

    Raises NotYours, Over, Fixed, Opened, Unfit, Incomplete, TooManySections, planning.BeyondBudget.
    """
    if section is None:
        room = hold(room, by)
        key = holding.key_of(submission, room, title)
        if earlier := holding.added_before(room.sections.all(), key):
            return earlier
        if room.sections.count() >= MOST_SECTIONS:
            raise TooManySections
        section = Section(room=room, place=holding.next_place(room.sections.all()), key=key)
    else:
        section = hold_section(room.sections.get(pk=section.pk), by)
        room = section.room
    opened_before, due_before, paid_before = section.opens_at, section.due_at, section.honorarium
    section.title = holding.text("title", title, 120, "Give the section a title.")
    section.intro = holding.text("intro", intro, 2_000)
    section.opens_at, section.due_at, section.honorarium = opens_at, due_at, honorarium
    if due_at and opens_at is None:
        raise Unfit("opens_at", "Say when the section opens, too.")
    if due_at and due_at <= opens_at:
        raise Unfit("due_at", "Answers are due after the section opens.")
    if not 0 <= honorarium <= MOST_CENTS:
        raise Unfit("honorarium", f"An honorarium is at most ${MOST_CENTS // 100:,}.")
    if room.published_at:
        if honorarium < paid_before:
            raise Fixed("Members were promised this honorarium. It can be raised, not lowered.")
        if opened_before and opens_at is None:
            raise Fixed(
                "Members were told when this section opens. It can be moved, not left without a time."
            )
        if opens_at != opened_before and opens_at and opens_at <= timezone.now():
            raise Unfit("opens_at", "Choose a time to come.")
    section.save()
    done("section", room, by)
    if room.published_at and opened_before and (opens_at, due_at) != (opened_before, due_before):
        telling.of_dates(room)
    if room.published_at and honorarium > paid_before:
        planning.promise_more(room)
    return section


@transaction.atomic
def delete_section(*, section: Section, by: User) -> None:
    """Raises NotYours, Over, Opened, and Fixed where members were promised an honorarium for it."""
    section = hold_section(section, by)
    room = section.room
    if room.published_at and section.honorarium:
        raise Fixed("Members were promised an honorarium for this section. It stays.")
    _delete_files(section.prompts.all())
    section.delete()
    holding.close_ranks(room.sections.all())
    done("section_delete", room, by)


@transaction.atomic
def move_section(*, section: Section, by: User, up: bool) -> None:
    """Raises NotYours, Over, Opened (also where the other of the two is), Incomplete."""
    section = hold_section(section, by)
    room = section.room
    other = holding.swap(section, room.sections.all(), up=up)
    if other and room.published_at and other.is_released:
        raise Opened
    done("section", room, by)


# What they ask


@transaction.atomic
def save_prompt(
    *,
    section: Section,
    by: User,
    prompt: Prompt | None = None,
    kind: str,
    text: str,
    help: str = "",
    asks_why: bool = False,
    is_private: bool = False,
    is_required: bool = True,
    most: int | None = None,
    points: int | None = None,
    low_label: str = "",
    high_label: str = "",
    options: Iterable[str] = (),
    submission: UUID | None = None,
) -> Prompt:
    """Add a question at the end of a section, or change one. What its kind has no use for is dropped.

    The same form sent twice adds one. Raises NotYours, Over, Opened, AsksNoMore, Unfit, Incomplete, TooManyPrompts.
    """
    section = hold_section(section, by)
    if kind not in Kind:
        raise Unfit("kind", "Choose how it is answered.")
    if prompt is None:
        key = holding.key_of(submission, section, kind, text)
        if earlier := holding.added_before(section.prompts.all(), key):
            return earlier
        if section.prompts.count() >= MOST_PROMPTS:
            raise TooManyPrompts
        prompt = Prompt(section=section, place=holding.next_place(section.prompts.all()), key=key)
    else:
        prompt = section.prompts.get(pk=prompt.pk)
    asks_more = prompt.pk is None or (is_required and not prompt.is_required)
    if asks_more and _opens_soon(section):
        raise AsksNoMore
    is_scale = kind == Kind.SCALE
    prompt.kind = kind
    prompt.text = holding.text("text", text, 500, "Write the question.")
    prompt.help = holding.text("help", help, 300)
    prompt.asks_why = asks_why and kind != Kind.OPEN
    prompt.is_private, prompt.is_required = is_private, is_required
    prompt.points = _points(points) if is_scale else None
    prompt.low_label = holding.text("low_label", low_label, 40) if is_scale else ""
    prompt.high_label = holding.text("high_label", high_label, 40) if is_scale else ""
    texts = _options(options) if prompt.has_options else []
    prompt.most = _most(most, len(texts)) if kind == Kind.MULTIPLE else None
    prompt.save()
    prompt.options.all().delete()
    PromptOption.objects.bulk_create(
        PromptOption(prompt=prompt, place=place, text=text) for place, text in enumerate(texts)
    )
    done("prompt", section.room, by)
    return prompt


def _opens_soon(section: Section) -> bool:
    """Whether members have planned with what a section asks."""
    is_announced = section.room.published_at is not None and section.opens_at is not None
    return is_announced and section.opens_at <= timezone.now() + DAY


def _points(points: int | None) -> int:
    if points is None or not FEWEST_POINTS <= points <= MOST_POINTS:
        raise Unfit("points", f"A scale has {FEWEST_POINTS} to {MOST_POINTS} points.")
    return points


def _options(typed: Iterable[str]) -> list[str]:
    """Those that say something. A draft may have fewer than a question needs."""
    texts = [words for words in (holding.text("options", words, 200) for words in typed) if words]
    if len(texts) > MOST_OPTIONS:
        raise Unfit("options", f"Give at most {MOST_OPTIONS} options.")
    if len({words.casefold() for words in texts}) < len(texts):
        raise Unfit("options", "Two options are the same.")
    return texts


def _most(most: int | None, options: int) -> int | None:
    if most is not None and not 1 <= most <= max(options, 1):
        raise Unfit("most", "Nobody can choose more options than there are, nor fewer than one.")
    return most


@transaction.atomic
def delete_prompt(*, prompt: Prompt, by: User) -> None:
    """Raises NotYours, Over, Opened, Incomplete."""
    section = hold_section(prompt.section, by)
    _delete_files(section.prompts.filter(pk=prompt.pk))
    section.prompts.filter(pk=prompt.pk).delete()
    holding.close_ranks(section.prompts.all())
    done("prompt_delete", section.room, by)


@transaction.atomic
def move_prompt(*, prompt: Prompt, by: User, up: bool) -> None:
    """Raises NotYours, Over, Opened."""
    section = hold_section(prompt.section, by)
    holding.swap(section.prompts.get(pk=prompt.pk), section.prompts.all(), up=up)
    done("prompt", section.room, by)


# For all of these


def hold_section(section: Section, by: User) -> Section:
    """A section of a locked room that nobody reads yet. Raises NotYours, Over, Opened."""
    room = hold(section.room, by)
    section = room.sections.get(pk=section.pk)
    section.room = room
    if room.published_at and section.is_released:
        raise Opened
    return section


def done(deed: str, room: Room, by: User) -> None:
    """Leave the deed in the trail. What opens in a published room is complete, or nothing was done."""
    note(deed, room, by)
    if not room.published_at:
        return
    sections = [section for section in readiness.with_prompts(room) if section.opens_at]
    faults = [
        fault
        for section in sections
        if not section.is_released
        for fault in readiness.faults_of(section, room)
    ]
    faults += readiness.faults_of_order(sections)
    if faults:
        raise Incomplete(faults[0])


def _delete_files(prompts: QuerySet[Prompt]) -> None:
    """Delete the files that go with prompts, once the transaction stands."""
    private_files.delete_files(Stimulus.objects.filter(prompt__in=prompts).values_list("file", flat=True))
