"""What a maker must say of posts on its products, and what its safety desk sees and logs."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from conftest import client_of
from observers import keys, marks
from observers.aliases import aliases_of
from observers.models import AdverseEvent, Export, FirmBlock, Read, Way
from observers.services import adverse_events
from observers.tests.factories import let_pass, make_plan, make_seat
from observers.tests.product_makers import make_product
from questions.models import Post, Question
from questions.tests.factories import make_answer, make_question
from rewards.tests.factories import make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

SAFETY = reverse("observers:safety")
LOG = reverse("observers:safety_log")
ALL_FOUR = adverse_events.CRITERIA
Outcome = AdverseEvent.Outcome
REASON = "For the yearly review of our safety desk."
NIGHT = datetime(2026, 11, 18, 2, tzinfo=UTC)  # still the 17th in New York


def ticked(page):
    boxes = re.findall(r'<input type="checkbox"[^>]*>', page.content.decode())
    return {re.search(r'value="(\w+)"', box)[1] for box in boxes if " checked" in box}


def take_log(client, reason=REASON):
    return client.post(LOG, {"reason": reason, "submission": uuid4()})


@pytest.fixture
def product(firm):
    return make_product(maker=firm)


@pytest.fixture
def question(physician):
    return let_pass(make_question(physician, title="Rash after velorin in the 70s?"))


@pytest.fixture
def opening(question):
    return question.posts.get(kind=Post.Kind.OPENING)


@pytest.fixture
def event(product, seat, opening):
    adverse_events.met(seat, [opening.pk])
    return AdverseEvent.objects.get()


class TestMeeting:
    def test_a_makers_clock_starts_when_it_opens_a_post(self, event, firm, product, opening):
        assert (event.firm, event.product, event.post, event.outcome) == (firm, product, opening, "")

    def test_no_sweep_is_needed_for_it(self, event, product):
        assert not product.mentions.exists()

    def test_it_starts_once(self, event, seat, opening):
        before = event.read_at

        assert adverse_events.met(seat, [opening.pk]) == 0
        event.refresh_from_db()
        assert event.read_at == before

    def test_other_firms_have_no_clock(self, product, opening):
        assert adverse_events.met(make_seat(make_firm()), [opening.pk]) == 0

    def test_posts_without_the_product_have_none(self, product, seat, physician):
        other = make_question(physician)

        assert adverse_events.met(seat, other.posts.values_list("pk", flat=True)) == 0

    def test_part_of_a_word_is_none(self, seat, firm, opening):
        make_product(slug="velo", words=["velo"], maker=firm)

        assert adverse_events.met(seat, [opening.pk]) == 0

    def test_it_is_one_statement(self, product, seat, opening, django_assert_num_queries):
        with django_assert_num_queries(1):
            adverse_events.met(seat, [opening.pk])

    def test_nothing_opened_is_nothing_met(self, product, seat):
        assert adverse_events.met(seat, []) == 0

    def test_what_waits_is_known_by_post(self, event, firm, opening, django_assert_num_queries):
        with django_assert_num_queries(1):
            [waiting] = adverse_events.waiting(firm, [opening.pk])
            assert waiting.product.name == "Velorin"

        assert adverse_events.waiting(firm, [opening.pk + 1]) == []
        assert adverse_events.waiting(make_firm(), [opening.pk]) == []

    def test_opening_a_discussion_in_the_console_starts_it(self, product, question, seat_client, firm):
        address = reverse("observers:question", args=[keys.question_key(firm, question.pk)])

        page = seat_client.get(address).content.decode()

        event = AdverseEvent.objects.get()
        assert reverse("observers:safety_event", args=[event.pk]) in page


class TestSaying:
    def test_an_event_with_its_criteria(self, event, seat):
        adverse_events.say(
            event=event, seat=seat, outcome=Outcome.EVENT, criteria=["has_event", "has_patient"]
        )

        event.refresh_from_db()
        assert event.outcome == Outcome.EVENT
        assert (event.has_reporter, event.has_patient, event.has_event, event.has_product) == (
            *(False, True),
            *(True, False),
        )
        assert event.seat == seat
        assert event.said_at

    def test_none(self, event, seat, firm, opening):
        adverse_events.say(event=event, seat=seat, outcome=Outcome.NONE, criteria=ALL_FOUR)

        event.refresh_from_db()
        assert not event.has_event
        assert adverse_events.waiting(firm, [opening.pk]) == []

    def test_an_event_needs_the_event(self, event, seat):
        with pytest.raises(adverse_events.NoCriterion):
            adverse_events.say(event=event, seat=seat, outcome=Outcome.EVENT, criteria=["has_patient"])

    def test_none_may_turn_out_to_be_one_and_never_back(self, event, seat):
        adverse_events.say(event=event, seat=seat, outcome=Outcome.NONE)
        with pytest.raises(adverse_events.SaidBefore):
            adverse_events.say(event=event, seat=seat, outcome=Outcome.NONE)
        adverse_events.say(event=event, seat=seat, outcome=Outcome.EVENT, criteria=ALL_FOUR)

        with pytest.raises(adverse_events.SaidBefore):
            adverse_events.say(event=event, seat=seat, outcome=Outcome.NONE)

    def test_another_firm_says_nothing(self, event):
        with pytest.raises(adverse_events.NotYours):
            adverse_events.say(event=event, seat=make_seat(make_firm()), outcome=Outcome.NONE)

    def test_the_database_wants_who_said_it(self, event):
        with pytest.raises(IntegrityError), transaction.atomic():
            AdverseEvent.objects.filter(pk=event.pk).update(outcome=Outcome.NONE)

    def test_the_database_takes_one_of_a_post_and_product(self, event, firm, product, opening):
        with pytest.raises(IntegrityError), transaction.atomic():
            AdverseEvent.objects.create(firm=firm, product=product, post=opening)


class TestDesk:
    def test_the_list_has_the_title_and_logs_it_as_found(self, event, seat_client, opening, physician):
        page = seat_client.get(SAFETY).content.decode()

        assert "Rash after velorin" in page
        assert physician.handle not in page
        assert Read.objects.get().way == Way.FOUND

    def test_the_post_is_read_there_and_logged(self, event, seat_client, opening, physician):
        page = seat_client.get(reverse("observers:safety_event", args=[event.pk])).content.decode()

        assert "new atrial fibrillation" in page
        assert physician.handle not in page
        assert f"/{opening.pk}/" not in page
        read = Read.objects.get()
        assert (read.way, read.post) == (Way.OPENED, opening)

    @pytest.mark.parametrize("why", ["peers_only", "blocked", "removed"])
    def test_a_post_that_closed_meanwhile_is_not_shown_and_must_still_be_said(
        self, event, seat_client, question, physician, firm, why
    ):
        if why == "peers_only":
            Question.objects.update(peers_only=True)
        elif why == "blocked":
            FirmBlock.objects.create(member=physician, firm=firm)
        else:
            Question.objects.update(status=Question.Status.REMOVED)
        address = reverse("observers:safety_event", args=[event.pk])

        assert "Rash after" not in seat_client.get(SAFETY).content.decode()
        page = seat_client.get(address).content.decode()
        assert "atrial fibrillation" not in page
        assert "no longer open to you" in page
        assert not Read.objects.exists()
        seat_client.post(address, {"outcome": "none"})

        event.refresh_from_db()
        assert event.outcome == Outcome.NONE

    def test_of_a_post_that_closed_in_an_open_discussion_the_list_says_nothing(
        self, product, seat, seat_client, firm, question, colleague
    ):
        answer = make_answer(question, colleague, source="Velorin again: the same rash.")
        let_pass(question)
        adverse_events.met(seat, [answer.pk])
        [alias] = {name for (_, pk), name in aliases_of(firm, [question.pk]).items() if pk == colleague.pk}
        shown = seat_client.get(SAFETY).content.decode()
        assert f"Answer by {alias}" in shown
        found = Read.objects.count()

        Post.objects.filter(pk=answer.pk).update(peers_only=True)

        page = seat_client.get(SAFETY).content.decode()
        assert "No longer open to you" in page
        assert not any(words in page for words in ('<div class="muted">', alias, question.title))
        assert Read.objects.count() == found

    def test_its_days_are_those_of_utc(self, event, seat, seat_client, question):
        AdverseEvent.objects.update(read_at=NIGHT)
        address = reverse("observers:safety_event", args=[event.pk])
        discussion = reverse("observers:question", args=[keys.question_key(seat.firm, question.pk)])
        for page in (SAFETY, address, discussion):
            text = seat_client.get(page).content.decode()
            assert "Nov 18" in text, page
            assert "Nov 17" not in text, page

        adverse_events.say(event=event, seat=seat, outcome="none")
        AdverseEvent.objects.update(read_at=NIGHT - timedelta(days=9), said_at=NIGHT)
        assert "Nov 18" in seat_client.get(address).content.decode()

    def test_saying_it_on_the_page(self, event, seat_client):
        address = reverse("observers:safety_event", args=[event.pk])

        assert seat_client.post(address, {"outcome": "event"}).status_code == 422
        assert seat_client.post(address, {}).status_code == 422
        done = seat_client.post(address, {"outcome": "event", "criteria": list(ALL_FOUR)})

        assert done.status_code == 302
        assert "Note it in the log" not in seat_client.get(address).content.decode()
        assert "Adverse event" in seat_client.get(f"{SAFETY}?show=answered").content.decode()

    def test_the_words_of_the_product_are_marked(self, event, seat_client, opening):
        Post.objects.filter(pk=opening.pk).update(
            html="<p>On <em>Velo</em>rin since May. Velorins are others.</p>"
        )

        page = seat_client.get(reverse("observers:safety_event", args=[event.pk])).content.decode()

        assert "On <em><mark>Velo</mark></em><mark>rin</mark> since May. Velorins are others." in page
        assert "Rash after <mark>velorin</mark> in the 70s?" in page

    def test_ticks_stay_when_the_form_comes_back(self, event, seat_client):
        address = reverse("observers:safety_event", args=[event.pk])
        typed = {"criteria": ["has_reporter", "has_product"]}

        for said in (typed, {**typed, "outcome": "event"}):
            page = seat_client.post(address, said)
            assert page.status_code == 422
            assert ticked(page) == {"has_reporter", "has_product"}

    def test_ticks_stay_after_none_but_for_the_event(self, event, seat_client):
        address = reverse("observers:safety_event", args=[event.pk])

        seat_client.post(address, {"outcome": "none", "criteria": list(ALL_FOUR)})

        assert ticked(seat_client.get(address)) == {"has_reporter", "has_patient", "has_product"}

    def test_no_seat_no_desk(self, event, physician_client, client):
        for address in (SAFETY, LOG, reverse("observers:safety_event", args=[event.pk])):
            assert physician_client.get(address).status_code == 403
            assert client.get(address).status_code == 302

    def test_another_firm_finds_nothing(self, event):
        other = client_of(make_seat(make_firm()).user)
        address = reverse("observers:safety_event", args=[event.pk])

        assert other.get(address).status_code == 404
        assert other.post(address, {"outcome": "none"}).status_code == 404
        assert "Rash after" not in other.get(SAFETY).content.decode()
        answer = take_log(other)
        assert answer.status_code == 422
        assert "The log is empty" in answer.content.decode()

    @pytest.mark.parametrize("length", [1, 8])
    def test_the_list_costs_the_same_at_any_length(
        self, length, product, seat, seat_client, physician, django_assert_max_num_queries
    ):
        for _ in range(length):
            question = let_pass(make_question(physician, title="Rash after velorin in the 70s?"))
            adverse_events.met(seat, question.posts.values_list("pk", flat=True))
        seat_client.get(SAFETY)

        with django_assert_max_num_queries(12):
            seat_client.get(SAFETY)


class TestLog:
    def rows(self, client):
        text = take_log(client).content.decode().lstrip("\ufeff")
        return list(csv.reader(io.StringIO(text)))

    def test_it_says_days_criteria_and_hours_and_no_words(self, event, seat, seat_client, firm, opening):
        AdverseEvent.objects.update(read_at=timezone.now() - timedelta(hours=30))
        event.refresh_from_db()
        adverse_events.say(event=event, seat=seat, outcome=Outcome.EVENT, criteria=["has_event"])

        watermark, head, row, last = self.rows(seat_client)

        said = dict(zip(head, row, strict=True))
        assert said["Product"] == "Velorin"
        assert said["Post"] == keys.post_key(firm, opening.pk)
        assert (said["Event"], said["Patient"], said["Hours until said"]) == ("yes", "no", "30")
        export = Export.objects.get()
        assert (export.what, export.reason, export.rows, export.firm) == ("Safety log", REASON, 1, firm)
        assert last[-1] == export.phrase
        for words in (marks.copy_mark(seat), REASON, export.phrase, firm.name):
            assert words in watermark[0]
        assert "Every author" not in watermark[0]
        assert not Read.objects.exists()

    def test_nothing_of_a_member_is_in_it(self, event, seat_client, physician, opening):
        text = take_log(seat_client).content.decode()

        assert physician.handle not in text
        assert "Rash" not in text
        assert not re.search(r"\d\d:\d\d", text)
        assert f'"{opening.pk}"' not in text

    def test_it_is_not_kept_on_the_way(self, event, seat_client):
        answer = take_log(seat_client)

        assert answer["Cache-Control"] == "private, no-store"
        assert "attachment" in answer["Content-Disposition"]

    def test_an_answer_of_a_discussion_has_its_own_line(self, event, seat, seat_client, question, colleague):
        answer = make_answer(question, colleague, source="Velorin again: the same rash.")
        adverse_events.met(seat, [answer.pk])

        assert len(self.rows(seat_client)) == 5

    def test_it_is_asked_for_with_a_reason(self, event, seat_client):
        assert "Why do you take it away?" in seat_client.get(LOG).content.decode()
        assert take_log(seat_client, reason="").status_code == 422
        assert not Export.objects.exists()

    def test_it_is_one_of_the_exports_of_the_day(self, event, seat, seat_client):
        make_plan(exports_a_day=1, export_rows=1)
        AdverseEvent.objects.create(
            firm=seat.firm, product=make_product("other", maker=seat.firm), post=event.post
        )

        assert len(self.rows(seat_client)) == 4
        answer = take_log(seat_client)

        assert answer.status_code == 422
        assert "No export is left today" in answer.content.decode()
        assert Export.objects.count() == 1
