"""Exports: with a reason, within the plan, logged for every author, without a way to any, and traceable."""

import csv
import io
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.tests.factories import make_member
from conftest import client_of
from observers import keys, marks
from observers.models import AdverseEvent, Export, FirmBlock, Purpose, Read, VoteFigure, Way
from observers.services import adverse_events, exporting, searching
from observers.services.contracting import NotContracted
from observers.tests.factories import let_pass, make_contract, make_plan, make_seat
from observers.tests.product_makers import make_product
from questions.models import Post, Question
from questions.tests.factories import make_answer, make_question
from rewards.tests.factories import make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

REASON = "For the yearly review of our safety desk."


@pytest.fixture
def question(physician, colleague):
    question = make_question(physician, "Apixaban in dialysis: which dose?")
    make_answer(question, colleague, source=f"=cmd() Half of it, as @{physician.handle} gave apixaban.")
    return let_pass(question)


@pytest.fixture
def saved(seat):
    return searching.save(seat=seat, name="Anticoagulation", terms="apixaban")


def export(seat, saved, **fields):
    asked = {"purpose": Purpose.SAFETY, "reason": REASON, "key": uuid4(), **fields}
    return exporting.export_search(seat=seat, saved=saved, **asked)


def take(seat, question, **fields):
    asked = {"purpose": Purpose.SAFETY, "reason": REASON, "key": uuid4(), **fields}
    return exporting.export_discussion(seat=seat, question=question, **asked)


def rows_of(file):
    return list(csv.reader(io.StringIO(file.text.removeprefix("\ufeff"))))


class TestFile:
    def test_it_has_the_posts_between_its_marks(self, seat, saved, question):
        file = export(seat, saved)

        watermark, head, *rows, last = rows_of(file)
        assert seat.firm.name in watermark[0]
        assert marks.copy_mark(seat) in watermark[0]
        assert REASON in watermark[0]
        assert tuple(head) == exporting.HEAD
        assert [row[1] for row in rows] == ["Answer", "Opening"] or len(rows) == 2
        assert last[-1] == file.export.phrase
        assert file.export.rows == 2

    @pytest.mark.parametrize("reason", ["For our yearly review", "For our yearly review. "])
    def test_the_reason_ends_as_a_sentence(self, seat, question, reason):
        assert ": For our yearly review. Every author" in rows_of(take(seat, question, reason=reason))[0][0]

    def test_a_discussion_has_all_its_open_posts_in_order(self, seat, question):
        closed = make_answer(question, source="For peers.")
        let_pass(question)
        Post.objects.filter(pk=closed.pk).update(peers_only=True)

        rows = rows_of(take(seat, question))[2:-1]
        assert len(rows) == 2
        assert not any("For peers." in cell for row in rows for cell in row)

    def test_nobody_is_named_and_no_moment_or_number_is_in_it(
        self, seat, saved, question, physician, colleague
    ):
        text = export(seat, saved).text

        for person in (physician, colleague):
            assert person.handle not in text
        assert not re.search(r"\d\d:\d\d", text)
        assert "/questions/" not in text

    def test_no_cell_is_a_formula(self, seat, saved, question):
        cells = [cell for row in rows_of(export(seat, saved)) for cell in row]

        assert any(cell.startswith("'=cmd()") for cell in cells)
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)

    @pytest.mark.parametrize(
        ("votes", "shown"), [(0, "under 11"), (10, "under 11"), (12, "over 10"), (23, "20")]
    )
    def test_figures_are_those_of_the_console(self, seat, question, votes, shown):
        VoteFigure.objects.create(post=question.posts.get(kind="answer"), corroborations=votes)

        assert rows_of(take(seat, question))[3][6] == shown

    def test_who_shut_the_firm_out_is_not_in_it(self, seat, saved, firm, question, physician, colleague):
        FirmBlock.objects.create(member=colleague, firm=firm)

        assert export(seat, saved).export.rows == 1

    def test_a_match_in_a_masked_name_is_not_in_it(self, seat, question):
        stranger = make_member("zorvath_kelm")
        make_answer(question, source=f"Ask @{stranger.handle}.")
        let_pass(question)
        masked = searching.save(seat=seat, name="A name", terms=stranger.handle)

        with pytest.raises(exporting.NothingToExport):
            export(seat, masked)


