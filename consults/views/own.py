"""One's own cases in writing, as the pages find and keep them."""

from django.http import Http404
from django.shortcuts import redirect

from accounts.models import Member
from consults import forms
from consults.models import Case, CaseDraft, Consent, Image
from consults.services import drafts
from questions.models import Post

BESIDES = ("start", "consent", "consent_made", "drawn")  # what a draft keeps besides the fields of its form


def own_draft(request, draft_key):
    """One's own draft; or, where it was posted meanwhile, the way to the case. Raises Http404."""
    member = request.user.as_member
    if found := CaseDraft.objects.own(member).filter(pk=draft_key).first():
        return found
    posted = Post.objects.filter(author=member, submission=draft_key, kind=Post.Kind.OPENING)
    case = Case.objects.filter(question__in=posted.values("question")).select_related("question").first()
    if case is None:
        raise Http404
    return redirect(case)


def keep_words(draft: CaseDraft, member: Member, sent) -> None:
    """Keep what the form of a case was sent with. Raises NotInWriting."""
    fields = {**kept_besides(draft), **forms.as_typed(sent)}
    draft.fields = drafts.save(draft=draft, member=member, fields=fields).fields


def kept_besides(draft: CaseDraft) -> dict:
    return {name: draft.fields[name] for name in BESIDES if name in draft.fields}


def ended_consent_of(draft: CaseDraft | None) -> Consent | None:
    """The consent a draft was sent with, where it has ended since: its pictures are not shown then."""
    consent = draft.consent if draft else None
    return consent if consent and not consent.is_standing else None


def pictures_of(draft: CaseDraft):
    return draft.images.exclude(state=Image.State.SHREDDED).in_order()
