"""The inbox, the settings of notices, and the number beside the inbox."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Connection, Kind, Notice, NoticeChoice, NoticeSettings, NoticeThread, Way
from accounts.notice_kinds import RULES
from accounts.services import notices
from accounts.tests.factories import make_member
from conftest import client_of
from questions.tests.factories import corroborate, make_answer, make_comment, make_question

pytestmark = pytest.mark.django_db

INBOX, SETTINGS = "/notifications/", "/settings/notifications/"


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.fixture
def question(physician):
    return make_question(physician)


@pytest.fixture
def notice(question, physician, colleague):
    make_answer(question, colleague)
    return physician.notices.get()


class TestInbox:
    def test_it_shows_who_did_what_where(self, notice, physician_client, question):
        text = text_of(physician_client.get(INBOX))

        assert "Unread. nephron_loop answered your question" in text
        assert question.title in text

    def test_what_was_told_of_one_discussion_is_one_row_with_the_newest_on_top(
        self, notice, question, physician_client
    ):
        for handle in ("papular", "late_comer"):
            make_answer(question, make_member(handle))

        page = physician_client.get(INBOX).content.decode()

        assert page.count('class="list-row') == 1
        assert "and 2 more" in page
        assert page.index("late_comer") < page.index("papular") < page.index("nephron_loop")

    def test_an_empty_inbox_says_what_will_come(self, physician_client):
        assert "Nothing yet" in text_of(physician_client.get(INBOX))

    def test_only_ones_own_are_shown(self, notice, colleague_client):
        assert "Nothing yet" in text_of(colleague_client.get(INBOX))

    def test_the_tabs_show_what_is_unread_and_what_was_held_back(self, physician, question, physician_client):
        NoticeSettings.objects.create(member=physician, budget=1)
        make_answer(question, make_member("papular"))
        make_answer(make_question(physician, title="Which dose on dialysis days?"), make_member("late_comer"))

        everything = text_of(physician_client.get(INBOX))
        unread = text_of(physician_client.get(INBOX + "?show=unread"))
        held = text_of(physician_client.get(INBOX + "?show=held"))

        assert "papular" in everything
        assert "late_comer" in everything
        assert "papular" in unread
        assert "late_comer" not in unread
        assert "late_comer" in held
        assert "papular" not in held

    def test_what_one_may_not_see_any_more_says_nothing_of_it(
        self, notice, question, colleague, physician_client
    ):
        question.posts.filter(author=colleague).update(removed_at=timezone.now(), removed_by="moderator")

        text = text_of(physician_client.get(INBOX))

        assert "Not there any more, or not open to you" in text
        assert "nephron_loop" not in text
        assert question.title not in text

    def test_pages_follow_each_other_by_key(self, physician, physician_client):
        now = timezone.now()
        for number in range(45):
            thread = NoticeThread.objects.create(
                member=physician, about=f"question:{number}", latest_at=now - timedelta(minutes=number)
            )
            Notice.objects.create(
                thread=thread, member=physician, kind="reply", target=number, key=f"post:{number}"
            )
        seen, address, pages = set(), INBOX, 0
        while address:
            page = physician_client.get(address, headers={"HX-Request": "true"} if pages else {})
            rows = set(re.findall(r"/notifications/(\d+)/", page.content.decode()))
            assert not rows & seen
            seen, pages = seen | rows, pages + 1
            found = re.search(r'hx-get="([^"]+)"', page.content.decode())
            address = found and found[1].replace("&amp;", "&")

        assert (len(seen), pages) == (45, 3)

    def test_a_script_asking_for_more_gets_rows_alone(self, notice, physician_client):
        page = physician_client.get(INBOX + "?after=x", headers={"HX-Request": "true"})

        assert b"<html" not in page.content

    def test_marking_all_read(self, notice, physician, physician_client):
        response = physician_client.post(reverse("accounts:notices_read"))

        assert response.status_code == 302
        assert physician.notice_threads.get().unread == 0
        assert "Unread." not in text_of(physician_client.get(INBOX))

    @pytest.mark.parametrize("path", [INBOX, SETTINGS, "/notifications/count/", "/notifications/1/"])
    def test_a_visitor_is_sent_to_log_in(self, path, db):
        assert Client().get(path).status_code == 302

    def test_staff_without_membership_have_no_inbox(self, staff):
        assert client_of(staff).get(INBOX).status_code in (302, 403)

    def test_reading_by_post_and_marking_by_get_are_refused(self, physician_client):
        assert physician_client.post(INBOX).status_code == 405
        assert physician_client.get(reverse("accounts:notices_read")).status_code == 405

    def test_a_page_costs_the_same_for_one_and_for_hundreds(self, physician, physician_client):
        def fill(number):
            for _ in range(number):
                question = make_question(physician)
                answer = make_answer(question, physician)
                peer = make_member()
                make_comment(answer, peer)
                make_answer(question, peer)
                corroborate(answer, peer)
                tie = Connection.objects.create(requester=peer, addressee=physician)
                tell(physician, Kind.CONNECTION, tie.pk, f"connection:{tie.pk}", ":requested:20260101")
                tell(physician, Kind.VOUCH, tie.pk, f"vouch:{tie.pk}", "")

        def tell(member, kind, target, about, what):
            notices.tell(members=[member.pk], kind=kind, target=target, about=about, key=about + what)

        fill(1)
        physician_client.get(INBOX)
        with CaptureQueriesContext(connection) as few:
            physician_client.get(INBOX)
        few = len(few)
        fill(12)
        with CaptureQueriesContext(connection) as many:
            page = physician_client.get(INBOX)

        assert len(many) == few <= 8
        assert page.content.count(b'class="list-row') == 20


class TestOneNotice:
    def test_it_leads_to_the_very_answer_and_is_read(self, notice, question, physician, physician_client):
        response = physician_client.get(f"/notifications/{notice.pk}/")

        answer = question.posts.get(kind="answer")
        assert response.url == answer.get_absolute_url()
        assert response.url.endswith(f"#post-{answer.pk}")
        assert physician.notice_threads.get().unread == 0

    def test_what_is_gone_says_so_and_is_read(self, notice, question, physician, physician_client):
        question.posts.filter(kind="answer").update(removed_at=timezone.now(), removed_by="author")

        response = physician_client.get(f"/notifications/{notice.pk}/")

        assert response.status_code == 404
        assert "This is not there any more." in text_of(response)
        assert "nephron_loop" not in text_of(response)
        assert physician.notice_threads.get().unread == 0

    def test_that_of_another_is_nobodys(self, notice, colleague_client):
        assert colleague_client.get(f"/notifications/{notice.pk}/").status_code == 404

    def test_from_a_mail_one_logs_in_first(self, notice):
        response = Client().get(f"/notifications/{notice.pk}/")

        assert response.url.startswith("/accounts/login/")
        assert f"next=/notifications/{notice.pk}/" in response.url


class TestConnections:
    @pytest.fixture
    def request_(self, physician, colleague):
        made = Connection.objects.create(requester=colleague, addressee=physician)
        self.tell(made, physician, "requested")
        return made

    def tell(self, tie, member, what):
        about = f"connection:{tie.pk}"
        notices.tell(
            members=[member.pk],
            kind=Kind.CONNECTION,
            target=tie.pk,
            about=about,
            key=f"{about}:{what}:20260101",
        )

    def test_a_request_names_the_handle_and_leads_to_where_it_is_answered(
        self, request_, physician, physician_client
    ):
        assert "nephron_loop asks to connect" in text_of(physician_client.get(INBOX))
        answer = physician_client.get(f"/notifications/{physician.notices.get().pk}/")
        assert answer.url == reverse("accounts:connections")

    @pytest.mark.parametrize("state", ["withdrawn", "refused", "ended"])
    def test_what_came_to_nothing_is_not_read(self, request_, physician_client, state):
        Connection.objects.update(state=state, answered_at=timezone.now())

        assert "nephron_loop" not in text_of(physician_client.get(INBOX))

    def test_an_acceptance_is_read_by_who_asked(self, request_, colleague, colleague_client):
        Connection.objects.update(state="accepted", answered_at=timezone.now())
        self.tell(request_, colleague, "accepted")

        assert "left_atrium accepted your request to connect" in text_of(colleague_client.get(INBOX))


class TestCount:
    def test_every_page_has_the_number_of_unread_threads(self, notice, question, physician, physician_client):
        make_answer(question)
        make_answer(make_question(physician))

        page = physician_client.get("/settings/").content.decode()

        assert page.count('<span class="count">2</span>') == 2  # both bars

    def test_it_stops_at_ninety_nine(self, physician, physician_client):
        NoticeThread.objects.bulk_create(
            NoticeThread(member=physician, about=f"question:{number}", unread=1) for number in range(120)
        )

        assert b'<span class="count">99+</span>' in physician_client.get("/notifications/count/").content

    def test_the_fragment_is_the_number_alone(self, notice, physician_client, django_assert_num_queries):
        physician_client.get("/notifications/count/")
        with django_assert_num_queries(2):
            response = physician_client.get("/notifications/count/")

        assert response.content == b'<span class="count">1</span><span class="sr"> unread</span>'

    def test_with_all_read_there_is_no_number(self, physician_client):
        assert physician_client.get("/notifications/count/").content == b""

    def test_it_costs_no_query_of_its_own(self, notice, physician_client, colleague_client):
        def cost(client):
            client.get("/questions/")
            with CaptureQueriesContext(connection) as queries:
                client.get("/questions/")
            return len(queries)

        assert cost(physician_client) == cost(colleague_client)


def settings_form(member, **changes):
    fields = {f"way_{kind}": way for kind, way in notices.ways_of(member).items()}
    return {
        **fields,
        "budget": "20",
        "quiet_from": "",
        "quiet_to": "",
        "time_zone": "America/New_York",
        "digest": "weekly",
        "digest_hour": "7",
        "digest_weekday": "0",
        **changes,
    }


class TestSettings:
    def test_every_kind_has_a_row_with_its_ways_and_a_line_of_help(self, physician_client):
        page = physician_client.get(SETTINGS).content.decode()

        for kind in RULES:
            assert f'id="help-{kind}"' in page
            assert page.count(f'name="way_{kind}"') == (3 if kind == Kind.MODERATION else 4)
            assert re.search(rf'name="way_{kind}" value="\w+" checked', page)

    def test_one_post_saves_it_all(self, physician, physician_client):
        form = settings_form(
            physician,
            way_reply="off",
            way_mention="email",
            way_poll="digest",
            digest="daily",
            digest_hour="18",
            digest_weekday="4",
            budget="3",
            quiet_from="22:00",
            quiet_to="07:00",
            time_zone="America/Los_Angeles",
        )

        response = physician_client.post(SETTINGS, form)

        assert response.status_code == 302
        ways = notices.ways_of(physician)
        assert (ways[Kind.REPLY], ways[Kind.MENTION], ways[Kind.POLL]) == (Way.OFF, Way.EMAIL, Way.DIGEST)
        saved = physician.notice_settings
        assert (saved.digest, saved.digest_hour, saved.digest_weekday) == ("daily", 18, 4)
        assert (saved.budget, f"{saved.quiet_from:%H:%M}", saved.time_zone) == (
            3,
            "22:00",
            "America/Los_Angeles",
        )

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"way_reply": "pigeon"}, "Choose one of the ways shown."),
            ({"way_moderation": "off"}, "Choose one of the ways shown."),
            ({"budget": "101"}, "0 to 100"),
            ({"budget": "-1"}, "greater than or equal to 0"),
            ({"budget": ""}, "required"),
            ({"quiet_from": "22:00"}, "Quiet hours have two ends."),
            ({"quiet_from": "22:00", "quiet_to": "22:00"}, "another time"),
            ({"time_zone": "Mars/Olympus"}, "valid choice"),
            ({"digest": "hourly"}, "valid choice"),
            ({"digest_hour": "24"}, "valid choice"),
            ({"digest_weekday": "7"}, "valid choice"),
        ],
    )
    def test_what_is_wrong_is_said_beside_it_and_nothing_is_saved(
        self, physician, physician_client, wrong, words
    ):
        response = physician_client.post(SETTINGS, settings_form(physician, **wrong))

        assert response.status_code == 422
        assert words in text_of(response)
        assert not NoticeChoice.objects.exists()
        assert not NoticeSettings.objects.exists()

    def test_an_error_of_a_row_is_tied_to_its_choices(self, physician, physician_client):
        response = physician_client.post(SETTINGS, settings_form(physician, way_reply="pigeon"))

        page = response.content.decode()
        assert page.count('aria-describedby="help-reply error-reply" aria-invalid="true"') == 4
        assert page.count('id="error-reply"') == 1
        assert page.count("error-mention") == 0
        assert page.count('<th scope="row">') == len(RULES)

    def test_an_applicant_may_choose_too(self, applicant_client):
        assert applicant_client.get(SETTINGS).status_code == 200

    @pytest.mark.parametrize("path", [SETTINGS, INBOX])
    def test_few_queries(self, physician_client, path, django_assert_max_num_queries):
        physician_client.get(path)
        with django_assert_max_num_queries(8):
            physician_client.get(path)

    def test_the_zones_begin_with_the_united_states(self, physician_client):
        page = physician_client.get(SETTINGS).content.decode()

        assert page.index("America/New_York") < page.index("Pacific/Honolulu") < page.index("Africa/Abidjan")
