"""What members see of money in a discussion: the line on its page, the draw, and what they are told."""

import hashlib
from datetime import date, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import notice_kinds
from accounts.models import Kind, Mail, Notice
from accounts.tests.factories import make_member
from conftest import client_of
from questions.models import Question
from questions.services import closing, voting
from questions.tests.factories import make_question
from questions.tests.test_views import words
from rewards import drawing
from rewards.models import Award, DrawDay, Payout, Pool, Settlement, Transaction
from rewards.services import awarding, draws, ledger, telling
from rewards.tests.factories import fund, make_earmark, make_firm, make_payee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]
DAYS = reverse("rewards:draws")
KEY = "5e" * 32


@pytest.fixture
def question(physician):
    return make_question(physician)


@pytest.fixture
def closed(question, physician):
    return closing.close_question(question=question, by=physician)


def address_of(question):
    return reverse("rewards:draw", args=[question.pk])


def tickets_of(pool):
    return reverse("rewards:tickets", args=[pool.settlement_id, pool.number])


def make_settlement(question, **fields):
    fields = {"paid_cents": 5_500, "payees": 4, "firms": ["Corvane Pharma", "A medical society"], **fields}
    return Settlement.objects.create(question=question, **fields)


def make_day(day, key=KEY):
    return DrawDay.objects.create(day=day, key=key, commitment=drawing.commitment(key))


def judged(question, voter):
    """A discussion that closed after somebody had rated it."""
    voting.rate_importance(question=question, rater=voter, value=4)
    return closing.close_question(question=question, by=question.asker)


def drawn(question, voters, *, slots=1, day=None):
    """A pool in which so many of these voters were drawn."""
    day = make_day(day or draws.today() - timedelta(days=1))
    seed = drawing.seed(KEY, question.pk)
    tickets = sorted(drawing.ticket(KEY, question.pk, payee.draw_name) for payee in voters)
    post = question.posts.get(kind="opening")
    return Pool.objects.create(
        settlement=make_settlement(question),
        number=1,
        earmark=make_earmark(post, voter_cents=500, voter_slots=slots),
        draw_day=day,
        seed=seed,
        cents=500,
        slots=slots,
        tickets=tickets,
        winners=drawing.order(seed, 1, tickets)[:slots],
    )


def credited(member, question, cents=1_000):
    """An award for the opening of a discussion, with its entry."""
    payee, firm = make_payee(member), make_firm()
    post = question.posts.get(kind="opening")
    earmark = make_earmark(post, firm, author_cents=cents)
    account = ledger.payable_to(payee)
    written = ledger.post(
        kind=Transaction.Kind.SETTLE,
        key=f"test:{uuid4()}",
        entries={ledger.reserved_of(firm): -cents, account: cents},
    )
    line = awarding.Line(
        payee=payee,
        firm=firm,
        cause=Award.Cause.AUTHOR,
        cents=cents,
        account=account,
        earmark=earmark,
        question=question,
        post=post,
    )
    return awarding.write(ledger_transaction=written, lines=[line])


def told(member):
    found = list(Notice.objects.filter(member=member, kind=Kind.REWARD).order_by("pk"))
    said = notice_kinds.lines(found, member.user)
    return [said[notice.pk] for notice in found if notice.pk in said]


class TestOnThePage:
    def test_a_closed_discussion_says_what_it_paid_and_by_whom(self, closed, colleague_client):
        make_settlement(closed)

        page = colleague_client.get(closed.get_absolute_url()).content.decode()

        assert "$55.00 to 4 colleagues, by Corvane Pharma and A medical society." in page
        assert address_of(closed) in page

    def test_nothing_is_said_where_nothing_was_paid(self, closed, colleague_client):
        make_settlement(closed, paid_cents=0, payees=0, firms=[])

        assert "Paid:" not in colleague_client.get(closed.get_absolute_url()).content.decode()

    def test_it_takes_one_statement_and_while_it_is_open_none(self, question, physician, colleague_client):
        def asks():
            with CaptureQueriesContext(connection) as spent:
                assert colleague_client.get(question.get_absolute_url()).status_code == 200
            assert len(spent) <= 10
            return [row["sql"] for row in spent if "rewards_" in row["sql"]]

        assert asks() == []
        closing.close_question(question=question, by=physician)
        assert len(asks()) == 1


