"""Saved searches: what is followed, within the plan, by the firm alone."""

import re
from datetime import date, timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core import mail as sent
from django.db import IntegrityError, transaction
from django.db.models import F
from django.template import Context, Template
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail
from accounts.services import mail
from accounts.tests.factories import make_specialty
from consults.models import Consent
from consults.tests.factories import make_case, make_consent
from observers import keys, matching, tasks
from observers.listing import Filters
from observers.models import Chart, FirmBlock, FirmSearch, Read, SearchHit
from observers.services import alerting, charting, searching
from observers.services.contracting import NotContracted
from observers.tests.factories import let_pass, make_contract, make_plan, make_seat
from observers.tests.speakers import make_members, speak
from questions.models import Post, Question, Report, Severity
from questions.tests.factories import make_answer, make_question
from rewards.tests.factories import make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


def save(seat, terms="apixaban", **fields):
    saved = searching.save(seat=seat, name="Anticoagulation", terms=terms, **fields)
    begin_yesterday()
    return saved


def begin_yesterday():
    """Begin the alerts that were asked for, and let a day pass."""
    waiting = list(FirmSearch.objects.filter(alerted_on=None, alert="daily"))
    tasks.begin_alerts()
    for saved in waiting:
        saved.alerted_on = timezone.now().date() - timedelta(days=1)
    FirmSearch.objects.bulk_update(waiting, ["alerted_on"])


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


def row(post):
    return Post.objects.filter(pk=post.pk)


def discussion_of(post):
    return Question.objects.filter(pk=post.question_id)


def doubt(post):
    return Report.objects.create(post=post, severity=Severity.IDENTITY)


def dismiss(post):
    post.reports.update(closed_at=timezone.now(), outcome="dismissed")


# What keeps a post from firms, and what lets it go.
LATE = {
    "given free": (lambda p: row(p).update(peers_only=True), lambda p: row(p).update(peers_only=False)),
    "its discussion given free": (
        lambda p: discussion_of(p).update(peers_only=True),
        lambda p: discussion_of(p).update(peers_only=False),
    ),
    "opened to all": (
        lambda p: discussion_of(p).update(audience="invited"),
        lambda p: discussion_of(p).update(audience="physicians"),
    ),
    "unfolded": (
        lambda p: row(p).update(folded_at=timezone.now(), fold_reason="other"),
        lambda p: row(p).update(folded_at=None, fold_reason=""),
    ),
    "put back": (
        lambda p: row(p).update(removed_at=timezone.now(), removed_by="moderator"),
        lambda p: row(p).update(removed_at=None, removed_by=""),
    ),
    "a report dismissed": (doubt, dismiss),
    "the firm let in": (
        lambda p: FirmBlock.objects.create(member=p.author, sector="pharma"),
        lambda p: FirmBlock.objects.all().delete(),
    ),
    "an edit": (
        lambda p: row(p).update(edited_at=timezone.now()),
        lambda p: row(p).update(edited_at=timezone.now() - timedelta(hours=2)),
    ),
}


