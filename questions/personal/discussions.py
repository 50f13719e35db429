"""What discussions know of a person: what they wrote, voted, follow, and where they stand."""

from collections.abc import Iterator

from django.db.models import Q

from accounts.leaving.ledger import DERIVED, NUMBER, OTHERS, OWNER, PLACE, Entry, Fate, Person, Shown, plain
from questions.models import (
    BoardPlace,
    Byline,
    Draft,
    MemberRank,
    PairFlag,
    Post,
    Subscription,
    TopicFollow,
)

STAYS = "Colleagues answered it and rely on it. It is signed by a former member."
COUNTS = "It keeps counting, under a member nobody can be traced to."

# Erasers, in the order of ERASERS


def erase_follows(person: Person) -> None:
    TopicFollow.objects.filter(member=person.member).delete()
    Subscription.objects.filter(member=person.member).delete()


def erase_drafts(person: Person) -> None:
    Draft.objects.filter(member=person.member).delete()


def erase_rank(person: Person) -> None:
    """Points, tier and places; also flags of pairs, unless votes were discounted, which others' points rest on."""
    member = person.member
    MemberRank.objects.filter(member=member).delete()
    BoardPlace.objects.filter(member=member).delete()
    pairs = PairFlag.objects.filter(Q(low=member) | Q(high=member))
    pairs.exclude(verdict=PairFlag.Verdict.DISCOUNTED).delete()


def mask_bylines(person: Person) -> None:
    """As private as they get: a name becomes nothing, all else a handle that is no more."""
    own = Byline.objects.filter(member=person.member)
    own.filter(mode=Byline.Mode.PUBLIC).update(mode=Byline.Mode.MASKED)
    own.filter(mode=Byline.Mode.PARTIAL).update(mode=Byline.Mode.ANONYMOUS)


ERASERS = (erase_follows, erase_drafts, erase_rank, mask_bylines)


# Export


def files(person: Person) -> Iterator[tuple[str, Iterator[bytes]]]:
    """One's posts as text to read."""
    yield "posts.md", _posts_as_markdown(person)


def _posts_as_markdown(person: Person) -> Iterator[bytes]:
    yield b"# Your posts\n"
    posts = Post.objects.filter(author=person.member).select_related("question", "byline").order_by("pk")
    for post in posts.iterator(chunk_size=100) if person.member else ():
        head = f"{post.label} in: {post.question.title}"
        signed = post.byline.get_mode_display().lower()
        facts = f"{plain(post.posted_at)}, signed with: {signed}, post {post.pk}"
        if post.removed_at:
            facts += f", removed by {post.get_removed_by_display()}"
        yield f"\n## {head}\n\n{facts}\n\n{post.source}\n".encode()


def _question(row):
    return row.question_id


def _title(row):
    return row.question.title


def _topics(question):
    return [each.name for each in question.specialties.order_by("questionspecialty__place")]


def _tags(question):
    return sorted(tag.name for tag in question.tags.all())


