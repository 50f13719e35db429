"""What discussions know of a person, for the ledger of personal data."""

from questions.personal import discussions, invitations, keeping, moderated
from questions.personal.discussions import files

ERASERS = (*discussions.ERASERS, *keeping.ERASERS, *moderated.ERASERS, *invitations.ERASERS)
ENTRIES = (*discussions.ENTRIES, *keeping.ENTRIES, *moderated.ENTRIES, *invitations.ENTRIES)

__all__ = ["ENTRIES", "ERASERS", "files"]
