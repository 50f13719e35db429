"""What one follows: the buttons on topics and discussions, and the page that lists it all."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from accounts.models import Member, Specialty
from accounts.views.ties import member_required
from questions.models import Question, Subscription, Tag, TopicFollow
from questions.services import following as services
from questions.services import muting
from sermo.errors import RuleBroken
from sermo.paging import page
from sermo.returning import back_to, posted_from

ROWS = 30
LISTS = {"topics": "Topics", "members": "Members", "discussions": "Discussions", "muted": "Muted topics"}


@member_required
def topics(request):
    """Topics, members and discussions one follows, each with its switches."""
    chosen = request.GET.get("show") if request.GET.get("show") in LISTS else "topics"
    rows = {"topics": _topics, "members": _members, "discussions": _discussions, "muted": _muted}[chosen](
        request.user
    )
    found = page(rows, order=("-since", "-pk"), after=request.GET.get("after"), size=ROWS)
    if chosen == "discussions":
        for row in found:
            row.question.own_level = row.level
    address = reverse("questions:topics")
    context = {
        "page": found,
        "chosen": chosen,
        "here": f"{address}?show={chosen}",
        "lists": [(label, f"{address}?show={key}", key == chosen) for key, label in LISTS.items()],
        "more_url": f"{address}?show={chosen}&after={found.next}" if found.next else None,
    }
    template = "questions/_followed_rows.html" if request.htmx else "questions/topics.html"
    return render(request, template, context)


def _topics(user):
    return user.as_member.topics_followed.select_related("tag", "specialty")


def _muted(user):
    return user.as_member.topics_muted.select_related("tag", "specialty")


def _members(user):
    """Followed handles; one whose page is closed stays in the list, without a link, to be left."""
    is_open = Exists(Member.objects.visible_to(user).filter(pk=OuterRef("followed")))
    return user.as_member.follows.select_related("followed__specialty").annotate(is_open=is_open)


def _discussions(user):
    readable = Question.objects.visible_to(user).filter(pk=OuterRef("question"))
    return user.as_member.subscriptions.filter(Exists(readable)).select_related("question")


# Buttons


@member_required
@posted_from(lambda slug: reverse("questions:tag", args=[slug]))
def follow_tag(request, slug):
    return _follow(request, get_object_or_404(Tag, slug=slug))


@member_required
@posted_from(lambda slug: reverse("questions:specialty", args=[slug]))
def follow_specialty(request, slug):
    return _follow(request, get_object_or_404(Specialty, slug=slug, is_choice=True))


def _follow(request, topic):
    """Follow (`follow` 1 or 0), and be told at once or not (`alerts` 1 or 0)."""
    own = {"member": request.user.as_member, "topic": topic}
    try:
        if request.POST.get("follow") == "0":
            services.unfollow_topic(**own)
        else:
            services.follow_topic(**own)
            if "alerts" in request.POST:
                services.set_topic_alerts(**own, alerts=request.POST["alerts"] == "1")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return back_to(request, topic.get_absolute_url())


@member_required
@posted_from(lambda slug: reverse("questions:tag", args=[slug]))
def mute_tag(request, slug):
    return _mute(request, get_object_or_404(Tag, slug=slug))


@member_required
@posted_from(lambda slug: reverse("questions:specialty", args=[slug]))
def mute_specialty(request, slug):
    return _mute(request, get_object_or_404(Specialty, slug=slug, is_choice=True))


def _mute(request, topic):
    """See nothing of a topic in lists and hear nothing of it (`mute` 1), or take that back (0)."""
    own = {"member": request.user.as_member, "topic": topic}
    try:
        if request.POST.get("mute") == "0":
            muting.unmute_topic(**own)
        else:
            muting.mute_topic(**own)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return back_to(request, topic.get_absolute_url())


@member_required
@posted_from(lambda question_id: reverse("questions:question_short", args=[question_id]))
def subscribe(request, question_id):
    """Follow or mute a discussion (`level`), or neither (an empty one)."""
    question = get_object_or_404(Question.objects.visible_to(request.user), pk=question_id)
    level = request.POST.get("level", "")
    if level and level not in Subscription.Level.values:
        raise BadRequest("Choose digest, alerts or muted.")
    if level:
        services.subscribe(member=request.user.as_member, question=question, level=level)
    else:
        services.unsubscribe(member=request.user.as_member, question=question)
    return back_to(request, question.get_absolute_url())


def own_alerts(member, **topic):
    """A column for the topic itself: whether one is told of it at once; null where it is not followed."""
    return TopicFollow.objects.filter(member=member, **topic).values("alerts")[:1]
