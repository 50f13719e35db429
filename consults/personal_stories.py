"""Stories of cases, for the ledger of personal data."""

from accounts.leaving.ledger import DERIVED, NUMBER, OTHERS, Entry, Fate, Person, Shown
from consults.models import Story


def erase_untold(person: Person) -> None:
    """What nobody reads goes. What everybody reads names nobody."""
    own = Story.objects.filter(case__question__asker=person.member)
    own.exclude(state=Story.State.TOLD).delete()


ERASERS = (erase_untold,)

ENTRIES = (
    Entry(
        "consults.Story",
        "Stories you told of cases",
        Fate.ANONYMIZED,
        "Published ones stay as long as the consent does: they name nobody. Take them back before you leave if they "
        "shall go. All others are deleted.",
        path="case__question__asker__user",
        shown=(
            Shown("case", "case", lambda story: story.case_id),
            "key",
            "title",
            Shown("source", "source_markdown", lambda story: story.source),
            "state",
            "written_at",
            "checked_at",
            "answer",
        ),
        withheld={"id": NUMBER, "html": DERIVED, "checked_by": OTHERS},
        eraser=erase_untold,
    ),
)
