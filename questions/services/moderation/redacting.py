"""Taking words out of a post, wherever the site keeps them, and putting them back."""

import re
import unicodedata
from difflib import SequenceMatcher

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from questions.models import Draft, FollowUp, Post, Question, Revision
from questions.services import references
from questions.services.writing import EXCERPT, PostIsGone
from questions.signals import answer_words_taken_out, opening_rewritten, words_put_back, words_taken_out
from sermo.errors import RuleBroken
from sermo.text import clip, plain, render_markdown, searchable

TAKEN_OUT = "Taken out by a moderator."
MARK = "[…]"
MARKS = re.compile(r"\[(?:…|\.\.\.)\]")
WORD = re.compile(r"[^\W_]+")
WORD_OR_SIGN = re.compile(r"[^\W_]+|[^\w\s]|_")


class NothingTakenOut(RuleBroken):
    message = "Change the text: leave out what must go."


class NotInPoll(NothingTakenOut):
    message = (
        "Some of these words stand nowhere in its poll or case. Write them as they stand there, one run of words a "
        "line."
    )


class OnlyTakingOut(RuleBroken):
    message = f"Words can only be taken out. Put {MARK} where they stood, and nothing else."


class ChangedSince(RuleBroken):
    message = "Its author has changed the post since. What was taken out is not put back."


def redact(question: Question, post: Post, *, text: str, title: str | None, elsewhere: str = "") -> dict:
    """Let a locked post say `text`, and leave no earlier version that shows what went; return what undoing needs.

    What the asker says elsewhere in the discussion loses the same words, and what apps above hang on an opening, such
    as a poll or a case; `elsewhere` names words, a run a line, that stand there alone. Announces words_taken_out of an
    opening, answer_words_taken_out of any other post.
    Raises NothingTakenOut, NotInPoll, OnlyTakingOut, PostIsGone.
    """
    if post.is_removed:
        raise PostIsGone
    said_title = question.title if post.kind == Post.Kind.OPENING else ""
    text = MARKS.sub(MARK, text.strip())
    title = (MARKS.sub(MARK, (title or "").strip()) if said_title else "") or said_title
    gone = _taken_out(_said(said_title, post.source), _said(title, text))
    named = [run for line in elsewhere.splitlines() if (run := _said("", line))]
    if (post.source.strip() and not text) or not (gone or named):
        raise NothingTakenOut
    if not (_only_takes_out(said_title, title) and _only_takes_out(post.source, text)):
        raise OnlyTakingOut
    telling = [run for run in gone if _tells(run, f"{said_title}\n{post.source}")] + named
    before = {
        "title": question.title,
        "title_now": title or question.title,
        "source": post.source,
        "edited_at": post.edited_at.isoformat() if post.edited_at else None,
        "now": text,
        "revisions": _empty(post, gone + named),
        "beside": _cut_beside(question, telling),
        "above": _cut_above(question, telling, named) if said_title else _cut_beneath(post, gone, text),
    }
    Draft.objects.filter(member=post.author_id, place=f"edit:{post.pk}").delete()
    _say(question, post, text, title, timezone.now())
    return before


def put_back(question: Question, post: Post, before: dict) -> None:
    """Let a locked post say what it said before it was redacted. Raises ChangedSince, PostIsGone."""
    if post.is_removed:
        raise PostIsGone
    is_retitled = post.kind == Post.Kind.OPENING and question.title != before.get("title_now", question.title)
    if post.source != before["now"] or is_retitled:
        raise ChangedSince
    for kept in before["revisions"]:
        own = post.revisions.filter(number=kept["number"])
        own.update(title=kept["title"], source=kept["source"])
    _put_back_beside(question, before["beside"])
    if before.get("above"):
        words_put_back.send(sender=Question, question=question, kept=before["above"])
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
        opening_rewritten.send(sender=Question, question=question)


