"""Answering the prompts of a room, each of them once, and what completes a section."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from accounts.services import identifiers
from accounts.services.identifiers import Kept
from focusgroups.models import (
    Answer,
    Completion,
    Message,
    Participant,
    Prompt,
    Revision,
    Section,
)
from focusgroups.services import earning
from focusgroups.services.locking import hold_member, hold_room
from focusgroups.sight import messages_for
from sermo.errors import RuleBroken
from sermo.text import plain, render_markdown

EDITABLE = timedelta(minutes=15)
PAID_BEFORE = """
WITH RECURSIVE earlier(id, replaces_id) AS (
    SELECT id, replaces_id FROM focusgroups_participant WHERE id = %s
    UNION
    SELECT one.id, one.replaces_id FROM focusgroups_participant one JOIN earlier ON one.id = earlier.replaces_id
)
SELECT DISTINCT section_id FROM focusgroups_completion JOIN earlier ON participant_id = earlier.id WHERE cents > 0
"""


class RoomIsOver(RuleBroken):
    message = "This focus group is over. Nothing more can be said in it."


class NoSeat(RuleBroken):
    message = "You have no seat in this focus group any more."


class ReadOnly(RuleBroken):
    message = "Your license needs a new check before you can write. Reading stays open."


class AgreementFirst(RuleBroken):
    message = (
        "The agreement has a new version. Read and accept it first; what you typed stays here meanwhile."
    )


class NotReleased(RuleBroken):
    message = "This section is not open yet."


class AnsweredBefore(RuleBroken):
    message = (
        "You answered this before, perhaps in another window. What stands there counts; this was not sent."
    )


class NothingSaid(RuleBroken):
    message = "Write something here."


class ReasonMissing(NothingSaid):
    message = "Say why, in a sentence or two."


class NotAChoice(RuleBroken):
    """The message says what is to be chosen."""


class NotYours(RuleBroken):
    message = "Only who said something can change it or take it back."


class Gone(RuleBroken):
    message = "This was taken back or hidden, so nothing more can be done with it."


class TooLate(RuleBroken):
    message = "An answer can be changed for 15 minutes. Say the rest as a reply under it, or take it back."


class SaidUnder(RuleBroken):
    message = (
        "Somebody has said something under this answer, so it stays as it is. Reply to them, or take it back."
    )


def lock(participant: Participant, *, agreed: bool = True, adds: bool = True) -> Participant:
    """Lock a member, their room and their seat for a write; the participant returned has both as they are now.

    Raises RoomIsOver, NoSeat, ReadOnly unless nothing is added, and, unless no agreement is needed, AgreementFirst.
    """
    from focusgroups.services import seating  # which takes refusals from here

    member = hold_member(participant.member_id)
    room = hold_room(participant.room_id)
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    participant.room = room
    if room.published_at is None or room.is_over:
        raise RoomIsOver
    if member is None or not participant.is_seated:
        raise NoSeat
    participant.member = member
    if adds and not member.may_write:
        raise ReadOnly
    if agreed and seating.needs_agreement(participant):
        raise AgreementFirst
    return participant


@transaction.atomic
def answer(
    *,
    participant: Participant,
    prompt: Prompt,
    source: str = "",
    chosen: Sequence[int] = (),
    points: int | None = None,
    is_private: bool = False,
    kept: Kept | None = None,
) -> Answer:
    """Answer a prompt of an open section, once. The same answer twice is as good as once; one that was taken back can
    be given anew.

    `chosen` are numbers of options, of a ranking with the best first. `kept` is what the identifier check found and
    its author let stand. The answer that completes a section earns its honorarium, and announces section_completed
    where the section has closed; of who is paid nothing now that is nothing. Raises what `lock` does, NotReleased,
    AnsweredBefore, NothingSaid, ReasonMissing, NotAChoice.
    """
    participant = lock(participant)
    prompt = Prompt.objects.select_related("section").get(pk=prompt.pk)
    if prompt.section.room_id != participant.room_id or not prompt.section.is_released:
        raise NotReleased
    said = fitting(prompt, source, chosen, points)
    said["is_private"] = is_private or prompt.is_private
    earlier = Answer.objects.select_for_update().filter(prompt=prompt, participant=participant).first()
    if earlier and earlier.withdrawn_at is None:
        if {name: getattr(earlier, name) for name in said} == said:
            return earlier
        raise AnsweredBefore
    made = earlier or Answer(prompt=prompt, participant=participant)
    write(made, said.pop("source"))
    for name, value in said.items():
        setattr(made, name, value)
    made.posted_at, made.withdrawn_at = timezone.now(), None
    made.edited_at = made.posted_at if earlier else None  # others were open to who answers anew
    made.save()
    if kept:
        identifiers.record(member=participant.member, place="group", kept=kept)
    complete(prompt.section, participant)
    return made


def fitting(prompt: Prompt, source: str, chosen: Sequence[int], points: int | None) -> dict:
    """What is said, as fields of an answer to a prompt. Raises NothingSaid, ReasonMissing, NotAChoice."""
    said, source = check_choice(prompt, chosen, points), source.strip()
    if prompt.kind == Prompt.Kind.OPEN and not source:
        raise NothingSaid
    if prompt.kind != Prompt.Kind.OPEN and prompt.asks_why and not source:
        raise ReasonMissing
    says_words = prompt.kind == Prompt.Kind.OPEN or prompt.asks_why
    return {**said, "source": source if says_words else ""}


def check_choice(prompt: Prompt, chosen: Sequence[int], points: int | None) -> dict:
    """What is chosen, as fields of an answer. Raises NotAChoice."""
    return {
        "chosen": _chosen(prompt, list(chosen)) if prompt.has_options else [],
        "points": _points(prompt, points) if prompt.kind == Prompt.Kind.SCALE else None,
    }


def _chosen(prompt: Prompt, chosen: list[int]) -> list[int]:
    options = set(prompt.options.values_list("pk", flat=True))
    if prompt.kind == Prompt.Kind.RANKED:
        if sorted(chosen) != sorted(options):
            raise NotAChoice("Give each option a place of its own.")
        return chosen
    if len(set(chosen)) < len(chosen) or not set(chosen) <= options:
        raise NotAChoice("Choose among the options that are shown, each at most once.")
    if prompt.kind == Prompt.Kind.SINGLE and len(chosen) != 1:
        raise NotAChoice("Choose one of the options.")
    if not chosen:
        raise NotAChoice("Choose at least one option.")
    if prompt.most and len(chosen) > prompt.most:
        raise NotAChoice(f"Choose at most {prompt.most}; {len(chosen)} are chosen.")
    return sorted(chosen)


def _points(prompt: Prompt, points: int | None) -> int:
    if points is None or not 1 <= points <= prompt.points:
        raise NotAChoice(f"Choose a point from 1 to {prompt.points}.")
    return points


def write(said: Answer | Message, source: str) -> None:
    """Put words into an answer or message, which is not saved."""
    said.source, said.html = source, render_markdown(source) if source else ""
    said.words = len(plain(said.html).split())


def complete(section: Section, participant: Participant) -> Completion | None:
    """Write down that a section is complete, if now it is; where it has closed, that is final at once."""
    prompts = dict(section.prompts.values_list("pk", "is_required"))
    needed = {pk for pk, is_required in prompts.items() if is_required} or prompts.keys()
    own = Answer.objects.filter(prompt__in=needed, participant=participant, withdrawn_at=None)
    if own.count() < len(needed):
        return None
    completion, is_new = Completion.objects.get_or_create(
        section=section,
        participant=participant,
        defaults={"cents": lambda: _worth(section, participant)},
    )
    if is_new and section.closed_at:
        earning.make_final(Completion.objects.filter(pk=completion.pk), is_alone=True)
    return completion if is_new else None


def _worth(section: Section, participant: Participant) -> int:
    """What a section pays a participant who completes it now, in cents."""
    if not section.honorarium or section.pk in paid_before(participant):
        return 0
    return 0 if earning.is_unpaid(participant) else section.honorarium


def paid_before(participant: Participant) -> set[int]:
    """Sections that somebody who had the seat before is paid for. One query, however many had it; none where nobody."""
    if participant.replaces_id is None:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(PAID_BEFORE, [participant.replaces_id])
        return {section for (section,) in cursor.fetchall()}


@transaction.atomic
def edit(*, answer: Answer, by: Participant, source: str, kept: Kept | None = None) -> Answer:
    """Change the words of one's own answer: in its first 15 minutes, while nobody has said anything under it.

    What was chosen stays, since the answers of others were open from then on. What it said before is kept, and that it
    was given anew. Only what its author reads counts as said. Raises what `lock` does, NotYours, Gone, TooLate,
    SaidUnder, NothingSaid.
    """
    by = lock(by)
    answer = Answer.objects.select_for_update(of=("self",)).select_related("prompt").get(pk=answer.pk)
    check_own(answer, by)
    source = fitting(answer.prompt, source, answer.chosen, answer.points)["source"]
    if source == answer.source:
        return answer
    if not answer.is_standing:
        raise Gone
    if timezone.now() > answer.posted_at + EDITABLE:
        raise TooLate
    if messages_for(by).filter(answer=answer).exclude(participant=by).exists():
        raise SaidUnder
    written_at = answer.edited_at or answer.posted_at
    Revision.objects.create(answer=answer, source=answer.source, written_at=written_at)
    write(answer, source)
    answer.edited_at = answer.posted_at if answer.is_anew else timezone.now()
    answer.save(update_fields=["source", "html", "words", "edited_at"])
    if kept:
        identifiers.record(member=by.member, place="group", kept=kept)
    return answer


@transaction.atomic
def withdraw(*, answer: Answer, by: Participant) -> Answer:
    """Take back one's own answer while the room is open. What was earned with it stays. Twice is as good as once.

    Raises RoomIsOver, NoSeat, NotYours.
    """
    by = lock(by, agreed=False, adds=False)
    answer = Answer.objects.select_for_update().get(pk=answer.pk)
    check_own(answer, by)
    erase(answer)
    return answer


def check_own(said: Answer | Message, by: Participant) -> None:
    if said.participant_id != by.pk:
        raise NotYours


def erase(said: Answer | Message) -> None:
    """Leave nothing of what an answer or message says: no words, no earlier ones, no codes, no quotes."""
    if said.withdrawn_at:
        return
    said.revisions.all().delete()
    said.marks.all().delete()
    said.quotes.all().delete()
    said.source = said.html = ""
    said.words, said.withdrawn_at = 0, timezone.now()
    fields = ["source", "html", "words", "withdrawn_at"]
    if isinstance(said, Answer):
        said.chosen, said.points = [], None
        fields += ["chosen", "points"]
    said.save(update_fields=fields)
