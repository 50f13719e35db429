"""Answering a case: a diagnosis and how sure one is of it, the next step, and a comment."""

import re
from uuid import UUID

from django.db import transaction

from accounts.models import Member
from consults.models import Case, Reply
from consults.models.replies import CONFIDENCES
from consults.services import diagnoses, settling
from questions.models import Post
from questions.services import writing
from sermo.errors import RuleBroken

NEEDS_DIAGNOSIS = (Case.Ask.WHAT, Case.Ask.EKG)
MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")


class DiagnosisMissing(RuleBroken):
    message = "Name a diagnosis: the one you would bet on."


class ConfidenceMissing(RuleBroken):
    message = "Say how sure you are of the diagnosis."


class NothingSaid(RuleBroken):
    message = "Write a diagnosis, a next step or a comment."


class OwnCase(RuleBroken):
    message = "Colleagues name the diagnosis of your case. Write what you think of it as a comment."


@transaction.atomic
def reply(
    *,
    case: Case,
    author: Member,
    diagnosis: str = "",
    code: str = "",
    confidence: int | None = None,
    next_step: str = "",
    comment: str = "",
    byline: str | None = None,
    byline_confirmed: bool = False,
    peers_only: bool | None = None,
    among_peers: bool = False,
    submission: UUID | None = None,
) -> Post:
    """Answer an open case. The same submission twice makes one answer.

    A member's first diagnosis there is their forecast, unless they had read others' answers before.
    Raises DiagnosisMissing, ConfidenceMissing, NothingSaid, OwnCase, diagnoses.NoName and CodeMalformed, and what
    questions.services.writing.answer does.
    """
    name, code = diagnoses.as_name(diagnosis), diagnoses.as_code(code)
    confidence = confidence if name else None
    question = writing.lock_open(case.question, by=author)
    check(case, author, name, code, confidence, next_step, comment)
    post = writing.answer(
        question=question,
        author=author,
        source=compose(name, code, confidence, next_step, comment),
        byline=byline,
        byline_confirmed=byline_confirmed,
        peers_only=peers_only,
        among_peers=among_peers,
        submission=submission,
    )
    if Reply.objects.filter(pk=post.pk).exists():
        return post  # sent before
    found = diagnoses.named(case=case, name=name, code=code) if name else None
    earlier = Reply.objects.filter(case=case, member=author, diagnosis__isnull=False)
    Reply.objects.create(
        post=post,
        case=case,
        member=author,
        diagnosis=found,
        confidence=confidence,
        is_forecast=found is not None and not post.saw_others and not earlier.exists(),
    )
    diagnoses.forget_own_votes(case.pk)
    settling.settle(case.pk)
    return post


def check(
    case: Case, author: Member, name: str, code: str, confidence: int | None, next_step: str, comment: str
):
    """Raises the refusals of `reply` that are of what is said."""
    is_own = case.question.asker_id == author.pk
    if is_own and (name or code):
        raise OwnCase
    if not name and (code or (case.ask in NEEDS_DIAGNOSIS and not is_own)):
        raise DiagnosisMissing
    if name and confidence not in CONFIDENCES:
        raise ConfidenceMissing
    if not (name or next_step.strip() or comment.strip()):
        raise NothingSaid


DIAGNOSIS, NEXT_STEP = "**Diagnosis.** ", "**Next step.** "
STEP = re.compile(rf"^{re.escape(NEXT_STEP)}(.+)$", re.MULTILINE)  # of a reply as composed


def compose(name: str, code: str, confidence: int | None, next_step: str, comment: str) -> str:
    """A reply as a text in Markdown, so that all that is done with answers is done with it."""
    said = []
    if name:
        of_code = f" ({code})" if code else ""
        plain_name = MARKDOWN.sub(r"\\\1", name)
        said.append(f"{DIAGNOSIS}{plain_name}{of_code}, {confidence}% sure.")
    if next_step.strip():
        said.append(f"{NEXT_STEP}{' '.join(next_step.split())}")
    if comment.strip():
        said.append(comment.strip())
    return "\n\n".join(said)


def diagnosis_line(source: str) -> str:
    """The paragraph of a reply in which `compose` put the diagnosis, or nothing."""
    first = re.split(r"\n\s*\n", "\n".join(source.strip().splitlines()), maxsplit=1)[0]
    return first if first.startswith(DIAGNOSIS.rstrip()) else ""
