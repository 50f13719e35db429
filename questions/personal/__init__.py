"""What discussions know of a person, for the ledger of personal data."""

from questions.personal import discussions, keeping, moderated
from questions.personal.discussions import files

ERASERS = (*discussions.ERASERS, *keeping.ERASERS, *moderated.ERASERS)
ENTRIES = (*discussions.ENTRIES, *keeping.ENTRIES, *moderated.ENTRIES)

__all__ = ["ENTRIES", "ERASERS", "files"]