class TestLog:
    def test_every_post_is_logged_as_exported_with_the_purpose(self, seat, saved, question):
        export(seat, saved)

        logged = set(Read.objects.values_list("post", "way", "purpose", "seat"))
        assert logged == {
            (pk, Way.EXPORTED, "safety", seat.pk) for pk in question.posts.values_list("pk", flat=True)
        }

    def test_the_opening_is_logged_where_its_title_stands(self, seat, question):
        answer = make_answer(question, source="Edoxaban.")
        let_pass(question)

        export(seat, searching.save(seat=seat, name="Other", terms="edoxaban"))

        assert set(Read.objects.values_list("post", flat=True)) == {
            answer.pk,
            question.posts.get(kind="opening").pk,
        }

    def test_its_words_lead_back_to_the_seat(self, seat, saved, question):
        file = export(seat, saved)

        assert len(file.export.phrase.split()) == 4
        [found, *_] = marks.trace(f"As was said: {file.export.phrase.upper()}, they think.")
        assert (found.export, found.seat) == (file.export, seat)

    def test_no_two_have_the_same_words(self, seat, saved, question):
        assert export(seat, saved).export.phrase != export(seat, saved).export.phrase


class TestLimits:
    def test_no_more_rows_than_the_plan_has_the_newest_first(self, question):
        firm = make_firm(name="Small Firm")
        make_contract(firm, plan=make_plan("small", export_rows=1))
        seat = make_seat(firm)

        [row] = rows_of(export(seat, searching.save(seat=seat, name="", terms="apixaban")))[2:-1]
        assert "Half of it" in row[5]

    def test_no_more_a_day_than_the_plan_has(self, question):
        firm = make_firm(name="Small Firm")
        make_contract(firm, plan=make_plan("small", exports_a_day=1))
        seat = make_seat(firm)
        take(seat, question)

        with pytest.raises(exporting.NoExportLeft):
            take(seat, question)
        assert Export.objects.count() == 1

    def test_a_form_sent_twice_makes_one(self, seat, question):
        key = uuid4()
        take(seat, question, key=key)

        with pytest.raises(exporting.ExportedAlready):
            take(seat, question, key=key)

    def test_nothing_open_makes_none(self, seat, saved):
        with pytest.raises(exporting.NothingToExport):
            export(seat, saved)
        assert not Export.objects.exists()

    def test_without_a_contract_none(self, seat, saved, question, firm):
        firm.contracts.update(ends_on="2026-03-02")

        with pytest.raises(NotContracted):
            export(seat, saved)


class TestSafety:
    def test_what_a_maker_has_yet_to_judge_is_not_exported(self, seat, saved, question, firm):
        make_product("Eliquis", maker=firm, words=["apixaban"])
        adverse_events.met(seat, question.posts.values_list("pk", flat=True))

        for attempt in (lambda: export(seat, saved), lambda: take(seat, question)):
            with pytest.raises(exporting.SafetyFirst):
                attempt()
        assert not Read.objects.exists()

        for event in AdverseEvent.objects.all():
            adverse_events.say(event=event, seat=seat, outcome="none")
        assert export(seat, saved)

    def test_what_nobody_of_the_firm_opened_yet_waits_before_it_is_exported(
        self, seat, saved, question, firm
    ):
        make_product("Eliquis", maker=firm, words=["apixaban"])

        with pytest.raises(exporting.SafetyFirst):
            export(seat, saved)

        assert AdverseEvent.objects.filter(outcome="").count() == 2
        assert not Export.objects.exists()
        assert not Read.objects.exists()


