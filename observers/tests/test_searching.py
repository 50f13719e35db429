"""Saved searches: what is followed, within the plan, by the firm alone."""

from datetime import date, timedelta

import pytest
from django.core import mail as sent
from django.template import Context, Template
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail
from accounts.services import mail
from observers import tasks
from observers.listing import Filters
from observers.models import Chart, FirmSearch, Read
from observers.services import alerting, charting, searching
from observers.services.contracting import NotContracted
from observers.tests.factories import let_pass, make_contract, make_plan, make_seat
from observers.tests.speakers import make_members, speak
from questions.models import Post
from questions.tests.factories import make_answer, make_question
from rewards.tests.factories import make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


def save(seat, terms="apixaban", **fields):
    return searching.save(seat=seat, name="Anticoagulation", terms=terms, **fields)


class TestSaving:
    def test_words_are_kept_as_they_are_understood(self, seat):
        saved = save(seat, "Apixaban  -warfarin author:somebody", since=date(2026, 11, 17))

        assert (saved.terms, saved.group, saved.since) == ("apixaban", "", date(2026, 11, 1))

    @pytest.mark.parametrize("terms", ["", "-warfarin", "author:me", "!!"])
    def test_without_a_word_nothing_is_saved(self, seat, terms):
        with pytest.raises(searching.NoWords):
            save(seat, terms)

    def test_the_same_is_saved_once(self, seat):
        save(seat)

        with pytest.raises(searching.SavedAlready):
            save(seat, "APIXABAN")

    def test_another_firm_may_save_it_as_well(self, seat):
        save(seat)

        assert save(make_seat(make_firm(name="Other Firm"), name="N. Other"))

    def test_no_more_than_the_plan_has(self):
        firm = make_firm(name="Small Firm")
        make_contract(firm, plan=make_plan("small", searches=1))
        seat = make_seat(firm)
        first = save(seat)
        with pytest.raises(searching.SearchesUsedUp):
            save(seat, "edoxaban")

        searching.end(saved=first, seat=seat)
        assert save(seat, "edoxaban")

    def test_without_a_contract_nothing(self, seat, firm):
        firm.contracts.update(ended_at=timezone.now())

        with pytest.raises(NotContracted):
            save(seat)

    def test_another_firm_changes_and_ends_nothing(self, seat):
        saved, other = save(seat), make_seat(make_firm(name="Other Firm"), name="N. Other")

        with pytest.raises(searching.NotYours):
            searching.change(saved=saved, seat=other, name="Theirs", alert="never")
        with pytest.raises(searching.NotYours):
            searching.end(saved=saved, seat=other)

    def test_who_has_alerts_come_gets_them(self, seat, firm):
        saved, second = save(seat), make_seat(firm, name="J. Osei")

        searching.change(saved=saved, seat=second, name="", alert="daily")

        saved.refresh_from_db()
        assert (saved.seat, saved.alert, saved.name) == (second, "daily", "Anticoagulation")


class TestAlerts:
    @pytest.fixture
    def saved(self, seat, physician):
        let_pass(make_question(physician, "Apixaban before all that?"))
        return save(seat, alert="daily")

    @staticmethod
    def news(text="We gave apixaban."):
        question = let_pass(make_question(make_members(1)[0]))
        answer = make_answer(question, source=text)
        return let_pass(question, timedelta(hours=3)) and answer

    def test_something_new_is_told_without_what_it_is(self, saved, seat):
        self.news()

        tasks.send_alerts()

        mail.send_due()
        [message] = sent.outbox
        assert message.to == [seat.user.email]
        assert message.subject == alerting.SUBJECT
        assert "apixaban" not in message.body.lower()
        assert saved.name not in message.body
        assert reverse("observers:searches") in message.body

    def test_once_a_day_and_not_again_for_the_same(self, saved):
        self.news()

        assert [alerting.send_all(), alerting.send_all()] == [1, 0]
        assert alerting.send_all(timezone.now().date() + timedelta(days=1)) == 0

    def test_what_was_there_before_is_no_news(self, saved):
        assert alerting.send_all() == 0

    def test_a_seat_hears_once_of_all_its_searches(self, saved, seat):
        save(seat, "gave", alert="daily")
        self.news()

        assert alerting.send_all() == 1
        assert Mail.objects.count() == 1

    @pytest.mark.parametrize(
        "changed",
        [
            {"peers_only": True},
            {"posted_at": timezone.now()},
            {"removed_at": timezone.now(), "removed_by": "author"},
        ],
    )
    def test_what_is_closed_is_not_told(self, saved, changed):
        Post.objects.filter(pk=self.news().pk).update(**changed)

        assert alerting.send_all() == 0

    def test_what_came_within_the_hour_is_told_the_next_day(self, saved):
        answer = self.news()
        Post.objects.filter(pk=answer.pk).update(posted_at=timezone.now())
        alerting.send_all()

        Post.objects.filter(pk=answer.pk).update(posted_at=timezone.now() - timedelta(hours=3))
        assert alerting.send_all(timezone.now().date() + timedelta(days=1)) == 1

    def test_a_masked_name_is_no_news(self, saved, seat):
        handle = make_members(1)[0].handle
        save(seat, handle, alert="daily")
        self.news(f"As @{handle} said.")

        assert alerting.send_all() == 0

    @pytest.mark.parametrize("without", ["seat", "contract", "alert", "search"])
    def test_nobody_hears_who_should_not(self, saved, seat, firm, without):
        self.news()
        if without == "seat":
            type(seat).objects.filter(pk=seat.pk).update(ended_at=timezone.now())
        elif without == "contract":
            firm.contracts.update(ended_at=timezone.now())
        elif without == "alert":
            FirmSearch.objects.update(alert="never")
        else:
            FirmSearch.objects.update(ended_at=timezone.now())

        assert alerting.send_all() == 0


