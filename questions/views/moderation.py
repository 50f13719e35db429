"""The moderators' desk: what waits, one post with its context, and the decision."""

from functools import wraps

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, Max, OuterRef, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as date_format

from accounts.doors import login_required
from accounts.roles import is_moderator
from questions import moderation_figures as figures
from questions.forms_moderation import KEYS, VERBS, ActForm
from questions.models import Appeal, Byline, Flag, ModerationAction, Post, Reason, Report
from questions.services.moderation import acts, desk, rights, undoing, words
from questions.signature import signature
from sermo.errors import RuleBroken
from sermo.paging import page
from verification.services import limits

TABS = {
    "open": ("Open", ("-severity", "opened_at", "pk")),
    "mine": ("Mine", ("-severity", "opened_at", "pk")),
    "second": ("Second moderator", ("taken_at", "pk")),
    "unheard": ("Waits for another report", ("opened_at", "pk")),
    "closed": ("Decided", ("-closed_at", "-pk")),
}
MOST_FLAGS = 50  # of one post, the newest
MOST_ACTS = 30


def moderator_required(view):
    """Moderators. To everybody else who is logged in there is no such page."""

    @wraps(view)
    def door(request, *args, **kwargs):
        if not is_moderator(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return login_required(door)


def address_hash(request) -> str:
    return limits.address_hash(get_adapter().get_client_ip(request) or "")


# What waits


@moderator_required
def queue(request):
    chosen = request.GET.get("show") if request.GET.get("show") in TABS else "open"
    rows = _waiting(request.user) if chosen == "second" else _reports(request.user, chosen)
    found = page(rows, order=TABS[chosen][1], after=request.GET.get("after"), size=settings.REPORTS_PER_PAGE)
    for row in found:
        row.reasons = [Reason(reason).label for reason in getattr(row, "reason_list", [])]
    address = reverse("questions:moderation")
    context = {
        "page": found,
        "chosen": chosen,
        "tabs": tabs(chosen),
        "load": figures.load(),
        "overdue": sum(appeal.is_overdue for appeal in Appeal.objects.waiting().order_by("due_at")[:100]),
        "done": _just_done(request),
        "more_url": f"{address}?show={chosen}&after={found.next}" if found.next else None,
    }
    return render(request, "questions/moderation/queue.html", context)


def tabs(chosen: str) -> list[tuple[str, str, bool]]:
    address = reverse("questions:moderation")
    own = [(label, f"{address}?show={key}", key == chosen) for key, (label, _) in TABS.items()]
    appeals = ("Appeals", reverse("questions:moderation_appeals"), chosen == "appeals")
    figures_of = ("Figures", reverse("questions:moderation_figures"), chosen == "figures")
    return [*own, appeals, figures_of]


def _reports(user, chosen):
    reasons = Flag.objects.filter(report=OuterRef("pk")).order_by("reason").values("reason").distinct()
    reports = Report.objects.visible_to(user)
    rows = {
        "open": reports.heard(),
        "mine": reports.open().filter(claimed_by=user),
        "unheard": reports.unheard(),
        "closed": reports.filter(closed_at__isnull=False),
    }[chosen]
    waiting = ModerationAction.objects.filter(report=OuterRef("pk"), state=ModerationAction.State.WAITING)
    return (
        rights.with_part_taken(rows, user)
        .annotate(reason_list=ArraySubquery(reasons), flag_count=Count("flags"), has_waiting=Exists(waiting))
        .select_related("post__question", "claimed_by__member", "opinion_wanted_by__member")
    )


def _waiting(user):
    rows = ModerationAction.objects.visible_to(user).filter(state=ModerationAction.State.WAITING)
    return rights.with_part_taken(rows, user).select_related("post__question", "moderator__member")


def _just_done(request):
    """The act one has just come from, as long as it can be undone."""
    number = request.GET.get("done", "")
    if not number.isdecimal() or len(number) > 18:
        return None
    act = ModerationAction.objects.visible_to(request.user).filter(pk=number, moderator=request.user).first()
    return act if act and (act.may_be_undone or act.is_waiting) else None


@moderator_required
def figures_page(request):
    days = figures.backlog()
    context = {
        "tabs": tabs("figures"),
        "chart": figures.chart(days),
        "days": days[::-1],
        "load": figures.load(),
        "appeals": figures.appeals(),
    }
    return render(request, "questions/moderation/figures.html", context)


# One post


@moderator_required
def post(request, post_id):
    """A post with its context, what was reported, what was decided before, and the form to decide now."""
    found = _load(request.user, post_id)
    if found.is_party:
        return render(request, "questions/moderation/yours.html", {"post": found, "tabs": tabs("")})
    report = Report.objects.visible_to(request.user).open().filter(post=found)
    report = report.select_related("claimed_by__member", "opinion_wanted_by__member").first()
    history = list(
        rights.with_part_taken(ModerationAction.objects.visible_to(request.user).beside(found), request.user)
        .filter(is_party=False)
        .select_related(
            "moderator__member", "second__member", "undone_by__member", "appeal", "post__question"
        )
        .order_by("-taken_at", "-pk")[:MOST_ACTS]
    )
    flags = list(found.flags.order_by("-raised_at", "-pk")[:MOST_FLAGS])
    form = _form(request, found, report, flags)
    if request.method == "POST" and form.is_valid():
        try:
            return _act(request, found, form)
        except acts.ChangedMeanwhile as refusal:
            form.add_error(None, str(refusal))
            _know_of_newest(form, found)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    _sign(request, found, history)
    context = {
        "post": found,
        "report": report,
        "flags": flags,
        "history": history,
        "form": form,
        "context": _context(request.user, found),
        "standard": _standard(form, found),
        "keys": [(KEYS[kind].upper(), VERBS[kind]) for kind, _ in form.fields["kind"].choices],
        "is_mine": bool(report and report.holder == request.user),
        "is_left_to_others": bool(report and report.opinion_wanted_by_id == request.user.pk),
        "tabs": tabs(""),
    }
    return render(request, "questions/moderation/post.html", context, status=422 if form.errors else 200)


def _load(user, post_id):
    taken = rights.part_taken(user.as_member, OuterRef("question"))
    rows = (
        Post.objects.visible_to(user)
        .annotate(
            is_party=ExpressionWrapper(taken, output_field=BooleanField()), newest_act=Max("moderation__pk")
        )
        .select_related("question", "byline", "author__specialty", "author__rank")
    )
    return get_object_or_404(rows, pk=post_id)


def _form(request, found, report, flags):
    opened = [flag for flag in flags if flag.state == Flag.State.OPEN]
    worst = Reason.IDENTITY if any(flag.reason == Reason.IDENTITY for flag in opened) else None
    return ActForm(
        request.POST if request.method == "POST" else None,
        post=found,
        has_report=report is not None,
        seen=found.newest_act or 0,
        kind=request.GET.get("act", ""),
        reason=worst or (opened[0].reason if opened else ""),
    )


def _know_of_newest(form, found):
    """Let the next press of a form stand beside what its page now shows."""
    form.data = form.data.copy()
    form.data["seen"] = found.moderation.aggregate(newest=Max("pk"))["newest"]


def _act(request, found, form):
    done = acts.act(post=found, by=request.user, address_hash=address_hash(request), **form.cleaned_data)
    return redirect(f"{reverse('questions:moderation')}?done={done.pk}")


def _sign(request, found, history):
    found.signature = signature(found.byline.mode, found.author)
    for act in history:
        act.is_by_me = act.moderator_id == request.user.pk
        act.is_of_this = act.post_id == found.pk
        act.named = (
            f"{act.get_kind_display()}, {date_format(timezone.localtime(act.taken_at), 'M j, g:i:s a')}"
        )


def _context(user, found):
    """The opening, the answer above a comment, and the posts of its kind right before and after it."""
    beside = found.question.posts.filter(kind=found.kind, parent=found.parent_id).exclude(kind="opening")
    before = beside.filter(pk__lt=found.pk).order_by("-pk").values("pk")[:1]
    after = beside.filter(pk__gt=found.pk).order_by("pk").values("pk")[:1]
    rows = found.question.posts.filter(
        Q(kind=Post.Kind.OPENING) | Q(pk=found.parent_id) | Q(pk__in=before) | Q(pk__in=after)
    ).exclude(pk=found.pk)
    rows = list(rows.select_related("byline", "author__specialty", "author__rank").order_by("pk"))
    for row in rows:
        row.signature = signature(row.byline.mode, row.author)
    return rows


def _standard(form, found):
    kind, reason = form["kind"].value(), form["reason"].value()
    is_known = kind in KEYS and reason in Reason.values
    return words.standard(kind, reason, by_firm=found.is_by_firm) if is_known else ""


@moderator_required
def standard_words(request):
    """What a member would be told by default, as the form stands now."""
    kind, reason = request.GET.get("kind", ""), request.GET.get("reason", "")
    known = kind in ModerationAction.Kind.values and reason in Reason.values
    by_firm = request.GET.get("of") == Byline.Mode.FIRM
    context = {"standard": words.standard(kind, reason, by_firm=by_firm) if known else ""}
    return render(request, "questions/moderation/_standard.html", context)


# Presses


def _back_to_post(view):
    """The door of what only a POST may do on the desk; a refusal is said on the page of the post."""

    @moderator_required
    @wraps(view)
    def door(request, **kwargs):
        if request.method != "POST":
            messages.warning(request, "Nothing was sent. Send it again from here.")
            return redirect("questions:moderation")
        try:
            post_id, way_on = view(request, **kwargs)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
            return redirect("questions:moderation")
        return way_on or redirect("questions:moderate_post", post_id)

    return door


@_back_to_post
def claim(request, report_id):
    """Take a report (`claim` 1), give it back (0)."""
    report = get_object_or_404(Report.objects.visible_to(request.user), pk=report_id)
    service = desk.release if request.POST.get("claim") == "0" else desk.claim
    service(report=report, by=request.user)
    return report.post_id, None


@_back_to_post
def opinion(request, report_id):
    """Leave a report to another moderator (`wanted` 1), or take that back (0)."""
    report = get_object_or_404(Report.objects.visible_to(request.user), pk=report_id)
    if request.POST.get("wanted") == "0":
        desk.take_opinion_back(report=report, by=request.user)
        return report.post_id, None
    desk.ask_opinion(report=report, by=request.user)
    messages.success(request, "Left to another moderator.")
    return report.post_id, redirect("questions:moderation")


@_back_to_post
def undo(request, action_id):
    action = get_object_or_404(_actions(request.user), pk=action_id)
    undoing.undo(action=action, by=request.user, address_hash=address_hash(request))
    messages.success(request, "Undone.")
    return action.post_id, None


@_back_to_post
def second(request, action_id):
    """Approve (`approve` 1) or refuse (0) what another moderator proposed."""
    action = get_object_or_404(_actions(request.user), pk=action_id)
    service = acts.approve if request.POST.get("approve") == "1" else acts.refuse
    service(action=action, by=request.user, address_hash=address_hash(request))
    messages.success(request, "Done." if request.POST.get("approve") == "1" else "Refused.")
    return action.post_id, None


def _actions(user):
    return ModerationAction.objects.visible_to(user).select_related("post", "member__user")
