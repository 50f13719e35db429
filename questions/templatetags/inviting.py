"""What the page of a private consult shows its asker, and whom they asked in."""

from django import template
from django.middleware.csrf import get_token
from django.utils.dateparse import parse_datetime

from accounts.models import Member
from questions.inviting_forms import InviteForm
from questions.models import Byline, Invitation, Question
from questions.models.invitations import MOST_INVITED
from questions.notices_of_private import words_left
from questions.services import inviting
from questions.signature import signature

register = template.Library()


@register.inclusion_tag("questions/_invited.html", takes_context=True)
def case_invited(context, question: Question):
    """For the asker of a private consult: who is asked in, and how far opening it has come. Three queries."""
    request = context["request"]
    member = request.user.as_member
    if not question.is_private or member is None or question.asker_id != member.pk:
        return {}
    rows = list(question.invitations.select_related("member").order_by("pk"))
    for row in rows:
        row.words = _state(row)
        row.name = row.member.handle if row.member.user_id else "former member"
    return {
        "question": question,
        "rows": rows,
        "left": MOST_INVITED - len(rows),
        "opening": inviting.opening_of(question, rows, inviting.authors_of(question)),
        "was_asked": any(row.asked_to_open_at for row in rows),
        "form": getattr(request, "invite_form", None) or InviteForm(by=member),
        "writable": question.is_open and member.may_write,
        "csrf_token": get_token(request),
    }


def _state(row: Invitation) -> str:
    if row.state != Invitation.State.SENT:
        return row.get_state_display()
    return f"Asked, {words_left(row.due_at)} left"


@register.inclusion_tag("questions/_invitation.html", takes_context=True)
def case_invitation(context, question: Question):
    """For whom is asked into a private consult, or to open it. One query where something waits for them."""
    request = context["request"]
    own = question.own_invitation
    if not question.is_private or not own:
        return {}
    is_sent = own["state"] == Invitation.State.SENT
    if not is_sent and not (question.is_open and own["asked_to_open_at"]):
        return {}
    signed = Byline.objects.filter(question=question, member=question.asker_id)
    byline = signed.select_related("member__specialty", "member__rank").first()
    member: Member = request.user.as_member
    return {
        "question": question,
        "asker": signature(byline.mode, byline.member).name,
        "is_sent": is_sent,
        "left": words_left(parse_datetime(own["due_at"])),
        "agrees": own["agrees"],
        "is_open": question.is_open,
        "may_accept": question.is_open and member.may_write,
        "csrf_token": get_token(request),
    }
