"""Which cases go out at once, and which wait for a moderator."""

import pytest
from django.utils import timezone

from accounts.tests.factories import make_member
from consults.models import Case, Image, Incident
from consults.services import triage
from consults.services.triage import Hits
from consults.tests.factories import make_case, make_draft
from questions.models import Byline

pytestmark = pytest.mark.django_db

FACE = {"left": 400, "top": 300, "width": 200, "height": 300, "sort": "face"}


@pytest.fixture
def author():
    """Somebody whose cases are not the first ones."""
    return make_known(make_member())


def make_known(member, number=3, **fields):
    for _ in range(number):
        make_case(member, images=0, **fields)
    return member


def draft_of(member, **fields):
    return make_draft(member, image_state=Image.State.MASKED, **fields)


def change(draft, **fields):
    draft.images.update(**fields)
    return triage.look(draft)


class TestPictures:
    def test_a_case_in_which_nothing_was_found_is_clean(self, author):
        assert triage.look(draft_of(author)).is_clean

    def test_what_the_search_still_finds_makes_it_wait_by_picture(self, author):
        draft = draft_of(author, images=3)
        draft.images.filter(place__lte=2).update(left_over=5)

        assert triage.look(draft) == Hits(pictures=2)

    def test_a_face_left_open_for_a_reason_makes_it_wait(self, author):
        hits = change(draft_of(author), proposals=[FACE], boxes=[], why_uncovered="A drawing")

        assert hits == Hits(uncovered_faces=1)

    def test_a_face_that_is_covered_does_not(self, author):
        assert change(draft_of(author), proposals=[FACE], boxes=[FACE]).is_clean

    def test_a_search_that_did_not_end_makes_it_wait(self, author):
        assert change(draft_of(author), was_looked_at=False) == Hits(unlooked=1)

    def test_destroyed_pictures_do_not_count(self, author):
        draft = draft_of(author, images=2)
        gone = {"state": Image.State.SHREDDED, "seal": None, "shredded_at": timezone.now()}
        draft.images.filter(place=2).update(left_over=3, was_looked_at=False, shredded="author", **gone)

        assert triage.look(draft).is_clean


class TestText:
    @pytest.mark.parametrize("name", ["title", "history", "findings", "tried", "tags"])
    def test_what_must_go_by_its_form_makes_it_wait_wherever_it_stands(self, author, name):
        draft = draft_of(author, typed={name: "Call 612-555-0143 about it"})

        assert triage.look(draft) == Hits(text={"phone": 1})

    def test_so_does_what_stands_in_a_solution(self, author):
        typed = {"intent": "teaching", "solution": "Seen again on 03/14/2026."}

        assert triage.look(draft_of(author, typed=typed)).text == {"date": 1}

    def test_and_in_the_words_about_a_picture(self, author):
        assert change(draft_of(author), description="The label says 612-555-0143.").text == {"phone": 1}

    def test_what_only_might_identify_is_its_authors_matter(self, author):
        assert triage.look(
            draft_of(author, typed={"findings": "Seen by Dr. Okafor's team."})
        ).text.keys() <= {"name"}


class TestNewcomers:
    @pytest.mark.parametrize(("number", "is_newcomer"), [(0, True), (2, True), (3, False), (4, False)])
    def test_the_first_three_cases_wait(self, number, is_newcomer):
        member = make_known(make_member(), number)

        assert triage.look(draft_of(member)).newcomer is is_newcomer

    def test_cases_withdrawn_for_an_identity_do_not_count(self):
        member = make_known(make_member(), 2)
        make_case(member, images=0, withdrawn=Case.Withdrawn.IDENTITY, withdrawn_at=timezone.now())

        assert triage.look(draft_of(member)).newcomer

    def test_those_withdrawn_by_their_author_do(self):
        member = make_known(make_member(), 2)
        make_case(member, images=0, withdrawn=Case.Withdrawn.AUTHOR, withdrawn_at=timezone.now())

        assert not triage.look(draft_of(member)).newcomer

    def test_a_case_with_an_incident_does_not_count(self):
        member = make_known(make_member(), 2)
        now = timezone.now()
        image = make_case(member).images.get()
        Incident.objects.create(image=image, shown_from=now, found_at=now, contained_at=now, due_at=now)

        assert triage.look(draft_of(member)).newcomer

    def test_what_waits_does_not_count_yet(self):
        member = make_known(make_member(), 2)
        draft_of(member)

        assert triage.look(draft_of(member)).newcomer

    def test_cases_under_the_other_face_do_not_count(self, author):
        """Else whoever sees which cases wait would know a handle and a name for one person."""
        assert triage.is_newcomer(author, Byline.Mode.PUBLIC)
        Byline.objects.filter(member=author).update(mode=Byline.Mode.PUBLIC)

        assert triage.is_newcomer(author, Byline.Mode.ANONYMOUS)
        assert not triage.is_newcomer(author, Byline.Mode.PUBLIC)

    def test_both_bylines_of_a_handle_are_one_face(self, author):
        assert not triage.is_newcomer(author, Byline.Mode.PARTIAL)


class TestWords:
    def test_nothing_is_said_of_what_is_clean(self):
        assert Hits().words() == []

    def test_each_hit_is_a_sentence(self):
        hits = Hits(
            newcomer=True, pictures=1, uncovered_faces=2, unlooked=1, text={"phone": 1, "full_date": 2}
        )

        assert hits.words() == [
            "One of the first 3 cases under this name.",
            "The search still finds text or a face on 1 picture.",
            "A found face is not covered whole on 2 pictures.",
            "1 picture could not be searched.",
            "3 possible identifiers in the text: full date, phone.",
        ]

    def test_a_draft_keeps_them(self, author):
        hits = Hits(pictures=2, text={"phone": 1})
        draft = draft_of(author, hits=hits.as_dict())
        draft.refresh_from_db()

        assert Hits.of(draft) == hits

    def test_a_draft_without_any_has_none(self, author):
        assert Hits.of(draft_of(author)).is_clean
