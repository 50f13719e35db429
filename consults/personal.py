"""What cases know of a person, for the ledger of personal data.

A case stays for the colleagues who answered it. What a patient can take back stays, too: the code and the page for it
need no physician.
"""

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.leaving.ledger import (
    DERIVED,
    HASH,
    NUMBER,
    OTHERS,
    OWNER,
    PLACE,
    SECRET,
    Entry,
    Fate,
    Person,
    Shown,
)
from consults import personal_on_call, personal_replies, personal_solutions, personal_stories
from consults.models import CaseDraft, Consent, Image, ImageFlag, Marker

STAYS = "Colleagues answered it and learn from it. It is signed by a former member."
LEFT = "The member has left."

# Erasers, in the order of ERASERS


def shred_drafts(person: Person) -> None:
    """Cases that nobody else could read, with their pictures."""
    from consults.services import withdrawing

    for draft in CaseDraft.objects.own(person.member).select_for_update():
        withdrawing.end_draft(draft=draft, why=Image.Shredded.AUTHOR)


def sever_consents(person: Person) -> None:
    """Consents stand, and patients can still take them back by code; whoever left can print no code any more.

    Those that cover nothing go.
    """
    own = Consent.objects.own(person.member)
    own.filter(cases=None, drafts=None, images=None).delete()
    own.update(note="", code=None)
    own.filter(kind=Consent.Kind.INSTITUTION).update(statement=LEFT)


def erase_marks(person: Person) -> None:
    """Marks no reply names yet: they go, and their numbers stay, so that none ever means another mark.

    Those of replies stay with them.
    """
    if person.member is not None:
        loose = Marker.objects.filter(member=person.member, post=None)
        loose.filter(removed_at=None).update(removed_at=timezone.now())
        loose.update(label="", left=0, top=0)


def erase_words_of_flags(person: Person) -> None:
    if person.member is not None:
        ImageFlag.objects.filter(member=person.member).update(words="")


ERASERS = (
    shred_drafts,
    sever_consents,
    erase_marks,
    erase_words_of_flags,
    *personal_on_call.ERASERS,
    *personal_stories.ERASERS,
)
lock = personal_on_call.lock


# Export


def _pictures(person: Person) -> QuerySet[Image]:
    own = Q(case__question__asker__user=person.user) | Q(draft__member__user=person.user)
    return Image.objects.filter(own)


def _case(row):
    return row.case_id


def _key(row):
    return row.image.key


ENTRIES = (
    Entry(
        "consults.Case",
        "Cases you opened",
        Fate.KEPT,
        STAYS,
        path="question__asker__user",
        shown=(
            Shown("question", "question", lambda case: case.pk),
            "intent",
            "ask",
            "age_band",
            "sex",
            "care_under_way",
            Shown("solution", "solution_markdown", lambda case: case.solution),
            Shown("consent", "consent", lambda case: case.consent_id),
            "withdrawn_at",
            "withdrawn",
        ),
        withheld={"solution_html": DERIVED, "reviewed_by": OTHERS},
    ),
    Entry(
        "consults.CaseDraft",
        "Cases you did not post yet",
        Fate.DELETED,
        "They go, and their pictures are shredded. Nobody but a moderator ever saw them.",
        path="member__user",
        shown=("key", "fields", "state", "saved_at", "submitted_at", "hits", "answer"),
        withheld={"member": OWNER, "consent": "stands among your consents", "decided_by": OTHERS},
        eraser=shred_drafts,
    ),
    Entry(
        "consults.Consent",
        "Consents of patients",
        Fate.ANONYMIZED,
        "They stand without you. Patients can still take them back with their code, at the address on their form. Your "
        "notes go, and so do consents that cover nothing.",
        path="member__user",
        shown=(
            "id",
            "kind",
            "statement",
            "signer",
            "medium",
            "form_version",
            "signed_on",
            "note",
            "for_teaching",
            "for_observers",
            "for_stories",
            "expires_on",
            "made_at",
            "attested_at",
            "revoked_at",
            "revoked_by",
        ),
        withheld={
            "member": OWNER,
            "reminded_on": "when you were reminded last",
            "code": "the patient's; the form you print has it",
            "code_hash": HASH,
        },
        eraser=sever_consents,
    ),
    Entry(
        "consults.Image",
        "Pictures of your cases",
        Fate.KEPT,
        "They stay with the case as long as the patient's consent stands. Pictures never posted are shredded.",
        find=_pictures,
        shown=(
            "key",
            Shown("case", "case", _case),
            Shown("draft", "draft", lambda image: image.draft_id),
            Shown("consent", "consent", lambda image: image.consent_id),
            "place",
            "sort",
            "shows",
            "width",
            "height",
            "windows",
            "description",
            "state",
            "boxes",
            "why_uncovered",
            "staged_at",
            "masked_at",
            "destroyed_at",
            "hidden_at",
            "shredded_at",
            "shredded",
        ),
        withheld={
            "id": NUMBER,
            "upload": "keeps a picture from being sent twice",
            "seal": SECRET,
            "proposals": "what a program took for text or a face",
            "was_looked_at": "what a program did",
            "left_over": "what a program counted",
            "received_hash": HASH,
            "masked_hashes": HASH,
        },
    ),
    Entry(
        "consults.Marker",
        "Marks you set on pictures",
        Fate.ANONYMIZED,
        "Those of your replies stay with them. Of others no more than the number stays.",
        path="member__user",
        load=("image",),
        shown=(
            Shown("case", "case", _case),
            Shown("image", "image", _key),
            "number",
            "left",
            "top",
            "label",
            Shown("post", "post", lambda marker: marker.post_id),
            "made_at",
            "removed_at",
        ),
        withheld={"id": NUMBER, "member": OWNER, "byline": PLACE},
        eraser=erase_marks,
    ),
    Entry(
        "consults.ImageFlag",
        "Pictures you reported",
        Fate.ANONYMIZED,
        "Your words go; that a picture was reported, and what came of it, stays.",
        path="member__user",
        load=("image",),
        shown=(Shown("image", "image", _key), "words", "flagged_at", "state", "decided_at"),
        withheld={"id": NUMBER, "member": OWNER, "decided_by": OTHERS},
        eraser=erase_words_of_flags,
    ),
    Entry(
        "consults.Incident",
        "Pictures of yours that showed who a patient is",
        Fate.KEPT,
        "The law wants it kept for six years. It names nobody once you have left.",
        path="image__case__question__asker__user",
        load=("image",),
        shown=(Shown("image", "image", _key), "shown_from", "found_at", "contained_at"),
        withheld={
            "id": NUMBER,
            "due_at": "what the site must do",
            "assessment": "what the site must do",
            "assessed_at": "what the site must do",
            "notified_at": "what the site must do",
            "closed_at": "what the site must do",
        },
    ),
    *personal_on_call.ENTRIES,
    *personal_replies.ENTRIES,
    *personal_solutions.ENTRIES,
    *personal_stories.ENTRIES,
)
