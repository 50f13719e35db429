"""Who watches, for everybody; for members what firms read of theirs, and how to keep it from them."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.views.ties import member_required
from observers import watching
from observers.models import FirmBlock
from observers.services import blocking
from observers.services import peers_only as services
from observers.watching_forms import BlockForm, ChoicesForm, PeersOnlyForm
from questions.models import Post, Question
from rewards.models import Firm
from sermo.csv_cells import BYTE_ORDER_MARK, harmless, line_of
from sermo.errors import RuleBroken
from sermo.paging import UNFIT, key_of, page
from sermo.returning import back_to, posted_from

READS_PER_PAGE = 25
LINES_AT_A_TIME = 2_000  # of a file
NEWEST = ("-day", "-pk")
EARMARKED = "Earmarked"
COLUMNS = (
    *("Day (UTC)", "Firm", "Kind of firm", "What it did", "Purpose", "Times", "Discussion", "Post"),
    *("Paid to you (US dollars)", "Paid to voters (US dollars)"),
)
COMMON = {"least": settings.OBSERVER_LEAST, "delay": settings.OBSERVER_DELAY_MINUTES}


@require_safe
@never_cache
def watchers(request):
    """The firms that may watch. To a member also what each read of theirs, post by post."""
    member = _reader(request.user)
    if member is None:
        return render(request, "watchers/watchers.html", {"watchers": watching.directory(), **COMMON})
    chosen = _firm_id(request)
    rows = watching.reads_of(member)
    address = reverse("watchers:all")
    context = _rows(request, rows.filter(firm=chosen) if chosen else rows, address, {"firm": chosen})
    if request.htmx and request.GET.get("after"):
        return render(request, "watchers/_reads.html", context)
    totals = watching.totals_of(member)
    context |= {
        "member": member,
        "watchers": watching.directory_for(member, totals),
        "share": watching.share_of(member, totals),
        "has_file": bool(context["reads"]) or watching.paid_earmarks(member).exists(),
        "chosen": Firm.objects.filter(pk=chosen).first() if chosen else None,
        **COMMON,
    }
    return render(request, "watchers/watchers.html", context)


def _reader(user):
    """The member whose reads are shown; none for visitors, staff, seats, and who may not read here."""
    member = user.as_member if user.is_authenticated else None
    return member if member and member.may_read else None


def _firm_id(request) -> int | None:
    typed = request.GET.get("firm", "")
    return int(typed) if typed.isdecimal() and len(typed) <= 18 else None


def _rows(request, reads, address, query) -> dict:
    found = _page(reads, NEWEST, request.GET.get("after"), READS_PER_PAGE)
    query = {name: value for name, value in query.items() if value}
    more = urlencode({**query, "after": found.next}) if found.next else ""
    return {"reads": watching.titled(found, request.user), "more_url": more and f"{address}?{more}"}


def _page(rows, order, after, size):
    """As `page`, but saying the first term of a cursor alone, too: that far an index leads, without reading its way."""
    key, term = key_of(after, order), order[0]
    if key is not None:
        with suppress(*UNFIT):
            ahead = f"{term.removeprefix('-')}__{'lte' if term.startswith('-') else 'gte'}"
            rows = rows.filter(**{ahead: key[0]})
    return page(rows, order=order, after=after, size=size)


@member_required
@require_safe
@never_cache
def reads_file(request):
    """All reads of a member's posts as a table, the newest first, then what was paid for them; sent as it is read."""
    file = StreamingHttpResponse(_file(request), content_type="text/csv; charset=utf-8")
    file["Content-Disposition"] = 'attachment; filename="who-read-this.csv"'
    return file


def _file(request) -> Iterator[str]:
    member, site = request.user.as_member, request.build_absolute_uri("/").rstrip("/")
    yield BYTE_ORDER_MARK + line_of(COLUMNS)
    for read in _in_batches(request, watching.reads_of(member), NEWEST):
        did = (read.get_way_display(), read.get_purpose_display(), read.reads)
        yield _line(read, read.day, harmless(read.firm.name), *did, *_of_post(read, site), "", "")
    for paid in _in_batches(request, watching.paid_earmarks(member), ("placed_at", "pk")):
        money = (_dollars(paid.to_author), _dollars(paid.voter_cents * paid.voters))
        day, firm = paid.placed_at.astimezone(UTC).date(), harmless(capfirst(paid.firm.shown_as))
        yield _line(paid, day, firm, EARMARKED, "", 1, *_of_post(paid, site), *money)


