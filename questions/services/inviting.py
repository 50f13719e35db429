"""Private consults: who is asked in, what they say to it, and opening one to all physicians later.

A private consult is read by its asker and by up to ten colleagues asked in by handle. An invitation that nobody answers
ends by itself. Everything here locks the discussion first, so two deeds at one moment come one after the other.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models import Block, Kind, Member
from accounts.services import notices
from questions.models import Invitation, Post, Question, Vote
from questions.models.invitations import MOST_INVITED
from questions.services import limits, telling
from questions.services.writing import NotOpen, NotYours, ReadOnly, lock_open, touch
from questions.signals import authors_sought, opened_to_all
from sermo.errors import RuleBroken

HOURS = 4  # in which an invitation is answered
BETWEEN = re.compile(r"[\s,;]+")

State = Invitation.State


class CannotBeInvited(RuleBroken):
    """One message for every reason: it must not tell a block, nor a handle that nobody has."""

    message = "No colleague of this handle can be invited."

    def __init__(self, handles: Iterable[str] = ()):
        handles = list(handles)
        super().__init__(f"{self.message} Look at: {', '.join(handles)}." if handles else self.message)


class NobodyNamed(RuleBroken):
    message = f"Name the colleagues you ask, 1 to {MOST_INVITED}, by their handles."


class TooManyInvited(RuleBroken):
    message = f"A private consult has at most {MOST_INVITED} invitations in all."


class NotPrivate(RuleBroken):
    message = "All physicians read this case by now."


class InvitationOver(RuleBroken):
    message = "This invitation has ended."


class NotAsked(RuleBroken):
    message = "Nobody asks you to open this consult."


# Who can be asked


def invitable(by: Member) -> QuerySet[Member]:
    """Physicians who may write, without oneself and those whose handle a block keeps apart from one's own."""
    members = Member.objects.filter(standing=Member.Standing.PHYSICIAN, user__is_active=True)
    return members.exclude(pk=by.pk).exclude(pk__in=Block.objects.parting_handles(by))


def handles_in(typed: str) -> list[str]:
    """Handles typed with or without @, with spaces or commas between them; each once."""
    handles = (part.strip("@") for part in BETWEEN.split(typed))
    return list({handle.lower(): handle for handle in handles if handle}.values())


def members_named(handles: Iterable[str], *, by: Member) -> list[Member]:
    """The colleagues of these handles, in this order. Raises NobodyNamed, TooManyInvited, CannotBeInvited."""
    handles = list(handles)
    if not handles:
        raise NobodyNamed
    if len(handles) > MOST_INVITED:
        raise TooManyInvited
    known = _known(handles, by)
    if missing := [handle for handle in handles if handle.lower() not in known]:
        raise CannotBeInvited(missing)
    return [known[handle.lower()] for handle in handles]


def members_left(handles: Iterable[str], *, by: Member) -> list[Member]:
    """Those of them who can still be asked, after a wait. Raises CannotBeInvited where none is left."""
    known = _known(handles, by)
    if not known:
        raise CannotBeInvited
    return list(known.values())


def _known(handles: Iterable[str], by: Member) -> dict[str, Member]:
    wanted = [handle.lower() for handle in handles]
    members = invitable(by).alias(lowered=Lower("handle")).filter(lowered__in=wanted)
    return {member.handle.lower(): member for member in members}


# Asking in


