"""Many write at once, most of them in the same few discussions: nothing breaks, and every counter is right after."""

import random
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field

import pytest
from django.db import connection, connections

from accounts.models import Member
from accounts.tests.factories import make_member
from questions import ranking
from questions.models import MemberRank, Post, Question, Reason, Vote, WriteCount
from questions.services import closing, reporting, voting, writing
from questions.services.counting import recount_questions
from questions.tests.factories import make_answer, make_question
from sermo.errors import RuleBroken

HOT = 8  # discussions that all start with
ACTS = {
    "vote": 34,
    "answer": 14,
    "comment": 12,
    "edit": 12,
    "flag": 9,
    "rate": 6,
    "ask": 4,
    "close": 3,
    "reopen": 3,
    "solve": 2,
    "remove": 1,
}
EXPLANATION = "The data I know point the other way."


@dataclass
class Crowd:
    """What the writers share, and at the end what they did."""

    members: list[Member]
    questions: list[int]
    until: float = 0
    start: threading.Barrier | None = None
    done: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


class Writer(threading.Thread):
    """One member with a connection of their own, who does one thing after another until time is up."""

    def __init__(self, crowd: Crowd, number: int):
        super().__init__(daemon=True)
        self.crowd, self.member, self.rng = crowd, crowd.members[number], random.Random(number)
        self.done, self.refused, self.broken = Counter(), Counter(), []

    def run(self):
        try:
            connection.ensure_connection()
            self.crowd.start.wait(60)
            while time.monotonic() < self.crowd.until:
                self.act()
        finally:
            connections.close_all()

    def act(self):
        name = self.rng.choices(list(ACTS), weights=ACTS.values())[0]
        try:
            done = getattr(self, name)()
            self.done[name] += done is not None
        except RuleBroken as refusal:
            self.refused[type(refusal).__name__] += 1
        except Exception:
            self.broken.append(f"{name}:\n{traceback.format_exc()}")

    def question(self) -> Question:
        """Mostly one of those everybody is in."""
        known = self.crowd.questions
        return Question.objects.get(pk=self.rng.choice(known[:HOT] if self.rng.random() < 0.8 else known))

    def post(self, **wanted) -> Post | None:
        """One of the latest, or of the first ones: where all others are too."""
        rows = Post.objects.filter(question=self.question(), **wanted).select_related("question")
        found = list(rows.order_by(self.rng.choice(("pk", "-pk")))[:6])
        return self.rng.choice(found) if found else None

    def ask(self):
        made = make_question(self.member, title="Who has seen this before, and what came of it?")
        self.crowd.questions.append(made.pk)
        return made

    def answer(self):
        return make_answer(self.question(), self.member)

    def comment(self):
        post = self.post(kind=Post.Kind.ANSWER)
        return post and writing.comment(post=post, author=self.member, source="Which dose did you use?")

    def vote(self):
        post = self.post()
        if post is None:
            return None
        if self.rng.random() < 0.15:
            return voting.withdraw_vote(post=post, voter=self.member) or post
        if self.rng.random() < 0.2:
            value, reason, explanation = -1, "evidence", EXPLANATION
        else:
            value, reason, explanation = 1, "", ""
        return voting.cast_vote(
            post=post, voter=self.member, value=value, reason=reason, explanation=explanation
        )

    def edit(self):
        own = Post.objects.filter(author=self.member).select_related("question")
        post = own.order_by("-pk")[self.rng.randrange(3) :].first()
        text = f"In my own words, version {self.rng.random()}."
        return post and writing.edit_post(post=post, by=self.member, source=text)

    def flag(self):
        post = self.post()
        reason = self.rng.choice([Reason.IDENTITY, Reason.SPAM, Reason.MISINFORMATION])
        return post and reporting.report_post(post=post, by=self.member, reason=reason)

    def rate(self):
        return voting.rate_importance(
            question=self.question(), rater=self.member, value=self.rng.randint(1, 5)
        )

    def own_question(self) -> Question | None:
        return Question.objects.filter(asker=self.member).order_by("?").first()

    def close(self):
        question = self.own_question()
        return question and closing.close_question(question=question, by=self.member)

    def reopen(self):
        question = self.own_question()
        return question and closing.reopen_question(question=question, by=self.member)

    def solve(self):
        question = self.own_question()
        if question is None:
            return None
        answers = list(question.posts.answers().standing().exclude(author=self.member)[:2])
        return closing.solve_question(question=question, by=self.member, answers=answers)

    def remove(self):
        own = Post.objects.filter(author=self.member, removed_at=None).select_related("question")
        post = own.order_by("?").first()
        return post and writing.remove_post(post=post, by=self.member)


def let_them_write(*, writers: int, seconds: float) -> Crowd:
    members = [make_member() for _ in range(writers)]
    questions = [make_question(members[place % writers]) for place in range(HOT)]
    for place, question in enumerate(questions):
        make_answer(question, members[(place + 1) % writers])
    crowd = Crowd(members, [question.pk for question in questions])

    def begin():
        crowd.until = time.monotonic() + seconds

    crowd.start = threading.Barrier(writers, action=begin)
    threads = [Writer(crowd, number) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 120)
        assert not thread.is_alive()
        crowd.done += thread.done
        crowd.refused += thread.refused
        crowd.broken += thread.broken
    return crowd


def check(crowd: Crowd) -> None:
    assert not crowd.broken, f"{len(crowd.broken)} broke, the first:\n{crowd.broken[0]}"
    assert recount_questions(list(Question.objects.values_list("pk", flat=True))) == 0
    kept = dict(MemberRank.objects.values_list("member", "points"))
    ranking.recount_ranks()
    for member, points in MemberRank.objects.values_list("member", "points"):
        assert kept.get(member, 0) == points
    for member, what, count in WriteCount.objects.values_list("member", "what", "count"):
        assert count >= written_by(member, what)


def written_by(member: int, what: str) -> int:
    """How many rows of a kind a member has, each of which was counted once; votes taken back were counted too."""
    posts = Post.objects.filter(author=member)
    rows = {
        "post": posts.filter(kind=Post.Kind.OPENING),
        "comment": posts.exclude(kind=Post.Kind.OPENING),
        "vote": Vote.objects.filter(voter=member),
    }
    return rows[what].count() if what in rows else 0


@pytest.mark.django_db(transaction=True)
def test_a_dozen_who_write_at_once_leave_every_counter_right():
    crowd = let_them_write(writers=12, seconds=3)

    check(crowd)
    assert sum(crowd.done.values()) > 20


@pytest.mark.scale
@pytest.mark.django_db(transaction=True)
def test_two_hundred_who_write_at_once_leave_every_counter_right():
    crowd = let_them_write(writers=200, seconds=60)

    print(f"\n{sum(crowd.done.values())} done: {dict(crowd.done.most_common())}")
    print(f"{sum(crowd.refused.values())} refused: {dict(crowd.refused.most_common())}")
    print(f"{len(crowd.broken)} broken")
    check(crowd)
