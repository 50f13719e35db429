"""Where the contents of digests are found: inside the gates, for each member for themselves."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Case, Count, IntegerField, Max, Value, When

from accounts import notice_kinds
from accounts.models import Kind, Member, Notice, NoticeChoice, Specialty, User, Way
from accounts.roles import is_moderator
from newsfeed.digests.contents import Answered, Contents, News, Waiting
from newsfeed.models.reading import ReadMark
from newsfeed.own_feed import Wishes, newest_for, wishes_of
from questions.models import Post, Question, Subscription
from questions.readers import shape_of, stand_in, values_of
from sermo.prepared import AnyOf, prepared

MOST_FOLLOWED = 500  # discussions counted
MOST_NOTICES = 100
ARTICLES = 6
LOOKED_AT = 30  # articles among which those are
URGENCY = Case(
    When(urgency=Question.Urgency.NOW, then=Value(0)),
    When(urgency=Question.Urgency.TODAY, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


@dataclass
class Shared:
    """What the digests of several members have in common, looked up once.

    These are wider than what a member may see: every number is counted anew through the member's own gate.
    """

    now: datetime
    since: datetime  # the earliest of all
    told: dict[int, list[Notice]] = field(default_factory=dict)
    _unanswered: dict[str, list[int]] = field(default_factory=dict)
    _has_answers: bool | None = None
    _feeds: dict[tuple[str, datetime], list[News]] = field(default_factory=dict)

    @classmethod
    def among(cls, members: Iterable[int], *, since: datetime, now: datetime) -> "Shared":
        return cls(now, since, _told_for_digests(members, since, now))

    def unanswered(self, specialty: str) -> list[int]:
        if specialty not in self._unanswered:
            rows = Question.objects.unanswered().in_specialty(specialty).filter(opened_at__lte=self.now)
            self._unanswered[specialty] = list(rows.values_list("pk", flat=True))
        return self._unanswered[specialty]

    def has_answers(self) -> bool:
        """Whether anybody answered anywhere."""
        if self._has_answers is None:
            rows = Question.objects.listed().filter(activity_at__gt=self.since, answer_count__gt=0)
            self._has_answers = rows.exists()
        return self._has_answers

    def feed(self, member: Member, since: datetime) -> list[News]:
        """What is new in a member's own feed. All readers see the same news, so the same wishes find the same."""
        wishes = wishes_of(member)
        key = repr(wishes), since
        if key not in self._feeds:
            self._feeds[key] = _fresh(member.user, wishes, since)
        return self._feeds[key]


WAITING_KINDS = [kind for kind, rule in notice_kinds.RULES.items() if rule.waits_for_digest]


def _told_for_digests(members, since, now):
    """By member, the unread notices of kinds that go into their digest, and those held back that wait for it."""
    chosen = defaultdict(set)
    rows = NoticeChoice.objects.filter(member__in=members, way=Way.DIGEST)
    for member, kind in rows.values_list("member", "kind"):
        chosen[member].add(kind)
    unread = Notice.objects.filter(read_at=None, told_at__gt=since, told_at__lte=now).order_by("pk")
    found = defaultdict(list)
    for notice in unread.filter(member__in=chosen.keys()).iterator(chunk_size=1000):
        if notice.kind in chosen[notice.member_id] and len(found[notice.member_id]) < MOST_NOTICES:
            found[notice.member_id].append(notice)
    for notice in unread.filter(member__in=members, held=True, kind__in=WAITING_KINDS):
        if notice.kind not in chosen[notice.member_id]:
            found[notice.member_id].append(notice)
    return found


def gather(*, member: Member, since: datetime, shared: Shared) -> Contents:
    """The contents of a member's digest of what came after `since`; `member.user` is loaded."""
    specialty = member.specialty
    return Contents(
        specialty=specialty.name if specialty else "",
        specialty_slug=specialty.slug if specialty else "",
        waiting=_waiting(member, specialty, shared),
        answered=_answered(member, since, shared),
        told=_told(member, since, shared),
        news=_news(member, since, shared),
    )


