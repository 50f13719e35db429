"""What a question page shows beside its posts, gathered in a fixed number of queries."""

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Expression, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject
from django.http import Http404
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.models import Member, Notice, NoticeThread
from questions.answer_forms import FORMS
from questions.forms import AnswerForm
from questions.models import (
    Bookmark,
    Byline,
    Commitment,
    Draft,
    Importance,
    Invitation,
    Question,
    Reference,
    Subscription,
    Tag,
)
from questions.readers import shape_of, stand_in, values_of
from questions.services import committing
from questions.signature import signature
from sermo.fragments import fill, late
from sermo.paging import LARGEST_NUMBER
from sermo.prepared import columns_of, instance_of, prepared
from sermo.recent import Recent

FORM = "questions/_answer_form.html"
_blank = Recent(2_000)
BESIDE = (
    "topics",
    "tag_list",
    "own_importance",
    "own_byline",
    "own_level",
    "own_bookmark",
    "has_news",
    "has_references",
    "has_committed",
    "own_draft",
    "own_invitation",
)
# What apps above have the query of a discussion bring too, so that their words on its page cost none: by the name it is
# set under, what makes an expression, of the question's row, for a reader (none: staff).
BROUGHT: dict[str, Callable[[Member | None], Expression]] = {}


def load_question(user, question_id: int) -> Question:
    """One discussion through its gate, with topics, tags and what this member did there; `answers_open` says whether
    the answers of colleagues are open to them. Raises Http404.
    """
    is_number = question_id < LARGEST_NUMBER
    rows = is_number and _question(
        shape_of(user), **values_of(user), question=question_id, **_names(question_id)
    )
    if not rows:
        raise Http404("No discussion of this number is open to this reader.")
    names = (*BESIDE, *BROUGHT)
    question = instance_of(Question, rows[0][len(names) :])
    for name, value in zip(names, rows[0], strict=False):
        setattr(question, name, value)
    question.takes_words = _takes_words_of(user.as_member, question)
    question.answers_open = committing.are_answers_open(
        question=question, user=user, has_committed=question.has_committed
    )
    return question


def _takes_words_of(member: Member | None, question: Question) -> bool:
    """As `services.circles` has it, from what came with the question."""
    if not question.is_private or (member is not None and question.asker_id == member.pk):
        return True
    return bool(question.own_invitation) and question.own_invitation["state"] == Invitation.State.ACCEPTED


def _names(question_id: int) -> dict[str, str]:
    """What notices and drafts call a discussion."""
    return {"about": f"question:{question_id}", "place": f"answer:{question_id}"}


@prepared
def _question(shape, *, reader, reader_specialty, question, about, place):
    user = stand_in(shape, reader, reader_specialty)
    member = user.as_member
    tag = Tag.objects.filter(questions=OuterRef("pk")).order_by("name")
    followed = Subscription.objects.filter(question=OuterRef("pk"), member=member).values("level")[:1]
    rated = Importance.objects.filter(question=OuterRef("pk"), rater=member).values("value")[:1]
    signed = Byline.objects.filter(question=OuterRef("pk"), member=member).values("mode")[:1]
    saved = Bookmark.objects.filter(question=OuterRef("pk"), member=member).values("pk")[:1]
    typed = Draft.objects.filter(member=member, place=place).values_list(
        JSONObject(fields="fields", saved_at="saved_at")
    )[:1]
    committed = Commitment.objects.filter(question=OuterRef("pk"), member=member)
    invited = Invitation.objects.standing().filter(question=OuterRef("pk"), member=member)
    invited = invited.values_list(
        JSONObject(
            pk="pk", state="state", due_at="due_at", asked_to_open_at="asked_to_open_at", agrees="agrees"
        )
    )[:1]
    held = Notice.objects.filter(member=member, thread=OuterRef("pk"), held=True, read_at=None)
    told = NoticeThread.objects.filter(member=member, about=about)
    told = told.filter(Q(unread__gt=0) | Exists(held))
    return (
        Question.objects.visible_to(user)
        .filter(pk=question)
        .with_topics()
        .annotate(
            tag_list=ArraySubquery(tag.values_list(JSONObject(name="name", slug="slug"))),
            own_importance=Subquery(rated),
            own_byline=Subquery(signed),
            own_level=Subquery(followed),
            own_bookmark=Subquery(saved),
            has_news=Exists(told),
            has_references=Exists(Reference.objects.filter(post__question=OuterRef("pk"))),
            has_committed=Exists(committed),
            own_draft=Subquery(typed),
            own_invitation=Subquery(invited),
            **{name: make(member) for name, make in BROUGHT.items()},
        )
        .values_list(*BESIDE, *BROUGHT, *columns_of(Question))
    )


def answer_form(request, question: Question, data=None) -> AnswerForm:
    """The form under the answers, of the kind this discussion is answered by, filled with the draft if there is one."""
    place = f"answer:{question.pk}"
    draft = None if data else _draft(question)
    same = {
        "member": request.user.as_member,
        "fixed_byline": question.own_byline is not None,
        "among_few": question.is_among_few,
        "among_peers": question.is_among_peers,
        "initial": {"peers_only": "", **draft.fields} if draft else None,
        "auto_id": "answer_%s",
    }
    way = FORMS.get(question.kind)
    form = way.form(request, question, data, **same) if way else AnswerForm(data, **same)
    if not way:
        form.fields["source"].label = f"Your {question.words.answer}"
    form.draft, form.draft_url = draft, reverse("questions:save_draft", args=[place])
    return form


def drawn_answer_form(request, question: Question, form: AnswerForm | None = None) -> SafeString:
    """The section to answer in. Empty forms that look alike are drawn once for each member."""
    member = request.user.as_member
    way = FORMS.get(question.kind)
    form = form or answer_form(request, question)
    template, signature = way.template if way else FORM, own_signature(question, member)
    context = {"form": form, "own_signature": signature, "action": late("action"), "draft_url": late("draft")}
    context["words"] = question.words
    values = {
        "action": way.action(question) if way else reverse("questions:answer", args=[question.pk]),
        "draft": form.draft_url,
        "csrf": get_token(request),
    }
    if form.is_bound or form.draft:
        return fill(render_to_string(template, {**context, "csrf_token": late("csrf")}), **values)
    bylines = tuple(form.fields["byline"].choices) if "byline" in form.fields else None
    switch = (member.peers_only,) if "peers_only" in form.fields else ()
    key = (template, question.words, getattr(form, "shape", None), member.pk, signature, bylines, switch)
    blank = _blank.get(key)
    if blank is None or settings.DEBUG:
        form.initial["submission"] = late("submission")
        blank = render_to_string(template, {**context, "csrf_token": late("csrf")})
        _blank.put(key, blank)
    return fill(blank, **values, submission=uuid4())


def _draft(question: Question) -> Draft | None:
    """The draft that came with the question."""
    if question.own_draft is None:
        return None
    saved_at = datetime.fromisoformat(question.own_draft["saved_at"])
    return Draft(fields=question.own_draft["fields"], saved_at=saved_at)


def own_signature(question: Question, member: Member):
    """How this member is shown here: by the byline fixed earlier, else by the profile's, never by name among few."""
    usual = member.byline_mode
    if question.is_among_few and usual == Member.BylineMode.PUBLIC:
        usual = Member.BylineMode.ANONYMOUS
    return signature(question.own_byline or usual, member)
