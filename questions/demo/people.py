"""What the demonstration's log-ins have to do with others: connections, what they follow, what they were told."""

from django.db import transaction
from django.db.models import Count, Max

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import Connection, Kind, Mail, Member, Notice, NoticeDay, NoticeThread
from accounts.services import notices, ties
from questions.models import Post, Question, Tag
from questions.services import following, telling

MOST_TOLD = 14  # about posts, to each
LEFT_UNREAD = 5


@transaction.atomic
def seed(stdout) -> None:
    """Tie the log-ins to others once; a second run changes nothing."""
    if Connection.objects.exists():
        stdout.write("ties: here already")
        return
    cast = list(Member.objects.physicians().filter(user__email__in=DEMO_LOGINS).order_by("pk"))
    for member in cast:
        _connect(member)
        _follow(member)
        _tell(member)
    told = Notice.objects.filter(member__in=cast)
    NoticeDay.objects.filter(
        member__in=cast
    ).delete()  # a whole day's alerts are free for whoever tries the site
    Mail.objects.filter(notice__in=told).delete()  # and nobody is written to about last week
    stdout.write(
        f"ties: {Connection.objects.accepted().count()} connections, {told.count()} notices for {len(cast)} log-ins"
    )


def _connect(member: Member) -> None:
    """Connected with four, two more ask, one was asked."""
    others = Member.objects.physicians().filter(specialty=member.specialty).exclude(pk=member.pk)
    others = list(others.exclude(user__email__in=DEMO_LOGINS).order_by("pk")[:7])
    for other in others[:6]:
        ties.request_connection(requester=other, addressee=member)
    for connection in Connection.objects.received_by(member).order_by("pk")[:4]:
        ties.accept(connection=connection, by=member)
    for other in others[6:]:
        ties.request_connection(requester=member, addressee=other)


def _follow(member: Member) -> None:
    """The own specialty and two busy topics, two busy colleagues, one discussion of somebody else."""
    following.follow_topic(member=member, topic=member.specialty)
    following.set_topic_alerts(member=member, topic=member.specialty, alerts=True)
    for tag in Tag.objects.annotate(busy=Count("questions")).order_by("-busy", "pk")[:2]:
        following.follow_topic(member=member, topic=tag)
    busy = Member.objects.physicians().exclude(pk=member.pk).annotate(posted=Count("posts"))
    for place, other in enumerate(busy.order_by("-posted", "pk")[:2]):
        ties.follow(follower=member, followed=other, alerts=place == 0)
    question = Question.objects.visible_to(member.user).open().exclude(asker=member).order_by("-hot").first()
    following.subscribe(member=member, question=question, level="alerts")


def _tell(member: Member) -> None:
    """What colleagues wrote after this member did, as if each post had been told of on its day."""
    replies = Post.objects.visible_to(member.user).standing().exclude(author=member)
    own = Post.objects.filter(author=member)
    answered = replies.filter(kind=Post.Kind.ANSWER, question__asker=member)
    commented = replies.filter(kind=Post.Kind.COMMENT, parent__in=own)
    for post in (answered | commented).order_by("-posted_at")[:MOST_TOLD]:
        _tell_of(member, post, Kind.REPLY, f"post:{post.pk}", post.posted_at)
    for post in own.filter(kind=Post.Kind.ANSWER, corroborate_count__gte=min(telling.MILESTONES)):
        number = max(n for n in telling.MILESTONES if n <= post.corroborate_count)
        at = post.votes.aggregate(last=Max("cast_at"))["last"]
        _tell_of(member, post, Kind.MILESTONE, f"milestone:{post.pk}:{number}", at, number)
    threads = NoticeThread.objects.filter(member=member)
    kept = threads.order_by("-latest_at").values_list("pk", flat=True)[:LEFT_UNREAD]
    for thread in threads.exclude(pk__in=list(kept)):
        notices.seen(member, thread.about)


def _tell_of(member, post, kind, key, at, number=0) -> None:
    about = f"question:{post.question_id}"
    notices.tell(members=[member.pk], kind=kind, target=post.pk, about=about, key=key, number=number)
    told = Notice.objects.filter(member=member, key=key)
    told.update(told_at=at)
    threads = NoticeThread.objects.filter(member=member, about=about)
    threads.update(latest_at=Notice.objects.filter(thread__in=threads).aggregate(at=Max("told_at"))["at"])
