"""Keeping a post from firms after it was written, or giving it to them."""

from django.db import transaction

from accounts.models import Member
from consults.models import Case
from questions.models import Post, Question
from questions.services.writing import NotYours
from sermo.errors import RuleBroken


class WrittenAmongPeers(RuleBroken):
    message = "Colleagues have written here because no firm reads it, so it stays among peers."


class NoConsent(RuleBroken):
    message = "The patient's consent does not include observers, so this case stays among peers."


@transaction.atomic
def set_peers_only(*, post: Post, by: Member, peers_only: bool) -> None:
    """Say whether firms may read one's own post; of an opening, the whole discussion. A closed one as well.

    Raises NotYours, and where firms would come to read what was kept from them WrittenAmongPeers, NoConsent.
    """
    question = Question.objects.select_for_update().get(pk=post.question_id)
    post = Post.objects.select_for_update().get(pk=post.pk)
    if post.author_id != by.pk:
        raise NotYours
    row = question if post.kind == Post.Kind.OPENING else post
    if row.peers_only == peers_only:
        return
    if not peers_only:
        check_may_be_read(post, question)
    row.peers_only = peers_only
    row.save(update_fields=["peers_only"])


def has_colleagues_below(post: Post, question: Question) -> bool:
    """Whether others wrote under a post, of an opening in its discussion: it then stays among peers once it is."""
    beneath = question.posts.all() if post.kind == Post.Kind.OPENING else post.comments.all()
    return beneath.exclude(author=post.author_id).exists()


def check_may_be_read(post: Post, question: Question) -> None:
    """Raises WrittenAmongPeers, NoConsent where a post cannot be given to firms any more, or not yet."""
    if has_colleagues_below(post, question):
        raise WrittenAmongPeers
    is_opening = post.kind == Post.Kind.OPENING
    is_case = is_opening and question.kind == Question.Kind.CASE
    if is_case and not Case.objects.filter(pk=question.pk).consented_to_observers().exists():
        raise NoConsent
