"""What a case turned out to be, on the page of its discussion."""

from django import template

from questions.models import Post
from questions.signature import signature

register = template.Library()


@register.inclusion_tag("consults/_final.html", takes_context=True)
def case_final(context, question):
    """How a solved case was solved, or what one that teaches was. What it was only where the answers are open."""
    page = context["request"].case_page
    stands = question.is_solved or page.case.is_teaching
    if not stands or page.case.is_withdrawn or not (question.answers_open or question.is_solved):
        return {"is_shown": False}
    is_open = question.answers_open
    return {
        "is_shown": True,
        "is_open": is_open,
        "question": question,
        "final": _final(page.case) if is_open else None,
        "solvers": _solvers(question, page.member) if is_open and question.is_solved else [],
    }


def _final(case):
    """The diagnosis by the name it has on the board, and how it was confirmed. It came with the case."""
    found = getattr(case, "final", None)
    if found:
        found.named = found.diagnosis.merged_into or found.diagnosis
    return found


def _solvers(question, member):
    """Whose answers were credited, in that order, each with the way there."""
    rows = Post.objects.filter(question=question, credit__isnull=False).with_signature(member)
    solvers = []
    for post in rows.order_by("credit__place"):
        name = "A colleague you blocked" if post.is_blocked else signature(post.byline.mode, post.author).name
        solvers.append((name, f"{question.get_absolute_url()}?post={post.pk}#post-{post.pk}"))
    return solvers
