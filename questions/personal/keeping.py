"""What a member keeps for themselves, and whom the site asked."""

from accounts.leaving.ledger import NUMBER, OTHERS, OWNER, PLACE, Entry, Fate, Person, Shown
from questions.models import Asked, Bookmark, BookmarkFolder, Commitment, SavedSearch, TopicMute, WriteCount

GONE = "All of it goes."

# Erasers


def erase_kept(person: Person) -> None:
    for model in (Bookmark, BookmarkFolder, SavedSearch, TopicMute, Asked, WriteCount, Commitment):
        model.objects.filter(member=person.member).delete()


ERASERS = (erase_kept,)

ENTRIES = (
    Entry(
        "questions.Bookmark",
        "Discussions you saved",
        Fate.DELETED,
        GONE,
        path="member__user",
        load=("folder",),
        shown=(
            Shown("question", "question", lambda row: row.question_id),
            Shown("folder", "folder", lambda row: row.folder and row.folder.name),
            "saved_at",
        ),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_kept,
    ),
    Entry(
        "questions.BookmarkFolder",
        "Folders of what you saved",
        Fate.DELETED,
        GONE,
        path="member__user",
        shown=("name",),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_kept,
    ),
    Entry(
        "questions.SavedSearch",
        "Searches and filters you saved",
        Fate.DELETED,
        GONE,
        path="member__user",
        shown=("place", "name", "query", "alerts", "saved_at"),
        withheld={"id": NUMBER, "member": OWNER, "seen_post": "how far it was searched"},
        eraser=erase_kept,
    ),
    Entry(
        "questions.TopicMute",
        "Topics you muted",
        Fate.DELETED,
        GONE,
        path="member__user",
        load=("tag", "specialty"),
        shown=(
            Shown("tag", "tag", lambda mute: mute.tag and mute.tag.name),
            Shown("specialty", "specialty", lambda mute: mute.specialty and mute.specialty.name),
            "since",
        ),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_kept,
    ),
    Entry(
        "questions.Asked",
        "Questions put to you",
        Fate.DELETED,
        GONE,
        path="member__user",
        shown=(Shown("question", "question", lambda row: row.question_id), "why", "reached", "asked_at"),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_kept,
    ),
    Entry(
        "questions.WriteCount",
        "How much you wrote a day",
        Fate.DELETED,
        GONE,
        path="member__user",
        shown=("day", "what", "count"),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_kept,
    ),
    Entry(
        "questions.Commitment",
        "Cases whose answers you opened",
        Fate.DELETED,
        "All of it goes. That an answer of yours was written after reading others stays with it.",
        path="member__user",
        shown=(Shown("question", "question", lambda row: row.question_id), "how", "committed_at"),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_kept,
    ),
    Entry(
        "questions.FollowUp",
        "What became of your questions",
        Fate.KEPT,
        "A part of the discussion.",
        path="question__asker__user",
        shown=(
            Shown("question", "question", lambda row: row.question_id),
            "days",
            "due_at",
            "answered_at",
            "finding",
            "text",
        ),
        withheld={"id": NUMBER, "asked_at": "when the site asked"},
    ),
    Entry(
        "questions.Reference",
        "Papers and pages your posts name",
        Fate.KEPT,
        "A part of the post.",
        withheld={"id": NUMBER, "post": PLACE, "kind": PLACE, "value": "in the post's text", "place": PLACE},
    ),
    Entry(
        "questions.Report",
        "Reports of posts",
        Fate.KEPT,
        "Says nothing of who reported.",
        withheld={
            "id": NUMBER,
            "post": PLACE,
            "severity": OTHERS,
            "opened_at": OTHERS,
            "claimed_by": OTHERS,
            "claimed_at": OTHERS,
            "opinion_wanted_by": OTHERS,
            "outcome": OTHERS,
            "closed_at": OTHERS,
        },
    ),
)