def _open_to(user: User):
    """Discussions put to a member as a reader: moderators see more, which is work and no news."""
    member = user.as_member
    rows = Question.objects.visible_to(user)
    if is_moderator(user):
        rows = rows.listed().addressed_to(member)
    silenced = Subscription.objects.filter(member=member, level=Subscription.Level.MUTED)
    rows = rows.exclude(pk__in=silenced.values("question"))
    return rows.besides_blocked(member).besides_muted(member)


def _waiting(member: Member, specialty: Specialty | None, shared: Shared) -> tuple[Waiting, ...]:
    """Unanswered questions of one's own specialty: what is urgent first, then the newest."""
    some = shared.unanswered(specialty.pk) if specialty else []
    found = _rows_waiting(shape_of(member.user), **values_of(member.user), some=some) if some else []
    return tuple(Waiting(*row) for row in found)


@prepared
def _rows_waiting(shape, *, reader, reader_specialty, some):
    user = stand_in(shape, reader, reader_specialty)
    rows = _open_to(user).filter(AnyOf("pk", some)).exclude(asker=user.as_member)
    return rows.order_by(URGENCY, "-opened_at", "-pk").values_list("pk", "opened_at", "urgency")


def _answered(member: Member, since: datetime, shared: Shared) -> tuple[Answered, ...]:
    """Discussions one follows which others answered, those with the latest answer first."""
    if not shared.has_answers():
        return ()
    reader = shape_of(member.user), values_of(member.user)
    some = [pk for (pk,) in _rows_followed(reader[0], **reader[1], since=since)]
    found = _rows_answered(reader[0], **reader[1], since=since, now=shared.now, some=some) if some else []
    return tuple(Answered(*row) for row in found)


@prepared
def _rows_followed(shape, *, reader, reader_specialty, since):
    user = stand_in(shape, reader, reader_specialty)
    rows = _open_to(user).filter(activity_at__gt=since, answer_count__gt=0).followed_by(user.as_member)
    return rows.order_by("-activity_at", "-pk").values_list("pk")[:MOST_FOLLOWED]


@prepared
def _rows_answered(shape, *, reader, reader_specialty, since, now, some):
    user = stand_in(shape, reader, reader_specialty)
    posts = Post.objects.answers().standing().filter(AnyOf("question", some))
    posts = posts.filter(posted_at__gt=since, posted_at__lte=now).exclude(author=user.as_member)
    posts = posts.besides_blocked(user.as_member).opened_to(user)
    found = posts.values("question").annotate(number=Count("pk"), latest=Max("posted_at"))
    return found.order_by("-latest", "-question").values_list("question", "number", "latest")


def _told(member: Member, since: datetime, shared: Shared) -> tuple[tuple[Kind, int], ...]:
    """How many notices of each kind that one chose to hear of this way, of those that one could read now."""
    some = [notice for notice in shared.told.get(member.pk, []) if notice.told_at > since]
    if not some:
        return ()
    readable = notice_kinds.lines(some, member.user)
    numbers = Counter(notice.kind for notice in some if notice.pk in readable)
    return tuple((kind, numbers[kind]) for kind in notice_kinds.RULES if numbers[kind])


def _news(member: Member, since: datetime, shared: Shared) -> tuple[News, ...]:
    """The newest of one's own feed that came after `since` and was not opened yet."""
    some = shared.feed(member, since)
    read = ReadMark.objects.filter(member=member, article__in=[each.article for each in some])
    read = set(read.values_list("article", flat=True)) if some else set()
    return tuple(each for each in some if each.article not in read)[:ARTICLES]


def _fresh(user: User, wishes: Wishes, since: datetime) -> list[News]:
    """What came after `since`, whatever day it bears."""
    return [
        News(row.pk, " ".join(row.title.split()), row.where, row.badge, row.why)
        for row in newest_for(user, since=since, size=LOOKED_AT, wishes=wishes).rows
    ]
