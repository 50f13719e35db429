"""Taking words out of a post, wherever the site keeps them, and putting them back."""

from difflib import SequenceMatcher

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from questions.models import Draft, Post, Question, Revision
from questions.services import references
from questions.services.writing import EXCERPT, PostIsGone
from sermo.errors import RuleBroken
from sermo.text import clip, plain, render_markdown, searchable

TAKEN_OUT = "Taken out by a moderator."


class NothingTakenOut(RuleBroken):
    message = "Change the text: leave out what must go."


class ChangedSince(RuleBroken):
    message = "Its author has changed the post since. What was taken out is not put back."


def redact(question: Question, post: Post, *, text: str, title: str | None) -> dict:
    """Let a locked post say `text`, and leave no earlier version that shows what went; return what undoing needs.

    Raises NothingTakenOut, PostIsGone.
    """
    if post.is_removed:
        raise PostIsGone
    text = text.strip()
    title = (title or "").strip() if post.kind == Post.Kind.OPENING else ""
    title = title or (question.title if post.kind == Post.Kind.OPENING else "")
    old = _said(question.title if post.kind == Post.Kind.OPENING else "", post.source)
    gone = _taken_out(old, _said(title, text))
    if not text or not gone:
        raise NothingTakenOut
    before = {
        "title": question.title,
        "source": post.source,
        "edited_at": post.edited_at.isoformat() if post.edited_at else None,
        "now": text,
        "revisions": _empty(post, gone),
    }
    Draft.objects.filter(member=post.author_id, place=f"edit:{post.pk}").delete()
    _say(question, post, text, title, timezone.now())
    return before


def put_back(question: Question, post: Post, before: dict) -> None:
    """Let a locked post say what it said before it was redacted. Raises ChangedSince, PostIsGone."""
    if post.is_removed:
        raise PostIsGone
    if post.source != before["now"]:
        raise ChangedSince
    for kept in before["revisions"]:
        own = post.revisions.filter(number=kept["number"])
        own.update(title=kept["title"], source=kept["source"])
    edited_at = parse_datetime(before["edited_at"]) if before["edited_at"] else None
    _say(question, post, before["source"], before["title"], edited_at)


def _say(question: Question, post: Post, text: str, title: str, edited_at) -> None:
    html = render_markdown(text)
    is_opening = post.kind == Post.Kind.OPENING
    post.source, post.html, post.edited_at = text, html, edited_at
    post.search_text = searchable(title if is_opening else "", plain(html))
    post.save(update_fields=["source", "html", "search_text", "edited_at"])
    references.store(post)
    if is_opening:
        question.title, question.excerpt = title, clip(plain(html), EXCERPT)
        question.save(update_fields=["title", "excerpt"])


def _said(title: str, text: str) -> list[str]:
    return f"{title}\n{text}".casefold().split()


def _taken_out(old: list[str], new: list[str]) -> list[list[str]]:
    """The runs of words that are not there any more, and each single word that is nowhere any more."""
    changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    runs = [old[start:end] for what, start, end, *_ in changes if what in ("delete", "replace")]
    return runs + [[word] for word in set(old) - set(new)]


def _empty(post: Post, gone: list[list[str]]) -> list[dict]:
    """Empty the earlier versions that show any of these words; return what they said."""
    emptied = []
    for revision in post.revisions.order_by("number"):
        said = _said(revision.title, revision.source)
        if any(_holds(said, run) for run in gone):
            emptied.append({"number": revision.number, "title": revision.title, "source": revision.source})
            Revision.objects.filter(pk=revision.pk).update(title="", source=TAKEN_OUT)
    return emptied


def _holds(said: list[str], run: list[str]) -> bool:
    return any(said[start : start + len(run)] == run for start in range(len(said) - len(run) + 1))