def _in_batches(request, rows, order):
    """Rows in an order with the posts they are about, so many at a time, whatever their number."""
    after, is_last = None, False
    while not is_last:
        found = _page(rows, order, after, LINES_AT_A_TIME)
        yield from watching.titled(found, request.user)
        after, is_last = found.next, found.next is None


def _line(row, day, firm, *cells) -> str:
    return line_of((day.isoformat(), firm, row.firm.get_kind_display(), *cells))


def _of_post(row, site) -> tuple[str, str]:
    title = harmless(row.shown_post.question.title) if row.shown_post else ""
    return title, site + reverse("watchers:post", args=[row.post_id])


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


# One post


@member_required
@never_cache
def post(request, post_id):
    """Who read one's own post, and who paid for it once its discussion is closed. A POST says whether firms may."""
    member = request.user.as_member
    own = (
        Post.objects.visible_to(request.user)
        .filter(author=member)
        .select_related("question", "parent__question")
    )
    found = get_object_or_404(own, pk=post_id)
    address = reverse("watchers:post", args=[found.pk])
    if request.method == "POST":
        _switch(request, found, member)
        return redirect(address)
    reads = watching.reads_of(member).filter(post=found)
    context = _rows(request, reads, address, {})
    if request.htmx and request.GET.get("after"):
        return render(request, "watchers/_reads.html", {**context, "of_one": True})
    context |= {
        "post": found,
        "of_one": True,
        "firms": watching.firms_that_read(found),
        "earmarks": watching.paid_earmarks(member).filter(post=found).order_by("placed_at", "pk"),
        **_switch_as_shown(found),
        **COMMON,
    }
    return render(request, "watchers/post.html", context)


def _switch_as_shown(found: Post) -> dict:
    """How the switch stands, and before it is pressed why it cannot be turned, or not back."""
    is_opening = found.kind == Post.Kind.OPENING
    is_peers_only = found.question.peers_only if is_opening else found.peers_only
    shown = {"is_peers_only": is_peers_only, "kept_by": _kept_by(found)}
    if shown["kept_by"]:
        return shown
    if not is_peers_only:
        return {**shown, "is_final": services.has_colleagues_below(found, found.question)}
    try:
        services.check_may_be_read(found, found.question)
    except RuleBroken as refusal:
        shown["stays"] = str(refusal)
    return shown


def _kept_by(found: Post) -> str:
    """Why no firm reads a post whatever its own switch says; empty where the switch decides."""
    if found.question.audience != Question.Audience.PHYSICIANS:
        return "the discussion is not put to all physicians"
    if found.kind != Post.Kind.OPENING and found.question.peers_only:
        return "the discussion it stands in is among peers"
    if found.parent and found.parent.peers_only:
        return f"the {found.parent.noun} it stands under is among peers"
    return ""


def _switch(request, found, member):
    form = PeersOnlyForm(request.POST)
    if not form.is_valid():
        raise BadRequest("Choose 1 or 0.")
    try:
        services.set_peers_only(post=found, by=member, **form.cleaned_data)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        kept = form.cleaned_data["peers_only"]
        messages.success(request, "No firm reads it from now on." if kept else "Firms may read it.")


# What holds for all firms


@member_required
@never_cache
def choices(request):
    """The tab "Firms" of one's settings."""
    member = request.user.as_member
    blocks = FirmBlock.objects.filter(member=member).select_related("firm").order_by("firm__name", "pk")
    blocks = list(blocks)
    initial = {
        "peers_only": member.peers_only,
        "hides_industry": member.hides_industry,
        "sectors": [block.sector for block in blocks if block.sector],
    }
    form = ChoicesForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        blocking.choose(member=member, **form.cleaned_data)
        messages.success(request, "Saved. It holds from this moment.")
        return redirect("watchers:settings")
    context = {"form": form, "blocks": [block for block in blocks if block.firm]}
    return render(request, "watchers/settings.html", context, status=422 if form.errors else 200)


@member_required
@posted_from(lambda: reverse("watchers:all"))
def block(request):
    """Shut one firm out (`block` 1), or let it read again (0)."""
    member = request.user.as_member
    form = BlockForm(request.POST, member=member)
    if not form.is_valid():
        raise BadRequest("Choose a firm that may watch.")
    firm = form.cleaned_data["firm"]
    if form.cleaned_data["block"]:
        blocking.block_firm(member=member, firm=firm)
        messages.success(request, f"{firm} reads nothing of yours from now on.")
    else:
        blocking.unblock_firm(member=member, firm=firm)
        messages.success(request, f"{firm} is not blocked any more.")
    return back_to(request, reverse("watchers:all"))
