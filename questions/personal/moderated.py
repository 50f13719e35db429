"""What a member reported, and what moderators did to a member's posts."""

from accounts.leaving.ledger import NUMBER, OTHERS, OWNER, Entry, Fate, Person, Shown
from questions.models import Appeal, Flag, Hold, ModerationAction

# Which rows


def told_to(person: Person):
    """Not what waits, was refused or concerns only who reported."""
    return ModerationAction.objects.told_to(person.member)


# Erasers


def erase_moderation(person: Person) -> None:
    """Words go; that something was decided, when and by which rule stays, of a member nobody can be traced to."""
    Flag.objects.filter(reporter=person.member).update(words="")
    ModerationAction.objects.filter(member=person.member).update(statement="", before=None)
    Appeal.objects.filter(action__member=person.member).update(text="", answer="")
    Hold.objects.filter(member=person.member).delete()


ERASERS = (erase_moderation,)

ENTRIES = (
    Entry(
        "questions.Flag",
        "What you reported",
        Fate.ANONYMIZED,
        "Your words go; that a post was reported, and why, stays.",
        path="reporter__user",
        shown=(Shown("post", "post", lambda flag: flag.post_id), "reason", "words", "state", "raised_at"),
        withheld={"id": NUMBER, "report": NUMBER, "reporter": OWNER},
        eraser=erase_moderation,
    ),
    Entry(
        "questions.ModerationAction",
        "What moderators decided about your posts",
        Fate.ANONYMIZED,
        "The words to you go; that a rule was applied stays.",
        find=told_to,
        shown=(
            "kind",
            Shown("post", "post", lambda action: action.post_id),
            "reason",
            "statement",
            "days",
            "state",
            "taken_at",
            "undone_at",
        ),
        withheld={
            "id": NUMBER,
            "report": NUMBER,
            "member": OWNER,
            "moderator": OTHERS,
            "second": OTHERS,
            "second_at": OTHERS,
            "undone_by": OTHERS,
            "before": "what stood there, for as long as it can be put back",
        },
        eraser=erase_moderation,
    ),
    Entry(
        "questions.Appeal",
        "Your appeals",
        Fate.ANONYMIZED,
        "The words go; that there was an appeal, and how it ended, stays.",
        path="action__member__user",
        shown=("text", "made_at", "due_at", "decided_at", "outcome", "answer"),
        withheld={"id": NUMBER, "action": NUMBER, "decided_by": OTHERS},
        eraser=erase_moderation,
    ),
    Entry(
        "questions.Hold",
        "Holds on your writing",
        Fate.DELETED,
        "All of it goes.",
        path="member__user",
        shown=("until", "lifted_at"),
        withheld={"id": NUMBER, "member": OWNER, "action": NUMBER},
        eraser=erase_moderation,
    ),
)
