"""Earmarks from the console: within the gate, the plan and the day, and read without a person in them."""

import base64
import re
from datetime import UTC, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from accounts.tests.factories import make_member
from conftest import client_of
from observers import crowds, keys, market
from observers.aliases import aliases_of
from observers.models import FirmBlock, Read, ReadDay, SeatEarmark
from observers.services import contracting, marking
from observers.tests.factories import let_pass, make_contract, make_plan, make_seat
from polls.tests.factories import make_poll
from questions.models import Byline, Post, Question
from questions.services import closing
from questions.tests.factories import corroborate, make_answer, make_question
from rewards.models import Account, Affiliation, Allowance, Award, Earmark, Entry, Firm
from rewards.services import draws, earmarking, ledger, sponsoring
from rewards.tests.factories import make_draw_day, make_earmark, make_firm, make_payee
from sermo import paging

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
        assert market.standing_of(seat.firm) == market.Standing(97_500, 2_500, 0, 0)

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

    def test_what_was_canceled_keeps_its_slot_by_allowance_and_plan(self, seat, question, answer, slots):
        seat.firm.contracts.update(plan=make_plan("small", earmarks_a_day=1))

        marking.cancel(seat=seat, earmark=place(seat, answer))

        assert marking.slots_left(seat.firm, seat.firm.contracts.get()) == 0
        with pytest.raises(marking.PlanUsedUp):
            place(seat, question.posts.get(kind=Post.Kind.OPENING))

    def test_what_was_canceled_is_not_placed_again(self, seat, answer, slots):
        marking.cancel(seat=seat, earmark=place(seat, answer))

        with pytest.raises(earmarking.EarmarkedBefore):
            place(seat, answer)

    def test_a_firm_without_a_contract_places_nothing(self, seat, answer, slots):
        seat.firm.contracts.update(ends_on=timezone.now().date() - timedelta(days=1), starts_on="2020-01-01")

        with pytest.raises(contracting.NotContracted):
            place(seat, answer)

    @pytest.mark.parametrize("author", ["wants none", "affiliated", "suspended"])
    def test_placing_tells_nothing_of_its_author(self, seat, seat_client, answer, slots, author):
        if author == "wants none":
            make_payee(answer.author, may_be_earmarked=False)
        elif author == "affiliated":
            Affiliation.objects.create(member=answer.author, firm=seat.firm)
        else:
            Member.objects.filter(pk=answer.author_id).update(standing=Member.Standing.SUSPENDED)

        response = seat_client.post(address(seat, answer), typed(), follow=True)

        assert "$10.00 are reserved" in response.text

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
            ({"voter_slots": "51", "voter_cents": "5"}, "At most 50."),
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

    @pytest.mark.parametrize("why", ["allowance", "plan", "balance"])
    def test_without_the_means_it_is_not_offered(self, seat, seat_client, answer, slots, why):
        words = without(seat, why, slots)

        page = seat_client.get(address(seat, answer)).text

        assert words in page
        assert "<form class=" not in page

    def test_a_second_earmark_is_not_offered(self, seat, seat_client, answer):
        make_earmark(answer, seat.firm)

        assert "Your firm earmarked this post" in seat_client.get(address(seat, answer)).text

    def test_one_that_was_taken_back_is_not_offered_again(self, seat, seat_client, answer, slots):
        marking.cancel(seat=seat, earmark=place(seat, answer))

        page = seat_client.get(address(seat, answer)).text

        assert "took it back" in page
        assert "<form class=" not in page

    def test_it_says_which_post_by_alias_group_and_day(self, seat, seat_client, answer):
        for author in (answer.author, answer.question.asker):
            for _ in range(11):
                make_member(specialty=author.specialty)
        crowds.count()
        alias = aliases_of(seat.firm, [answer.question_id])[answer.question_id, answer.author_id]

        page = seat_client.get(address(seat, answer)).text

        assert f"Answer by {alias}" in page
        assert answer.author.specialty.group in page
        assert f'datetime="{answer.posted_at.astimezone(UTC):%Y-%m-%d}"' in page

    @pytest.mark.parametrize("mode", ["anonymous", "partial", "public", "masked"])
    def test_nothing_of_the_author_is_on_it(self, seat, seat_client, answer, mode):
        """Neither names nor numbers, whichever way they signed."""
        spread(Member, Question, Post, Byline)
        named = {"byline_mode": Member.BylineMode.PUBLIC}
        asker = make_member("thornbury", display_name="Ada Thornbury", **named)
        question = make_question(asker)
        answer = make_answer(question, make_member("kestrelmoor", display_name="Dana Kestrelmoor", **named))
        Byline.objects.filter(pk=answer.byline_id).update(mode=mode)
        let_pass(question)
        make_earmark(answer, seat.firm)

        for page in (seat_client.get(address(seat, answer)), seat_client.get(reverse("observers:earmarks"))):
            page = page.text
            for member in (question.asker, answer.author):
                for name in (member.handle, member.display_name, member.display_name.split()[1]):
                    assert name.lower() not in page.lower()
            for row in (answer, answer.author, answer.byline, question, question.asker):
                assert not re.search(rf"(?<!\d){row.pk}(?!\d)", page), type(row)

    def test_the_key_of_another_firm_leads_nowhere(self, seat_client, answer):
        assert seat_client.get(address(make_seat(), answer)).status_code == 404

    def test_what_is_closed_to_the_firm_is_not_found(self, seat, seat_client, answer):
        Post.objects.filter(pk=answer.pk).update(peers_only=True)

        assert seat_client.get(address(seat, answer)).status_code == 404


