"""What pages of lower apps show of discussions."""

from django import template

from accounts.models import Member
from questions import doubt
from questions.models import MemberRank, Post, Question

register = template.Library()
SHOWN = 20


@register.simple_tag
def rank_of(member: Member) -> MemberRank | None:
    return MemberRank.objects.filter(member=member).first()


@register.inclusion_tag("questions/_posts_of.html", takes_context=True)
def posts_of(context, member: Member):
    """A member's latest posts under the handle, as far as the reader may see their discussions."""
    return _latest(context, member, Post.objects.signed_by_handle())


@register.inclusion_tag("questions/_posts_of.html", takes_context=True)
def named_posts_of(context, member: Member):
    """A member's latest posts under the real name."""
    return _latest(context, member, Post.objects.signed_by_name())


@register.inclusion_tag("questions/_topics_of.html")
def topics_of(member: Member):
    """The topics and specialties a member follows, in the order of following."""
    follows = member.topics_followed.select_related("tag", "specialty").order_by("since", "pk")[:SHOWN]
    return {"topics": [follow.tag or follow.specialty for follow in follows]}


def _latest(context, member, posts):
    user = context["request"].user
    rows = posts.visible_to(user).standing().filter(author=member).exclude(kind=Post.Kind.COMMENT)
    rows = rows.exclude(question__status=Question.Status.REMOVED).select_related("question")
    rows = rows.annotate(is_doubted=doubt.is_doubted()).order_by("-posted_at")
    return {"posts": rows[:SHOWN], "doubt_words": doubt.WORDS}
