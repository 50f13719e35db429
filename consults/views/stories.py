"""Success stories: read by everybody, written by the author of a case, looked at by a moderator."""

from django.conf import settings
from django.contrib import messages
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Value
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.doors import active_physician_required, physician_required
from accounts.identifier_forms import look_at
from accounts.roles import is_moderator
from accounts.services import identifiers
from consults.models import Case, Story
from consults.services import stories
from consults.story_forms import PUBLISH, ReviewStoryForm, StoryForm
from questions.models import Question
from questions.models.answer_first import is_open_to
from questions.rarity_forms import made_coarser
from questions.services.committing import open_for_reading
from questions.views.moderation import moderator_required, tabs
from sermo.errors import RuleBroken
from sermo.paging import page
from sermo.returning import posted_from

# Reading


def story_list(request):
    """All that are told, the newest first."""
    rows = _told(request.user)
    after, size = request.GET.get("after"), settings.CASES_PER_PAGE
    found = page(rows, order=("-checked_at", "-pk"), after=after, size=size)
    for story in found:
        story.excerpt = "" if story.is_closed else stories.excerpt_of(story)
    address = reverse("consults:stories")
    context = {"page": found, "more_url": f"{address}?after={found.next}" if found.next else None}
    return render(request, "consults/stories.html", context)


def story(request, key):
    """One story. It names the author to nobody; only author and moderators find what they may do about it."""
    found = get_object_or_404(_told(request.user).select_related("case__question"), key=key)
    context = {
        "story": found,
        "is_own": _is_own(request.user, found.case),
        "may_moderate": request.user.is_authenticated and stories.may_moderate(request.user, found),
    }
    return render(request, "consults/story.html", context)


@physician_required
@posted_from(lambda key: reverse("consults:story", args=[key]))
def open_story(request, key):
    """Open the answers of its case to a member who only wants to read, and with them the story."""
    found = get_object_or_404(_told(request.user), key=key)
    if found.is_closed:
        open_for_reading(question=found.case.question, member=request.user.as_member)
    return redirect(found)


def _told(user):
    """What anybody may read, each with whether it would tell this reader the answer to a case they have not answered.

    Of a case that is not open to a reader nothing is kept from them: nobody else has more to learn from the story.
    """
    told = Story.objects.told()
    member = user.as_member if user.is_authenticated else None
    if member is None or is_moderator(user):
        return told.annotate(is_closed=Value(False, output_field=BooleanField()))
    closed = Question.objects.visible_to(user).exclude(is_open_to(member)).filter(pk=OuterRef("case"))
    return told.annotate(is_closed=ExpressionWrapper(Exists(closed), output_field=BooleanField()))


def _is_own(user, case: Case) -> bool:
    member = user.as_member if user.is_authenticated else None
    return member is not None and case.question.asker_id == member.pk


# Writing


@active_physician_required
def write_story(request, question_id):
    """The story of a case of one's own: first written, or mended while it waits or has come back."""
    case = _own_or_404(request, question_id)
    found = Story.objects.filter(case=case).first()
    is_told = found is not None and found.state == Story.State.TOLD
    if is_told or not stories.may_be_told(case):
        return render(request, "consults/story_write.html", {"case": case, "story": found})
    data = request.POST if request.method == "POST" else None
    if data and "coarser" in data:
        data = QueryDict(mutable=True)
        data.update({**request.POST.dict(), **made_coarser(request.POST)})
    initial = {"title": found.title, "source": found.source} if found else None
    form = StoryForm(data, initial=initial)
    if data and form.is_valid() and "coarser" not in data:
        try:
            _send(request, case, form)
            return redirect("consults:write_story", case.pk)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    context = {"case": case, "story": found, "form": form}
    return render(request, "consults/story_write.html", context, status=422 if form.errors else 200)


def _send(request, case, form):
    member = request.user.as_member
    stories.write(case=case, by=member, rarity_seen=form.rarity_seen(), **form.cleaned_data)
    identifiers.record(member=member, place="story", kept=form.kept_identifiers())
    messages.success(request, "Sent. A moderator looks at it before anybody reads it.")


@physician_required
@posted_from(lambda question_id: reverse("consults:write_story", args=[question_id]))
def take_back_story(request, question_id):
    case = _own_or_404(request, question_id)
    found = get_object_or_404(Story.objects.select_related("case__question"), case=case)
    try:
        stories.take_back(story=found, by=request.user.as_member)
        messages.success(request, "Taken back. Nobody reads it any more, and its words are deleted.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect("consults:write_story", case.pk)


def _own_or_404(request, question_id) -> Case:
    own = Case.objects.visible_to(request.user).filter(question__asker=request.user.as_member)
    return get_object_or_404(own.select_related("question", "consent"), pk=question_id)


# Deciding


@moderator_required
def review_story(request, key):
    """A story as everybody would read it, beside what is found in it, and the decision."""
    rows = Story.objects.select_related("case__question", "case__consent")
    found = get_object_or_404(rows, key=key, state__in=[Story.State.CHECKING, Story.State.TOLD])
    if not stories.may_moderate(request.user, found):
        raise Http404("Another moderator decides.")
    form = ReviewStoryForm(request.POST if request.method == "POST" else None, story=found)
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, _decide(request.user, found, form.cleaned_data))
            return redirect("consults:desk")
        except stories.NotWaitingAnyMore as refusal:
            messages.error(request, str(refusal))
            return redirect("consults:desk")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    checked = [look_at(text, name="story", data=None) for text in (found.title, found.source)]
    rarity = stories.rarity_of(found.title, found.source)
    context = {
        "story": found,
        "form": form,
        "found": [row for one in checked for row in one.rows],
        "signs": rarity.signs if rarity.is_high else [],
        "tabs": tabs(""),
        "on_cases": True,
    }
    return render(request, "consults/story_review.html", context, status=422 if form.errors else 200)


def _decide(user, found, chosen) -> str:
    if chosen["decision"] == PUBLISH:
        stories.publish(story=found, by=user, seen=chosen["seen"])
        return "Published."
    stories.send_back(story=found, by=user, words=chosen["words"], seen=chosen["seen"])
    return "Sent back to its author."