class TestSecrecy:
    """The log of reads is shown to authors while their discussions are open: nothing in it may come of an earmark."""

    def test_looking_at_earmarks_is_no_read(self, seat, seat_client, question, answer, slots):
        seat_client.get(reverse("observers:question", args=[keys.question_key(seat.firm, question.pk)]))
        before = log()

        seat_client.get(address(seat, answer))
        seat_client.post(address(seat, answer), typed(author_cents="ten"))
        seat_client.post(address(seat, answer), typed())
        placed = Earmark.objects.get()
        for name in ("earmarks", "balance"):
            seat_client.get(reverse(f"observers:{name}"))
        seat_client.get(address(seat, answer))
        seat_client.post(reverse("observers:cancel_earmark", args=[placed.key]), follow=True)

        placed.refresh_from_db()
        assert placed.state == Earmark.State.CANCELLED
        assert before
        assert log() == before

    def test_no_word_of_the_discussion_is_shown(self, seat, seat_client, question, answer):
        Question.objects.filter(pk=question.pk).update(title="Rash after amiodarone")
        Post.objects.filter(pk=answer.pk).update(
            html="<p>Vancomycin does it.</p>", source="Vancomycin does it."
        )
        make_earmark(answer, seat.firm)

        for where in (reverse("observers:earmarks"), address(seat, answer)):
            page = seat_client.get(where).text
            assert "amiodarone" not in page
            assert "Vancomycin" not in page
            assert reverse("observers:question", args=[keys.question_key(seat.firm, question.pk)]) in page

    def test_a_note_of_its_own_tells_the_firm_which_it_is(self, seat, seat_client, answer, slots):
        seat_client.post(address(seat, answer), typed(note="Ask for the series"))

        assert SeatEarmark.objects.get().note == "Ask for the series"
        assert "Ask for the series" in seat_client.get(reverse("observers:earmarks")).text

    def test_a_long_note_is_refused(self, seat, seat_client, answer, slots):
        assert seat_client.post(address(seat, answer), typed(note="x" * 81)).status_code == 422

    @pytest.mark.parametrize("name", ["earmarks", "balance"])
    def test_no_page_or_cursor_has_a_number_that_all_firms_share(
        self, seat, seat_client, physician, monkeypatch, name
    ):
        spread(Earmark, Entry)
        monkeypatch.setattr(market, "SIZE", 2)
        for _ in range(5):
            make_earmark(let_pass(make_question(physician)).posts.get(), seat.firm)
        rows = {"earmarks": Earmark.objects.filter(firm=seat.firm)}.get(
            name, Entry.objects.filter(account__firm=seat.firm)
        )

        where, seen = reverse(f"observers:{name}"), 0
        while where:
            page = seat_client.get(where)
            seen += len(page.context["rows"])
            where = page.context["more_url"]
            texts = [page.text, where, *plain_texts_in(where)]
            for pk in rows.values_list("pk", flat=True):
                assert not any(re.search(rf"(?<!\d){pk}(?!\d)", text) for text in texts)

        assert seen == (5 if name == "earmarks" else 6)

    def test_a_cursor_of_nobody_leads_to_the_first_page(self, seat, seat_client, answer):
        make_earmark(answer, seat.firm)
        clear = paging.cursor_after([1])

        for after in (clear, "x", "", "=" * 500):
            page = seat_client.get(reverse("observers:earmarks"), {"after": after})
            assert len(page.context["rows"]) == 1

    def test_nobody_cancels_by_number_or_for_another_firm(self, seat, seat_client, answer):
        other = make_earmark(answer, make_firm())

        assert seat_client.post(f"{reverse('observers:earmarks')}{other.pk}/cancel/").status_code == 404
        where = reverse("observers:cancel_earmark", args=[other.key])
        assert seat_client.post(where).status_code == 404