ENTRIES = (
    Entry(
        "questions.Question",
        "Discussions you opened",
        Fate.KEPT,
        STAYS,
        path="asker__user",
        shown=(
            "id",
            "kind",
            "title",
            Shown("specialties", "specialties", _topics),
            Shown("tags", "tags", _tags),
            "audience",
            "peers_only",
            "answer_first",
            "urgency",
            "status",
            "opened_at",
            "closed_at",
            "close_reason",
            "solved_at",
            "outcome",
            "answer_count",
            "comment_count",
            "vote_count",
            "importance_count",
            Shown("importance_sum", "importance_mean", lambda question: question.importance_mean),
        ),
        withheld={
            "asker": OWNER,
            "has_poll": "the poll stands among your polls",
            "excerpt": DERIVED,
            "industry": "of discussions that firms open",
            "activity_at": "what others did last",
            "first_answer_at": "what others did first",
            "importance": DERIVED,
            "hot": DERIVED,
        },
    ),
    Entry(
        "questions.QuestionSpecialty",
        "Specialties of discussions",
        Fate.KEPT,
        "A part of the discussion.",
        withheld={"id": NUMBER, "question": PLACE, "specialty": PLACE, "place": PLACE},
    ),
    Entry(
        "questions.Question_tags",
        "Tags of discussions",
        Fate.KEPT,
        "A part of the discussion.",
        withheld={"id": NUMBER, "question": PLACE, "tag": PLACE},
    ),
    Entry(
        "questions.Post",
        "What you wrote",
        Fate.KEPT,
        STAYS,
        path="author__user",
        load=("question", "byline"),
        shown=(
            "id",
            "kind",
            Shown("question", "question", _question),
            Shown("", "question_title", _title),
            Shown("byline", "signed_with", lambda post: post.byline.get_mode_display()),
            Shown("source", "markdown", lambda post: post.source),
            "posted_at",
            "edited_at",
            "removed_at",
            "removed_by",
            "folded_at",
            "fold_reason",
            Shown("saw_others", "written_after_reading_others", lambda post: post.saw_others),
            "peers_only",
            "corroborate_count",
            "dispute_count",
        ),
        withheld={
            "author": OWNER,
            "parent": "what you commented on is a colleague's",
            "html": DERIVED,
            "submission": "keeps a form from being sent twice",
            "balance": DERIVED,
            "search_text": DERIVED,
            "search_vector": DERIVED,
        },
    ),
    Entry(
        "questions.Revision",
        "Earlier wordings",
        Fate.KEPT,
        "A part of the post.",
        path="post__author__user",
        shown=(
            Shown("post", "post", lambda revision: revision.post_id),
            "number",
            "title",
            Shown("source", "markdown", lambda revision: revision.source),
            "replaced_at",
        ),
        withheld={"id": NUMBER},
    ),
    Entry(
        "questions.Byline",
        "How you signed",
        Fate.ANONYMIZED,
        "Neither handle nor name shows any more.",
        path="member__user",
        shown=(Shown("question", "question", _question), "mode"),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=mask_bylines,
    ),
    Entry(
        "questions.Credit",
        "Your posts that solved a question",
        Fate.KEPT,
        "A part of the discussion.",
        path="post__author__user",
        shown=(
            Shown("question", "question", _question),
            Shown("post", "post", lambda credit: credit.post_id),
            "place",
            "credited_at",
        ),
        withheld={"id": NUMBER},
    ),
    Entry(
        "questions.Vote",
        "Your votes",
        Fate.KEPT,
        COUNTS,
        path="voter__user",
        shown=(
            Shown("post", "post", lambda vote: vote.post_id),
            "value",
            "reason",
            "explanation",
            "cast_at",
            "changed_at",
        ),
        withheld={"id": NUMBER, "voter": OWNER, "author": OTHERS},
    ),
    Entry(
        "questions.Importance",
        "Your ratings of importance",
        Fate.KEPT,
        COUNTS,
        path="rater__user",
        shown=(Shown("question", "question", _question), "value", "rated_at"),
        withheld={"id": NUMBER, "rater": OWNER, "asker": OTHERS},
    ),
    Entry(
        "questions.Draft",
        "Drafts",
        Fate.DELETED,
        "Nobody else ever saw them.",
        path="member__user",
        shown=("place", "fields", "saved_at", "publish_at", "refused"),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_drafts,
    ),
    Entry(
        "questions.Subscription",
        "Discussions you follow",
        Fate.DELETED,
        "All of it goes.",
        path="member__user",
        shown=(Shown("question", "question", _question), "level", "since"),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_follows,
    ),
    Entry(
        "questions.TopicFollow",
        "Topics you follow",
        Fate.DELETED,
        "All of it goes.",
        path="member__user",
        load=("tag", "specialty"),
        shown=(
            Shown("tag", "tag", lambda follow: follow.tag and follow.tag.name),
            Shown("specialty", "specialty", lambda follow: follow.specialty and follow.specialty.name),
            "alerts",
            "since",
        ),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_follows,
    ),
    Entry(
        "questions.MemberRank",
        "Points and tier",
        Fate.DELETED,
        "Rank belongs to the handle, and goes with it.",
        path="member__user",
        shown=("points", "events", "tier", "as_of", "hides_place"),
        withheld={"member": OWNER},
        eraser=erase_rank,
    ),
    Entry(
        "questions.BoardPlace",
        "Places on leaderboards",
        Fate.DELETED,
        "All of it goes.",
        path="member__user",
        load=("board__specialty",),
        shown=(
            Shown("board", "month", lambda place: place.board.month),
            Shown("", "specialty", lambda place: place.board.specialty and place.board.specialty.name),
            "standing",
            "points",
        ),
        withheld={"id": NUMBER, "member": OWNER, "place": "the row of the page"},
        eraser=erase_rank,
    ),
    Entry(
        "questions.PairFlag",
        "Pairs that vote for each other",
        Fate.ANONYMIZED,
        "Deleted, unless votes were discounted: then the row keeps colleagues' points right, and names nobody.",
        withheld={
            "id": NUMBER,
            "low": OTHERS,
            "high": OTHERS,
            "votes_up": OTHERS,
            "votes_down": OTHERS,
            "flagged_at": OTHERS,
            "verdict": OTHERS,
            "decided_at": OTHERS,
            "decided_by": OTHERS,
        },
        eraser=erase_rank,
    ),
)
