"""Plain makers of polls for tests: rows as the services leave them, without their rules."""

from datetime import timedelta

from django.test import TestCase
from django.utils import timezone

from accounts.tests.factories import make_member, make_specialty
from polls.models import Option, Poll, Tally, Trend
from polls.models.polls import SCALE
from polls.services import voting
from polls.tokens import new_token
from questions.models import Byline, Post, Question, QuestionSpecialty
from sermo.text import plain, render_markdown, searchable

PROMPT = "Which one would you start with?"


def make_poll(
    kind=Poll.Kind.SINGLE,
    options=("A", "B", "C"),
    asker=None,
    days=7,
    *,
    question=None,
    title=PROMPT,
    is_over=False,
    **fields,
):
    """An open poll, stand-alone or attached to `question`; with `is_over` one whose time is up, not yet closed.

    A scale has its five points whatever `options` says.
    """
    asker = asker or (question.asker if question else make_member())
    if question:
        fields.setdefault("prompt", title)
        Question.objects.filter(pk=question.pk).update(has_poll=True)
        question.has_poll = True
    else:
        question = make_poll_question(asker, title)
    opened_at = fields.pop("opened_at", timezone.now() - timedelta(days=days if is_over else 0))
    fields.setdefault("closes_at", opened_at + timedelta(days=days))
    poll = Poll.objects.create(question=question, kind=kind, opened_at=opened_at, **fields)
    if kind == Poll.Kind.SCALE:
        options = [str(point) for point in range(1, SCALE + 1)]
    Option.objects.bulk_create(
        Option(poll=poll, place=place, text=text) for place, text in enumerate(options)
    )
    Tally.objects.create(poll=poll, counts=[0] * len(options))
    return poll


def make_poll_question(asker, title=PROMPT, source="", **fields):
    """A discussion of kind poll with its opening post."""
    question = Question.objects.create(
        kind=Question.Kind.POLL, title=title, asker=asker, has_poll=True, **fields
    )
    QuestionSpecialty.objects.create(
        question=question, specialty=asker.specialty or make_specialty(), place=1
    )
    html = render_markdown(source)
    Post.objects.create(
        question=question,
        kind=Post.Kind.OPENING,
        author=asker,
        byline=Byline.objects.create(question=question, member=asker, mode=asker.byline_mode),
        source=source,
        html=html,
        posted_at=question.opened_at,
        search_text=searchable(title, plain(html)),
    )
    return question


def make_trend(creator=None, *, waves=3, days=7, **fields):
    return Trend.objects.create(creator=creator or make_member(), waves=waves, days=days, **fields)


def make_voter(specialty="Cardiovascular Disease", state="CA", years_band="6-10", **fields):
    """A physician with a value in each dimension of a breakdown."""
    return make_member(specialty=specialty, state=state, years_band=years_band, **fields)


def vote(poll, member, *places, token=None, seconds=None):
    """Cast through the service, with what it does on commit, also where a test holds one transaction open. Returns
    the token."""
    token = token or new_token()
    with TestCase.captureOnCommitCallbacks(execute=True):
        voting.cast(poll=poll, member=member, choices=places, token=token, seconds=seconds)
    return token
