"""One discussion in the console, the pictures of a case, and what may be known of whoever wrote there."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_member
from consults.models import Case, Consent, Image
from consults.tests.factories import make_case, make_consent
from observers import reading
from observers.keys import post_key, question_key
from observers.models import AdverseEvent, Crowd, FirmBlock, Product, Purpose, Read, VoteFigure, Way
from observers.tests.factories import let_pass, make_seat
from observers.views import reading as views
from questions.models import Byline, Credit, Post, Question
from questions.tests.factories import make_answer, make_comment, make_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


@pytest.fixture
def question(physician):
    return let_pass(make_question(physician, "Apixaban in dialysis: which dose?"))


@pytest.fixture
def address(firm, question):
    return address_of(firm, question)


def address_of(firm, question):
    return reverse("observers:question", args=[question_key(firm, question.pk)])


def answers(client, address):
    return client.get(address).context["found"].answers


class TestPosts:
    def test_each_post_stands_under_an_alias_with_the_day(self, seat_client, question, address, colleague):
        make_comment(make_answer(question, colleague, source="Half **the** dose."))
        let_pass(question)

        page = seat_client.get(address)

        found = page.context["found"]
        [answer] = found.answers
        assert answer.html == "<p>Half <strong>the</strong> dose.</p>\n"
        assert answer.posted_on == question.opened_at.date()
        assert len({found.opening.alias, answer.alias, answer.comments[0].alias}) == 3
        assert answer.alias in page.content.decode()

    def test_group_and_region_stand_there_where_enough_share_them(
        self, seat_client, question, address, physician
    ):
        group = physician.specialty.group
        Crowd.objects.create(group=group, physicians=40)

        assert seat_client.get(address).context["found"].opening.facts == f"{group}, region not shown"

    def test_they_do_not_where_few_share_them(self, seat_client, question, address, physician):
        Crowd.objects.create(group=physician.specialty.group, physicians=10)

        assert seat_client.get(address).context["found"].opening.facts == ""

    @pytest.mark.parametrize(("number", "words"), [(10, "under 11"), (11, "over 10"), (24, "20")])
    def test_votes_are_shown_as_firms_may_know_them(self, seat_client, question, address, number, words):
        answer = make_answer(question)
        let_pass(question)
        VoteFigure.objects.create(post=answer, corroborations=number, disputes=0)

        [shown] = answers(seat_client, address)
        assert (shown.corroborations, shown.disputes) == (words, "under 11")

    def test_a_credited_answer_says_so(self, seat_client, question, address):
        credited_at = timezone.now() - timedelta(hours=2)
        Credit.objects.create(question=question, post=make_answer(question), place=1, credited_at=credited_at)
        let_pass(question)

        assert answers(seat_client, address)[0].is_credited

    def test_the_most_corroborated_come_first_and_ties_as_they_were_written(
        self, seat_client, question, address
    ):
        made = [make_answer(question) for _ in range(4)]
        let_pass(question)
        for answer, number in zip(made, (10, 17, 15, 30), strict=True):
            VoteFigure.objects.create(post=answer, corroborations=number)

        order = [made[3].pk, made[1].pk, made[2].pk, made[0].pk]
        assert [shown.pk for shown in answers(seat_client, address)] == order

    def test_every_answer_comes_once_over_the_pages(self, seat_client, question, address, monkeypatch):
        monkeypatch.setattr(reading, "ANSWERS", 3)
        made = {make_answer(question).pk for _ in range(8)}
        let_pass(question)
        VoteFigure.objects.create(post_id=max(made), corroborations=30)
        url, found = address, []

        while url:
            page = seat_client.get(url, headers={"HX-Request": "true"} if found else {})
            found += [shown.pk for shown in page.context["found"].answers]
            url = page.context["more_url"]

        assert len(found) == 8
        assert set(found) == made


def test_nobody_is_asked_to_pay_the_site(seat_client, question, address, firm):
    earmark = reverse("observers:earmark", args=[post_key(firm, question.posts.get().pk)])
    assert earmark in seat_client.get(address).content.decode()

    Byline.objects.update(mode=Byline.Mode.HOUSE)

    assert earmark not in seat_client.get(address).content.decode()
    assert earmark not in seat_client.get(reverse("observers:list")).content.decode()


class TestClosed:
    def test_posts_that_are_not_open_are_not_there(
        self, seat_client, question, address, colleague, third, firm
    ):
        hidden, late, blocked = make_answer(question), make_answer(question), make_answer(question, third)
        under = make_comment(make_answer(question, colleague))
        let_pass(question)
        Post.objects.filter(pk__in=[hidden.pk, under.pk]).update(peers_only=True)
        Post.objects.filter(pk=late.pk).update(posted_at=timezone.now())
        FirmBlock.objects.create(member=third, firm=firm)

        found = seat_client.get(address).context["found"]
        assert [(shown.comments, shown.pk in {late.pk, blocked.pk}) for shown in found.answers] == [
            ([], False)
        ]
        assert found.answer_count == 1

    @pytest.mark.parametrize(
        "changed", [{"peers_only": True}, {"audience": "connections"}, {"status": "removed"}]
    )
    def test_a_closed_discussion_is_not_there(self, seat_client, question, address, changed):
        Question.objects.filter(pk=question.pk).update(**changed)

        assert seat_client.get(address).status_code == 404
        assert not Read.objects.exists()

    def test_keys_of_other_firms_posts_and_numbers_lead_nowhere(self, seat_client, question, firm):
        other = make_seat(name="N. Other").firm
        for key in (
            question_key(other, question.pk),
            post_key(firm, question.posts.get().pk),
            str(question.pk),
            "A" * 22,
        ):
            assert seat_client.get(reverse("observers:question", args=[key])).status_code == 404

    def test_nobody_without_a_seat_comes_in(self, address, physician_client, client):
        assert physician_client.get(address).status_code == 403
        assert client.get(address).status_code == 302

    @pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
    def test_it_is_read_alone(self, seat_client, address, method):
        assert getattr(seat_client, method)(address).status_code == 405


class TestIdentity:
    def test_nothing_on_the_page_leads_to_a_member(
        self, seat_client, question, address, colleague, physician
    ):
        answer = make_answer(question, colleague, source=f"@{physician.handle} asked it before.")
        comment = make_comment(answer, physician, source=f"Thanks, {colleague.handle.upper()}!")
        let_pass(question)

        page = seat_client.get(address).content.decode()

        for member in (physician, colleague):
            assert member.handle not in page.lower()
            assert member.get_absolute_url() not in page
        for secret in (
            f"/questions/{question.pk}/",
            f"post-{answer.pk}",
            f"post-{comment.pk}",
            'class="tile"',
        ):
            assert secret not in page
        assert not re.search(r'datetime="[^"]*T', page)
        assert not re.search(r"\d\d?:\d\d [ap]m", page)

    def test_aliases_differ_by_discussion_and_firm(self, seat_client, seat, question, address, physician):
        other = let_pass(make_question(physician, "What of the second?"))

        first = seat_client.get(address).context["found"].opening.alias
        assert first != seat_client.get(address_of(seat.firm, other)).context["found"].opening.alias
        assert first == seat_client.get(address).context["found"].opening.alias


class TestReads:
    def test_what_is_shown_is_logged_as_opened(self, seat_client, seat, question, address):
        make_comment(make_answer(question))
        let_pass(question)

        seat_client.get(address)

        assert set(Read.objects.values_list("post", "seat", "way", "purpose")) == {
            (post.pk, seat.pk, Way.OPENED, seat.purpose) for post in question.posts.all()
        }

    def test_further_answers_are_logged_without_the_opening(
        self, seat_client, question, address, monkeypatch
    ):
        monkeypatch.setattr(reading, "ANSWERS", 1)
        made = [make_answer(question), make_answer(question)]
        let_pass(question)

        more = seat_client.get(address).context["more_url"]
        assert set(Read.objects.values_list("post", flat=True)) == {
            question.posts.get(kind="opening").pk,
            made[0].pk,
        }
        seat_client.get(more, headers={"HX-Request": "true"})
        assert Read.objects.count() == 3


class TestSafety:
    def test_a_maker_is_asked_to_look_at_a_post_on_its_product(self, seat_client, question, address, firm):
        Product.objects.create(slug="apixaban", name="Apixaban", words=["apixaban"], maker=firm)

        page = seat_client.get(address).content.decode()

        event = AdverseEvent.objects.get()
        assert event.post == question.posts.get()
        assert reverse("observers:safety_event", args=[event.pk]) in page

    def test_others_are_not(self, seat_client, address):
        Product.objects.create(slug="apixaban", name="Apixaban", words=["apixaban"])

        seat_client.get(address)
        assert not AdverseEvent.objects.exists()


class TestCases:
    @pytest.fixture
    def case(self, physician):
        consent = make_consent(physician, for_observers=True)
        case = make_case(physician, 2, consent=consent, peers_only=False, answer_first=False)
        Image.objects.filter(case=case).update(consent=consent)
        let_pass(case.question)
        return case

    def picture(self, firm, case, place=1):
        return reverse("observers:image", args=[question_key(firm, case.pk), place])

    def test_a_case_says_of_whom_it_is_and_shows_its_pictures(self, seat_client, firm, case):
        page = seat_client.get(address_of(firm, case.question)).content.decode()

        assert "Female, 40s" in page
        assert self.picture(firm, case) in page
        assert not any(key in page for key in Image.objects.values_list("key", flat=True))

    def test_a_picture_is_kept_nowhere(self, seat_client, firm, case):
        answer = seat_client.get(self.picture(firm, case))

        assert answer["Content-Type"] == "image/jpeg"
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Content-Security-Policy"] == "sandbox"

    def test_a_picture_asked_for_by_itself_is_a_read_of_its_case(self, seat_client, firm, case):
        seat_client.get(self.picture(firm, case))
        seat_client.get(self.picture(firm, case, 2))

        assert Read.objects.get().way == Way.OPENED

    def test_for_another_purpose_it_is_another_read(self, seat_client, seat, firm, case):
        seat_client.get(self.picture(firm, case))
        Read.objects.get()
        request = SimpleNamespace(seat=seat, purpose=Purpose.SAFETY)
        for _ in range(2):
            views._note_picture(request, case.pk)

        assert sorted(Read.objects.values_list("purpose", flat=True)) == sorted(
            [seat.purpose, Purpose.SAFETY]
        )

    def test_beside_the_page_it_is_none_of_its_own(self, seat_client, firm, case):
        seat_client.get(address_of(firm, case.question))
        seat_client.get(self.picture(firm, case))

        assert Read.objects.count() == 1

    @pytest.mark.parametrize(
        "changed",
        [
            {"for_observers": False},
            {"revoked_at": timezone.now(), "revoked_by": "physician"},
            {"expires_on": timezone.now().date() - timedelta(days=1)},
        ],
    )
    def test_without_the_consent_of_the_case_nothing_is_there(self, seat_client, firm, case, changed):
        Consent.objects.filter(pk=case.consent_id).update(**changed)

        assert seat_client.get(address_of(firm, case.question)).status_code == 404
        assert seat_client.get(self.picture(firm, case)).status_code == 404

    @pytest.mark.parametrize("fields", [{"for_observers": False}, {"attested_at": None, "kind": "signed"}])
    def test_a_picture_needs_a_consent_of_its_own(self, seat_client, firm, case, physician, fields):
        kind = fields.pop("kind", Consent.Kind.DEIDENTIFIED)
        made = {"for_observers": True, "is_attested": "attested_at" not in fields, **fields}
        made.pop("attested_at", None)
        Image.objects.filter(case=case, place=1).update(consent=make_consent(physician, kind, **made))

        page = seat_client.get(address_of(firm, case.question))
        assert [picture.number for picture in page.context["found"].case.pictures] == [2]
        assert seat_client.get(self.picture(firm, case)).status_code == 404

    def test_a_hidden_picture_is_not_there(self, seat_client, firm, case):
        Image.objects.filter(case=case, place=1).update(hidden_at=timezone.now())

        assert seat_client.get(self.picture(firm, case)).status_code == 404

    def test_a_withdrawn_case_is_not_there(self, seat_client, firm, case):
        Case.objects.filter(pk=case.pk).update(withdrawn_at=timezone.now(), withdrawn="author")

        assert seat_client.get(self.picture(firm, case)).status_code == 404

    def test_another_size_is_not_there(self, seat_client, firm, case):
        assert seat_client.get(self.picture(firm, case), {"size": "thumb"}).status_code == 404

    def test_the_address_among_members_is_closed_to_seats(self, seat_client, case):
        image = Image.objects.filter(case=case).first()

        assert seat_client.get(reverse("consults:image", args=[image.key])).status_code == 404


@pytest.mark.parametrize("number", [1, 12])
@pytest.mark.parametrize("is_maker", [False, True])
def test_a_discussion_costs_at_most_ten_queries(
    seat_client, firm, question, address, number, is_maker, django_assert_max_num_queries
):
    for _ in range(number):
        make_comment(make_answer(question, make_member()))
    let_pass(question)
    if is_maker:
        Product.objects.create(slug="apixaban", name="Apixaban", words=["apixaban"], maker=firm)
    seat_client.get(address)

    with django_assert_max_num_queries(10):
        assert len(answers(seat_client, address)) == number


@pytest.mark.parametrize(
    "changed", [{"peers_only": True}, {"removed_at": timezone.now(), "removed_by": "author"}]
)
@pytest.mark.parametrize("corroborations", [0, 15, 25])
def test_nothing_follows_an_answer_that_was_closed(
    seat_client, firm, question, address, changed, corroborations
):
    """Else what follows would tell its votes."""
    closed, other = make_answer(question), make_answer(question)
    let_pass(question)
    VoteFigure.objects.create(post=closed, corroborations=corroborations)
    VoteFigure.objects.create(post=other, corroborations=20)
    Post.objects.filter(pk=closed.pk).update(**changed)

    assert answers(seat_client, f"{address}?after={post_key(firm, closed.pk)}") == []


def test_nor_does_one_of_another_discussion(seat_client, firm, question, address, physician):
    make_answer(question)
    let_pass(question)
    elsewhere = make_answer(let_pass(make_question(physician, "And in the young?")))
    let_pass(elsewhere.question)

    assert answers(seat_client, f"{address}?after={post_key(firm, elsewhere.pk)}") == []


@pytest.mark.django_db(transaction=True)
def test_two_pictures_asked_for_at_once_are_one_read(seat, question, monkeypatch):
    def note_slowly(*values):
        time.sleep(0.5)
        note(*values)

    def look(_):
        try:
            views._note_picture(SimpleNamespace(seat=seat, purpose=seat.purpose), question.pk)
        finally:
            connection.close()

    note = views._note
    monkeypatch.setattr(views, "_note", note_slowly)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(look, range(2)))

    assert Read.objects.count() == 1
