"""The outbox: every mail once, without content, and easy to stop."""

import re
from datetime import UTC, datetime, time, timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.conf import settings
from django.core import mail as django_mail
from django.core import signing
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone

from accounts import tasks
from accounts.models import Kind, Mail, Member, NoticeChoice, NoticeSettings, Way
from accounts.notice_kinds import RULES
from accounts.services import mail, notices

pytestmark = pytest.mark.django_db


def tell(*members, number=1, kind=Kind.REPLY):
    notices.tell(
        members=[member.pk for member in members],
        kind=kind,
        target=number,
        about="question:1",
        key=f"post:{number}",
    )


def sent():
    """The one message that left."""
    tasks.send_mail()
    (message,) = django_mail.outbox
    return message


def choose(member, kind, way):
    NoticeChoice.objects.update_or_create(member=member, kind=kind, defaults={"way": way})


@pytest.fixture
def broken_post(monkeypatch):
    """A mail server that hangs up until told otherwise."""

    def hang_up(self, messages):
        raise SMTPServerDisconnected

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", hang_up)
        yield patched


class TestWhatItSays:
    def test_it_has_a_subject_a_link_and_how_to_stop_it(self, physician):
        tell(physician)

        message = sent()

        assert message.subject == "New in one of your discussions"
        assert f"{settings.SITE_URL}/notifications/{physician.notices.get().pk}/" in message.body
        assert "You get this mail because" in message.body
        assert f"{settings.SITE_URL}/settings/notifications/" in message.body
        assert f"{settings.SITE_URL}/unsubscribe/" in message.body

    def test_it_goes_to_an_address_and_names_nobody(self, physician):
        tell(physician)

        message = sent()

        assert message.to == [physician.user.email]
        assert physician.handle not in message.message().as_string()

    @pytest.mark.parametrize("kind", RULES)
    def test_each_kind_has_a_subject_of_its_own(self, physician, kind):
        choose(physician, kind, Way.EMAIL)
        tell(physician, kind=kind)

        assert sent().subject

    def test_mail_programs_can_stop_it_with_one_click(self, physician):
        tell(physician)

        headers = sent().extra_headers

        assert re.fullmatch(rf"<{settings.SITE_URL}/unsubscribe/[\w:.-]+/>", headers["List-Unsubscribe"])
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_a_mail_about_the_account_cannot_be_stopped(self, applicant):
        mail.queue(applicant.user, "Your license is verified", "Come in.")

        message = sent()

        assert "List-Unsubscribe" not in message.extra_headers
        assert message.body == "Come in."

    def test_html_stands_beside_the_text_and_both_say_how_to_stop_it(self, physician):
        rows = "<tr><td>Say <b>more</b></td></tr>"
        mail.queue(physician.user, "A <digest>", "Say more", html=rows, unsubscribe=Kind.DIGEST)

        message = sent().message()

        assert message.get_content_type() == "multipart/alternative"
        text, html = (part.get_payload(decode=True).decode() for part in message.get_payload())
        link = message["List-Unsubscribe"].strip("<>")
        assert text.startswith("Say more")
        assert "You get this digest because" in text
        assert rows in html
        assert "<title>A &lt;digest&gt;</title>" in html
        assert link in text
        assert link in html

    def test_the_message_id_is_the_rows(self, physician):
        tell(physician)

        message_id = sent().extra_headers["Message-ID"]

        assert message_id.startswith(f"<{Mail.objects.get().message_id}@")


