"""The desk of the demonstration: what is reported now, what was decided before, and what members said to that."""

import random
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import OuterRef
from django.utils import timezone

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import Kind, Mail, Member, Notice, NoticeDay
from accounts.roles import MODERATORS
from questions.models import Appeal, Flag, ModerationAction, Post, Report, WriteCount
from questions.services import writing
from questions.services.moderation import acts, appeals, desk, rights, words
from questions.services.reporting import report_post

SEED = 20261117
WEEKS = 9
NOW = [  # reported now: hours ago, kind of post, and what each reporter says
    (2, "comment", [("identity", "Age, road and the evening news: everybody there knows who this is.")] * 2),
    (31, "answer", [("misinformation", "No trial shows this, and a patient may act on it.")]),
    (20, "answer", [("harassment", "Calls a colleague incompetent instead of answering.")]),
    (
        9,
        "answer",
        [("conflict", "Praises one device in every thread."), ("spam", "The third time this week.")],
    ),
    (5, "opening", [("other", "This reads like homework for an examination.")]),
]
IDENTIFYING = (
    "Is this the 91-year-old from the crash on County Road 9 that was on the evening news? If so I saw him first, "
    "and the potassium was 6.8 on arrival."
)
BEFORE = [  # each past week: act, rule, how often at least and at most
    ("redact", "identity", 5, 8),
    ("warn", "harassment", 5, 6),
    ("dismiss", "misinformation", 6, 9),
    ("redact", "spam", 1, 4),
    ("warn", "conflict", 1, 3),
]


@transaction.atomic
def seed(stdout) -> None:
    """Fill the desk once; a second run changes nothing."""
    if Report.objects.exists():
        stdout.write("moderation: here already")
        return
    rng = random.Random(SEED)  # noqa: S311 - the same every time is the purpose
    first, second = _moderators()
    members = list(
        Member.objects.physicians()
        .exclude(user__email__in=DEMO_LOGINS)
        .exclude(user__groups__name=MODERATORS)
        .order_by("pk")[:120]
    )
    _decided_before(rng, members, (first, second))
    _reported_now(rng, members, first, second)
    _appealed(first, second)
    WriteCount.objects.all().delete()
    told = Notice.objects.filter(kind=Kind.MODERATION)
    Mail.objects.filter(notice__in=told).delete()  # nobody is written to about what is invented
    NoticeDay.objects.filter(member__user__email__in=DEMO_LOGINS).delete()
    waiting = Report.objects.open().count()
    stdout.write(
        f"moderation: {waiting} reports open, {ModerationAction.objects.count()} acts, {Appeal.objects.count()} appeals"
    )


def _moderators() -> tuple[Member, Member]:
    """The log-in of the demonstration, and a colleague nobody logs in as."""
    group = Group.objects.get(name=MODERATORS)
    first = Member.objects.get(user__email="moderator@demo.sermo.test")
    others = Member.objects.physicians().filter(specialty=first.specialty)
    second = others.exclude(user__email__in=DEMO_LOGINS).order_by("pk").last()
    second.user.groups.add(group)
    return first, second


def _posts(*moderators: Member, **narrowed):
    """Posts that others can be asked about: no moderator takes part beside them."""
    rows = (
        Post.objects.standing()
        .filter(question__status="open", **narrowed)
        .select_related("question", "author")
    )
    for moderator in moderators:
        rows = rows.exclude(rights.part_taken(moderator, OuterRef("question")))
    return rows.order_by("pk")


def _decided_before(rng: random.Random, members: list[Member], moderators: tuple[Member, Member]) -> None:
    """Weeks of routine, as rows: words taken out and warnings leave no trace in the discussions of today."""
    posts = list(_posts(*moderators).exclude(author__user__email__in=DEMO_LOGINS)[:400])
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for week in range(1, WEEKS + 1):
        for kind, reason, least, most in BEFORE:
            for _ in range(rng.randint(least, most)):
                days = rng.uniform(0, 7)
                at = today - timedelta(days=today.weekday()) - timedelta(weeks=week) + timedelta(days=days)
                _decided(
                    rng, rng.choice(posts), rng.choice(members), rng.choice(moderators), kind, reason, at
                )


