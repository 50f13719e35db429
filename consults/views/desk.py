"""Flagging a picture, and the moderators' desk for cases: flags first, what waits to go out, and incidents."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.doors import physician_required
from accounts.identifier_forms import look_at
from accounts.services import identifiers
from consults import written
from consults.check_forms import DRAWN, SORTS
from consults.forms_desk import PUBLISH, REFUSE, Covers, DecideFlagForm, FlagForm, IncidentForm, ReviewForm
from consults.models import Case, CaseDraft, Image, ImageFlag, Incident, Solution, Story
from consults.services import flags, incidents, masking, reviewing, stories, triage
from questions.models import Post, Question
from questions.services.moderation import rights
from questions.signature import signature
from questions.views.moderation import address_hash, moderator_required, tabs
from sermo.errors import RuleBroken
from sermo.text import render_markdown

MOST_ROWS = 50  # of each list on the desk, the oldest

# Flagging


@physician_required
def flag(request, key):
    """Hide a picture. Who has done so already is led back to the case."""
    image = _flaggable(request.user, key)
    member = request.user.as_member
    if member is None:
        raise PermissionDenied("Members flag. As a moderator without a membership, act on the case itself.")
    if flags.open_flag_of(image, member):
        messages.success(request, "Hidden until a moderator has looked.")
        return redirect(image.case)
    form = FlagForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            flags.flag_image(image=image, member=member, **form.cleaned_data)
            identifiers.record(member=member, place="image_flag", kept=form.kept_identifiers())
            messages.success(request, "Hidden until a moderator has looked.")
            return redirect(image.case)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    context = {"form": form, "image": image, "is_own": image.case.question.asker_id == member.pk}
    return render(request, "consults/flag.html", context, status=422 if form.errors else 200)


def _flaggable(user, key) -> Image:
    """A picture one sees, or one that one's own flag hides. Raises Http404."""
    images = Image.objects.select_related("case__question")
    if image := images.visible_to(user).filter(key=key).first():
        return image
    own = (
        ImageFlag.objects.open().filter(member=user.as_member) if user.as_member else ImageFlag.objects.none()
    )
    cases = Case.objects.visible_to(user)
    return get_object_or_404(images.filter(case__in=cases, pk__in=own.values("image")), key=key)


# The desk


@moderator_required
def desk(request):
    user = request.user
    context = {
        "flags": _flagged(user),
        "drafts": _waiting(user),
        "stories": _stories(user),
        "incidents": _incidents(user).filter(closed_at=None).order_by("due_at", "pk")[:MOST_ROWS],
        "minutes": settings.CASE_REVIEW_MINUTES,
        "most": MOST_ROWS,
        "now": timezone.now(),
        **_tabs(),
    }
    return render(request, "consults/desk.html", context)


def _tabs():
    return {"tabs": tabs(""), "on_cases": True}


def _flagged(user) -> list[ImageFlag]:
    """The oldest open flag of each picture, with how many there are."""
    first: dict[int, ImageFlag] = {}
    for row in _flags(user).order_by("flagged_at", "pk")[: MOST_ROWS * 2]:
        shown = first.setdefault(row.image_id, row)
        shown.number = getattr(shown, "number", 0) + 1
    return list(first.values())[:MOST_ROWS]


def _flags(user):
    taken = rights.part_taken(user.as_member, OuterRef("image__case"))
    rows = ImageFlag.objects.listed_on_desk(user).select_related("image__case__question")
    return rows.annotate(is_party=ExpressionWrapper(taken, output_field=BooleanField()))


def _waiting(user) -> list[CaseDraft]:
    drafts = list(CaseDraft.objects.on_desk(user).order_by("submitted_at", "pk")[:MOST_ROWS])
    for draft in drafts:
        draft.why = triage.Hits.of(draft).words()
        draft.is_late = reviewing.due_at(draft) < timezone.now()
    return drafts