@transaction.atomic
def invite(*, question: Question, by: Member, members: Iterable[Member]) -> list[Invitation]:
    """Ask colleagues into a private consult of one's own, ten in all; return the new invitations.

    Whoever was asked before is not asked again. Raises NotOpen, NotYours, ReadOnly, NotPrivate, limits.Held,
    CannotBeInvited, TooManyInvited.
    """
    question = _lock_own(question, by)
    limits.check_not_held(by)
    asked = set(question.invitations.values_list("member", flat=True))
    new = {member.pk: member for member in members if member.pk not in asked}
    if not new:
        return []
    can_be = set(invitable(by).filter(pk__in=new).values_list("pk", flat=True))
    if new.keys() - can_be:
        raise CannotBeInvited(member.handle for pk, member in new.items() if pk not in can_be)
    if len(asked) + len(new) > MOST_INVITED:
        raise TooManyInvited
    now = timezone.now()
    rows = [
        Invitation(question=question, member_id=pk, sent_at=now, due_at=now + timedelta(hours=HOURS))
        for pk in sorted(new)
    ]
    Invitation.objects.bulk_create(rows)
    _tell(question, Kind.CASE_PAGE, f"invited:{question.pk}", sorted(new))
    return rows


@transaction.atomic
def accept(*, invitation: Invitation, member: Member) -> Invitation:
    """Come into a private consult. Twice is as good as once. Raises NotOpen, NotPrivate, ReadOnly, InvitationOver."""
    invitation = _lock_for_answer(invitation, member)
    if not invitation.question.is_open:
        raise NotOpen
    if invitation.state == State.ACCEPTED:
        return invitation
    if not member.may_write:
        raise ReadOnly
    return _answer(invitation, State.ACCEPTED)


@transaction.atomic
def decline(*, invitation: Invitation, member: Member) -> Invitation:
    """Stay out of a private consult, open or closed, which then is hidden from one. Twice is as good as once.

    Raises NotPrivate, InvitationOver.
    """
    if Invitation.objects.filter(pk=invitation.pk, member=member, state=State.DECLINED).exists():
        return invitation
    invitation = _lock_for_answer(invitation, member)
    if invitation.state == State.ACCEPTED:
        raise InvitationOver("You have accepted this invitation.")
    return _answer(invitation, State.DECLINED)


def _lock_for_answer(invitation: Invitation, member: Member) -> Invitation:
    """Raises NotPrivate; InvitationOver, also where a block has come between the two handles."""
    question = Question.objects.select_for_update().get(pk=invitation.question_id)
    if not question.is_private:
        raise NotPrivate
    if question.asker_id in Block.objects.parting_handles(member):
        raise InvitationOver
    rows = Invitation.objects.standing().select_for_update(of=("self",))
    found = rows.filter(pk=invitation.pk, member=member).first()
    if found is None:
        raise InvitationOver
    found.question = question
    return found


def _answer(invitation: Invitation, state: State) -> Invitation:
    invitation.state, invitation.answered_at = state, timezone.now()
    invitation.save(update_fields=["state", "answered_at"])
    if invitation.question.is_open:
        _tell_asker(invitation)
    return invitation


def due() -> list[int]:
    return list(Invitation.objects.due().order_by("due_at", "pk").values_list("pk", flat=True))


@transaction.atomic
def expire_due(*, invitation_id: int) -> bool:
    """End one invitation that nobody answered in time, and tell its asker; return whether it ended now."""
    rows = Invitation.objects.due().select_for_update(skip_locked=True, of=("self",))
    invitation = rows.select_related("question").filter(pk=invitation_id).first()
    if invitation is None:
        return False
    invitation.state = State.EXPIRED
    invitation.save(update_fields=["state"])
    if invitation.question.is_private and invitation.question.is_open:
        _tell_asker(invitation)
    return True


def _tell_asker(invitation: Invitation) -> None:
    question = invitation.question
    _tell(question, Kind.CASE, f"private:{invitation.state}:{invitation.pk}", [question.asker_id])


# Opening it to all


@dataclass(frozen=True)
class Opening:
    """How far opening a private consult has come. Counts are of colleagues who wrote something there."""

    authors: int
    agreed: int
    asked: int  # those who have not said either yet
    refused: int
    unreachable: int  # who have left, so that nobody can ask them

    @property
    def unasked(self) -> int:
        """Who wrote since the others were asked, or before anybody was."""
        return self.authors - self.agreed - self.asked - self.refused - self.unreachable

    @property
    def is_complete(self) -> bool:
        return self.agreed == self.authors


