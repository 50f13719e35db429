"""How the demonstration's questions went on: what became of them, what they refer to, whom they were put to."""

import tomllib
import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import FanOut, Kind, Member, NoticeDay
from accounts.services import notices
from questions.models import Asked, Byline, Draft, FollowUp, Post, Question
from questions.services import asking, follow_ups, references
from sermo.text import plain, render_markdown, searchable

WRITTEN = Path(__file__).parent / "more" / "loop.toml"
PUT_TO_EACH = 4
PLACE = f"later:{uuid.UUID(int=1)}"
Why = Asked.Why


@transaction.atomic
def seed(stdout) -> None:
    """Write how it went on, once; a second run changes nothing."""
    if FollowUp.objects.exists():
        stdout.write("how it went on: here already")
        return
    written = tomllib.loads(WRITTEN.read_text(encoding="utf-8"))
    cast = list(Member.objects.physicians().filter(user__email__in=DEMO_LOGINS).order_by("pk"))
    _follow_up(written["follow_up"])
    _refer(**written["references"])
    for member in cast:
        _put_to(member)
        _put_to_others(member)
    NoticeDay.objects.filter(member__in=cast).delete()  # today's alerts are free for whoever tries the site
    if cast:
        _wait(cast[0], **written["later"])
    said = FollowUp.objects.exclude(answered_at=None).count()
    stdout.write(f"how it went on: {said} follow-ups, {Asked.objects.count()} times put to a member")


def _follow_up(entries: list[dict]) -> None:
    """Plan for all that is solved, and say what is written; what fell due unsaid was asked."""
    for question in Question.objects.solved():
        follow_ups.plan(question)
    now = timezone.now()
    for entry in entries:
        rows = FollowUp.objects.filter(
            question__title__startswith=entry["title"], days=entry["days"], due_at__lte=now
        )
        for row in rows:
            row.finding, row.text, row.asked_at = entry["finding"], entry["text"], row.due_at
            row.answered_at = min(now, row.due_at + timedelta(hours=9))
            row.save(update_fields=["finding", "text", "asked_at", "answered_at"])
    FollowUp.objects.filter(due_at__lte=now, asked_at=None).update(asked_at=now)


def _refer(*, sentences: list[str], own_paper: str, own_sentence: str) -> None:
    """Add the sentences to the best answers, and to one under a real name a paper of its author."""
    answers = Post.objects.answers().standing().order_by("-balance", "pk")
    for sentence, post in zip(sentences, answers.signed_by_handle(), strict=False):
        _add(post, sentence)
    named = answers.signed_by_name().select_related("author").first()
    if named:
        author = named.author
        author.publications = [*author.publications, own_paper]
        author.visibility = {**author.visibility, "publications": Member.Audience.PHYSICIANS}
        author.save(update_fields=["publications", "visibility"])
        _add(named, own_sentence)


def _add(post: Post, sentence: str) -> None:
    post.source = f"{post.source}\n\n{sentence}"
    post.html = render_markdown(post.source)
    post.search_text = searchable(plain(post.html))
    post.save(update_fields=["source", "html", "search_text"])
    references.store(post)


def _put_to(member: Member) -> None:
    """Some open questions that wait for this member, newest first, for one reason each."""
    rows = Question.objects.visible_to(member.user).open().exclude(asker=member).filter(solved_at=None)
    rows = rows.exclude(posts__author=member).order_by("-opened_at")
    near = list(rows.in_specialty(member.specialty)[:PUT_TO_EACH])
    near += list(rows.exclude(pk__in=[question.pk for question in near])[: PUT_TO_EACH - len(near)])
    for question, why in zip(near, [Why.PAST, Why.INTEREST, Why.NEWCOMER, Why.INTEREST], strict=False):
        Asked.objects.get_or_create(
            question=question,
            member=member,
            defaults={"why": why, "reached": why == Why.PAST, "asked_at": question.opened_at},
        )


def _put_to_others(member: Member) -> None:
    """The member's latest open question is put to colleagues, as if it had just been posted."""
    opening = Post.objects.filter(
        author=member, kind=Post.Kind.OPENING, question__status=Question.Status.OPEN
    )
    opening = opening.order_by("-posted_at").first()
    if opening is None:
        return
    asking.put_to_colleagues(opening)
    row = FanOut.objects.get(kind=Kind.ASKED, target=opening.pk)
    while notices.tell_next_batch(fan_out_id=row.pk):
        pass


def _wait(member: Member, *, title: str, source: str) -> None:
    """A question that is posted by itself when two weeks are over."""
    Draft.objects.get_or_create(
        member=member,
        place=PLACE,
        defaults={
            "publish_at": timezone.now() + timedelta(days=settings.POST_LATER_DAYS - 3),
            "fields": {
                "kind": Question.Kind.QUESTION,
                "title": title,
                "source": source.strip(),
                "specialties": [member.specialty_id],
                "tags": "",
                "urgency": Question.Urgency.DAYS,
                "audience": Question.Audience.PHYSICIANS,
                "byline": Byline.Mode.ANONYMOUS,
                "put_to_colleagues": "on",
            },
        },
    )
