"""On call, on other pages: that one is paged, and the pages of a case beside it."""

from django import template
from django.utils import timezone

from consults.models import Call
from consults.on_call_reading import received, sent_for
from consults.reading import shown_case
from consults.services import calls
from consults.views.paging import may_page

register = template.Library()


@register.inclusion_tag("consults/on_call/_paged.html", takes_context=True)
def paged_strip(context):
    """That colleagues wait. Asks nothing: the number came with the reader."""
    return {"number": getattr(context["request"].user, "open_calls", 0)}


@register.inclusion_tag("consults/_paging.html", takes_context=True)
def case_paging(context, question):
    """For its asker, how the pages of a case go; for who is paged for it, what to do, and that it was seen.

    No query for others, one for the asker.
    """
    request = context["request"]
    page = shown_case(request, question)
    values = {"question": question}
    if page.is_asker:
        return {**values, "is_asker": True, "pagings": sent_for(question.pk), "may_page": _may_page(page)}
    if page.member and getattr(request.user, "open_calls", 0):
        found = received(request.user, now=timezone.now(), paging__case=question.pk, state__in=Call.OPEN)
        if any(call.is_unseen for call in found):
            calls.see(member=page.member, case_id=question.pk)
        return {**values, "call": next(iter(found), None)}
    return values


def _may_page(page) -> bool:
    return page.member.may_write and may_page(page.case, page.question)
