"""Who watches and what they read: pages for visitors and members, the file, one post, what the discussion says."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from accounts.tests.factories import make_member
from conftest import client_of
from observers import doors, figures, suppression, watching
from observers.models import BlockFigure, FirmBlock, Purpose, Way
from observers.services import blocking, reading
from observers.tests.factories import let_pass, make_contract, make_seat
from observers.tests.product_makers import pay
from questions.models import Post, Question
from questions.tests.factories import make_answer, make_comment, make_question
from rewards.models import Award, Earmark, Firm
from rewards.services import ledger
from rewards.tests.factories import make_earmark, make_firm

ALL = reverse("watchers:all")
FILE = reverse("watchers:reads_file")
THEN = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def read(post, seat, way=Way.OPENED, *, purpose=Purpose.MEDICAL, at=THEN):
    reading.note(seat=seat, purpose=purpose, way=way, post_pks=[post.pk], at=at)


def page_of(post):
    return reverse("watchers:post", args=[post.pk])


def paid(post, firm, author_member, *, author=1_000, voters=()):
    """A settled earmark of a post, with what its author and each voter ($7.00) got of it."""
    earmark = make_earmark(post, firm, author_cents=max(author, 500), voter_cents=700, voter_slots=5)
    if author:
        pay(author_member, firm, post, cents=author, cause=Award.Cause.AUTHOR)
    for voter in voters:
        pay(voter, firm, post, cents=700)
    Earmark.objects.filter(pk=earmark.pk).update(
        state="settled", ended_at=timezone.now(), ended=earmark.reserved
    )
    return earmark


def close(question):
    Question.objects.filter(pk=question.pk).update(
        status="closed", closed_at=timezone.now(), close_reason="author"
    )


@pytest.fixture
def question(physician):
    return let_pass(make_question(physician, title="How long do you hold it before the procedure?"))


@pytest.fixture
def opening(question):
    return question.posts.get()


class TestDirectory:
    def test_anybody_reads_which_firms_may_watch_and_why(self, client):
        make_contract(
            make_firm(name="Corvane Pharma", kind="pharma"),
            purposes=["safety", "market"],
            starts_on=date(2026, 3, 1),
        )

        page = client.get(ALL).content.decode()

        for words in (
            "Corvane Pharma",
            "Pharmaceutical company",
            "Mar 1",
            "Drug and device safety, Market research",
        ):
            assert words in page
        assert "Block" not in page.partition("<main")[2].partition("</table>")[0]

    def test_only_contracts_in_force_count(self, client):
        today = timezone.now().date()
        make_contract(make_firm(name="Ended Firm"), ends_on=today - timedelta(days=1))
        make_contract(make_firm(name="Coming Firm"), starts_on=today + timedelta(days=1))
        make_contract(make_firm(name="Idle Firm", is_active=False))
        make_firm(name="Paying Firm")

        page = client.get(ALL).content.decode()

        assert "No firm may watch" in page
        assert not any(f"{name} Firm" in page for name in ("Ended", "Coming", "Idle", "Paying"))

    @pytest.mark.parametrize("standing", ["applicant", "suspended"])
    def test_who_may_not_read_here_sees_the_directory_alone(self, standing, seat):
        member = make_member(standing=standing)

        page = client_of(member.user).get(ALL)

        assert page.status_code == 200
        assert "Read by read" not in page.content.decode()

    def test_a_seat_sees_the_directory_alone(self, seat_client, firm):
        page = seat_client.get(ALL).content.decode()

        assert firm.name in page
        assert "Read by read" not in page

    def test_the_landing_page_names_them(self, client, firm):
        page = client.get("/").content.decode()

        assert firm.name in page
        assert ALL in page


class TestReads:
    def test_a_member_reads_who_read_what_when_how_and_why(self, opening, seat, physician_client):
        read(opening, seat, Way.FOUND, purpose=Purpose.SAFETY)
        read(opening, seat, Way.FOUND, purpose=Purpose.SAFETY)

        page = physician_client.get(ALL).content.decode()

        for words in (opening.question.title, seat.firm.name, "Nov 18", "2 times"):
            assert words in page
        assert "Found in a list or a search, for drug and device safety." in page

    def test_it_names_no_seat(self, opening, seat, physician_client):
        read(opening, seat)

        for address in (ALL, page_of(opening), FILE):
            assert seat.name not in b"".join(physician_client.get(address)).decode()

    def test_reads_of_colleagues_are_not_there(self, opening, seat, colleague_client):
        read(opening, seat)

        page = colleague_client.get(ALL).content.decode()

        assert opening.question.title not in page
        assert "No firm has read a post of yours" in page

    def test_the_share_counts_posts_that_stand(self, opening, seat, physician):
        answers = [make_answer(opening.question, physician) for _ in range(3)]
        Post.objects.filter(pk=answers[0].pk).update(removed_at=timezone.now(), removed_by="author")
        read(opening, seat)
        read(opening, make_seat(make_firm(name="Another")))
        read(answers[0], seat)

        share = watching.share_of(physician, watching.totals_of(physician))

        assert (share.read, share.posts, share.firms, share.percent) == (1, 3, 2, 33)

    def test_they_can_be_narrowed_to_a_firm(self, opening, seat, physician_client):
        other = make_seat(make_firm(name="Another Firm"))
        read(opening, seat)

        mine = physician_client.get(ALL, {"firm": seat.firm_id}).content.decode()
        theirs = physician_client.get(ALL, {"firm": other.firm_id}).content.decode()

        assert opening.question.title in mine
        assert opening.question.title not in theirs
        for odd in ("x", "9" * 30, "9" * 5000, "²"):
            assert physician_client.get(ALL, {"firm": odd}).status_code == 200

    def test_they_come_page_by_page(self, opening, seat, physician_client, monkeypatch):
        monkeypatch.setattr("observers.views.watchers.READS_PER_PAGE", 2)
        for days in range(5):
            read(opening, seat, at=THEN - timedelta(days=days))

        shown, address = [], ALL
        while address:
            response = physician_client.get(address, headers={"HX-Request": "true"} if shown else {})
            shown += [row.day for row in response.context["reads"]]
            address = response.context["more_url"]

        assert shown == [THEN.date() - timedelta(days=days) for days in range(5)]

    def test_a_post_in_a_discussion_that_closed_to_its_author_has_no_title(self, physician, colleague, seat):
        question = let_pass(make_question(colleague, title="A title that is no longer theirs to read?"))
        answer = make_answer(question, physician)
        read(answer, seat)
        Question.objects.filter(pk=question.pk).update(audience="invited")

        page = client_of(physician.user).get(ALL).content.decode()

        assert question.title not in page
        assert "no longer open to you" in page

    @pytest.mark.parametrize("length", [1, 8])
    def test_the_page_costs_the_same_at_any_length(
        self, length, physician, physician_client, django_assert_max_num_queries
    ):
        for number in range(length):
            seat = make_seat(make_firm(name=f"Firm {number}"))
            read(let_pass(make_question(physician)).posts.get(), seat)

        with django_assert_max_num_queries(8):
            physician_client.get(ALL)


class TestFile:
    def lines(self, client):
        """What the file says, by column."""
        response = client.get(FILE)
        self.headers = response.headers
        return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))

    def test_it_has_a_line_for_each_read(self, opening, seat, physician_client):
        Question.objects.filter(pk=opening.question_id).update(title="=SUM(A1) in a title")
        read(opening, seat)
        read(opening, seat, Way.EXPORTED)

        lines = self.lines(physician_client)

        assert "no-store" in self.headers["Cache-Control"]
        assert list(lines[0].values()) == [
            *("2026-11-18", seat.firm.name, "Pharmaceutical company", "Exported", "Medical information", "1"),
            *("'=SUM(A1) in a title", f"http://testserver{page_of(opening)}", "", ""),
        ]
        assert [line["What it did"] for line in lines] == ["Exported", "Read"]

    def test_it_is_whole_however_long_and_read_a_few_at_a_time(
        self, opening, seat, physician_client, monkeypatch
    ):
        monkeypatch.setattr("observers.views.watchers.LINES_AT_A_TIME", 3)
        days = [THEN - timedelta(days=number) for number in range(10)]
        for day in days:
            read(opening, seat, at=day)
            read(opening, seat, Way.FOUND, at=day)

        with CaptureQueriesContext(connection) as asked:
            lines = self.lines(physician_client)

        said = [(line["Day (UTC)"], line["What it did"]) for line in lines]
        assert [day for day, _ in said] == [day.date().isoformat() for day in days for _ in range(2)]
        assert len(set(said)) == 20
        of_reads = [one["sql"] for one in asked if 'FROM "observers_readday"' in one["sql"]]
        assert len(of_reads) == 7
        assert all("LIMIT 4" in sql for sql in of_reads)

    def test_what_was_paid_stands_in_it_once_the_discussion_is_closed(
        self, question, opening, seat, physician, physician_client
    ):
        earmark = paid(opening, seat.firm, physician, author=1_250, voters=[make_member(), make_member()])
        assert self.lines(physician_client) == []

        close(question)

        (line,) = self.lines(physician_client)
        assert line["Firm"] == seat.firm.name
        assert line["What it did"] == "Earmarked"
        assert line["Day (UTC)"] == earmark.placed_at.astimezone(UTC).date().isoformat()
        assert line["Paid to you (US dollars)"] == "12.50"
        assert line["Paid to voters (US dollars)"] == "14.00"
        assert line["Discussion"] == question.title

    @pytest.mark.parametrize("what", ["a read", "a payment"])
    def test_it_is_offered_as_soon_as_a_line_would_stand_in_it(
        self, question, opening, seat, physician, physician_client, what
    ):
        close(question)
        assert FILE not in physician_client.get(ALL).text

        read(opening, seat) if what == "a read" else paid(opening, seat.firm, physician)

        assert f'href="{FILE}"' in physician_client.get(ALL).text

    @pytest.mark.parametrize("state", ["open", "held"])
    def test_what_is_not_settled_does_not(self, state, question, opening, seat, physician_client):
        make_earmark(opening, seat.firm, state=state)
        close(question)

        assert self.lines(physician_client) == []

    def test_nor_what_was_undone(self, question, opening, seat, physician, physician_client):
        earmark = paid(opening, seat.firm, physician)
        close(question)
        ledger.reverse(earlier=earmark.awards.get().entry.transaction)

        assert self.lines(physician_client) == []
        assert "marked this on" not in physician_client.get(page_of(opening)).content.decode()

    def test_nor_what_was_paid_for_posts_of_colleagues(
        self, question, opening, seat, physician, colleague_client
    ):
        paid(opening, seat.firm, physician)
        close(question)

        assert self.lines(colleague_client) == []

    def test_a_firm_that_keeps_its_name_is_what_the_thread_calls_it(
        self, question, opening, physician, physician_client
    ):
        paid(opening, make_firm(name="A Quiet Fund", kind="finance", shows_name=False), physician)
        close(question)

        (line,) = self.lines(physician_client)
        assert line["Firm"] == "A financial firm"

    def test_visitors_log_in_and_staff_are_refused(self, client, seat_client):
        assert client.get(FILE).status_code == 302
        assert seat_client.get(FILE).status_code == 403


class TestOnePost:
    def test_its_author_reads_which_firms_and_how_many(self, opening, seat, physician_client):
        other = make_seat(make_firm(name="Another Firm"))
        for each, way in ((seat, Way.FOUND), (seat, Way.OPENED), (other, Way.EXPORTED)):
            read(opening, each, way)

        page = physician_client.get(page_of(opening)).content.decode()

        assert "2 firms" in page
        for words in (seat.firm.name, "Another Firm", "Exported"):
            assert words in page

    def test_it_is_nobody_elses(self, opening, colleague_client, seat_client, client):
        assert colleague_client.get(page_of(opening)).status_code == 404
        assert seat_client.get(page_of(opening)).status_code == 403
        assert client.get(page_of(opening)).status_code == 302

    def test_an_earmark_shows_once_its_discussion_closed_and_it_was_paid(
        self, question, opening, seat, physician, physician_client
    ):
        make_earmark(opening, make_firm(name="Another Firm"))
        paid(opening, seat.firm, physician, author=1_250)
        still_open = physician_client.get(page_of(opening)).content.decode()
        close(question)
        after = physician_client.get(page_of(opening)).content.decode()

        assert "marked this on" not in still_open
        assert f"{seat.firm.name} marked this on" in after
        assert "Paid: $12.50 to you" in after
        assert "Another Firm" not in after

    def test_where_voters_alone_were_paid_it_says_so(
        self, question, opening, seat, physician, physician_client
    ):
        paid(opening, seat.firm, physician, author=0, voters=[make_member()])
        close(question)

        assert (
            "Paid: nothing to you, $7.00 to one voter"
            in physician_client.get(page_of(opening)).content.decode()
        )

    def test_it_costs_the_same_at_any_length(
        self, opening, seat, physician_client, django_assert_max_num_queries
    ):
        for days in range(30):
            read(opening, seat, at=THEN - timedelta(days=days))

        with django_assert_max_num_queries(10):
            physician_client.get(page_of(opening))


class TestInDiscussions:
    def test_own_posts_say_how_many_firms_read_them(
        self, question, opening, seat, physician, physician_client
    ):
        answer = make_answer(question, physician)
        comment = make_comment(answer, physician)
        read(opening, seat)
        read(opening, seat, Way.FOUND)
        read(opening, make_seat(make_firm(name="Another")))
        read(comment, seat)

        page = physician_client.get(question.get_absolute_url()).content.decode()

        said = {
            post: page.partition(f'href="{page_of(post)}"')[2].partition("</a>")[0]
            for post in (opening, answer, comment)
        }
        assert "2 firms read this" in said[opening]
        assert "No firm read this" in said[answer]
        assert "1 firm read this" in said[comment]

    def test_posts_of_others_say_nothing(self, question, opening, seat, colleague_client, moderator):
        read(opening, seat)

        for reader in (colleague_client, client_of(moderator)):
            page = reader.get(question.get_absolute_url()).content.decode()
            assert "read this" not in page
            assert page_of(opening) not in page

    def test_a_new_answer_and_later_ones_say_it_too(
        self, question, seat, physician, physician_client, settings
    ):
        settings.ANSWERS_PER_PAGE = 1
        first, second = (make_answer(question, physician) for _ in range(2))
        read(first, seat)
        read(second, seat)

        response = physician_client.get(question.get_absolute_url())
        later = physician_client.get(response.context["more_url"], headers={"HX-Request": "true"})

        assert response.content.decode().count("1 firm read this") == 1
        assert later.content.decode().count("1 firm read this") == 1


class TestBlockRate:
    FIRST = date(2026, 11, 20)

    @pytest.fixture(autouse=True)
    def members(self):
        self.members = [make_member() for _ in range(40)]
        self.night = self.FIRST

    def shut_out(self, firm, members, **how):
        for member in members:
            FirmBlock.objects.create(member=member, **(how or {"firm": firm}))

    def pass_nights(self, number):
        for _ in range(number):
            assert figures.take(self.night)
            self.night += timedelta(days=1)

    def rate_of(self, firm):
        return watching.block_rate(Firm.objects.get(pk=firm.pk))

    @pytest.mark.parametrize(
        ("blocks", "said"), [(0, "under 11"), (10, "under 11"), (11, "over 10"), (17, "15"), (19, "15")]
    )
    def test_a_firm_is_told_a_rounded_number_of_eleven_or_more(self, firm, blocks, said):
        self.shut_out(firm, self.members[:blocks])
        self.pass_nights(2)

        assert self.rate_of(firm).blocked == said
        assert (self.rate_of(firm).percent is None) == (blocks < 11)

    def test_those_who_do_not_are_told_no_better(self, firm):
        Member.objects.exclude(pk__in=[member.pk for member in self.members]).update(standing="suspended")
        self.shut_out(firm, self.members[:35])
        self.pass_nights(2)

        assert self.rate_of(firm) == ("under 11", None)

    def test_a_sector_counts_and_nobody_twice(self, firm):
        self.shut_out(firm, self.members[:12])
        self.shut_out(firm, self.members[:8], sector=firm.kind)
        self.shut_out(firm, self.members[:15], sector="finance")
        self.pass_nights(2)

        assert self.rate_of(firm).blocked == "over 10"

    def test_it_is_shown_the_night_after_it_was_counted(self, firm):
        assert self.rate_of(firm) == ("not counted yet", None)

        self.shut_out(firm, self.members[:12])
        self.pass_nights(1)
        assert self.rate_of(firm) == ("not counted yet", None)

        self.pass_nights(1)
        assert self.rate_of(firm).blocked == "over 10"

    def test_neither_an_unblock_nor_an_empty_cache_moves_it(self, firm):
        self.shut_out(firm, self.members[:15])
        self.pass_nights(2)
        before = self.rate_of(firm)

        blocking.unblock_firm(member=self.members[0], firm=firm)
        cache.clear()
        assert self.rate_of(firm) == before == ("15", before.percent)

        for act, counted in ((None, 14), (blocking.block_firm, 15)):
            if act:
                act(member=self.members[0], firm=firm)
            self.pass_nights(2)
            cache.clear()
            assert BlockFigure.objects.get(firm=firm).next_blocked == counted
            assert self.rate_of(firm) == before

    @pytest.mark.parametrize("margin", [0, 1, 5])
    def test_the_first_number_takes_a_few_more_of_both_sides(self, firm, monkeypatch, margin):
        """How many more lies under a key of the firm."""
        monkeypatch.setattr(
            suppression, "keyed", lambda *parts: margin if parts == (firm.pk, "blocks") else 0
        )
        Member.objects.exclude(pk__in=[member.pk for member in self.members]).update(standing="suspended")

        for blocks in (10 + margin, 11 + margin, 29 - margin, 30 - margin):
            BlockFigure.objects.all().delete()
            FirmBlock.objects.all().delete()
            self.shut_out(firm, self.members[:blocks])
            self.pass_nights(2)
            is_told = 11 + margin <= blocks <= 29 - margin
            assert (self.rate_of(firm) != ("under 11", None)) is is_told, blocks

    def test_a_number_that_is_not_told_goes_on_until_it_is(self, firm, monkeypatch):
        monkeypatch.setattr(suppression, "keyed", lambda *parts: 5)
        for blocks, said in ((11, "under 11"), (15, "under 11"), (16, "15"), (11, "15"), (5, "under 11")):
            FirmBlock.objects.all().delete()
            self.shut_out(firm, self.members[:blocks])
            self.pass_nights(2)
            assert self.rate_of(firm).blocked == said, blocks

    def test_a_few_who_come_and_go_do_not_move_it_either(self, firm):
        self.shut_out(firm, self.members[:15])
        self.pass_nights(2)

        for blocks in (14, 16, 5, 25):
            FirmBlock.objects.all().delete()
            self.shut_out(firm, self.members[:blocks])
            self.pass_nights(2)
            assert self.rate_of(firm).blocked == "15", blocks

    def test_eleven_do(self, firm):
        self.shut_out(firm, self.members[:15])
        self.pass_nights(2)
        self.shut_out(firm, self.members[15:26])
        self.pass_nights(1)
        assert self.rate_of(firm).blocked == "15"

        self.pass_nights(1)
        assert self.rate_of(firm).blocked == "25"

    def test_a_firm_that_never_had_a_contract_has_no_rate(self):
        firm = make_firm(name="Without a contract")
        self.pass_nights(2)

        assert not BlockFigure.objects.filter(firm=firm).exists()

    def test_the_database_refuses_more_blocks_than_physicians(self, firm):
        with pytest.raises(IntegrityError), transaction.atomic():
            BlockFigure.objects.create(
                firm=firm, blocked=12, physicians=11, next_blocked=0, next_physicians=0
            )

    def test_the_console_says_it_without_a_query_more(self, seat_client, firm, django_assert_num_queries):
        self.shut_out(firm, self.members[:17])
        self.pass_nights(2)

        page = seat_client.get(reverse("observers:list")).content.decode()

        assert "of physicians (15) shut your firm out" in " ".join(page.split())
        known = doors.seat_of(firm.seats.get().user).firm
        with django_assert_num_queries(0):
            watching.block_rate(known)