class TestSending:
    def test_a_mail_leaves_once(self, physician):
        tell(physician)

        tasks.send_mail()
        tasks.send_mail()

        assert len(django_mail.outbox) == 1
        assert Mail.objects.get().state == "sent"

    def test_each_member_gets_their_own(self, physician, colleague):
        tell(physician, colleague)

        tasks.send_mail()

        assert {tuple(message.to) for message in django_mail.outbox} == {
            (physician.user.email,),
            (colleague.user.email,),
        }

    def test_a_mail_not_due_yet_waits(self, physician):
        mail.queue(physician.user, "Later", "", due_at=timezone.now() + timedelta(hours=1))

        tasks.send_mail()

        assert Mail.objects.get().state == "waiting"

    def test_what_is_queued_nudges_the_sender_once_it_stands(
        self, physician, monkeypatch, django_capture_on_commit_callbacks
    ):
        monkeypatch.setattr(tasks.send_mail, "delay", tasks.send_mail)
        with django_capture_on_commit_callbacks(execute=True):
            tell(physician)

        assert len(django_mail.outbox) == 1

    def test_what_is_pressing_goes_in_its_own_queue_and_first(
        self, physician, colleague, monkeypatch, django_capture_on_commit_callbacks
    ):
        nudged = []
        for name in ("send_mail", "send_pressing_mail"):
            monkeypatch.setattr(getattr(tasks, name), "delay", lambda name=name: nudged.append(name))
        with django_capture_on_commit_callbacks(execute=True):
            tell(physician, number=1)
            tell(colleague, number=2, kind=Kind.ON_CALL)
        assert nudged == ["send_mail", "send_pressing_mail"]
        route = settings.CELERY_TASK_ROUTES[tasks.send_pressing_mail.name]
        assert route == {"queue": "pages"}

        tasks.send_pressing_mail()
        tell(colleague, number=3, kind=Kind.ON_CALL)
        tasks.send_mail()

        assert [message.to for message in django_mail.outbox] == [
            [colleague.user.email],
            [colleague.user.email],
            [physician.user.email],
        ]

    def test_a_broker_that_is_away_stops_nobody(
        self, physician, monkeypatch, django_capture_on_commit_callbacks
    ):
        def gone():
            raise OSError("no broker")

        monkeypatch.setattr(tasks.send_mail, "delay", gone)
        with django_capture_on_commit_callbacks(execute=True):
            tell(physician)

        assert sent()

    def test_it_is_marked_before_it_leaves_and_a_dead_sender_is_followed_by_another(
        self, physician, monkeypatch
    ):
        tell(physician)
        with monkeypatch.context() as dying:
            dying.setattr(EmailBackend, "send_messages", lambda *args: 1 / 0)  # nothing that is caught
            with pytest.raises(ZeroDivisionError):
                tasks.send_mail()
        row = Mail.objects.get()
        assert (row.state, row.tries) == ("sending", 1)
        tasks.send_mail()
        assert django_mail.outbox == []

        Mail.objects.update(due_at=timezone.now() - timedelta(seconds=1))  # ten minutes later
        message = sent()

        assert str(row.message_id) in message.extra_headers["Message-ID"]

    def test_a_failure_is_tried_again_later_and_later(self, physician, broken_post):
        tell(physician)
        waits = []
        for _ in range(3):
            Mail.objects.update(due_at=timezone.now())
            tasks.send_mail()
            waits.append(round((Mail.objects.get().due_at - timezone.now()) / timedelta(minutes=1)))

        assert waits == [1, 2, 4]
        assert Mail.objects.get().state == "waiting"

    def test_after_eight_tries_it_is_given_up(self, physician, broken_post):
        tell(physician)
        for _ in range(9):
            Mail.objects.update(due_at=timezone.now())
            tasks.send_mail()

        row = Mail.objects.get()
        assert (row.state, row.tries) == ("failed", 8)

    def test_one_that_fails_does_not_hold_up_the_others(self, physician, colleague, monkeypatch):
        real = EmailBackend.send_messages

        def refuse_one(self, messages):
            if messages[0].to == [physician.user.email]:
                raise SMTPServerDisconnected
            return real(self, messages)

        monkeypatch.setattr(EmailBackend, "send_messages", refuse_one)
        tell(physician, colleague)

        assert sent().to == [colleague.user.email]

    def test_a_server_that_is_away_is_no_try_of_any_mail(self, physician, colleague, monkeypatch):
        tell(physician, colleague)
        asked = []

        def refuse(self):
            asked.append(self)
            raise ConnectionRefusedError

        with monkeypatch.context() as away:
            away.setattr(EmailBackend, "open", refuse)
            for _ in range(9):
                Mail.objects.update(due_at=timezone.now())
                tasks.send_mail()

        assert len(asked) == 9  # once a round
        assert set(Mail.objects.values_list("state", "tries")) == {("waiting", 0)}
        Mail.objects.update(due_at=timezone.now())
        tasks.send_mail()
        assert len(django_mail.outbox) == 2

    def test_a_word_to_an_address_that_takes_none_is_forgotten_too(self, db, broken_post):
        mail.queue_to("gone@example.org", "Bye", "")
        for _ in range(8):
            Mail.objects.update(due_at=timezone.now())
            tasks.send_mail()

        assert not Mail.objects.exists()

    def test_quiet_hours_that_began_meanwhile_put_it_off(self, physician, monkeypatch):
        tell(physician)
        mail.queue(physician.user, "About the account", "")
        night = datetime(2099, 1, 11, 9, tzinfo=UTC)
        NoticeSettings.objects.update_or_create(
            member=physician,
            defaults={"time_zone": "UTC", "quiet_from": time(8), "quiet_to": time(10)},
        )
        monkeypatch.setattr(timezone, "now", lambda: night)

        assert sent().subject == "About the account"

        row = Mail.objects.get(notice__isnull=False)
        assert (row.state, row.tries, row.due_at) == ("waiting", 0, night + timedelta(hours=1))

    def test_sent_mails_are_forgotten_after_a_month(self, physician):
        tell(physician)
        tasks.send_mail()
        Mail.objects.update(due_at=timezone.now() - timedelta(days=31))
        mail.queue(physician.user, "New", "")

        mail.forget_sent()

        assert Mail.objects.get().subject == "New"


