"""What helps while one asks: similar discussions, topics to add, the choice to wait; and what was put to oneself."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.doors import active_physician_required, physician_required
from accounts.models import Specialty
from questions import rarity_forms
from questions.forms import MOST_SPECIALTIES
from questions.models import Draft, Question
from questions.services import asking, publishing
from questions.services import writing as services
from questions.similar import similar_to
from questions.suggestions import Suggested, suggest
from questions.views.posting import post_or_back
from sermo.errors import RuleBroken
from sermo.paging import page

DRAFT_FIELDS = (
    "kind",
    "title",
    "source",
    "specialties",
    "tags",
    "urgency",
    "audience",
    "peers_only",
    "among_peers",
    "byline",
    "put_to_colleagues",
    "was",
    "diagnosis",
    "code",
    "confidence",
    "next_step",
)
DRAFT_WORDS = ("title", "diagnosis", "next_step", "source")
DRAFT_LIMIT = 20_000  # characters a field
ASKED_PER_PAGE = 20
ON_THE_WAY = ("look", "add_specialty", "add_tag")  # buttons of the ask form that change it and do not post


def draft_fields(data) -> dict[str, object]:
    """What a form was sent with, as a draft keeps it."""
    fields = {key: _storable(data[key])[:DRAFT_LIMIT] for key in DRAFT_FIELDS if data.get(key)}
    if "specialties" in fields:
        fields["specialties"] = [_storable(one) for one in data.getlist("specialties")[:MOST_SPECIALTIES]]
    return fields


def _storable(text: str) -> str:
    """Without the one character that the database cannot hold."""
    return text.replace("\x00", "")


def has_words(fields) -> bool:
    return any(fields.get(name, "").strip() for name in DRAFT_WORDS)


def as_typed(data) -> dict[str, object]:
    """A sent form as initial values, with the specialty or tag added whose button was pressed."""
    fields = {**dict.fromkeys(("peers_only", "put_to_colleagues"), ""), **draft_fields(data)}
    if data.get("submission"):
        fields["submission"] = data["submission"]
    added, chosen = _storable(data.get("add_specialty", "")), fields.get("specialties", [])
    if added and added not in chosen and Specialty.objects.filter(pk=added, is_choice=True).exists():
        fields["specialties"] = [*chosen, added][:MOST_SPECIALTIES]
    if tag := _storable(data.get("add_tag", "")).strip()[:40]:
        fields["tags"] = ", ".join(filter(None, [fields.get("tags", "").strip().rstrip(","), tag]))
    return fields


def coarser(data):
    """A sent form with the coarser values in its texts."""
    changed = data.copy()
    for field, text in rarity_forms.made_coarser(data).items():
        changed[field] = text
    return changed


def around(user, fields) -> dict[str, object]:
    """Similar discussions and topics to add, for the fragment under the title."""
    title, body = fields.get("title", ""), fields.get("source", "")
    found = similar_to(user, title, body)
    suggested = Suggested()
    if has_words(fields):
        suggested = suggest(
            title,
            body,
            alike=[row["question_id"] for row in found],
            chosen=fields.get("specialties", []),
            typed=fields.get("tags", ""),
        )
    return {"similar": found, "suggested": suggested}


@active_physician_required
def similar(request):
    """Asked by the ask form while one types; never by an address, which would keep the words."""
    if request.method != "POST":
        return redirect("questions:ask")
    template = "questions/_similar.html" if request.htmx else "questions/similar.html"
    return render(request, template, around(request.user, draft_fields(request.POST)))


def keep_and_open(request):
    """Keep the draft and open the discussion that answers it; None where there is no such discussion."""
    number = request.POST.get("answers_mine", "")
    if not (number.isdecimal() and len(number) <= 18):
        return None
    question = Question.objects.visible_to(request.user).listed().filter(pk=number).first()
    if question is None:
        return None
    fields = draft_fields(request.POST)
    if has_words(fields):
        services.save_draft(member=request.user.as_member, place="ask", fields=fields)
        messages.success(request, "What you had typed is kept under Drafts.")
    return redirect(question)


def post_later(request, form):
    """Keep a valid question until it may be posted. Raises what `publishing.post_later` raises."""
    typed = form.cleaned_data
    fields = {**draft_fields(request.POST), "title": typed["title"], "source": typed["source"]}
    fields["tags"] = ", ".join(typed["tags"])
    if form.rarity and form.rarity.is_confirmed:
        fields["rarity_seen"] = form.rarity.digest
    fields["specialties"] = [one.pk for one in typed["specialties"]]
    fields["byline_confirmed"] = form.byline_chosen()["byline_confirmed"]
    draft = publishing.post_later(
        member=request.user.as_member, fields=fields, submission=typed["submission"]
    )
    messages.success(request, f"It will be posted on {draft.publish_at:%B} {draft.publish_at.day}.")
    return redirect("questions:drafts")


@active_physician_required
@post_or_back
def waiting(request, place):
    """Post a waiting question now, or take it back into the ask form."""
    rows = request.user.as_member.drafts.select_related("member__specialty")
    draft = get_object_or_404(rows, place=place, publish_at__isnull=False)
    needs_look = "now" in request.POST and rarity_forms.needs_look(draft)
    try:
        if "now" in request.POST and not needs_look:
            return redirect(publishing.post_now(draft=draft))
        publishing.write_on(draft=draft)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect("questions:drafts")
    if needs_look:
        messages.warning(
            request, "Together some details may identify the patient. Look at them before posting now."
        )
    return redirect("questions:ask")


@physician_required
def asked(request):
    """What was put to oneself and waits for a word. Nobody else sees this."""
    found = page(
        asking.put_to(request.user),
        order=("-asked_at", "-pk"),
        after=request.GET.get("after"),
        size=ASKED_PER_PAGE,
    )
    more_url = f"{reverse('questions:asked')}?after={found.next}" if found.next else None
    context = {"asked": found, "more_url": more_url}
    template = (
        "questions/_asked_rows.html" if request.htmx and request.GET.get("after") else "questions/asked.html"
    )
    return render(request, template, context)


def waiting_drafts(member) -> list[Draft]:
    return list(member.drafts.filter(publish_at__isnull=False).order_by("publish_at", "pk"))