def _stories(user) -> list[Story]:
    own = ExpressionWrapper(Q(case__question__asker=user.as_member), output_field=BooleanField())
    return list(stories.waiting().annotate(is_own=own)[:MOST_ROWS])


def _incidents(user):
    """Those of cases in which this moderator takes no part, as asker or otherwise."""
    rows = Incident.objects.select_related("image__case__question")
    return rows.exclude(rights.part_taken(user.as_member, OuterRef("image__case")))


# A case that waits


@moderator_required
def review(request, draft_key):
    """A case as its readers will see it, why it waits, and the decision; or more boxes on a picture."""
    rows = CaseDraft.objects.on_desk(request.user)
    rows = rows.select_related("member__specialty", "member__rank", "member__user", "consent")
    draft = rows.filter(pk=draft_key).first()
    if draft is None:
        return _too_late(request, reviewing.NotWaitingAnyMore)
    covering = _covering(request, draft)
    if covering and covering.is_valid() and "cover" in request.POST:
        return _cover(request, draft, covering)
    said = _said(draft)
    is_decided = request.method == "POST" and covering is None
    form = ReviewForm(request.POST if is_decided else None, draft=draft, may_publish=said is not None)
    if is_decided and form.is_valid():
        try:
            messages.success(request, _decide(request.user, draft, form))
            return redirect("consults:desk")
        except (reviewing.NotWaitingAnyMore, reviewing.CouldNotGoOut) as refusal:
            messages.error(request, str(refusal))
            return redirect("consults:desk")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    return _review_page(request, draft, said, form, covering)


def _decide(user, draft, form) -> str:
    decision, words, seen = (form.cleaned_data[name] for name in ("decision", "words", "seen"))
    if decision == PUBLISH:
        reviewing.approve(draft=draft, by=user, seen=seen)
        return "Published."
    if decision == REFUSE:
        reviewing.refuse(draft=draft, by=user, words=words, seen=seen)
        return "Refused. The pictures are destroyed."
    reviewing.send_back(draft=draft, by=user, words=words, seen=seen)
    return "Sent back to its author."


def _covering(request, draft) -> Covers | None:
    """The boxes sent for a picture, to be burned in or first only drawn; they know their picture."""
    key = request.POST.get("cover") or request.POST.get("preview")
    if key is None:
        return None
    images = list(triage.standing_images(draft))
    image = next((one for one in images if one.key == key), None)
    if image is None:
        raise Http404("This case has no such picture.")
    covers = Covers(request.POST, prefix=image.key)
    covers.image, covers.number = image, images.index(image) + 1
    return covers