class TestSkipping:
    def test_what_was_read_meanwhile_is_not_mailed(self, physician):
        tell(physician)
        notices.seen(physician, "question:1")

        tasks.send_mail()

        assert Mail.objects.get().state == "skipped"
        assert django_mail.outbox == []

    @pytest.mark.parametrize("way", [Way.OFF, Way.APP])
    def test_what_was_switched_off_meanwhile_is_not_mailed(self, physician, way):
        tell(physician)
        choose(physician, Kind.REPLY, way)

        tasks.send_mail()

        assert Mail.objects.get().state == "skipped"

    def test_who_may_no_longer_log_in_gets_none(self, physician):
        mail.queue(physician.user, "Word", "")
        physician.user.is_active = False
        physician.user.save()

        tasks.send_mail()

        assert Mail.objects.get().state == "skipped"

    @pytest.mark.parametrize("left", [{"user": None}, {"standing": "suspended"}])
    def test_who_left_or_was_suspended_meanwhile_gets_none(self, physician, left):
        tell(physician)
        Member.objects.filter(pk=physician.pk).update(**left)

        tasks.send_mail()

        assert Mail.objects.get().state == "skipped"

    @pytest.mark.parametrize("wish", [{"digest": "off"}, {"digest": "daily"}])
    def test_a_digest_is_sent_only_to_who_still_takes_them(self, physician, wish):
        mail.queue(physician.user, "Digest", "", unsubscribe=Kind.DIGEST)
        NoticeSettings.objects.create(member=physician, **wish)

        tasks.send_mail()

        assert Mail.objects.get().state == ("skipped" if wish["digest"] == "off" else "sent")

    def test_a_suspended_member_gets_no_digest(self, physician):
        mail.queue(physician.user, "Digest", "", unsubscribe=Kind.DIGEST)
        Member.objects.update(standing="suspended")

        tasks.send_mail()

        assert Mail.objects.get().state == "skipped"


class TestStopping:
    @pytest.fixture
    def link(self, physician):
        return mail.unsubscribe_url(physician.user, Kind.REPLY).removeprefix(settings.SITE_URL)

    def way(self, physician):
        return notices.ways_of(physician)[Kind.REPLY]

    def test_looking_at_the_link_changes_nothing(self, physician, link):
        response = Client().get(link)

        assert response.status_code == 200
        assert b"Stop these e-mails" in response.content
        assert self.way(physician) == Way.EMAIL

    def test_one_click_without_session_or_token_stops_that_kind_alone(self, physician, link):
        client = Client(enforce_csrf_checks=True)

        response = client.post(link, {"List-Unsubscribe": "One-Click"})

        assert response.status_code == 200
        assert self.way(physician) == Way.APP
        assert notices.ways_of(physician)[Kind.MODERATION] == Way.EMAIL

    def test_one_click_ends_the_digest_and_nothing_else(self, physician):
        link = mail.unsubscribe_url(physician.user, Kind.DIGEST).removeprefix(settings.SITE_URL)
        asked = Client().get(link)

        response = Client(enforce_csrf_checks=True).post(link, {"List-Unsubscribe": "One-Click"})

        assert b"No digest will be sent to you." in asked.content
        assert b"is switched off" in response.content
        assert NoticeSettings.objects.get().digest == "off"
        assert not NoticeChoice.objects.exists()

    def test_twice_is_as_good_as_once(self, physician, link):
        for _ in range(2):
            Client().post(link)

        assert self.way(physician) == Way.APP

    def test_what_was_off_stays_off(self, physician, link):
        choose(physician, Kind.REPLY, Way.OFF)

        Client().post(link)

        assert self.way(physician) == Way.OFF

    @pytest.mark.parametrize(
        "spoil", [lambda token: token[:-2], lambda token: "x" + token, lambda token: "x"]
    )
    def test_an_altered_link_does_nothing_and_says_so(self, physician, link, spoil):
        token = link.split("/")[2]

        response = Client().post(link.replace(token, spoil(token)))

        assert response.status_code == 404
        assert b"This link does not work" in response.content
        assert self.way(physician) == Way.EMAIL

    def test_a_link_tells_neither_id_nor_address(self, physician, link):
        content = signing.loads(link.split("/")[2], salt=mail.SALT)

        assert content == [NoticeSettings.objects.get(member=physician).unsubscribe_key, "reply"]

    def test_the_link_of_one_who_left_leads_nowhere(self, physician, link):
        NoticeSettings.objects.all().delete()

        assert Client().get(link).status_code == 404
