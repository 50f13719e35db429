"""Turns the written discussions into rows: askers, answers, votes and ratings of the demonstration's physicians."""

import random
import tomllib
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import Member, Specialty
from questions import ranking
from questions.models import Byline, Credit, Importance, Post, Question, QuestionSpecialty, Vote
from questions.services.counting import recount_questions
from questions.services.tags import tags_named
from questions.services.writing import EXCERPT
from sermo.text import clip, plain, render_markdown, searchable

FOLDER = Path(__file__).parent
SEED = 20260402
LOG_INS_AGAIN = 4  # how many others speak in between
Mode = Member.BylineMode

# What a dispute says when the file gives fewer reasons than disputes.
MORE_REASONS = {
    "evidence": "The data I know point the other way; I would not rest a decision on this.",
    "unsafe": "In my hands this has caused harm, and there are safer ways to the same end.",
    "outdated": "This is how we were taught, and it has changed since.",
    "incomplete": "True as far as it goes, but it leaves out what decides the matter at the bedside.",
}


def seed(stdout) -> None:
    """Write the discussions once; a second run changes nothing."""
    if Question.objects.exists():
        stdout.write("discussions: here already")
        return
    written = [
        entry
        for path in sorted(FOLDER.glob("*.toml"))
        for entry in tomllib.loads(path.read_text())["discussion"]
    ]
    with transaction.atomic():
        cast = Cast(random.Random(SEED))  # noqa: S311 - the same every time is the purpose
        now = timezone.now()
        for entry in sorted(written, key=lambda entry: -entry["age_days"]):
            Scribe(cast, entry, now).write()
        recount_questions(list(Question.objects.values_list("pk", flat=True)))
        close_the_silent(now)
        ranking.recount_ranks()
    stdout.write(
        f"discussions: {len(written)}, with {Post.objects.count()} posts and {Vote.objects.count()} votes"
    )


def close_the_silent(now: datetime) -> None:
    silence = timedelta(days=settings.CLOSE_AFTER_SILENT_DAYS)
    for question in Question.objects.silent_since(now - silence):
        question.status = Question.Status.CLOSED
        question.closed_at, question.close_reason = question.closes_at, Question.CloseReason.SILENCE
        question.save(update_fields=["status", "closed_at", "close_reason"])


