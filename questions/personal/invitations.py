"""Into which private consults somebody was asked."""

from accounts.leaving.ledger import NUMBER, OWNER, Entry, Fate, Person, Shown
from questions.models import Invitation


def erase_invitations(person: Person) -> None:
    """Nobody can ask them any more to open what they wrote there, so it stays private."""
    Invitation.objects.filter(member=person.member).delete()


ERASERS = (erase_invitations,)

ENTRIES = (
    Entry(
        "questions.Invitation",
        "Private consults you were asked into",
        Fate.DELETED,
        "All of it goes. What you wrote there stays as private as it is, signed by a former member.",
        path="member__user",
        shown=(
            Shown("question", "question", lambda row: row.question_id),
            "state",
            "sent_at",
            "due_at",
            "answered_at",
            "asked_to_open_at",
            "agrees",
        ),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_invitations,
    ),
)