def without(seat, why, slots):
    """Take a firm's means away, and return what it is told."""
    if why == "allowance":
        Allowance.objects.filter(pk=slots.pk).update(slots=0)
        return "Slots are given anew at 00:00 UTC."
    if why == "plan":
        seat.firm.contracts.update(plan=make_plan("none", earmarks_a_day=0))
        return "Your plan&#x27;s earmarks of today are placed."
    balance, spent = ledger.firm_balance(seat.firm), ledger.house(Account.Kind.REFUNDS)
    left = balance.balance - 499
    ledger.post(kind="withdrawal", key="out", entries={balance: -left, spent: left})
    return "An earmark takes $5.00 or more, and $4.99 are free."


def log():
    """All rows that a read leaves."""
    days = ReadDay.objects.order_by("pk").values_list("post", "firm", "day", "way", "purpose", "reads")
    return [*Read.objects.order_by("pk").values_list("at", "post", "seat", "way"), *days]


def spread(*models):
    """Have rows made from here on numbers that nothing else on a page could be."""
    with connection.cursor() as cursor:
        for place, model in enumerate(models):
            sequence = f"pg_get_serial_sequence('{model._meta.db_table}', 'id')"
            cursor.execute(f"SELECT setval({sequence}, %s)", [7_310_000 + 10_000 * place])


def plain_texts_in(address):
    """What a cursor of an address would say if it were not sealed."""
    for value in parse_qs(urlsplit(address).query).get("after", ()):
        yield base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("latin-1")


class TestWords:
    """Who is suspended keeps money waiting, and the firm must not tell it from any other wait."""

    @pytest.mark.parametrize("state", [Earmark.State.OPEN, Earmark.State.HELD])
    def test_while_the_discussion_is_open(self, seat, seat_client, answer, state):
        Earmark.objects.filter(pk=make_earmark(answer, seat.firm).pk).update(state=state)

        row = next(iter(market.earmarks_of(seat.firm)))
        assert (row.state, row.may_cancel, row.paid) == ("Open", True, None)
        assert "Being settled" not in seat_client.get(address(seat, answer)).text

    @pytest.mark.parametrize("state", [Earmark.State.OPEN, Earmark.State.HELD])
    def test_once_it_is_closed(self, seat, seat_client, question, answer, state):
        Earmark.objects.filter(pk=make_earmark(answer, seat.firm).pk).update(state=state)
        Question.objects.filter(pk=question.pk).update(
            status=Question.Status.CLOSED, closed_at=timezone.now(), close_reason="author"
        )

        row = next(iter(market.earmarks_of(seat.firm)))
        assert (row.state, row.may_cancel, row.paid) == ("Being settled", False, None)
        assert "Being settled" in seat_client.get(address(seat, answer)).text


