"""Muting topics: what one wants to see nothing of in lists, and to hear nothing of."""

from django.conf import settings
from django.db import transaction

from accounts.models import Member, Specialty
from questions.models import Tag, TopicFollow, TopicMute
from sermo.errors import RuleBroken


class TooManyMuted(RuleBroken):
    message = f"You muted {settings.MOST_MUTED} topics, the most there can be. Take one back first."


@transaction.atomic
def mute_topic(*, member: Member, topic: Tag | Specialty) -> TopicMute:
    """Mute a tag or a specialty, and no longer follow it. Twice is as good as once. Raises TooManyMuted."""
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)  # two at once count one after the other
    of = {"member": member, **_columns(topic)}
    known = TopicMute.objects.filter(**of).first()
    if known:
        return known
    if TopicMute.objects.filter(member=member).count() >= settings.MOST_MUTED:
        raise TooManyMuted
    TopicFollow.objects.filter(**of).delete()
    made, _ = TopicMute.objects.get_or_create(**of)
    return made


def unmute_topic(*, member: Member, topic: Tag | Specialty) -> None:
    TopicMute.objects.filter(member=member, **_columns(topic)).delete()


def _columns(topic: Tag | Specialty) -> dict:
    """A synonym stands for its tag."""
    return {"tag": topic.merged_into or topic} if isinstance(topic, Tag) else {"specialty": topic}
