"""How notices of pages read: to who is paged, to top answerers, to who paged.

Keys are "paging:<what>:<number>". How urgent it is stands here, in the app, and in no mail.
"""

from django.urls import reverse

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from consults.models import Call, Case, Paging

URGENCY = {
    Paging.Urgency.NOW: "A colleague needs you on call now, within 10 minutes",
    Paging.Urgency.TODAY: "A colleague needs you on call today",
    Paging.Urgency.WHENEVER: "A colleague pages you on call, when you can",
}
DONE = {
    Call.State.ACCEPTED: "You accepted a page",
    Call.State.DECLINED: "You passed on a page",
    Call.State.HANDED_OVER: "You handed a page over",
    Call.State.ANSWERED: "You answered a page",
    Call.State.EXPIRED: "You were paged; the page has ended",
}
TO_ASKER = {
    "accepted": "A colleague on call accepted your page",
    "overflow": "Nobody on call answered your page yet; top answerers were told",
    "forgotten": "Your page was accepted and not answered. You can page again",
    "unheard": "Nobody accepted your page. Your case stays open to all its readers",
}
TO_ANSWERERS = "Nobody on call has answered this case yet. Can you help?"


def read_pages(notices: list[Notice], user: User) -> dict[int, Line]:
    """Pages to oneself, as they stand now. Two queries."""
    pagings = _pagings(notices, user)
    calls = Call.objects.filter(paging__in=pagings, member=user.as_member).values_list("paging", "state")
    states = dict(calls) if pagings else {}
    found = {}
    for notice in notices:
        paging, state = pagings.get(notice.target), states.get(notice.target)
        if paging and state in Call.OPEN:
            url = reverse("on_call:board")
            found[notice.pk] = Line(URGENCY[paging.urgency], url, paging.case.question.title)
        elif paging and state:
            url = paging.case.get_absolute_url()
            found[notice.pk] = Line(DONE[state], url, paging.case.question.title)
    return found


def read_overflow(notices: list[Notice], user: User) -> dict[int, Line]:
    """That a case in one's field waits for somebody: put to them like any question, in the app. One query."""
    pagings = _pagings(notices, user)
    return {
        notice.pk: Line(TO_ANSWERERS, paging.case.get_absolute_url(), paging.case.question.title)
        for notice in notices
        if (paging := pagings.get(notice.target))
    }


def read_own(notices: list[Notice], user: User) -> dict[int, Line]:
    """What became of a page of one's own. One query."""
    pagings = _pagings(notices, user)
    found = {}
    for notice in notices:
        paging, deed = pagings.get(notice.target), notice.key.split(":")[1]
        if paging and paging.case.question.asker_id == user.as_member.pk:
            url = paging.case.get_absolute_url()
            found[notice.pk] = Line(TO_ASKER[deed], url, paging.case.question.title)
    return found


def _pagings(notices: list[Notice], user: User) -> dict[int, Paging]:
    cases = Case.objects.visible_to(user).filter(withdrawn_at=None)
    rows = Paging.objects.filter(case__in=cases, pk__in={notice.target for notice in notices})
    return rows.select_related("case__question").in_bulk()


register(Kind.ON_CALL, read=read_pages, prefix="paging")
register(Kind.ASKED, read=read_overflow, prefix="paging")
register(Kind.CASE, read=read_own, prefix="paging")
