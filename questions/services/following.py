"""Following topics and discussions. Nobody is asked, and nobody is told who follows."""

from django.db import transaction

from accounts.models import Member, Specialty
from questions.models import Question, Subscription, Tag, TopicFollow
from sermo.errors import RuleBroken

Level = Subscription.Level


class TooMany(RuleBroken):
    message = "You follow 200 topics, the most there can be. Leave one first."


MOST_TOPICS = 200


@transaction.atomic
def follow_topic(*, member: Member, topic: Tag | Specialty) -> TopicFollow:
    """Follow a tag or a specialty. Twice is as good as once. Raises TooMany."""
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)  # two at once count one after the other
    known = _of(member, topic).first()
    if known:
        return known
    if TopicFollow.objects.filter(member=member).count() >= MOST_TOPICS:
        raise TooMany
    made, _ = TopicFollow.objects.get_or_create(member=member, **_columns(topic))
    return made


def unfollow_topic(*, member: Member, topic: Tag | Specialty) -> None:
    _of(member, topic).delete()


def set_topic_alerts(*, member: Member, topic: Tag | Specialty, alerts: bool) -> None:
    """Choose to be told of each new discussion at once, or only in lists and the digest."""
    _of(member, topic).update(alerts=alerts)


def subscribe(*, member: Member, question: Question, level: str) -> Subscription:
    """Follow a discussion at a level, or mute it; the last choice holds."""
    made, _ = Subscription.objects.update_or_create(
        member=member, question=question, defaults={"level": Level(level)}
    )
    return made


def unsubscribe(*, member: Member, question: Question) -> None:
    Subscription.objects.filter(member=member, question=question).delete()


def _of(member: Member, topic: Tag | Specialty):
    return TopicFollow.objects.filter(member=member, **_columns(topic))


def _columns(topic: Tag | Specialty) -> dict:
    """A synonym stands for its tag."""
    return {"tag": topic.merged_into or topic} if isinstance(topic, Tag) else {"specialty": topic}