class TestDraws:
    def test_hashes_stand_ahead_and_keys_once_their_day_is_over(self, client, db):
        today = draws.today()
        keys = {day: f"{day:02}" * 32 for day in (1, 2, 3)}
        for ahead, key in zip((-1, 0, 1), keys.values(), strict=True):
            make_day(today + timedelta(days=ahead), key)

        page = client.get(DAYS).content.decode()

        assert [key in page for key in keys.values()] == [True, False, False]
        assert all(drawing.commitment(key) in page for key in keys.values())

    def test_days_go_on_by_key(self, client, db):
        for number in range(31):
            make_day(date(2026, 1, 1) + timedelta(days=number), f"{number:064}")

        first = client.get(DAYS)
        rest = client.get(DAYS + first.context["more_url"])

        assert (len(first.context["page"]), len(rest.context["page"])) == (30, 1)

    def test_a_member_finds_the_draws_they_were_in(
        self, question, colleague, colleague_client, third, client
    ):
        drawn(judged(question, colleague), [make_payee(colleague)])
        make_payee(third)

        page = colleague_client.get(DAYS)

        assert "pool 1: 1 of 1 drawn. $5.00 drawn" in words(page)
        assert question.title in words(page)
        assert address_of(question) in page.content.decode()
        for other in (client, client_of(third)):
            assert question.title not in words(other.get(DAYS))
        assert "took part in" not in words(client.get(DAYS))

    def test_who_was_not_drawn_reads_that_too(self, question, colleague, colleague_client):
        pool = drawn(judged(question, colleague), [make_payee(colleague)])
        Pool.objects.filter(pk=pool.pk).update(winners=[])

        assert "pool 1: 0 of 1 drawn. not drawn" in words(colleague_client.get(DAYS))

    def test_who_judged_and_had_no_ticket_is_told_of_no_draw(self, question, colleague, colleague_client):
        make_payee(colleague)
        drawn(judged(question, colleague), [make_payee(make_member())])

        page = colleague_client.get(DAYS)

        assert page.context["own"] == []
        assert "None so far." in words(page)

    def test_a_draw_out_of_sight_is_not_listed(self, question, colleague, colleague_client):
        drawn(judged(question, colleague), [make_payee(colleague)])
        Question.objects.filter(pk=question.pk).update(audience="connections")

        assert question.title not in words(colleague_client.get(DAYS))

    @pytest.mark.parametrize("count", [1, 4])
    def test_they_cost_the_same_however_many(
        self, physician, colleague, colleague_client, django_assert_max_num_queries, count
    ):
        for ago in range(1, count + 1):
            question = judged(make_question(physician), colleague)
            drawn(question, [make_payee(colleague)], day=draws.today() - timedelta(days=ago))

        with django_assert_max_num_queries(8):
            assert len(colleague_client.get(DAYS).context["own"]) == count


class TestDraw:
    def test_everything_to_repeat_it_is_there(self, closed, colleague_client, tmp_path, capsys, monkeypatch):
        voters = [make_payee(make_member()) for _ in range(3)]
        pool = drawn(closed, voters, slots=2)

        answer = colleague_client.get(address_of(closed))
        (tmp_path / "tickets.txt").write_bytes(colleague_client.get(tickets_of(pool)).content)
        monkeypatch.chdir(tmp_path)
        exec(answer.context["program"], {})

        assert capsys.readouterr().out.split() == [
            hashlib.sha256(KEY.encode()).hexdigest(),
            pool.seed,
            *pool.winners,
        ]
        assert all(ticket in answer.content.decode() for ticket in pool.tickets)

    def test_ones_own_ticket_is_told_to_oneself_alone(self, closed, colleague, colleague_client, third):
        pool = drawn(closed, [make_payee(colleague)])

        own, others = colleague_client.get(address_of(closed)), client_of(third).get(address_of(closed))

        assert own.context["own"] == pool.tickets[0]
        assert "You were drawn." in own.content.decode()
        assert others.context["own"] == ""
        assert "yours" not in others.content.decode().replace("yourself", "")

    def test_of_many_tickets_those_that_won_and_one_s_own_are_always_shown(
        self, closed, colleague, colleague_client, monkeypatch
    ):
        monkeypatch.setattr("rewards.views.draws.TICKETS_SHOWN", 4)
        pool = drawn(
            closed, [make_payee(colleague), *(SimpleNamespace(draw_name=uuid4()) for _ in range(9))], slots=2
        )
        own = drawing.ticket(KEY, closed.pk, make_payee(colleague).draw_name)

        page = colleague_client.get(address_of(closed)).content.decode()
        lines = colleague_client.get(tickets_of(pool)).content.decode().splitlines()

        shown = {ticket for ticket in pool.tickets if ticket in page}
        assert len(shown) == 4
        assert {own, *pool.winners} <= shown
        assert "6 more tickets are in the file." in page
        assert lines == pool.tickets

    def test_the_key_is_kept_until_its_day_is_over(self, closed, colleague_client):
        drawn(closed, [make_payee(make_member())], day=draws.today())

        assert KEY not in colleague_client.get(address_of(closed)).content.decode()

    def test_the_door(self, closed, client, applicant_client, colleague_client, moderator):
        pool = drawn(closed, [make_payee(make_member())])
        Question.objects.filter(pk=closed.pk).update(audience="connections")

        for address in (address_of(closed), tickets_of(pool)):
            assert client.get(address).status_code == 302
            assert applicant_client.get(address).url == reverse("verification:start")
            assert colleague_client.get(address).status_code == 404
            assert client_of(moderator).get(address).status_code == 200

    def test_there_is_no_page_before_anything_was_paid(self, question, physician_client):
        make_earmark(question.posts.get(kind="opening"))

        assert physician_client.get(address_of(question)).status_code == 404