class Cast:
    """The physicians to choose from, by specialty, each as often as the others."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        writing = Member.objects.filter(standing=Member.Standing.PHYSICIAN)  # who only reads casts no vote
        self.members = list(writing.select_related("specialty", "user").order_by("pk"))
        self.by_specialty = defaultdict(list)
        for member in self.members:
            self.by_specialty[member.specialty.name].append(member)
        for members in self.by_specialty.values():
            rng.shuffle(members)
            members.sort(key=lambda member: member.user.email not in DEMO_LOGINS)
        self.specialties = {row.name: row for row in Specialty.objects.filter(is_choice=True)}

    def next_of(self, specialty: str, *, mode: str, besides: set[int]) -> Member:
        """A physician of a specialty who did not speak yet, for a public byline one whose profile is public.

        Those one can log in as come round more often than others, so that their inbox is worth a look.
        """
        row = self.by_specialty[specialty] or self.by_specialty["Internal Medicine"]
        free = [member for member in row if member.pk not in besides] or self.members
        fitting = [member for member in free if (member.byline_mode == Mode.PUBLIC) == (mode == Mode.PUBLIC)]
        chosen = (fitting or free)[0]
        if chosen in row:
            row.remove(chosen)
            row.insert(LOG_INS_AGAIN if chosen.user.email in DEMO_LOGINS else len(row), chosen)
        return chosen

    def crowd(self, number: int, *, near: set[str], besides: set[int]) -> list[Member]:
        """Voters: mostly colleagues of the specialties concerned, some from elsewhere."""
        pool = [member for member in self.members if member.pk not in besides]
        weighted = sorted(
            pool, key=lambda member: -(self.rng.random() + 0.55 * (member.specialty.name in near))
        )
        return weighted[:number]


class Scribe:
    """Writes one discussion."""

    def __init__(self, cast: Cast, entry: dict, now: datetime):
        self.cast, self.rng, self.entry, self.now = cast, cast.rng, entry, now
        self.opened_at = now - timedelta(days=entry["age_days"])
        self.speakers: set[int] = set()
        self.near = {*entry["specialties"], entry["asker"]}

    def write(self) -> None:
        entry = self.entry
        self.asker = self._speaker(entry["asker"], entry.get("byline", "anonymous"))
        html = render_markdown(entry["body"].strip())
        self.question = Question.objects.create(
            kind=entry["kind"],
            title=entry["title"],
            asker=self.asker,
            urgency=entry.get("urgency", "days"),
            peers_only=self.rng.random() < 0.15,
            excerpt=clip(plain(html), EXCERPT),
            opened_at=self.opened_at,
            activity_at=self.opened_at,
        )
        QuestionSpecialty.objects.bulk_create(
            QuestionSpecialty(question=self.question, specialty=self.cast.specialties[name], place=place)
            for place, name in enumerate(entry["specialties"], start=1)
        )
        self.question.tags.set(tags_named(tag.replace("-", " ") for tag in entry.get("tags", [])))
        opening = self._post(
            Post.Kind.OPENING, self.asker, entry["body"], self.opened_at, mode=entry.get("byline")
        )
        self._votes(opening, entry)
        self._ratings()
        answers = [self._answer(answer) for answer in entry.get("answer", [])]
        self._solve(answers)
        latest = max([self.opened_at, *self.question.posts.values_list("posted_at", flat=True)])
        Question.objects.filter(pk=self.question.pk).update(activity_at=latest)

    def _speaker(self, specialty: str, mode: str) -> Member:
        member = self.cast.next_of(specialty, mode=mode, besides=self.speakers)
        self.speakers.add(member.pk)
        return member

    def _at(self, hours: float) -> datetime:
        return min(self.opened_at + timedelta(hours=hours), self.now)

    def _answer(self, answer: dict) -> Post:
        author = self._speaker(answer["by"], answer.get("byline", "anonymous"))
        post = self._post(
            Post.Kind.ANSWER,
            author,
            answer["body"],
            self._at(answer["after_hours"]),
            mode=answer.get("byline"),
        )
        self._votes(post, answer)
        for comment in answer.get("comment", []):
            speaker = {"asker": self.asker, "answerer": author}.get(comment["by"])
            speaker = speaker or self._speaker(comment["by"], "anonymous")
            made = self._post(
                Post.Kind.COMMENT, speaker, comment["body"], self._at(comment["after_hours"]), parent=post
            )
            self._votes(made, {"corroborate": comment.get("helpful", 0)})
        return post

    def _post(self, kind, author, body, posted_at, *, parent=None, mode=None) -> Post:
        source = body.strip()
        html = render_markdown(source)
        wanted = Mode(mode or author.byline_mode)
        if wanted == Mode.PUBLIC and author.byline_mode != Mode.PUBLIC:
            wanted = Mode.PARTIAL
        byline, _ = Byline.objects.get_or_create(
            question=self.question, member=author, defaults={"mode": wanted}
        )
        title = self.question.title if kind == Post.Kind.OPENING else ""
        return Post.objects.create(
            question=self.question,
            parent=parent,
            kind=kind,
            author=author,
            byline=byline,
            source=source,
            html=html,
            posted_at=posted_at,
            search_text=searchable(title, plain(html)),
        )

    def _votes(self, post: Post, entry: dict) -> None:
        yes, no = entry.get("corroborate", 0), entry.get("dispute", 0)
        voters = self.cast.crowd(yes + no, near=self.near, besides={post.author_id})
        reasons = list(entry.get("disputes", []))
        rows = []
        for place, voter in enumerate(voters):
            vote = Vote(
                post=post, voter=voter, author_id=post.author_id, value=1, cast_at=self._later(post.posted_at)
            )
            if place < no:
                said = reasons[place] if place < len(reasons) else self._another(reasons)
                vote.value, vote.reason, vote.explanation = -1, said["reason"], said["text"]
            rows.append(vote)
        Vote.objects.bulk_create(rows)

    def _another(self, reasons: list[dict]) -> dict:
        reason = self.rng.choice(reasons)["reason"] if reasons else "evidence"
        return {"reason": reason, "text": MORE_REASONS[reason]}

    def _later(self, moment: datetime) -> datetime:
        """Some time after a moment, soon rather than late, before now."""
        room = min((self.now - moment).total_seconds(), 20 * 86400)
        return moment + timedelta(seconds=room * self.rng.random() ** 2)

    def _ratings(self) -> None:
        """Ratings from 1 to 5 around the mean the file names."""
        entry = self.entry
        raters = self.cast.crowd(entry.get("ratings", 0), near=self.near, besides={self.asker.pk})
        rows = []
        for rater in raters:
            value = min(5, max(1, round(self.rng.gauss(entry.get("importance", 3), 0.7))))
            rating = Importance(question=self.question, rater=rater, asker=self.asker, value=value)
            rating.rated_at = self._later(self.opened_at)
            rows.append(rating)
        Importance.objects.bulk_create(rows)

    def _solve(self, answers: list[Post]) -> None:
        credited = [answers[number - 1] for number in self.entry.get("credited", [])]
        outcome = self.entry.get("outcome") or self.entry.get("elsewhere") or ""
        if not credited and not outcome:
            return
        written = max([self.opened_at, *(post.posted_at for post in credited)])
        solved_at = written + min((self.now - written) * self.rng.uniform(0.3, 0.8), timedelta(days=50))
        Credit.objects.bulk_create(
            Credit(question=self.question, post=post, place=place, credited_at=solved_at)
            for place, post in enumerate(credited, start=1)
        )
        self.question.solved_at, self.question.outcome = solved_at, outcome[:500]
        self.question.save(update_fields=["solved_at", "outcome"])
