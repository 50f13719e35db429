"""A discussion on paper, or in a chart: what was said, by which specialty, and no name nor handle."""

import re

from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.doors import physician_required
from accounts.handles import SHAPE
from questions import doubt
from questions.models import Post
from questions.services import follow_ups
from questions.services.references import references_of
from questions.signature import Signer, signed, signer_columns
from questions.views import thread

MOST_ANSWERS = 100
MENTION = re.compile(rf"(?<![\w@/.])@(?:{SHAPE.pattern})")
TAG = re.compile(r'(<(?:[^>"]|"[^"]*")*>)')
FIELDS = ("kind", "html", "posted_at", "corroborate_count", "dispute_count", "credit", "is_doubted")


@physician_required
def question(request, question_id):
    """The opening and the answers as they stand, the credited first, without comments, bylines and tags.

    While answers are closed to this reader, the opening alone.
    """
    found = thread.load_question(request.user, question_id)
    member = request.user.as_member
    posts, is_open = _posts(found, member), found.answers_open
    context = {
        "question": found,
        "title": unmentioned(found.title),
        "outcome": unmentioned(found.outcome) if is_open else "",
        "became": _became(found) if found.is_solved and is_open else [],
        "opening": next((post for post in posts if post["kind"] == Post.Kind.OPENING), None),
        "answers": [post for post in posts if post["kind"] == Post.Kind.ANSWER],
        "references": references_of(found, member, of_opening=not is_open),
        "doubt_words": doubt.WORDS,
        "printed_at": timezone.now(),
    }
    return render(request, "questions/print.html", context)


def _became(question) -> list[tuple[str, str, str]]:
    """What the asker said became of it: when, how it turned out, and in which words."""
    return [
        (row.get_days_display().capitalize(), row.get_finding_display().lower(), unmentioned(row.text))
        for row in follow_ups.said_of(question)
    ]


def _posts(question, member) -> list[dict]:
    """What may be printed for a member: nothing removed, nothing folded, nothing under a face they blocked."""
    rows = question.posts.standing().filter(folded_at=None).besides_blocked(member)
    shown = [Post.Kind.OPENING, Post.Kind.ANSWER] if question.answers_open else [Post.Kind.OPENING]
    rows = rows.filter(kind__in=shown).order_by("-kind", "credit__place", "-balance", "pk")
    columns = signer_columns("byline__mode", "author")
    return [
        {
            **dict(zip(FIELDS, row, strict=False)),
            "html": without_handles(row[1]),
            "specialty": signed(Signer(*row[len(FIELDS) :])).specialty,
        }
        for row in rows.annotate(is_doubted=doubt.is_doubted()).values_list(*FIELDS, *columns)[
            : MOST_ANSWERS + 1
        ]
    ]


def without_handles(html: str) -> SafeString:
    """A post's sanitized HTML with its mentions unmade, outside of tags: there is where links lead."""
    parts = TAG.split(html)
    return SafeString("".join(part if TAG.fullmatch(part) else unmentioned(part) for part in parts))


def unmentioned(text: str) -> str:
    """A handle has nothing to do outside."""
    return MENTION.sub("a colleague", text)