def _decided(rng, post, reporter, moderator, kind, reason, at) -> ModerationAction:
    outcome = Report.Outcome.DISMISSED if kind == "dismiss" else Report.Outcome.UPHELD
    report = Report.objects.create(
        post=post,
        severity=3 if reason == "identity" else 2,
        opened_at=at - timedelta(hours=rng.uniform(0.3, 30)),
        claimed_by=moderator.user,
        outcome=outcome,
        closed_at=at,
    )
    Flag.objects.create(
        report=report, post=post, reporter=reporter, reason=reason, state=outcome, raised_at=report.opened_at
    )
    return ModerationAction.objects.create(
        kind=kind,
        report=report,
        post=post,
        member=post.author,
        moderator=moderator.user,
        reason=reason,
        statement=words.standard(kind, reason),
        taken_at=at,
    )


def _reported_now(rng: random.Random, members: list[Member], first: Member, second: Member) -> None:
    """Reports of every severity: one claimed, one that waits for a second moderator, one of a thread of one's own."""
    now = timezone.now()
    for place, (hours, kind, said) in enumerate(NOW):
        post = _identifying(rng, members, first, second) if kind == "comment" else None
        post = post or rng.choice(
            list(_posts(first, second, kind=kind).exclude(reports__in=Report.objects.open())[:200])
        )
        others = [member for member in members if member.pk != post.author_id]
        for reporter, (reason, told) in zip(rng.sample(others, len(said)), said, strict=True):
            _report(post, reporter, reason, told, now - timedelta(hours=hours))
        if place == 1:
            desk.claim(report=post.reports.open().get(), by=second.user)
        if place == 2:
            acts.act(post=post, by=second.user, kind="suspend", reason="harassment")
    own = Post.objects.standing().filter(question__posts__author=first).exclude(author=first).first()
    if own:
        _report(
            own,
            rng.choice(members),
            "misinformation",
            "Not what the guideline says.",
            now - timedelta(hours=7),
        )


def _report(post: Post, reporter: Member, reason: str, told: str, at) -> None:
    if reporter.pk == post.author_id:
        return
    flag = report_post(post=post, by=reporter, reason=reason, words=told)
    Flag.objects.filter(pk=flag.pk).update(raised_at=at)
    Report.objects.filter(pk=flag.report_id).update(opened_at=at)


def _identifying(rng, members, first, second) -> Post | None:
    """A comment that points to one patient, to try the taking out of words on."""
    answers = _posts(first, second, kind="answer", question__audience="physicians")
    answer = answers.first()
    if answer is None:
        return None
    author = next(member for member in members if member.pk != answer.author_id)
    return writing.comment(post=answer, author=author, source=IDENTIFYING)


def _appealed(first: Member, second: Member) -> None:
    """One appeal that waits, overdue tomorrow, and a handful decided, one of them of a log-in and overturned."""
    now = timezone.now()
    cardio = Member.objects.get(user__email="cardio@demo.sermo.test")
    own = list(_posts(first, second, author=cardio)[:2])
    for place, post in enumerate(own):
        action = acts.act(
            post=post,
            by=second.user,
            kind="warn",
            reason="conflict" if place else "harassment",
        )
        ModerationAction.objects.filter(pk=action.pk).update(taken_at=now - timedelta(days=7 + place))
        action.refresh_from_db()
        text = (
            "I have no tie to the maker. I named the device because the question did."
            if place
            else ("The words you took for an attack were a quotation, and I said whose.")
        )
        appeal = appeals.appeal(action=action, by=cardio, text=text)
        if place:
            appeals.decide(
                appeal=appeal,
                by=first.user,
                outcome="overturned",
                answer="You are right: the question names the device, and nothing ties you to its maker.",
            )
        made = now - timedelta(days=6 + place)
        Appeal.objects.filter(pk=appeal.pk).update(made_at=made, due_at=made + timedelta(days=7))
    _appealed_before(first, second)


def _appealed_before(first: Member, second: Member) -> None:
    """Enough decided appeals for the public log to show how many were taken back."""
    routine = ModerationAction.objects.filter(kind="warn", appeal=None).exclude(
        member__user__email__in=DEMO_LOGINS
    )
    for place, action in enumerate(routine.order_by("taken_at")[:22]):
        made = action.taken_at + timedelta(days=1)
        is_overturned = place % 4 == 0
        Appeal.objects.create(
            action=action,
            text="I do not see what was wrong with it.",
            made_at=made,
            due_at=made + timedelta(days=7),
            decided_by=(second if action.moderator_id == first.user_id else first).user,
            decided_at=made + timedelta(days=2),
            outcome="overturned" if is_overturned else "upheld",
            answer="On a second reading it stays within the rules."
            if is_overturned
            else "It stands, for the reasons given.",
        )
        if is_overturned:
            action.state, action.undone_at = "undone", made + timedelta(days=2)
            action.save(update_fields=["state", "undone_at"])
