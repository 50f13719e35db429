"""Who gets a picture by its address, and who gets nothing but 404."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_member, make_user
from conftest import client_of
from consults.models import Case, Consent, Image, ImageFlag
from consults.tests.factories import make_case, make_consent, make_draft, make_image
from questions.models import Question

pytestmark = pytest.mark.django_db


def address(image):
    return reverse("consults:image", args=[image.key])


def get(who, image, **query):
    return client_of(who).get(address(image), query)


def test_a_reader_of_the_case_gets_each_size():
    image = make_case().images.get()
    reader = make_member()

    lengths = []
    for size in ("full", "screen", "thumb"):
        answer = get(reader, image, size=size)
        assert answer.status_code == 200
        assert answer.content.startswith(b"\xff\xd8\xff")
        lengths.append(len(answer.content))

    assert lengths == sorted(lengths, reverse=True)


def test_nothing_keeps_it_and_nothing_in_it_runs():
    answer = get(make_member(), make_case().images.get())

    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Security-Policy"] == "sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("size", ["original", "../full", "", "staged"])
def test_there_are_no_other_sizes(size):
    assert get(make_member(), make_case().images.get(), size=size).status_code == 404


def test_a_window_that_is_not_there_is_the_first(settings):
    case = make_case(images=0)
    image = make_image(case=case, windows=[["lung", "Lung"], ["bone", "Bone"]])

    assert get(make_member(), image, window="bone").status_code == 200
    assert get(make_member(), image, window="../x").status_code == 200


class TestRefused:
    @pytest.fixture
    def case(self):
        return make_case()

    def expect_404(self, image, *people):
        for who in people:
            for size in ("full", "screen", "thumb"):
                assert get(who, image, size=size).status_code == 404

    @pytest.mark.parametrize("name", ["image", "draft_image", "desk_image"])
    def test_to_whoever_is_no_physician(self, case, client, staff, name):
        image = case.images.get() if name == "image" else make_draft(images=1).images.get()
        args = [image.draft_id, image.key] if name == "draft_image" else [image.key]
        where = reverse(f"consults:{name}", args=args)
        applicant, suspended = make_member(standing="applicant"), make_member(standing="suspended")
        observer = make_user()
        Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})

        assert client.get(where).status_code == 404
        for who in (applicant, suspended, staff, observer):
            assert client_of(who).get(where).status_code == 404

    def test_outside_of_the_audience(self):
        asker = make_member(specialty="Dermatology")
        image = make_case(asker, audience=Question.Audience.SPECIALTY).images.get()

        self.expect_404(image, make_member(specialty="Cardiovascular Disease"))
        assert get(make_member(specialty="Dermatology"), image).status_code == 200

    def test_of_a_draft_but_for_its_author(self, moderator):
        draft = make_draft(images=1)
        image = draft.images.get()
        own = reverse("consults:draft_image", args=[draft.key, image.key])

        self.expect_404(image, draft.member, make_member(), moderator)
        assert client_of(draft.member).get(own).status_code == 200
        assert client_of(make_member()).get(own).status_code == 404
        assert client_of(moderator).get(own).status_code == 404

    def test_removed(self, case, moderator):
        Question.objects.filter(pk=case.pk).update(status="removed")

        self.expect_404(case.images.get(), case.question.asker, make_member(), moderator)

    def test_withdrawn(self, case, moderator):
        Case.objects.filter(pk=case.pk).update(withdrawn_at=timezone.now(), withdrawn="consent")

        self.expect_404(case.images.get(), case.question.asker, make_member(), moderator)

    def test_hidden_by_a_flag(self, case, moderator):
        case.images.update(hidden_at=timezone.now())

        self.expect_404(case.images.get(), case.question.asker, make_member(), moderator)

    def test_shredded(self, case, moderator):
        case.images.update(state="shredded", seal=None, shredded="consent", shredded_at=timezone.now())

        self.expect_404(case.images.get(), case.question.asker, make_member(), moderator)

    @pytest.mark.parametrize(
        "ended",
        [
            {"expires_on": timezone.now().date() - timedelta(days=1)},
            {"revoked_at": timezone.now(), "revoked_by": "patient"},
        ],
    )
    def test_the_consent_has_ended(self, moderator, ended):
        asker = make_member()
        image = make_case(asker, consent=make_consent(asker, **ended)).images.get()

        self.expect_404(image, asker, make_member(), moderator)

    def test_an_unknown_key(self):
        answer = client_of(make_member()).get(reverse("consults:image", args=["x" * 24]))

        assert answer.status_code == 404


class TestAtTheDesk:
    def test_moderators_see_what_waits_for_them(self, moderator, physician):
        draft = make_draft(
            images=1,
            image_state="masked",
            state="waiting",
            submitted_at=timezone.now(),
            consent=make_consent(),
        )
        image = draft.images.get()
        desk = reverse("consults:desk_image", args=[image.key])

        assert client_of(moderator).get(desk).status_code == 200
        assert client_of(physician).get(desk).status_code == 404
        assert client_of(draft.member).get(desk).status_code == 404

    def test_never_what_is_still_staged_or_published_and_fine(self, moderator):
        staged = make_draft(images=1).images.get()
        shown = make_case().images.get()

        for image in (staged, shown):
            desk = reverse("consults:desk_image", args=[image.key])
            assert client_of(moderator).get(desk).status_code == 404

    def test_a_draft_of_their_own_waits_for_somebody_else(self, moderator):
        draft = make_draft(
            moderator,
            images=1,
            image_state="masked",
            state="waiting",
            submitted_at=timezone.now(),
            consent=make_consent(moderator),
        )

        desk = reverse("consults:desk_image", args=[draft.images.get().key])
        assert client_of(moderator).get(desk).status_code == 404


def test_a_picture_costs_few_queries(django_assert_max_num_queries):
    image = make_case().images.get()
    client = client_of(make_member())
    client.get(address(image))

    with django_assert_max_num_queries(4):
        client.get(address(image), {"size": "thumb"})
    assert Image.objects.count() == 1


class TestConsentEnded:
    """Of a draft nobody sees the pictures any more either, nor of what waits at the desk."""

    ENDED = [
        {"expires_on": timezone.now().date() - timedelta(days=1)},
        {"revoked_at": timezone.now(), "revoked_by": "patient"},
    ]

    def waiting(self, consent, **fields):
        return make_draft(
            consent.member,
            image_state="masked",
            state="waiting",
            submitted_at=timezone.now(),
            consent=consent,
            **fields,
        )

    def pages(self, draft, image):
        own = reverse("consults:draft_image", args=[draft.key, image.key])
        return (draft.member, own), reverse("consults:desk_image", args=[image.key])

    @pytest.mark.parametrize("ended", ENDED)
    @pytest.mark.parametrize("of_image", [True, False])
    def test_of_what_waits(self, moderator, ended, of_image):
        member = make_member()
        consent, stands = make_consent(member), make_consent(member)
        draft = self.waiting(consent)
        image = draft.images.get()
        if of_image:
            Image.objects.update(consent=consent)
            type(draft).objects.update(consent=stands)
        (author, own), desk = self.pages(draft, image)
        assert client_of(author).get(own).status_code == 200
        assert client_of(moderator).get(desk).status_code == 200

        Consent.objects.filter(pk=consent.pk).update(**ended)

        assert client_of(author).get(own).status_code == 404
        assert client_of(moderator).get(desk).status_code == 404

    @pytest.mark.parametrize("ended", ENDED)
    def test_of_what_is_flagged(self, moderator, ended):
        image = make_case().images.get()
        ImageFlag.objects.create(image=image, member=make_member())
        desk = reverse("consults:desk_image", args=[image.key])
        assert client_of(moderator).get(desk).status_code == 200

        Consent.objects.update(**ended)

        assert client_of(moderator).get(desk).status_code == 404

    @pytest.mark.parametrize(("ended", "status"), list(zip(ENDED, (200, 404), strict=True)))
    def test_what_is_staged_anew_is_not_under_one_past_its_day(self, ended, status):
        """So that its author can look at it and mask it; taken back, all of the draft is about to go."""
        member = make_member()
        draft = make_draft(member, state="returned", answer="Crop it.", consent=make_consent(member, **ended))

        (author, own), _ = self.pages(draft, draft.images.get())

        assert client_of(author).get(own).status_code == status

    def test_a_consent_renewed_shows_them_again(self, moderator):
        consent = make_consent(**self.ENDED[0])
        (author, own), desk = self.pages(draft := self.waiting(consent), draft.images.get())
        assert client_of(author).get(own).status_code == 404

        Consent.objects.update(expires_on=None)

        assert client_of(author).get(own).status_code == 200
        assert client_of(moderator).get(desk).status_code == 200
