"""What the demonstration's cardiologist does with the news: follows, reads, keeps, logs, and has a digest made."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Kind, Member, NoticeSettings, Specialty
from accounts.services import mail
from newsfeed.demo.seeding import PREFIX
from newsfeed.digests.gathering import Shared, gather
from newsfeed.digests.writing import write
from newsfeed.models import Article, Digest, ReadMark, Source
from newsfeed.services import keeping, logging_learning, reading
from questions.models import Post, Question

READER = "cardio@demo.sermo.test"
FOLLOWED = ("demo-nephron-quarterly", "demo-northern-heart")
LESS = "Psychiatry"
READ = (
    "lantern-hf",
    "tideway-af",
    "stent-short",
    "osprey-ckd",
    "statin-eighty",
    "home-bp",
    "vitamin-d-falls",
)
SAVED = ("tideway-af", "guideline-pericarditis", "contrast-again", "glp-fasting")
LOGGED = (  # article, days ago, minutes, reflection
    ("tideway-af", 1, 20, "At a score of 1 to 2 I will now talk about stopping, with a loop recorder."),
    ("statin-eighty", 3, 10, "I ask before I renew a statin after 80."),
    ("guideline-pericarditis", 8, 35, "Colchicine for six months; a tapering table for the team."),
    ("contrast-again", 18, 15, "No more canceled CTs for an eGFR of 28 alone."),
)


@transaction.atomic
def seed(stdout) -> None:
    """Do it once; a second run changes nothing, nor does one without that log-in."""
    member = Member.objects.select_related("user", "specialty").filter(user__email=READER).first()
    if member is None or ReadMark.objects.filter(member=member).exists():
        return
    articles = {
        article.doi.removeprefix(PREFIX): article
        for article in Article.objects.listed().filter(doi__startswith=PREFIX)
    }
    for source in Source.objects.filter(slug__in=FOLLOWED):
        keeping.follow_source(member=member, source=source)
    for specialty in Specialty.objects.filter(name=LESS, is_choice=True):
        keeping.see_less(member=member, of=specialty)
    for name in READ:
        reading.mark_read(member=member, article=articles[name])
    for name in SAVED:
        keeping.save(member=member, article=articles[name])
    _log(member, articles)
    _make_digest(member)
    stdout.write(f"news: read, kept and logged by {member.handle}")


def _log(member: Member, articles: dict[str, Article]) -> None:
    today = timezone.localdate()
    for name, days, minutes, reflection in LOGGED:
        logging_learning.add(
            member=member,
            article=articles[name],
            minutes=minutes,
            done_on=today - timedelta(days=days),
            reflection=reflection,
        )
    answered = Post.objects.answers().standing().filter(author=member)
    answered = answered.exclude(question__kind=Question.Kind.ARTICLE).order_by("-posted_at")
    if post := answered.select_related("question").first():
        logging_learning.add(
            member=member,
            question=post.question,
            minutes=25,
            done_on=timezone.localdate(post.posted_at),
            reflection="Looked up the numbers before I answered.",
        )


def _make_digest(member: Member) -> None:
    """A weekly digest as of now, waiting in the outbox."""
    now = timezone.now()
    wishes, _ = NoticeSettings.objects.get_or_create(member=member)
    since = now - timedelta(days=7)
    contents = gather(member=member, since=since, shared=Shared.among([member.pk], since=since, now=now))
    written = write(contents, now=now, time_zone=wishes.time_zone)
    letter = mail.queue(
        user=member.user,
        subject=written.subject,
        text=written.text,
        html=written.html,
        unsubscribe=Kind.DIGEST,
    )
    Digest.objects.create(
        member=member,
        day=wishes.local_day(now),
        made_at=now,
        since=since,
        mail=letter,
        number=contents.number,
    )
