"""The inbox, what one wants to be told, and the link at the foot of a mail."""

from collections import defaultdict

from django.contrib import messages
from django.db.models import Count, Exists, F, OuterRef, Window
from django.db.models.functions import RowNumber
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts import notice_kinds
from accounts.doors import applicant_required, polled
from accounts.models import Kind, Notice, NoticeSettings, NoticeThread
from accounts.notice_forms import COLUMNS, WaysForm, WishesForm
from accounts.services import mail
from accounts.services import notices as services
from sermo.paging import page

THREADS = 20  # a page
LINES = 10  # of a thread, the newest; older ones are found where it leads
TABS = {"all": "All", "unread": "Unread", "held": "Held"}


@applicant_required
@require_safe
def notices(request):
    """What one was told, by thread, newest first."""
    tab = request.GET.get("show") if request.GET.get("show") in TABS else "all"
    member = request.user.as_member
    found = page(
        _threads(member, tab), order=("-latest_at", "-pk"), after=request.GET.get("after"), size=THREADS
    )
    _dress(found.rows, request.user, tab)
    address = reverse("accounts:notices")
    narrowed = "" if tab == "all" else f"show={tab}&"
    context = {
        "threads": found.rows,
        "more_url": f"{address}?{narrowed}after={found.next}" if found.next else None,
        "tab": tab,
        "tabs": [
            (label, address if key == "all" else f"{address}?show={key}", key == tab)
            for key, label in TABS.items()
        ],
    }
    if request.htmx and request.GET.get("after"):
        return render(request, "accounts/_notice_threads.html", context)
    return render(request, "accounts/notices.html", context)


def _threads(member, tab):
    threads = NoticeThread.objects.filter(member=member)
    if tab == "unread":
        return threads.filter(unread__gt=0)
    if tab == "held":
        return threads.filter(Exists(_held(member).filter(thread=OuterRef("pk"))))
    return threads


def _held(member):
    return Notice.objects.filter(member=member, held=True, read_at=None)


def _dress(threads, user, tab):
    """Give each thread its newest line one may still read, the others, and how many there are in all."""
    rows = _held(user.as_member) if tab == "held" else Notice.objects.all()
    order = [F("told_at").desc(), F("pk").desc()]
    rows = (
        rows.filter(thread__in=[thread.pk for thread in threads])
        .annotate(
            place=Window(RowNumber(), partition_by=F("thread"), order_by=order),
            total=Window(Count("pk"), partition_by=F("thread")),
        )
        .filter(place__lte=LINES)
        .order_by("place")
    )
    of_thread = defaultdict(list)
    for notice in rows:
        of_thread[notice.thread_id].append(notice)
    lines = notice_kinds.lines([notice for some in of_thread.values() for notice in some], user)
    for thread in threads:
        some = of_thread[thread.pk]
        for notice in some:
            notice.line = lines.get(notice.pk)
            notice.icon = notice_kinds.RULES[notice.kind].icon
        readable = [notice for notice in some if notice.line]
        thread.top = (readable or some or [None])[0]
        thread.others = readable[1:]
        thread.older = max(0, (some[0].total if some else 0) - len(some))
        thread.other_count = len(thread.others) + thread.older


@applicant_required
@require_safe
def notice(request, notice_id):
    """On to what a notice is about, which is then read; or a word that it is not there any more."""
    member = request.user.as_member
    found = get_object_or_404(Notice.objects.select_related("thread"), pk=notice_id, member=member)
    line = notice_kinds.lines([found], request.user).get(found.pk)
    if services.seen(member, found.thread.about):
        request.user.unread_count = max(0, getattr(request.user, "unread_count", 1) - 1)
    if line and line.url:
        return redirect(line.url)
    return render(request, "accounts/notice.html", {"line": line}, status=200 if line else 404)


@applicant_required
@require_POST
def notices_read(request):
    services.mark_all_read(member=request.user.as_member)
    return redirect("accounts:notices")


@polled
@applicant_required
@require_safe
def notice_count(request):
    """The number beside the inbox, asked for again and again by open pages."""
    return render(
        request, "accounts/_notice_count.html", {"unread": getattr(request.user, "unread_count", 0)}
    )


@applicant_required
def notice_settings(request):
    """What one is told of and how, how much a day, and when not."""
    own = request.user.as_member
    wishes = NoticeSettings.objects.filter(member=own).first() or NoticeSettings(member=own)
    ways_form = WaysForm(request.POST or None, ways=services.ways_of(own))
    wishes_form = WishesForm(request.POST or None, instance=wishes)
    if request.method == "POST" and ways_form.is_valid() and wishes_form.is_valid():
        services.change_settings(member=own, ways=ways_form.ways(), **wishes_form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("accounts:notice_settings")
    context = {
        "ways_form": ways_form,
        "wishes_form": wishes_form,
        "columns": [way.label for way in COLUMNS],
    }
    status = 422 if ways_form.errors or wishes_form.errors else 200
    return render(request, "accounts/notice_settings.html", context, status=status)


@csrf_exempt  # the sender of a one-click POST is a mail program; the signed token says what it may do
@never_cache
def unsubscribe(request, token):
    """Stop the mails of a kind, with or without a session. Only a POST does, since scanners follow links."""
    read = mail.read_token(token)
    if read is None:
        return render(request, "accounts/unsubscribe.html", {"kind": None}, status=404)
    wishes, kind = read
    if request.method == "POST":
        services.stop_mail(settings=wishes, kind=kind)
    context = {"kind": kind, "is_digest": kind == Kind.DIGEST, "is_done": request.method == "POST"}
    return render(request, "accounts/unsubscribe.html", context)