class TestCell:
    def cell(self, seat_client, seat, question):
        """The page of a discussion, where each post has one."""
        return seat_client.get(
            reverse("observers:question", args=[keys.question_key(seat.firm, question.pk)])
        ).text

    def test_one_that_was_taken_back_says_so_and_offers_nothing(
        self, seat, seat_client, question, answer, slots
    ):
        assert address(seat, answer) in self.cell(seat_client, seat, question)

        marking.cancel(seat=seat, earmark=place(seat, answer))

        page = self.cell(seat_client, seat, question)
        assert address(seat, answer) not in page
        assert "Canceled" in page

    @pytest.mark.parametrize(
        ("why", "words"),
        [
            ("allowance", "No slot until 00:00 UTC"),
            ("plan", "No slot until 00:00 UTC"),
            ("balance", "Balance too low"),
        ],
    )
    def test_without_the_means_it_says_so_in_place_of_the_button(
        self, seat, seat_client, question, answer, slots, why, words
    ):
        without(seat, why, slots)

        pages = [self.cell(seat_client, seat, question), seat_client.get(reverse("observers:list")).text]

        for page in pages:
            assert words in page
            assert "/earmark/" not in page

    def test_what_was_placed_today_counts(self, seat, seat_client, question, answer, slots):
        Allowance.objects.filter(pk=slots.pk).update(slots=1)
        Earmark.objects.filter(pk=make_earmark(answer, seat.firm).pk).update(
            placed_at=draws.begins_at(draws.today()) - timedelta(seconds=1)
        )
        opening = question.posts.get(kind=Post.Kind.OPENING)
        assert address(seat, opening) in self.cell(seat_client, seat, question)

        Earmark.objects.update(placed_at=draws.begins_at(draws.today()))

        assert address(seat, opening) not in self.cell(seat_client, seat, question)

    def test_before_the_day_is_fixed_it_is_offered_and_the_form_fixes_it(
        self, seat, seat_client, question, answer
    ):
        Allowance.objects.all().delete()
        assert address(seat, answer) in self.cell(seat_client, seat, question)

        seat_client.get(address(seat, answer))

        assert Allowance.objects.filter(firm=seat.firm, day=draws.today()).exists()

    def test_a_firm_that_came_after_the_day_was_fixed_has_no_slot(self, seat, seat_client, question, answer):
        Allowance.objects.all().delete()
        Allowance.objects.create(firm=make_firm(), day=draws.today(), slots=3)

        assert "No slot until 00:00 UTC" in self.cell(seat_client, seat, question)


class TestList:
    def test_it_has_the_firms_own_alone(self, seat, seat_client, answer):
        make_earmark(answer, make_firm("Another firm"), author_cents=1_700)

        assert "$17.00" not in seat_client.get(reverse("observers:earmarks")).text

    def test_of_a_discussion_that_closed_to_the_firm_it_says_nothing(self, seat, seat_client, answer):
        make_earmark(answer, seat.firm)
        alias = aliases_of(seat.firm, [answer.question_id])[answer.question_id, answer.author_id]
        assert alias in seat_client.get(reverse("observers:earmarks")).text
        FirmBlock.objects.create(member=answer.question.asker, firm=seat.firm)

        page = seat_client.get(reverse("observers:earmarks")).text

        assert alias not in page
        assert keys.question_key(seat.firm, answer.question_id) not in page
        assert market.GONE in page

    def test_after_the_close_it_says_what_was_paid_and_not_to_whom(self, seat, answer, third, slots):
        make_draw_day()
        make_payee(answer.author)
        place(seat, answer, voter_cents=500, voter_slots=2)
        corroborate(answer, third)

        closing.close_question(question=answer.question, by=answer.question.asker)

        (row,) = market.earmarks_of(seat.firm)
        assert (row.state, row.paid) == ("Settled", 1_500)

    def test_what_was_undone_since_is_no_part_of_it(self, seat, answer, third, slots):
        make_draw_day()
        make_payee(answer.author)
        made = place(seat, answer, voter_cents=500, voter_slots=2)
        corroborate(answer, third)
        closing.close_question(question=answer.question, by=answer.question.asker)
        to_voter = made.awards.get(cause=Award.Cause.VOTER)

        ledger.reverse(earlier=to_voter.entry.transaction)

        (row,) = market.earmarks_of(seat.firm)
        left = sum(
            award.cents for award in made.awards.exclude(entry__transaction=to_voter.entry.transaction)
        )
        assert (row.state, row.paid) == ("Settled", left)
        assert left < 1_500

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
