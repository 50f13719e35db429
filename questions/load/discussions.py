"""The rows of one discussion: opening, answers, comments, votes, ratings, credits, with counters that add up."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.conf import settings

from accounts.models import Member
from questions.hot import bayesian_importance, hot_rank
from questions.load.copying import Table
from questions.load.scale import MOST_VOTES, Scale, Share, spread
from questions.load.words import Writer, html_of, searchable_of, source_of
from questions.models import (
    Byline,
    Credit,
    Importance,
    Post,
    Question,
    QuestionSpecialty,
    Reference,
    Revision,
    Vote,
)
from questions.services.writing import EXCERPT
from sermo.text import clip, plain, render_markdown

SEED = "discussions of the load"
DAY = 86_400.0
SILENCE = settings.CLOSE_AFTER_SILENT_DAYS * DAY
DISPUTE = "In my hands this has not held up, and the data I know point the other way."
REASONS = ("evidence", "unsafe", "outdated", "incomplete")
OUTCOMES = (
    "Settled by telephone with the center that did the first operation.",
    "Resolved after the change of dose.",
)

QUESTION = (
    *(
        "id",
        "kind",
        "title",
        "asker_id",
        "audience",
        "peers_only",
        "urgency",
        "excerpt",
        "status",
        "opened_at",
    ),
    *("activity_at", "first_answer_at", "closed_at", "close_reason", "solved_at", "outcome", "answer_count"),
    *("comment_count", "vote_count", "importance_sum", "importance_count", "importance", "hot"),
)
POST = (
    *("id", "question_id", "parent_id", "kind", "author_id", "byline_id", "source", "html", "posted_at"),
    *("edited_at", "removed_at", "removed_by", "folded_at", "fold_reason"),
    *("corroborate_count", "dispute_count", "search_text"),
)
VOTE = ("post_id", "voter_id", "author_id", "value", "reason", "explanation", "cast_at")


class Tables:
    """Where the rows go, in an order in which each finds what it points at."""

    def __init__(self):
        self.questions = Table(Question, *QUESTION)
        self.specialties = Table(QuestionSpecialty, "question_id", "specialty_id", "place")
        self.tags = Table(Question.tags.through, "question_id", "tag_id")
        self.bylines = Table(Byline, "id", "question_id", "member_id", "mode")
        self.posts = Table(Post, *POST)
        self.votes = Table(Vote, *VOTE)
        self.ratings = Table(Importance, "question_id", "rater_id", "asker_id", "value", "rated_at")
        self.credits = Table(Credit, "question_id", "post_id", "place", "credited_at")
        self.revisions = Table(Revision, "post_id", "number", "title", "source", "replaced_at")
        self.references = Table(Reference, "post_id", "kind", "value", "place")

    def copy(self) -> int:
        return sum(table.copy() for table in vars(self).values())


@dataclass(frozen=True)
class Person:
    pk: int
    specialty: str
    mode: str


@dataclass(frozen=True)
class World:
    """What all discussions draw from. The last of them opens just before `end`, a moment in seconds."""

    scale: Scale
    people: list[Person]
    specialties: list[str]
    tags: list[int]
    writer: Writer
    start: float
    end: float


@dataclass
class Written:
    """A post on its way to its row."""

    pk: int
    kind: str
    author: Person
    at: float
    paragraphs: list[str]
    parent: int | None = None
    removed_by: str = ""
    corroborated: int = 0
    disputed: int = 0
    edited_at: float | None = None
    folded: bool = False
    cited: list[str] = field(default_factory=list)


class Discussion:
    """Number so-and-so of a world, always the same. `write` adds its rows to the tables."""

    def __init__(self, world: World, number: int, share: Share, pk: int):
        self.world, self.share, self.pk = world, share, pk
        self.rng = random.Random(f"{SEED} {number}")  # noqa: S311 - the same every time is the purpose
        step = (world.end - world.start) / world.scale.questions
        self.opened = world.start + (number + self.rng.random()) * step
        self.asker = self._anybody()
        self.kind = self.rng.choices(Question.ASKED_KINDS, weights=[75, 15, 10])[0]
        self.audience = self.rng.choices(Question.ASKED_AUDIENCES, weights=[95, 3, 2])[0][0]
        self.title = world.writer.title(self.rng)
        self.is_removed = self.rng.random() < 0.007
        self._decide_end()

    def write(self, tables: Tables, post_ids: Iterator[int], byline_ids: Iterator[int]) -> None:
        posts = self._posts(post_ids)
        self._vote(posts, tables)
        self._add_posts(posts, tables, byline_ids)
        self._add_question(posts, tables)

    # When it happens

    def _decide_end(self) -> None:
        """Open ones saw something lately, or are young; the others fell silent, or their author closed them."""
        rng, age = self.rng, self.world.end - self.opened
        is_young = age < SILENCE + DAY
        self.is_open = is_young or (self.share.answers > 0 and rng.random() < 0.65)
        self.close_reason = "" if self.is_open else Question.CloseReason.SILENCE
        if self.is_open:
            self.last = max(self.opened + age * rng.random(), self.world.end - SILENCE * rng.uniform(0, 0.9))
        else:
            self.last = self.opened + min(60 * DAY * rng.random() ** 2, age - SILENCE - DAY / 2)
        if rng.random() < 0.05:
            self.is_open, self.close_reason = False, Question.CloseReason.AUTHOR
        if not self.share.answers:
            self.last = self.opened
        self.active = self.last
        self.until = self.world.end if self.is_open else self.last

    def _after(self, moment: float, limit: float) -> float:
        """Soon rather than late."""
        return moment + (limit - moment) * self.rng.random() ** 2

    # Who writes what

    def _anybody(self, besides: int = 0) -> Person:
        """Some write far more than others."""
        people = self.world.people
        while True:
            person = people[int(len(people) * self.rng.random() ** 1.8)]
            if person.pk != besides:
                return person

    def _posts(self, ids: Iterator[int]) -> list[Written]:
        rng = self.rng
        opening = self._post(ids, Post.Kind.OPENING, self.asker, self.opened, (60, 140))
        opening.removed_by = Post.RemovedBy.MODERATOR if self.is_removed else ""
        moments = sorted(self._after(self.opened, self.last) for _ in range(self.share.answers))
        moments[-1:] = [self.last] if moments else []
        answers = []
        for moment in moments:
            author = self.asker if rng.random() < 0.03 else self._anybody(besides=self.asker.pk)
            answers.append(self._post(ids, Post.Kind.ANSWER, author, moment, (35, 120)))
            answers[-1].folded = rng.random() < 0.003
        comments = []
        for _ in range(self.share.comments):
            above = answers[int(len(answers) * rng.random() ** 1.5)]
            author = rng.choices([self.asker, above.author, self._anybody()], weights=[3, 2, 5])[0]
            made = self._post(
                ids, Post.Kind.COMMENT, author, self._after(above.at, self.last), (10, 35), parent=above.pk
            )
            comments.append(made)
        return [opening, *answers, *comments]

    def _post(self, ids, kind, author, at, words, parent=None) -> Written:
        rng = self.rng
        paragraphs = self.world.writer.paragraphs(rng, rng.randint(*words))
        post = Written(next(ids), kind, author, at, paragraphs, parent)
        if kind == Post.Kind.ANSWER and rng.random() < 0.05:
            post.cited = [str(rng.randint(10_000_000, 39_999_999))]
            paragraphs[-1] += f" See PMID {post.cited[0]}."
        if kind != Post.Kind.OPENING and rng.random() < 0.01:
            post.removed_by = rng.choice(Post.RemovedBy.values)
        if rng.random() < 0.04 and at + 3600 < self.until:
            post.edited_at = rng.uniform(at + 3600, self.until)
        return post

    def _vote(self, posts: list[Written], tables: Tables) -> None:
        """Most votes go to a few answers; a comment is only ever marked helpful."""
        rng, people = self.rng, self.world.people
        most = int(len(people) * MOST_VOTES)
        weights = [self._weight(post) for post in posts]
        counts = spread(self.share.votes, weights, [most if weight else 0 for weight in weights])
        for post, count in zip(posts, counts, strict=True):
            disputed = 0 if post.kind == Post.Kind.COMMENT else rng.choice((0, 0, 0, 0, 0.1, 0.1, 0.3))
            voters = [voter for voter in rng.sample(people, count + 1) if voter is not post.author][:count]
            for voter in voters:
                against = rng.random() < disputed
                at = self._after(post.at, self.until)
                post.disputed += against
                self.active = max(self.active, at)
                tables.votes.add(
                    post.pk,
                    voter.pk,
                    post.author.pk,
                    -1 if against else 1,
                    rng.choice(REASONS) if against else "",
                    DISPUTE if against else "",
                    moment(at),
                )
            post.corroborated = count - post.disputed

    def _weight(self, post: Written) -> float:
        if post.kind == Post.Kind.ANSWER:
            return self.rng.random() ** 2 + 0.05
        if post.kind == Post.Kind.COMMENT:
            return 0.1 if self.rng.random() < 0.4 else 0
        return 1.0 if self.kind == Question.Kind.OBSERVATION else 0

    # Rows

    def _add_posts(self, posts: list[Written], tables: Tables, byline_ids: Iterator[int]) -> None:
        bylines: dict[int, int] = {}
        for post in posts:
            if post.author.pk not in bylines:
                bylines[post.author.pk] = next(byline_ids)
                tables.bylines.add(bylines[post.author.pk], self.pk, post.author.pk, self._mode(post.author))
            is_opening = post.kind == Post.Kind.OPENING
            source, html, text = (
                source_of(post.paragraphs),
                html_of(post.paragraphs),
                " ".join(post.paragraphs),
            )
            if post.cited:  # a number becomes a link
                html = str(render_markdown(source))
                text = plain(html)
            tables.posts.add(
                post.pk,
                self.pk,
                post.parent,
                str(post.kind),
                post.author.pk,
                bylines[post.author.pk],
                source,
                html,
                moment(post.at),
                moment(post.edited_at),
                moment(self._after(post.at, self.until)) if post.removed_by else None,
                str(post.removed_by),
                moment(self.until) if post.folded else None,
                "misinformation" if post.folded else "",
                post.corroborated,
                post.disputed,
                searchable_of(self.title, text) if is_opening else searchable_of(text),
            )
            if post.edited_at:
                before, title = source.partition(".")[2].strip() or source, self.title if is_opening else ""
                tables.revisions.add(post.pk, 1, title, before, moment(post.edited_at))
            for place, value in enumerate(post.cited, start=1):
                tables.references.add(post.pk, "pmid", value, place)

    def _mode(self, person: Person) -> str:
        """Whoever shows a name may also sign with the bare handle, and does among connections."""
        if person.mode != Member.BylineMode.PUBLIC:
            return person.mode
        named = self.audience != Question.Audience.CONNECTIONS and self.rng.random() < 0.7
        return Byline.Mode.PUBLIC.value if named else Byline.Mode.ANONYMOUS.value

    def _add_question(self, posts: list[Written], tables: Tables) -> None:
        rng = self.rng
        standing = [post for post in posts if not post.removed_by]
        answers = [post for post in standing if post.kind == Post.Kind.ANSWER]
        solved_at, outcome = self._solve(answers, tables)
        total, number = self._rate(tables)
        question = Question(
            pk=self.pk,
            kind=self.kind,
            title=self.title,
            asker_id=self.asker.pk,
            audience=self.audience,
            peers_only=rng.random() < 0.1,
            urgency="today" if rng.random() < 0.08 else "days",
            excerpt=clip(" ".join(posts[0].paragraphs), EXCERPT),
            status="removed" if self.is_removed else "open" if self.is_open else "closed",
            opened_at=moment(self.opened),
            activity_at=moment(self.active),
            first_answer_at=moment(min((p.at for p in answers if p.author is not self.asker), default=None)),
            closed_at=None if self.is_open else moment(self._closed_at()),
            close_reason=str(self.close_reason),
            solved_at=moment(solved_at),
            outcome=outcome,
            answer_count=len(answers),
            comment_count=sum(post.kind == Post.Kind.COMMENT for post in standing),
            vote_count=sum(post.corroborated + post.disputed for post in standing),
            importance_sum=total,
            importance_count=number,
            importance=bayesian_importance(total, number),
        )
        question.hot = hot_rank(question)
        tables.questions.add(*(getattr(question, name) for name in QUESTION))
        chosen = {self.asker.specialty, *rng.sample(self.world.specialties, rng.choice((0, 0, 1, 2)))}
        for place, code in enumerate(sorted(chosen, key=lambda code: code != self.asker.specialty), start=1):
            tables.specialties.add(self.pk, code, place)
        tags = self.world.tags
        for tag in {tags[int(len(tags) * rng.random() ** 2)] for _ in range(rng.choice((1, 2, 2, 3, 4)))}:
            tables.tags.add(self.pk, tag)

    def _closed_at(self) -> float:
        if self.close_reason == Question.CloseReason.SILENCE:
            return self.active + SILENCE
        return self._after(self.active, self.world.end)

    def _solve(self, answers: list[Written], tables: Tables) -> tuple[float | None, str]:
        """By up to three answers of others, or elsewhere. Returns the moment and the outcome."""
        rng = self.rng
        if self.kind != Question.Kind.QUESTION or self.is_removed or rng.random() < 0.5:
            return None, ""
        if rng.random() < 0.08:
            return self._after(self.opened, self.until), rng.choice(OUTCOMES)
        others = [post for post in answers if post.author is not self.asker]
        credited = rng.sample(others, min(len(others), rng.choice((1, 1, 1, 2, 3))))
        if not credited:
            return None, ""
        at = self._after(max(post.at for post in credited), self.until)
        for place, post in enumerate(sorted(credited, key=lambda post: post.pk), start=1):
            tables.credits.add(self.pk, post.pk, place, moment(at))
        return at, rng.choice(OUTCOMES) if rng.random() < 0.3 else ""

    def _rate(self, tables: Tables) -> tuple[int, int]:
        """Returns the sum and the number of the ratings."""
        rng, people = self.rng, self.world.people
        number = min(int(rng.expovariate(1 / (self.world.scale.ratings + 0.5))), len(people) // 2)
        mean, total = rng.gauss(3.3, 0.7), 0
        raters = [rater for rater in rng.sample(people, number + 1) if rater is not self.asker][:number]
        for rater in raters:
            value = min(5, max(1, round(rng.gauss(mean, 0.8))))
            total += value
            at = moment(self._after(self.opened, self.until))
            tables.ratings.add(self.pk, rater.pk, self.asker.pk, value, at)
        return total, number


def moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else EPOCH + timedelta(seconds=seconds)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