class TestPages:
    def test_a_discussion_is_taken_away_with_a_reason(self, seat_client, seat, question):
        address = reverse("observers:export_discussion", args=[keys.question_key(seat.firm, question.pk)])
        form = seat_client.get(address)
        assert question.title in form.content.decode()

        answer = seat_client.post(address, {"reason": REASON, "submission": uuid4()})

        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert answer["Cache-Control"] == "private, no-store"
        assert Export.objects.get().phrase in answer.content.decode()
        listed = seat_client.get(reverse("observers:exports")).content.decode()
        assert REASON in listed

    def test_the_title_of_a_discussion_is_not_kept(self, seat_client, seat, saved, question):
        take(seat, question)
        export(seat, saved)
        Question.objects.filter(pk=question.pk).update(peers_only=True)

        listed = seat_client.get(reverse("observers:exports")).content.decode()

        assert "A discussion" in listed
        assert "Search: Anticoagulation" in listed
        assert question.title not in listed

    def test_the_opening_is_found_where_the_form_is_drawn_and_exported_in_the_file(
        self, seat_client, seat, question
    ):
        address = reverse("observers:export_discussion", args=[keys.question_key(seat.firm, question.pk)])
        opening = Read.objects.filter(post__kind="opening").order_by("pk")

        seat_client.get(address)
        seat_client.post(address, {"reason": "No", "submission": uuid4()})
        assert [row.way for row in opening] == [Way.FOUND, Way.FOUND]

        seat_client.post(address, {"reason": REASON, "submission": uuid4()})
        assert [row.way for row in opening.all()[2:]] == [Way.EXPORTED]

    def test_without_a_reason_nothing_is(self, seat_client, saved, question):
        answer = seat_client.post(
            reverse("observers:export_search", args=[saved.key]), {"reason": " ", "submission": uuid4()}
        )

        assert answer.status_code == 422
        assert not Export.objects.exists()

    def test_a_closed_discussion_and_the_key_of_another_firm_are_not_there(self, seat_client, seat, question):
        other = make_firm(name="Other Firm")
        theirs = reverse("observers:export_discussion", args=[keys.question_key(other, question.pk)])
        ours = reverse("observers:export_discussion", args=[keys.question_key(seat.firm, question.pk)])
        Question.objects.filter(pk=question.pk).update(peers_only=True)

        for address in (theirs, ours, reverse("observers:export_discussion", args=["nothing"])):
            assert seat_client.get(address).status_code == 404
            assert seat_client.post(address, {"reason": REASON}).status_code == 404

    def test_a_list_of_exports_is_the_firm_s_own(self, question, seat_client):
        other = make_seat(make_firm(name="Other Firm"), name="N. Other")
        take(other, question)

        assert "Nothing exported yet" in seat_client.get(reverse("observers:exports")).content.decode()
        assert REASON in client_of(other.user).get(reverse("observers:exports")).content.decode()

    def test_the_safety_desk_is_named_where_it_comes_first(self, seat_client, seat, saved, question, firm):
        make_product("Eliquis", maker=firm, words=["apixaban"])
        adverse_events.met(seat, question.posts.values_list("pk", flat=True))

        page = seat_client.post(
            reverse("observers:export_search", args=[saved.key]), {"reason": REASON, "submission": uuid4()}
        )

        assert reverse("observers:safety") in page.content.decode()
        assert page.status_code == 422

    @pytest.mark.parametrize("number", [1, 12])
    def test_pages_cost_at_most_ten_queries(
        self, seat, seat_client, number, question, saved, django_assert_max_num_queries
    ):
        for place in range(number):
            Export.objects.create(
                firm=seat.firm,
                seat=seat,
                what="Search",
                reason=REASON,
                purpose="safety",
                rows=1,
                phrase=f"{place}",
                key=uuid4(),
            )
        key = keys.question_key(seat.firm, question.pk)
        for name, args in (("exports", []), ("export_search", [saved.key]), ("export_discussion", [key])):
            seat_client.get(reverse(f"observers:{name}", args=args))
            with django_assert_max_num_queries(10):
                seat_client.get(reverse(f"observers:{name}", args=args))

    @pytest.mark.parametrize("number", [1, 12])
    def test_an_export_costs_the_same_for_any_number_of_rows(
        self, seat, number, question, django_assert_max_num_queries
    ):
        for _ in range(number):
            make_answer(question)
        let_pass(question, timedelta(days=2))

        with django_assert_max_num_queries(26):
            take(seat, question)
