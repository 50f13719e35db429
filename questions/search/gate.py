"""Which posts a search may be made of at all."""

from django.db.models import OuterRef, Subquery

from accounts.models import Specialty, User
from accounts.roles import is_moderator
from questions.models import Post, Question, Tag
from questions.models.answer_first import shows_post_to


def readable(user: User, questions=None):
    """Posts through the gate, without what the reader blocked or muted; of some questions, if they are given.

    Removed posts match nobody, folded ones only moderators, and answers nobody to whom they are closed. The gate is
    asked once for each post that matches, by a look into an index: as an EXISTS the planner would join it, and
    misjudge it into reading all discussions.
    """
    questions = open_to(user) if questions is None else questions
    if not is_moderator(user) and user.as_member:
        questions = questions.filter(shows_post_to(user.as_member))
    opened = questions.filter(pk=OuterRef("question")).values("pk")[:1]
    rows = Post.objects.standing().besides_blocked(user.as_member)
    rows = rows.alias(opened=Subquery(opened)).filter(opened__isnull=False)
    return rows if is_moderator(user) else rows.filter(folded_at=None)


def open_to(user: User, sought: Tag | Specialty | None = None):
    """Discussions a search may look in. Of muted topics only the one that was sought by name."""
    rows = Question.objects.visible_to(user).listed().besides_silent_articles()
    rows = rows.besides_blocked(user.as_member)
    return rows.besides_muted(user.as_member, but=sought)