def _cover(request, draft, covers):
    covers.image.draft = draft
    boxes = covers.boxes()
    try:
        reviewing.cover(image=covers.image, by=request.user, boxes=boxes)
        said = "1 more box" if len(boxes) == 1 else f"{len(boxes)} more boxes"
        messages.success(request, f"Picture {covers.number}: {said} burned in.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect(f"{reverse('consults:review', args=[draft.pk])}#picture-{covers.number}")


def _said(draft):
    """What was written; None where something is missing by now, such as a specialty that is none any more."""
    try:
        return written.read(draft.fields)
    except written.Incomplete:
        return None


def _review_page(request, draft, said, form, covering):
    images = list(triage.standing_images(draft))
    for image in images:
        is_sent = covering is not None and covering.image.pk == image.pk
        image.covers = covering if is_sent else Covers(prefix=image.key)
        image.open_still = masking.open_still(image)
        image.open_words = [_in_words(box) for box in image.open_still]
    context = {
        "draft": draft,
        "said": said,
        "images": images,
        "form": form,
        "is_late": reviewing.due_at(draft) < timezone.now(),
        "minutes": settings.CASE_REVIEW_MINUTES,
        "why": triage.look(draft).words() if said else triage.Hits.of(draft).words(),
        **_tabs(),
    }
    if said:
        context |= _as_readers_see_it(draft, said, images)
    status = 422 if form.errors or (covering and not covering.is_valid()) else 200
    return render(request, "consults/review.html", context, status=status)


def _in_words(box) -> str:
    """What was found, and where, for whoever does not see its lines."""
    left, top, width, height = (side / 10 for side in (box.left, box.top, box.width, box.height))
    where = f"{left:g}% from the left, {top:g}% from the top, {width:g}% wide, {height:g}% high"
    return f"{SORTS.get(box.sort, SORTS[DRAWN])}: {where}"


def _as_readers_see_it(draft, said, images):
    texts = triage.texts_of(said, images)
    taught = [
        ("Final diagnosis", said.final_diagnosis),
        ("Confirmed by", Solution.Confirmed(said.confirmed).label if said.confirmed else ""),
    ]
    checked = [look_at(text, name="case", data=None) for text in texts]
    return {
        "signature": signature(said.byline or draft.member.byline_mode, draft.member),
        "html": render_markdown(said.source),
        "solution_html": render_markdown(said.solution) if said.solution else "",
        "found": [row for one in checked for row in one.rows],
        "facts": [
            ("Kind", Case.Intent(said.intent).label),
            ("Asks", Case.Ask(said.ask).label),
            ("Age", Case.AgeBand(said.age_band).label),
            ("Sex", Case.Sex(said.sex).label),
            ("Urgency", Question.Urgency(said.urgency).label),
            (
                "Readers",
                ": ".join(
                    [Question.Audience(said.audience).label, *[", ".join(said.invited)] * bool(said.invited)]
                ),
            ),
            ("Specialties", ", ".join(specialty.name for specialty in said.specialties)),
            ("Topics", ", ".join(said.tags) or "none"),
            *(fact for fact in taught if fact[1]),
        ],
    }


def _too_late(request, refusal):
    """Whoever presses a button after another moderator is told so. To look at, there is no such page."""
    if request.method != "POST":
        raise Http404
    messages.error(request, refusal.message)
    return redirect("consults:desk")


# A flag


@moderator_required
def decide_flag(request, flag_id):
    found = _flags(request.user).filter(pk=flag_id).first()
    if found is None:
        return _too_late(request, flags.DecidedAlready)
    form = DecideFlagForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            _decide_flag(request, found, form.cleaned_data)
            messages.success(request, "Decided.")
            return redirect("consults:desk")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    context = {"flag": found, "form": form, **_tabs()}
    if not found.is_party:
        context |= _flag_context(found)
    return render(request, "consults/decide_flag.html", context, status=422 if form.errors else 200)


def _decide_flag(request, found, chosen):
    flags.decide(
        flag=found,
        by=request.user,
        confirmed=chosen["shows"] == "yes",
        act=chosen["act"],
        days=chosen["days"],
        words=chosen["words"],
        whole_case=chosen["whole_case"],
        address_hash=address_hash(request),
    )


def _flag_context(found):
    opening = Post.objects.select_related("byline", "author__specialty", "author__rank")
    opening = opening.get(question=found.image.case_id, kind=Post.Kind.OPENING)
    opening.signature = signature(opening.byline.mode, opening.author)
    return {
        "image": found.image,
        "opening": opening,
        "all_flags": list(ImageFlag.objects.open().filter(image=found.image).order_by("flagged_at", "pk")),
        "before": found.image.flags.exclude(state=ImageFlag.State.OPEN).order_by("-decided_at", "-pk")[:10],
    }


# An incident


@moderator_required
def incident(request, incident_id):
    found = get_object_or_404(_incidents(request.user), pk=incident_id)
    form = None
    if not found.closed_at:
        sent = request.POST if request.method == "POST" else None
        form = IncidentForm(sent, initial={"assessment": found.assessment})
    if form and request.method == "POST" and form.is_valid():
        try:
            incidents.note(incident=found, by=request.user, **form.cleaned_data)
            messages.success(request, "Written down.")
            return redirect("consults:incident", found.pk)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    context = {"incident": found, "form": form, "now": timezone.now(), **_tabs()}
    return render(request, "consults/incident.html", context, status=422 if form and form.errors else 200)