def _said(title: str, text: str) -> list[str]:
    """The words alone, so that emphasis, commas and compatibility forms make no other word of one."""
    return WORD.findall(_folded(f"{title}\n{text}"))


def _folded(text: str) -> str:
    """As words are compared. A mark of earlier is none."""
    return unicodedata.normalize("NFKC", MARKS.sub(" ", text)).casefold()


def _only_takes_out(old: str, new: str) -> bool:
    """Whether all words and signs of a text stand in another, in the same order."""
    left = iter(WORD_OR_SIGN.findall(_folded(old)))
    return all(each in left for each in WORD_OR_SIGN.findall(_folded(new)))


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


def _tells(run: list[str], text: str) -> bool:
    """Whether words say something by themselves: several in a row, or one with a digit or, in the text, a capital."""
    if len(run) > 1 or any(sign.isdigit() for sign in run[0]):
        return True
    return run[0] in {_folded(word) for word in WORD.findall(text) if word != word.lower()}


def _cut_beside(question: Question, gone: list[list[str]]) -> dict:
    """Take words out of how the asker says a question was solved and what became of it; return what these said."""
    before = {"outcome": question.outcome, "follow_ups": {}}
    question.outcome = _cut(question.outcome, gone)[: Question._meta.get_field("outcome").max_length]
    if question.outcome != before["outcome"]:
        before["outcome_now"] = question.outcome
        question.save(update_fields=["outcome"])
    for row in FollowUp.objects.select_for_update().filter(question=question).exclude(text="").order_by("pk"):
        now = _cut(row.text, gone)[: FollowUp._meta.get_field("text").max_length]
        if now != row.text:
            before["follow_ups"][str(row.pk)] = [row.text, now]
            FollowUp.objects.filter(pk=row.pk).update(text=now)
    return before


def _cut_above(question: Question, gone: list[list[str]], named: list[list[str]]) -> dict:
    """Have words taken out of what apps above hang on a discussion; return what these said. Raises NotInPoll where
    it holds no run that was named."""
    kept, missing = {}, list(named)

    def cut(text: str) -> str:
        said = _said("", text)
        missing[:] = [run for run in missing if not _holds(said, run)]
        return _cut(text, gone)

    words_taken_out.send(sender=Question, question=question, cut=cut, kept=kept)
    if missing:
        raise NotInPoll
    return kept


def _cut_beneath(post: Post, gone: list[list[str]], text: str) -> dict:
    """Have what its text does not say any more taken out of what apps above keep of an answer; return what that said.

    That is the same words once more, so also those go that alone tell nothing.
    """
    said, kept = _said("", text), {}
    nowhere = [run for run in gone if not _holds(said, run)]
    answer_words_taken_out.send(sender=Post, post=post, cut=lambda words: _cut(words, nowhere), kept=kept)
    return kept


def _put_back_beside(question: Question, before: dict) -> None:
    """What the asker has not changed since says again what it said."""
    if question.outcome == before.get("outcome_now"):
        question.outcome = before["outcome"]
        question.save(update_fields=["outcome"])
    for number, (said, now) in before["follow_ups"].items():
        FollowUp.objects.filter(pk=number, question=question, text=now).update(text=said)


def _cut(text: str, gone: list[list[str]]) -> str:
    """A text with a mark wherever it says one of these runs of words."""
    places = [(_folded(found[0]), found.start(), found.end()) for found in WORD.finditer(text)]
    said = [word for word, _, _ in places]
    cut = set()
    for run in gone:
        for start in range(len(said) - len(run) + 1):
            if said[start : start + len(run)] == run:
                cut.update(range(start, start + len(run)))
    kept, end = "", 0
    for place in sorted(cut):
        if place - 1 not in cut:
            kept += text[end : places[place][1]] + MARK
        end = places[place][2]
    return kept + text[end:]


def _holds(said: list[str], run: list[str]) -> bool:
    return any(said[start : start + len(run)] == run for start in range(len(said) - len(run) + 1))