class TestLateNews:
    """What opens to the firm later than others of its time."""

    news = staticmethod(TestAlerts.news)

    @staticmethod
    def told(days):
        return alerting.send_all(timezone.now().date() + timedelta(days=days))

    @pytest.mark.parametrize("is_older", [False, True])
    @pytest.mark.parametrize(("shut", "open_"), LATE.values(), ids=LATE)
    def test_it_is_told_once(self, seat, shut, open_, is_older):
        """Whether it was there, and shut, before the search was saved, or after."""
        if not is_older:
            save(seat, alert="daily")
        answer = self.news()
        shut(answer)
        if is_older:
            save(seat, alert="daily")

        assert self.told(0) == 0
        open_(answer)
        assert self.told(1) == 1
        shut(answer)
        assert self.told(2) == 0
        open_(answer)
        assert self.told(3) == 0
        assert list(Read.objects.values_list("post", flat=True)) == [answer.pk]

    def test_a_case_is_told_of_once_its_patient_consents(self, seat, physician):
        case = make_case(physician, 0, consent=make_consent(physician, "signed"), peers_only=False)
        let_pass(case.question)
        save(seat, "tick bite", alert="daily")

        assert self.told(0) == 0
        Consent.objects.filter(pk=case.consent_id).update(for_observers=True)
        assert [self.told(1), self.told(2)] == [1, 0]

    def test_what_was_open_before_is_no_news_once_it_opens_again(self, seat):
        answer = self.news()
        save(seat, alert="daily")

        row(answer).update(peers_only=True)
        assert self.told(0) == 0
        row(answer).update(peers_only=False)
        assert self.told(1) == 0

    def test_an_older_post_that_was_changed_to_match_is_told(self, seat):
        answer = self.news("We gave nothing.")
        save(seat, alert="daily")

        said = {"html": "<p>We gave apixaban.</p>", "search_text": "we gave apixaban."}
        row(answer).update(edited_at=timezone.now() - timedelta(hours=2), **said)
        assert [self.told(0), self.told(1)] == [1, 0]

    def test_so_is_one_in_which_nothing_but_a_masked_name_had_matched(self, seat):
        handle = make_members(1)[0].handle
        save(seat, f'apixaban or "{handle}"', alert="daily")
        answer = self.news(f"As @{handle} said.")
        assert [self.told(0), self.told(1)] == [0, 0]

        said = {"html": f"<p>As @{handle} gave apixaban.</p>", "search_text": f"as @{handle} gave apixaban."}
        row(answer).update(edited_at=timezone.now() - timedelta(minutes=76), **said)
        SearchHit.objects.update(met_at=timezone.now() - timedelta(days=1))
        assert [self.told(2), self.told(3)] == [1, 0]

    def test_with_alerts_off_nothing_is_told_and_what_came_meanwhile_is_known(self, seat):
        saved = save(seat, alert="daily")
        first = self.news()
        assert self.told(0) == 1

        searching.change(saved=saved, seat=seat, name="", alert="never")
        self.news()
        searching.change(saved=saved, seat=seat, name="", alert="daily")
        begin_yesterday()
        row(first).update(edited_at=timezone.now() - timedelta(minutes=76))
        assert self.told(1) == 0

    def test_what_it_keeps_goes_with_the_search(self, seat):
        saved = save(seat, alert="daily")
        self.news()
        assert self.told(0) == 1
        assert saved.hits.count() == 1

        searching.end(saved=saved, seat=seat)
        assert not SearchHit.objects.exists()

    def test_the_same_is_met_once_says_the_database(self, seat):
        saved, answer = save(seat), self.news()
        SearchHit.objects.create(search=saved, post=answer)

        with pytest.raises(IntegrityError, match="search_hit_once"), transaction.atomic():
            SearchHit.objects.create(search=saved, post=answer)


class TestMeanwhile:
    """What happens while matches are looked for and read through."""

    news, told = staticmethod(TestAlerts.news), staticmethod(TestLateNews.told)

    @pytest.mark.parametrize("how", ["an edit", "given free", "the firm let in"])
    def test_what_is_shut_meanwhile_is_news_once_it_opens(self, seat, monkeypatch, how):
        shut, open_ = LATE[how]
        save(seat, alert="daily")
        answer, checked = self.news(), matching.checked

        def checked_once_shut(*what):
            shut(answer)
            return checked(*what)

        with monkeypatch.context() as between:
            between.setattr(matching, "checked", checked_once_shut)
            assert self.told(0) == 0
        open_(answer)

        assert [self.told(1), self.told(2)] == [1, 0]

    def test_an_edit_while_alerts_begin_is_news(self, seat, monkeypatch):
        answer, matches = self.news(), alerting._matches

        def matches_before_an_edit(saved):
            found = matches(saved)
            row(answer).update(edited_at=timezone.now())
            return found

        with monkeypatch.context() as between:
            between.setattr(alerting, "_matches", matches_before_an_edit)
            save(seat, alert="daily")
        assert self.told(0) == 0

        row(answer).update(edited_at=F("edited_at") - timedelta(days=1))
        SearchHit.objects.update(met_at=F("met_at") - timedelta(days=1))
        assert [self.told(1), self.told(2)] == [1, 0]