class TestPages:
    def test_a_search_is_saved_and_its_chart_waits(self, seat_client, firm):
        page = seat_client.post(
            reverse("observers:new_search"),
            {"terms": "apixaban", "alert": "daily", "since": "2026-10"},
            follow=True,
        )

        saved = FirmSearch.objects.get()
        assert (saved.firm, saved.name, saved.since) == (firm, "apixaban", date(2026, 10, 1))
        assert "A chart is being counted." in page.content.decode()
        assert saved.charts.get().state == Chart.State.WAITING

    @pytest.mark.parametrize(
        "typed", [{"terms": ""}, {"terms": "-x"}, {"terms": "apixaban", "since": "soon"}]
    )
    def test_what_cannot_be_saved_is_said_beside_its_field(self, seat_client, typed):
        page = seat_client.post(reverse("observers:new_search"), {"alert": "never", **typed})

        assert page.status_code == 422
        assert set(page.context["form"].errors) <= {"terms", "since"}

    def test_the_form_has_what_was_searched_for(self, seat_client):
        page = seat_client.get(reverse("observers:new_search"), {"q": "apixaban dose"})

        assert 'value="apixaban dose"' in page.content.decode()

    def test_a_counted_chart_is_drawn_with_a_table(self, seat_client, seat, physician):
        saved, monday = save(seat), charting.weeks_until(charting.latest_day())[-1]
        question = let_pass(make_question(physician), timedelta(days=300))
        speak(question, make_members(17), "Apixaban it is.", monday)
        charting.ask(saved=saved, seat=seat)
        charting.count_waiting()

        page = seat_client.get(reverse("observers:search", args=[saved.pk]))

        html = page.content.decode()
        assert '<rect class="value-bar"' in html
        assert html.count("<tr><th") == 1 + len(saved.charts.get().weeks)
        assert '<td class="n">15</td>' in html
        assert "not shown" in html
        assert "style=" not in html
        assert not Read.objects.exists()  # a chart has no words of a post

    def test_it_is_changed_and_ended(self, seat_client, seat):
        saved = save(seat)
        seat_client.post(
            reverse("observers:change_search", args=[saved.pk]), {"name": "DOAC", "alert": "daily"}
        )
        assert FirmSearch.objects.get().name == "DOAC"

        seat_client.post(reverse("observers:end_search", args=[saved.pk]))
        assert "Nothing followed yet" in seat_client.get(reverse("observers:searches")).content.decode()
        assert seat_client.get(reverse("observers:search", args=[saved.pk])).status_code == 404

    def test_no_chart_beyond_the_plan(self, client_of_small):
        client, saved = client_of_small
        client.post(reverse("observers:count_search", args=[saved[0].pk]))
        page = client.post(reverse("observers:count_search", args=[saved[1].pk]), follow=True)

        assert "No chart is left today." in page.content.decode()
        assert Chart.objects.count() == 1

    @pytest.fixture
    def client_of_small(self):
        from conftest import client_of

        firm = make_firm(name="Small Firm")
        make_contract(firm, plan=make_plan("small", charts_a_day=1))
        seat = make_seat(firm)
        return client_of(seat.user), [save(seat), save(seat, "edoxaban")]

    @pytest.mark.parametrize("number", [1, 12])
    def test_pages_cost_at_most_ten_queries(self, seat_client, seat, number, django_assert_max_num_queries):
        for place in range(number):
            saved = save(seat, f"apixaban word{place}")
            Chart.objects.create(search=saved, as_of=charting.latest_day(), state="done", totals={"weeks": 0})
        for address in (reverse("observers:searches"), reverse("observers:search", args=[saved.pk])):
            seat_client.get(address)
            with django_assert_max_num_queries(10):
                assert seat_client.get(address).status_code == 200


ADDRESSES = ["search", "count_search", "change_search", "end_search", "export_search"]


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_search_of_another_firm_is_not_there(seat_client, name, method):
    theirs = save(make_seat(make_firm(name="Other Firm"), name="N. Other"))

    answer = getattr(seat_client, method)(reverse(f"observers:{name}", args=[theirs.pk]))

    assert answer.status_code in (404, 405)
    theirs.refresh_from_db()
    assert theirs.ended_at is None
    assert not Chart.objects.exists()


@pytest.mark.parametrize("name", ["searches", "new_search", "exports"])
def test_members_and_visitors_stay_outside(physician_client, client, name):
    assert physician_client.get(reverse(f"observers:{name}")).status_code == 403
    assert client.get(reverse(f"observers:{name}")).status_code == 302


def test_the_rail_of_the_list_names_what_is_followed_and_offers_what_is_typed(seat, rf):
    saved = save(seat, "apixaban dose", group="")
    save(make_seat(make_firm(name="Other Firm"), name="N. Other"), "warfarin")
    request = rf.get("/observe/")
    request.firm = seat.firm
    tag = Template("{% load searches %}{% saved_searches %}")

    html = tag.render(Context({"request": request, "filters": Filters(q="apixaban dose")}))

    assert html.count("<li>") == 1
    assert f'<a href="/observe/?q=apixaban+dose" aria-current="true">{saved.name}</a>' in html
    assert "/observe/searches/new/?q=apixaban+dose" in html