@transaction.atomic
def ask_to_open(*, question: Question, by: Member) -> Question:
    """Ask everybody who wrote in a private consult of one's own whether all physicians may read it.

    Once all have agreed it opens; where nobody wrote, at once. Nobody is asked twice. Raises NotOpen, NotYours,
    ReadOnly, NotPrivate, limits.Held.
    """
    question = _lock_own(question, by)
    limits.check_not_held(by)
    authors = authors_of(question)
    if authors:
        unasked = question.invitations.filter(member__in=authors, asked_to_open_at=None)
        unasked.update(asked_to_open_at=timezone.now())
        _tell(question, Kind.CASE, f"private:asked:{question.pk}", authors)
    _open_if_agreed(question)
    return question


@transaction.atomic
def answer_opening(*, question: Question, member: Member, agrees: bool) -> Question:
    """Agree to let all physicians read what one wrote in a private consult, or not; the last word holds until it opens.

    Raises NotOpen, NotPrivate, NotAsked.
    """
    question = lock_open(question)
    if not question.is_private:
        if agrees:
            return question
        raise NotPrivate
    asked = question.invitations.filter(member=member, asked_to_open_at__isnull=False)
    if not asked.update(agrees=agrees):
        raise NotAsked
    if agrees:
        _open_if_agreed(question)
    elif authors_of(question):
        _tell(question, Kind.CASE, f"private:kept:{question.pk}", [question.asker_id])
    return question


def opening_of(question: Question, invitations: Iterable[Invitation], authors: Iterable[int]) -> Opening:
    said = {row.member_id: row for row in invitations}
    authors = set(authors)
    of_authors = [said[pk] for pk in authors if pk in said]
    return Opening(
        authors=len(authors),
        agreed=sum(row.agrees is True for row in of_authors),
        asked=sum(row.agrees is None and row.asked_to_open_at is not None for row in of_authors),
        refused=sum(row.agrees is False for row in of_authors),
        unreachable=len(authors) - len(of_authors),
    )


def authors_of(question: Question) -> list[int]:
    """Who beside the asker wrote something there: a post, also a removed one, which may be put back; or why they
    dispute one. Asks by authors_sought who wrote elsewhere in it.
    """
    posts = Post.objects.filter(question=question).values_list("author", flat=True)
    disputes = Vote.objects.filter(post__question=question).exclude(explanation="")
    members = set(posts.union(disputes.values_list("voter", flat=True)))
    authors_sought.send(sender=Question, question=question, members=members)
    return sorted(members - {question.asker_id})


def _open_if_agreed(question: Question) -> None:
    """Let all physicians read a locked discussion, and have them told as of a new one. It stays as closed to observers
    as it was. Announces opened_to_all.
    """
    found = opening_of(question, question.invitations.all(), authors_of(question))
    if not found.is_complete:
        return
    question.audience = Question.Audience.PHYSICIANS
    question.save(update_fields=["audience"])
    touch(question, timezone.now())
    inside = question.invitations.filter(state=State.ACCEPTED).values_list("member", flat=True)
    _tell(question, Kind.CASE, f"private:opened:{question.pk}", [question.asker_id, *inside])
    opening = question.posts.select_related("byline", "author").get(kind=Post.Kind.OPENING)
    opening.question = question
    telling.of_opening(opening)
    opened_to_all.send(sender=Question, question=question, opening=opening)


# For all of these


def _lock_own(question: Question, by: Member) -> Question:
    """Raises NotOpen, NotYours, ReadOnly, NotPrivate."""
    question = lock_open(question)
    if question.asker_id != by.pk:
        raise NotYours
    if not by.may_write:
        raise ReadOnly
    if not question.is_private:
        raise NotPrivate
    return question


def _tell(question: Question, kind: Kind, key: str, members: Iterable[int]) -> None:
    about = f"question:{question.pk}"
    notices.tell(members=members, kind=kind, target=question.pk, about=about, key=key)