class TestBeginning:
    """All that matches when alerts are asked for is looked at apart from the request."""

    ASKED = {"name": "Anticoagulation", "alert": "daily"}

    @pytest.fixture
    def looked(self, monkeypatch):
        """How often matches were looked for."""
        looked, newest = [], alerting.search.newest_numbers
        monkeypatch.setattr(
            alerting.search, "newest_numbers", lambda *what, **more: looked.append(1) or newest(*what, **more)
        )
        return looked

    @pytest.mark.parametrize("is_new", [True, False])
    def test_they_begin_once_the_transaction_stands(
        self, seat, monkeypatch, looked, django_capture_on_commit_callbacks, is_new
    ):
        monkeypatch.setattr(tasks.begin_alerts, "delay", tasks.begin_alerts)
        answer, saved = TestAlerts.news(), None if is_new else save(seat)
        with django_capture_on_commit_callbacks() as callbacks:
            if is_new:
                saved = searching.save(seat=seat, terms="apixaban", **self.ASKED)
            else:
                searching.change(saved=saved, seat=seat, **self.ASKED)
        assert looked == []

        for callback in callbacks:
            callback()

        assert looked == [1]
        assert [hit.post for hit in saved.hits.select_related("post")] == [answer]
        assert FirmSearch.objects.get().alerted_on == timezone.now().date()
        assert tasks.begin_alerts() is None
        assert looked == [1]

    def test_where_they_never_began_the_first_night_takes_all_for_known(self, seat):
        TestAlerts.news()
        searching.save(seat=seat, terms="apixaban", **self.ASKED)

        assert TestLateNews.told(0) == 0
        assert not Read.objects.exists()
        TestAlerts.news()
        assert [TestLateNews.told(1), TestLateNews.told(2)] == [1, 0]


class TestManyMatches:
    """Where more match than are looked at, what is older than those is known by that."""

    @pytest.fixture
    def question(self, physician, monkeypatch):
        monkeypatch.setattr(alerting, "LOOKED_AT", 3)
        return let_pass(make_question(physician, "Which dose in dialysis?"))

    @staticmethod
    def speak(question, number):
        posts = [make_answer(question, source="We gave apixaban.") for _ in range(number)]
        let_pass(question)
        return posts

    def test_no_more_are_kept_than_are_looked_at(self, seat, question):
        self.speak(question, 5)
        saved = save(seat, alert="daily")
        assert saved.hits.count() < 3

        self.speak(question, 4)
        assert alerting.send_all() == 1
        assert saved.hits.count() < 3

    def test_one_that_is_shut_makes_no_older_one_news(self, seat, question):
        posts = self.speak(question, 5)
        saved = save(seat, alert="daily")

        row(posts[-1]).update(peers_only=True)
        assert alerting.send_all() == 0
        saved.refresh_from_db()
        assert saved.known_until == posts[2].pk


class TestLogOfAlerts:
    """That a post was a hit of an alert is a read of it by the seat that is told."""

    def test_each_hit_is_logged_once_and_none_that_is_not_told(self, seat, physician):
        let_pass(make_question(physician, "Apixaban before all that?"))
        handle = make_members(1)[0].handle
        for terms in ("apixaban", "gave", handle):
            save(seat, terms, alert="daily")
        answers = [TestAlerts.news() for _ in range(2)]
        TestAlerts.news(f"As @{handle} said.")

        for day in range(3):
            alerting.send_all(timezone.now().date() + timedelta(days=day))

        logged = Read.objects.order_by("post").values_list("post", "seat", "way", "purpose")
        assert list(logged) == [(answer.pk, seat.pk, "found", "medical") for answer in answers]

    def test_it_is_for_a_purpose_of_the_contract(self, seat, firm):
        save(seat, alert="daily")
        firm.contracts.update(purposes=["safety", "market"])
        TestAlerts.news()

        alerting.send_all()

        assert Read.objects.get().purpose == "safety"

    def test_without_the_mail_nothing_is_logged_or_known(self, seat, monkeypatch):
        save(seat, alert="daily")
        TestAlerts.news()
        with monkeypatch.context() as broken:
            broken.setattr(alerting.mail, "queue", None)
            assert alerting.send_all() == 0
        assert not Read.objects.exists()

        assert alerting.send_all() == 1
        assert Read.objects.count() == 1


