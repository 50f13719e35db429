"""Earmarks from the console: within the gate, the plan and the day, and read without a person in them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_member
from conftest import client_of
from observers import keys, market
from observers.models import FirmBlock, Read, SeatEarmark
from observers.services import marking
from observers.tests.factories import let_pass, make_contract, make_plan, make_seat
from polls.tests.factories import make_poll
from questions.models import Post
from questions.services import closing
from questions.tests.factories import corroborate, make_answer, make_question
from rewards.models import Allowance, Earmark, Firm
from rewards.services import draws, earmarking, ledger, sponsoring
from rewards.tests.factories import make_draw_day, make_earmark, make_firm, make_payee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


@pytest.fixture
def question(physician, colleague):
    question = make_question(physician)
    make_answer(question, colleague)
    return let_pass(question)


@pytest.fixture
def answer(question):
    return question.posts.get(kind=Post.Kind.ANSWER)


@pytest.fixture
def slots(seat):
    """Two of the day for the firm."""
    return Allowance.objects.update_or_create(firm=seat.firm, day=draws.today(), defaults={"slots": 2})[0]


def place(seat, post, **said):
    return marking.place(seat=seat, post=post, **{"author_cents": 1_000, "key": uuid4(), **said})


def address(seat, post):
    return reverse("observers:earmark", args=[keys.post_key(seat.firm, post.pk)])


def typed(**said):
    return {"author_cents": "10.00", "voter_slots": "0", "voter_cents": "", "submission": uuid4(), **said}


class TestPlacing:
    def test_the_money_is_reserved_and_the_seat_is_known(self, seat, answer, slots):
        made = place(seat, answer, voter_cents=500, voter_slots=3)

        assert SeatEarmark.objects.get().seat == seat
        assert made.total_cents == 2_500
        assert market.standing_of(seat.firm) == market.Standing(97_500, 2_500, 0)

    def test_twice_is_once(self, seat, answer, slots):
        key = uuid4()

        assert place(seat, answer, key=key) == place(seat, answer, key=key)
        assert Earmark.objects.count() == SeatEarmark.objects.count() == 1

    def test_what_a_member_keeps_from_the_firm_is_not_earmarked(self, seat, answer, slots):
        FirmBlock.objects.create(member=answer.author, firm=seat.firm)

        with pytest.raises(earmarking.NotEarmarkable):
            place(seat, answer)

    def test_no_more_than_the_plan_has_a_day(self, question, slots):
        seat = make_seat(make_contract(plan=make_plan("small", earmarks_a_day=1)).firm)
        Allowance.objects.update_or_create(firm=seat.firm, day=draws.today(), defaults={"slots": 5})
        opening, answer = question.posts.order_by("pk")
        place(seat, answer)
        assert marking.slots_left(seat.firm, seat.firm.contracts.get()) == 0

        with pytest.raises(marking.PlanUsedUp):
            place(seat, opening)

    def test_what_was_canceled_may_be_used_again(self, seat, answer, slots):
        made = place(seat, answer)

        marking.cancel(seat=seat, earmark=made)

        assert marking.slots_left(seat.firm, seat.firm.contracts.get()) == 2

    def test_a_firm_without_a_contract_places_nothing(self, seat, answer, slots):
        seat.firm.contracts.update(ends_on=timezone.now().date() - timedelta(days=1), starts_on="2020-01-01")

        with pytest.raises(earmarking.NotActive):
            place(seat, answer)

    def test_nobody_cancels_for_another_firm(self, seat, answer):
        with pytest.raises(Earmark.DoesNotExist):
            marking.cancel(seat=make_seat(), earmark=make_earmark(answer, seat.firm))


class TestForm:
    def test_a_post_is_earmarked_and_stands_in_the_list(self, seat, seat_client, answer, slots):
        response = seat_client.post(
            address(seat, answer), typed(voter_slots="4", voter_cents="5.00"), follow=True
        )

        assert "$30.00 are reserved" in response.text
        assert "up to 4 voters, $5.00 each" in response.text

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"author_cents": "4.99"}, "At least $5.00."),
            ({"author_cents": "25.01"}, "At most $25.00."),
            ({"author_cents": "ten"}, "Write dollars and cents"),
            ({"voter_slots": "51", "voter_cents": "5"}, "less than or equal to 50"),
            ({"voter_slots": "2"}, "Write what each voter gets"),
            ({"voter_cents": "5.00"}, "Write how many voters"),
        ],
    )
    def test_what_is_out_of_bounds_is_said_and_kept(self, seat, seat_client, answer, slots, said, words):
        response = seat_client.post(address(seat, answer), typed(**said))

        assert response.status_code == 422
        assert words in response.text.replace("&#x27;", "'")
        assert all(f'value="{value}"' in response.text for value in said.values())
        assert not Earmark.objects.exists()

    def test_without_a_slot_it_says_so(self, seat, seat_client, answer):
        Allowance.objects.update_or_create(firm=seat.firm, day=draws.today(), defaults={"slots": 0})

        response = seat_client.post(address(seat, answer), typed())

        assert response.status_code == 422
        assert "No slot today" in response.text

    def test_a_second_earmark_is_not_offered(self, seat, seat_client, answer):
        make_earmark(answer, seat.firm)

        assert "Your firm earmarked this post" in seat_client.get(address(seat, answer)).text

    def test_the_post_is_logged_as_read(self, seat, seat_client, answer):
        seat_client.get(address(seat, answer))

        assert Read.objects.get().post == answer

    def test_nothing_of_the_author_is_on_it(self, seat, seat_client, answer):
        page = seat_client.get(address(seat, answer)).text

        assert answer.author.handle not in page
        assert f"post-{answer.pk}" not in page

    def test_the_key_of_another_firm_leads_nowhere(self, seat_client, answer):
        assert seat_client.get(address(make_seat(), answer)).status_code == 404

    def test_what_is_closed_to_the_firm_is_not_found(self, seat, seat_client, answer):
        Post.objects.filter(pk=answer.pk).update(peers_only=True)

        assert seat_client.get(address(seat, answer)).status_code == 404


class TestList:
    def test_it_has_the_firms_own_alone(self, seat, seat_client, answer):
        make_earmark(answer, make_firm("Another firm"), author_cents=1_700)

        assert "$17.00" not in seat_client.get(reverse("observers:earmarks")).text

    def test_a_discussion_that_closed_to_the_firm_has_no_title(self, seat, seat_client, answer):
        make_earmark(answer, seat.firm)
        FirmBlock.objects.create(member=answer.question.asker, firm=seat.firm)

        page = seat_client.get(reverse("observers:earmarks")).text

        assert answer.question.title not in page
        assert market.GONE in page

    def test_after_the_close_it_says_what_was_paid_and_not_to_whom(self, seat, answer, third, slots):
        make_draw_day()
        make_payee(answer.author)
        place(seat, answer, voter_cents=500, voter_slots=2)
        corroborate(answer, third)

        closing.close_question(question=answer.question, by=answer.question.asker)

        (row,) = market.earmarks_of(seat.firm)
        assert (row.state, row.paid) == ("Settled", 1_500)

    @pytest.mark.parametrize("why", Earmark.Why.values)
    def test_why_something_came_back_is_not_said(self, seat, seat_client, answer, why):
        made = make_earmark(answer, seat.firm)
        earmarking.end(
            made,
            Earmark.State.REFUNDED,
            ledger.post(kind="release", key="back", entries=earmarking.back_to_firm(made, made.total_cents)),
            why=why,
        )

        page = seat_client.get(reverse("observers:earmarks")).text

        assert "Returned" in page
        assert Earmark.Why(why).label not in page

    def test_who_waits_for_a_suspended_author_reads_that_it_is_being_settled(self, seat, answer):
        Earmark.objects.filter(pk=make_earmark(answer, seat.firm).pk).update(state=Earmark.State.HELD)

        assert next(iter(market.earmarks_of(seat.firm))).state == "Being settled"

    def test_many_cost_as_many_queries_as_few(
        self, seat, seat_client, physician, django_assert_max_num_queries
    ):
        for _ in range(12):
            question = let_pass(make_question(physician))
            make_earmark(question.posts.get(), seat.firm)
        seat_client.get(reverse("observers:earmarks"))

        with django_assert_max_num_queries(13):
            assert seat_client.get(reverse("observers:earmarks")).text.count("Cancel<") == 12


class TestBalance:
    def test_each_movement_has_its_line(self, seat, seat_client, answer, slots):
        place(seat, answer)

        page = seat_client.get(reverse("observers:balance")).text

        assert "−$10.00" in page
        assert "+$1,000.00" in page

    def test_a_running_poll_is_reserved_in_full(self, seat, physician):
        poll = make_poll(asker=physician)
        sponsoring.agree(poll=poll, firm=seat.firm, honorarium=300, quota=10, key=uuid4())

        assert market.standing_of(seat.firm).for_polls == 3_000

    def test_those_of_other_firms_are_not_there(self, seat_client):
        make_firm("Another firm", balance=7_700)

        assert "$77.00" not in seat_client.get(reverse("observers:balance")).text


@pytest.mark.parametrize("name", ["earmarks", "balance"])
def test_members_and_staff_are_refused(name, physician_client, staff):
    for client in (physician_client, client_of(make_member()), client_of(staff)):
        assert client.get(reverse(f"observers:{name}")).status_code in (302, 403)


def test_a_blocked_kind_of_firm_cannot_mark(answer, slots):
    fund = make_seat(make_firm("A fund", kind=Firm.Kind.FINANCE))
    FirmBlock.objects.create(member=answer.author, sector=Firm.Kind.FINANCE)
    Allowance.objects.update_or_create(firm=fund.firm, day=draws.today(), defaults={"slots": 2})

    with pytest.raises(earmarking.NotEarmarkable):
        place(fund, answer)
