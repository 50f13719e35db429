"""Whether a case may go to its readers at once, or a moderator looks first."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from django.conf import settings

from accounts.models import Member
from consults import written
from consults.models import Case, CaseDraft, Image
from consults.services import drafts
from consults.words import number_of
from consults.written import Written
from questions.models import Byline, Post
from sermo.identifiers import STOP, check


@dataclass(frozen=True)
class Hits:
    """Why a case waits: one of an author's first, and on how many pictures, or how often in its text, what was found.

    `text` counts by kind what would have to go from the text, and stays because its author says that it may.
    """

    newcomer: bool = False
    pictures: int = 0  # on which the search still finds something
    uncovered_faces: int = 0  # on which a found face is left open for a reason
    unlooked: int = 0  # which could not be searched
    text: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        return self == Hits()

    def as_dict(self) -> dict[str, Any]:
        """As a draft keeps them."""
        return asdict(self)

    @classmethod
    def of(cls, draft: CaseDraft) -> Self:
        """Those a draft keeps."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in draft.hits.items() if name in known})

    def words(self) -> list[str]:
        """What each is, in a sentence for the moderator and for the author."""
        said = []
        if self.newcomer:
            said.append(f"One of the first {settings.CASE_FIRST_REVIEWED} cases under this name.")
        if self.pictures:
            said.append(f"The search still finds text or a face on {number_of(self.pictures, 'picture')}.")
        if self.uncovered_faces:
            said.append(f"A found face is not covered whole on {number_of(self.uncovered_faces, 'picture')}.")
        if self.unlooked:
            said.append(f"{number_of(self.unlooked, 'picture')} could not be searched.")
        if self.text:
            kinds = ", ".join(kind.replace("_", " ") for kind in sorted(self.text))
            said.append(f"{number_of(sum(self.text.values()), 'possible identifier')} in the text: {kinds}.")
        return said


def look(draft: CaseDraft) -> Hits:
    """Why a draft as it is now would have to wait. Its pictures are masked. Raises written.Incomplete."""
    said = written.read(draft.fields)
    images = list(standing_images(draft))
    return Hits(
        newcomer=is_newcomer(draft.member, mode_of(draft, said.byline)),
        pictures=sum(image.left_over > 0 for image in images),
        uncovered_faces=sum(drafts.uncovered_faces(image) > 0 for image in images),
        unlooked=sum(not image.was_looked_at for image in images),
        text=identifiers_in(texts_of(said, images)),
    )


def standing_images(draft: CaseDraft):
    return draft.images.exclude(state=Image.State.SHREDDED).in_order()


def texts_of(said: Written, images: Iterable[Image]) -> list[str]:
    """All that readers will read of a case."""
    return [*said.texts, *(image.description for image in images)]


def identifiers_in(texts: Iterable[str]) -> dict[str, int]:
    """By kind, how often something stands in these texts that must go by its form."""
    found = Counter(finding.kind for text in texts for finding in check(text) if finding.level == STOP)
    return dict(sorted(found.items()))


def is_newcomer(member: Member, mode: str) -> bool:
    """Whether too few cases of a member have stood the test, under the face that this byline shows.

    Cases of the other face do not count: whoever sees which cases wait would know both for one person.
    """
    openings = Post.objects.filter(
        kind=Post.Kind.OPENING, author=member, byline__mode__in=modes_of_face(mode)
    )
    cases = Case.objects.filter(question__asker=member, question__in=openings.values("question"))
    cases = cases.exclude(withdrawn=Case.Withdrawn.IDENTITY).exclude(images__incident__isnull=False)
    return cases[: settings.CASE_FIRST_REVIEWED].count() < settings.CASE_FIRST_REVIEWED


def mode_of(draft: CaseDraft, byline: str | None) -> str:
    """With which byline a draft would be signed: the one chosen, else the profile's."""
    return byline or draft.member.byline_mode


def modes_of_face(mode: str) -> Collection[str]:
    """The bylines that show the same face as this one."""
    return Byline.UNDER_HANDLE if mode in Byline.UNDER_HANDLE else (mode,)