class TestFilters:
    """A search keeps what the list was narrowed to."""

    FILTERS = {"q": "apixaban", "group": "cardiology", "kind": "observation", "solved": "no"}

    @pytest.fixture(autouse=True)
    def cardiology(self):
        return make_specialty("Cardiology", group="Cardiology")

    def test_what_the_list_offers_to_save_is_saved_and_leads_back(self, seat_client):
        rail = seat_client.get(reverse("observers:list"), {**self.FILTERS, "order": "importance"})
        offered = re.search(r'<a href="([^"]+)">Save this search</a>', rail.content.decode())[1]
        page = seat_client.get(unescape(offered))
        typed = {name: field.value() or "" for name, field in page_fields(page).items()}

        seat_client.post(unescape(offered), typed)

        saved = FirmSearch.objects.get()
        assert {name: getattr(saved, name) for name in ("group", "kind", "solved")} == {
            name: self.FILTERS[name] for name in ("group", "kind", "solved")
        }
        page = seat_client.get(reverse("observers:search", args=[saved.key]))
        back = dict(parse_qsl(urlsplit(page.context["list_url"]).query))
        assert back == self.FILTERS
        assert "apixaban, put to Cardiology, observations, unsolved" in page.content.decode()
        again = seat_client.get(reverse("observers:list"), self.FILTERS).content.decode()
        assert f'aria-current="true">{saved.name}</a>' in again

    def test_the_same_words_otherwise_narrowed_are_another_search(self, seat):
        for narrowed in ({}, {"kind": "observation"}, {"solved": "yes"}, {"kind": "case", "solved": "yes"}):
            assert save(seat, **narrowed)
        with pytest.raises(searching.SavedAlready):
            save(seat, kind="observation", solved="?")

    def test_alerts_and_charts_keep_to_them(self, seat, physician):
        saved = save(seat, kind="observation", alert="daily")
        let_pass(make_question(physician, "Apixaban and hair?"))
        assert alerting.send_all() == 0

        observed = let_pass(make_question(physician, "Apixaban and hair", kind="observation"))
        assert alerting.send_all(timezone.now().date() + timedelta(days=1)) == 1
        assert matching.newest_of(matching.posts_of(saved), 10) == [observed.posts.get().pk]

    def test_a_chart_takes_no_week_from_a_search_otherwise_narrowed(self, seat, physician):
        monday = charting.weeks_until(charting.latest_day())[-1]
        question = let_pass(make_question(physician), timedelta(days=300))
        speak(question, make_members(17), "Apixaban it is.", monday)
        shown = []
        for narrowed in ({}, {"kind": "observation"}):
            charting.ask(saved=save(seat, **narrowed), seat=seat)
            charting.count_waiting()
            shown.append(Chart.objects.order_by("pk").last().weeks[-1]["mentions"])

        assert shown == [15, None]


def page_fields(page):
    return {name: page.context["form"][name] for name in page.context["form"].fields}


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

        page = seat_client.get(reverse("observers:search", args=[saved.key]))

        html = page.content.decode()
        assert '<rect class="value-bar"' in html
        assert html.count("<tr><th") == 1 + 1  # its head, and the one week that is shown
        assert "The 1 of 26 weeks that is shown" in html
        assert '<td class="n">15</td>' in html
        assert "not shown" in html
        assert "style=" not in html
        assert not Read.objects.exists()  # a chart has no words of a post

    def test_it_is_changed_and_ended(self, seat_client, seat):
        saved = save(seat)
        seat_client.post(
            reverse("observers:change_search", args=[saved.key]), {"name": "DOAC", "alert": "daily"}
        )
        assert FirmSearch.objects.get().name == "DOAC"

        seat_client.post(reverse("observers:end_search", args=[saved.key]))
        assert "Nothing followed yet" in seat_client.get(reverse("observers:searches")).content.decode()
        assert seat_client.get(reverse("observers:search", args=[saved.key])).status_code == 404

    def test_no_chart_beyond_the_plan(self, client_of_small):
        client, saved = client_of_small
        client.post(reverse("observers:count_search", args=[saved[0].key]))
        page = client.post(reverse("observers:count_search", args=[saved[1].key]), follow=True)

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
        for address in (reverse("observers:searches"), reverse("observers:search", args=[saved.key])):
            seat_client.get(address)
            with django_assert_max_num_queries(10):
                assert seat_client.get(address).status_code == 200


ADDRESSES = ["search", "count_search", "change_search", "end_search", "export_search"]


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("of_own", [True, False], ids=["its number under the own key", "its key"])
def test_the_search_of_another_firm_is_not_there(seat_client, firm, name, method, of_own):
    theirs = save(make_seat(make_firm(name="Other Firm"), name="N. Other"))
    key = keys.search_key(firm, theirs.pk) if of_own else theirs.key

    answer = getattr(seat_client, method)(reverse(f"observers:{name}", args=[key]))

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
