"""A case as one reader sees it: its pictures through their gate, its marks, and whether its solution is open."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from accounts.models import Block, Face, User
from accounts.roles import is_moderator
from consults.mark_forms import MarkForm
from consults.models import Case, Image, Marker
from consults.services import stories
from questions.models import Byline, Question
from questions.signature import Signature, Signer, signed, signer_columns


class Mark(NamedTuple):
    """A numbered point on a picture, with who set it."""

    pk: int
    number: int
    image_id: int
    left: int
    top: int
    label: str
    is_own: bool
    signature: Signature

    @property
    def x(self) -> str:
        """From the left, as an attribute of SVG has it."""
        return f"{self.left / 10:g}%"

    @property
    def y(self) -> str:
        return f"{self.top / 10:g}%"


@dataclass
class Picture:
    """A picture of a case, or the gap where this reader is shown none."""

    image: Image
    is_shown: bool
    marks: list[Mark]
    is_current: bool = False

    @property
    def number(self) -> int:
        return self.image.place

    @property
    def address(self) -> str:
        return reverse("consults:image", args=[self.image.key])

    @property
    def boxes(self) -> list[dict]:
        """What is burned in, to tell it from what is dark by nature."""
        return self.image.boxes

    @property
    def windows(self) -> list[tuple[str, str]]:
        """Key and label of each rendition, where there are several to choose from."""
        return self.image.windows if len(self.image.windows) > 1 else []

    @property
    def window(self) -> str:
        """The label of what is shown first."""
        return self.windows[0][1] if self.windows else ""

    @property
    def gap(self) -> str:
        """Why it is not shown."""
        if self.image.is_shredded:
            return "This image is destroyed."
        if self.image.case.question.is_removed:
            return "Not shown: the discussion was removed."
        if self.image.hidden_at:
            return "Hidden until a moderator has looked."
        return "Not shown: the consent for it has ended."


@dataclass
class CasePage:
    """What the page of a case shows beside the discussion."""

    case: Case
    question: Question
    user: User
    pictures: list[Picture]
    marks: list[Mark]
    form: MarkForm
    now: datetime

    @property
    def member(self):
        return self.user.as_member

    @property
    def has_committed(self) -> bool:
        """Whether the answers, and with them the solution, are open to this reader."""
        return self.question.answers_open

    @property
    def may_answer(self) -> bool:
        writes = self.member is not None and self.member.may_write
        return writes and self.question.is_open and self.question.takes_words

    @property
    def shown(self) -> list[Picture]:
        return [picture for picture in self.pictures if picture.is_shown]

    @property
    def current(self) -> Picture | None:
        return next((picture for picture in self.pictures if picture.is_current), None)

    @property
    def markable(self) -> Picture:
        """On which a mark goes, where one may be set."""
        return self.current if self.current.is_shown else self.shown[0]

    @property
    def reader(self) -> str:
        return reader_of(self.user)

    @property
    def has_boxes(self) -> bool:
        return any(picture.boxes for picture in self.shown)

    @property
    def is_asker(self) -> bool:
        return self.member is not None and self.question.asker_id == self.member.pk

    @property
    def is_unsolved(self) -> bool:
        return not (self.question.is_solved or self.case.is_teaching or self.case.is_withdrawn)

    @property
    def has_windows(self) -> bool:
        return any(picture.windows for picture in self.shown)

    @property
    def can_moderate(self) -> bool:
        return is_moderator(self.user)

    @property
    def may_mark(self) -> bool:
        writes = self.member is not None and self.member.may_write
        return (
            writes
            and self.question.is_open
            and self.question.takes_words
            and bool(self.shown)
            and not self.case.is_withdrawn
        )

    @property
    def may_flag(self) -> bool:
        return self.member is not None and self.member.may_write

    @property
    def patient(self) -> str:
        return patient_words(self.case.age_band, self.case.sex)

    @property
    def has_solution(self) -> bool:
        return self.case.is_teaching and bool(self.case.solution_html)

    @property
    def may_tell_story(self) -> bool:
        """Whether this reader is the author, and the public may hear how the case was solved."""
        return self.is_asker and stories.may_be_told(self.case)

    @property
    def readers_agreed_to(self) -> str:
        """Whom the consent covers, in words."""
        consent = self.case.consent
        if not consent.is_standing:
            return "ended"
        said = ["physicians", *["teaching"] * consent.for_teaching, *["observers"] * consent.for_observers]
        said += ["a story for everybody"] * consent.for_stories
        words = ", ".join(said).capitalize()
        return words if len(said) > 1 else f"{words} only"


def reader_of(user: User) -> str:
    """Who is named over the pictures."""
    return user.as_member.handle if user.as_member else "moderator"


def patient_words(age_band: str, sex: str) -> str:
    """Of whom a case is, no finer than it says: "Female, 40s"."""
    age = Case.AgeBand(age_band).label
    return age if sex == Case.Sex.UNSAID else f"{Case.Sex(sex).label}, {age[0].lower()}{age[1:]}"


def shown_case(request, question: Question) -> CasePage:
    """The case of a discussion that came through its gate, loaded once for the request. Raises Http404."""
    if not hasattr(request, "case_page"):
        chosen = getattr(request, "case_image", None) or request.GET.get("image", "")
        form = getattr(request, "mark_form", None)
        request.case_page = load_case(request.user, question, chosen=chosen, form=form)
    return request.case_page


def load_case(user: User, question: Question, *, chosen: str = "", form: MarkForm | None = None) -> CasePage:
    """`question` comes from `thread.load_question`; `chosen` is the number of the picture to show first, where there
    is such a one.
    """
    rows = Case.objects.select_related("consent", "final__diagnosis__merged_into")
    case = rows.filter(pk=question.pk).first()
    if case is None:
        raise Http404("There is no case of this number.")
    case.question = question
    pictures = _pictures(case, user)
    marks = _marks(user, question, pictures)
    _choose(pictures, str(chosen))
    return CasePage(case, question, user, pictures, marks, form or MarkForm(), timezone.now())


def _pictures(case: Case, user: User) -> list[Picture]:
    """In order, those among them that are not shown. Of a withdrawn case none is left to speak of."""
    if case.is_withdrawn:
        return []
    gate = Image.objects.visible_to(user).filter(pk=OuterRef("pk"))
    images = Image.objects.filter(case=case.pk).annotate(is_shown=Exists(gate)).in_order()
    places: dict[int, Picture] = {}
    for image in images.defer("seal", "proposals", "masked_hashes"):
        image.case = case
        taken = places.get(image.place)
        if taken is None or taken.image.is_shredded:
            places[image.place] = Picture(image, image.is_shown, [])
    return list(places.values())


def _marks(user: User, question: Question, pictures: list[Picture]) -> list[Mark]:
    """The marks on pictures that are shown, but for those of removed and folded replies, as their words are not shown
    there, and for those set under faces that this reader blocked.

    While answers are closed to this reader, so are the marks of colleagues, also before an answer names them: a label
    may be a diagnosis. The asker's own marks belong to what was asked.
    """
    shown = {picture.image.pk: picture for picture in pictures if picture.is_shown}
    if not shown:
        return []
    member = user.as_member
    rows = Marker.objects.filter(image__in=shown, removed_at=None).order_by("number")
    rows = rows.filter(post__removed_at=None, post__folded_at=None)
    if member:
        blocked = Block.objects.filter(blocker=member, blocked=OuterRef("member"))
        by_handle = Exists(blocked.filter(blocked_face=Face.HANDLE))
        by_name = Exists(blocked.filter(blocked_face=Face.NAME))
        unseen = Q(by_handle, byline__mode__in=Byline.UNDER_HANDLE) | Q(
            by_name, byline__mode=Byline.Mode.PUBLIC
        )
        rows = rows.filter(~unseen)
    if not question.answers_open:
        rows = rows.filter(Q(member=member) | Q(member=question.asker_id, post=None))
    own = ExpressionWrapper(Q(member=member), output_field=BooleanField())
    made = [
        Mark(*row[:7], signed(Signer(*row[7:])))
        for row in rows.values_list(
            *("pk", "number", "image", "left", "top", "label"),
            own,
            *signer_columns(F("byline__mode"), "member"),
        )
    ]
    for mark in made:
        shown[mark.image_id].marks.append(mark)
    return made


def _choose(pictures: list[Picture], chosen: str) -> None:
    """Say which picture stands first: the one asked for, else the first that is shown."""
    wanted = [picture for picture in pictures if str(picture.number) == chosen]
    for picture in [*wanted, *(each for each in pictures if each.is_shown), *pictures][:1]:
        picture.is_current = True
