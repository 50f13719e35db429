"""What the news knows of a person, for the ledger of personal data: what one follows, reads, keeps and logs."""

from accounts.leaving.ledger import NUMBER, OWNER, SECRET, Entry, Fate, Person, Shown
from newsfeed.models import (
    Digest,
    FeedKey,
    LessOf,
    LogEntry,
    OwnPaper,
    ReadMark,
    SavedArticle,
    SourceFollow,
)

GONE = "All of it goes."
WITHHELD = {"id": NUMBER, "member": OWNER}

# Erasers


def erase_reading(person: Person) -> None:
    for model in (SourceFollow, LessOf, ReadMark, SavedArticle, FeedKey, LogEntry, Digest):
        model.objects.filter(member=person.member).delete()


def erase_own_papers(person: Person) -> None:
    """The paper stays in the news; that one of its authors was a member here goes."""
    OwnPaper.objects.filter(member=person.member).delete()


ERASERS = (erase_reading, erase_own_papers)

# Export

ARTICLE = (
    Shown("article", "article", lambda row: row.article and row.article.title),
    Shown("", "doi", lambda row: row.article and row.article.doi),
)


def _source(row):
    return row.source and row.source.name


ENTRIES = (
    Entry(
        "newsfeed.SourceFollow",
        "Journals and other news you follow",
        Fate.DELETED,
        GONE,
        path="member__user",
        load=("source",),
        shown=(Shown("source", "source", _source), "since"),
        withheld=WITHHELD,
        eraser=erase_reading,
    ),
    Entry(
        "newsfeed.LessOf",
        "News you want less of",
        Fate.DELETED,
        GONE,
        path="member__user",
        load=("source", "specialty"),
        shown=(
            Shown("source", "source", _source),
            Shown("specialty", "specialty", lambda row: row.specialty and row.specialty.name),
            "since",
            "had_followed",
        ),
        withheld=WITHHELD,
        eraser=erase_reading,
    ),
    Entry(
        "newsfeed.ReadMark",
        "News you opened",
        Fate.DELETED,
        GONE,
        path="member__user",
        load=("article",),
        shown=(*ARTICLE, "read_at"),
        withheld=WITHHELD,
        eraser=erase_reading,
    ),
    Entry(
        "newsfeed.SavedArticle",
        "Your reading list",
        Fate.DELETED,
        GONE,
        path="member__user",
        load=("article",),
        shown=(*ARTICLE, "saved_at"),
        withheld=WITHHELD,
        eraser=erase_reading,
    ),
    Entry(
        "newsfeed.FeedKey",
        "The private feed of your news",
        Fate.DELETED,
        "Its address closes.",
        path="member__user",
        shown=("made_at",),
        withheld={"member": OWNER, "key": SECRET},
        eraser=erase_reading,
    ),
    Entry(
        "newsfeed.LogEntry",
        "Your learning log",
        Fate.DELETED,
        "All of it goes. Export it first if you still need it for a claim.",
        path="member__user",
        load=("article",),
        shown=(
            *ARTICLE,
            Shown("question", "question", lambda row: row.question_id),
            "done_on",
            "minutes",
            "reflection",
            "logged_at",
        ),
        withheld=WITHHELD,
        eraser=erase_reading,
    ),
    Entry(
        "newsfeed.OwnPaper",
        "Papers you marked as yours",
        Fate.DELETED,
        "The marks go. The papers stay in the news, as their journals have them.",
        path="member__user",
        load=("article",),
        shown=(*ARTICLE, "marked_at"),
        withheld=WITHHELD,
        eraser=erase_own_papers,
    ),
    Entry(
        "newsfeed.Digest",
        "Digests made for you",
        Fate.DELETED,
        GONE,
        path="member__user",
        shown=("day", "made_at", "since", "number"),
        withheld={**WITHHELD, "mail": "stands with the mail you were sent"},
        eraser=erase_reading,
    ),
    Entry(
        "newsfeed.Discussion",
        "Which article a discussion is about",
        Fate.KEPT,
        "Names nobody: the site itself opens these discussions.",
        withheld={"question": "the discussion", "article": "what it is about"},
    ),
)