class TestTelling:
    def test_of_a_discussion_once_and_without_a_sum(self, closed, physician):
        awards = credited(physician, closed)

        for _ in range(2):
            telling.of_settlement(
                make_settlement(closed) if not told(physician) else closed.settlement, awards
            )

        (line,) = told(physician)
        assert (line.text, line.title) == ("You were paid in a discussion that closed", closed.title)
        assert line.url == closed.get_absolute_url()
        mail = Mail.objects.get(user=physician.user)
        assert "10.00" not in mail.subject + mail.text
        assert closed.title not in mail.subject + mail.text

    def test_what_was_held_back_is_told_when_it_comes(self, closed, physician):
        settlement = make_settlement(closed)
        telling.of_settlement(settlement, credited(physician, closed))
        telling.of_settlement(settlement, credited(physician, closed))

        assert len(told(physician)) == 2

    def test_where_the_discussion_is_gone_the_line_leads_to_the_wallet(self, closed, physician):
        telling.of_settlement(make_settlement(closed), credited(physician, closed))
        Question.objects.filter(pk=closed.pk).update(status="removed")

        (line,) = told(physician)
        assert (line.url, line.title) == (reverse("rewards:wallet"), "")

    def test_who_left_hears_nothing(self, closed, physician):
        awards = credited(physician, closed)
        make_payee(physician).__class__.objects.update(member=None)

        telling.of_settlement(make_settlement(closed), awards)

        assert not Notice.objects.filter(kind=Kind.REWARD).exists()

    def test_of_honoraria_each_poll_apart(self, physician, colleague):
        first, second = make_question(colleague), make_question(colleague)

        telling.of_honorarium([*credited(physician, first), *credited(physician, second)])

        assert [line.text for line in told(physician)] == ["You were credited for a sponsored poll"] * 2

    def test_of_what_has_no_discussion(self, closed, physician):
        awards = credited(physician, closed)
        for award in awards:
            award.question_id = None

        telling.of_honorarium(awards)

        assert [line.text for line in told(physician)] == ["Something was credited to you"]

    def test_of_a_payout_late_then_paid_and_each_once(self, physician, colleague):
        payout = make_payout(physician)
        telling.of_payout(payout)
        telling.of_payout(payout)
        payout.state = Payout.State.PAID
        telling.of_payout(payout)
        payout.state = Payout.State.RETURNED
        telling.of_payout(payout)

        assert [line.text for line in told(physician)] == [
            "A payout of yours is late. We are sorry",
            "A payout was sent to you",
            "A payout came back and stands on your balance again",
        ]
        assert {line.url for line in told(physician)} == {reverse("rewards:wallet")}
        assert told(colleague) == []

    def test_of_a_preview_once_for_each_report(self, physician):
        subject = make_payee(physician).subject
        for report in (1, 1, 2):
            telling.of_preview([subject], 2026, report)

        assert [line.text for line in told(physician)] == [
            "You may now read what firms will report about you for 2026"
        ] * 2


def make_payout(member):
    payee = make_payee(member)
    fund(payee, 5_000)
    held = ledger.post(
        kind=Transaction.Kind.PAYOUT,
        key=f"test:{uuid4()}",
        entries={ledger.payable_to(payee): -5_000, ledger.house("sending"): 5_000},
    )
    return Payout.objects.create(
        submission=uuid4(),
        subject=payee.subject,
        payee=payee,
        method="check",
        provider="manual",
        cents=5_000,
        promised_on=timezone.now().date(),
        held=held,
    )
