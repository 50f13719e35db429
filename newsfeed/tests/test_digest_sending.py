"""Digests leave at each member's own morning, and once, whoever sends them and whoever is killed meanwhile."""

import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from threading import Thread

import pytest
from django.conf import settings as site
from django.core import mail as django_mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Mail, Member, NoticeSettings, User
from accounts.services import mail
from accounts.tests.factories import make_member, make_specialty, new_handle
from newsfeed.digests.contents import Contents, Waiting
from newsfeed.models import Article, ArticleSpecialty, Digest
from newsfeed.services import digests
from newsfeed.tests.factories import make_article, make_source
from newsfeed.tests.post_office import post_office
from questions.models import Byline, Post, Question, QuestionSpecialty, Subscription, TopicFollow
from questions.tests.factories import make_question

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)  # 7 am in New York
MANY = 10_000


def wish(member, **wishes):
    return NoticeSettings.objects.update_or_create(member=member, defaults=wishes)[0]


@pytest.fixture
def something(monkeypatch):
    """Something to tell to everybody."""
    contents = Contents("Cardiology", "cardiology", (Waiting(1, MONDAY, "days"),))
    monkeypatch.setattr(digests, "gather", lambda **_: contents)


def days_of(member):
    return list(member.digests.order_by("day").values_list("day", flat=True))


@pytest.mark.usefixtures("something")
class TestWhen:
    @pytest.mark.parametrize(
        ("zone", "due"),
        [
            ("America/New_York", True),
            ("America/Chicago", False),  # 6 am
            ("Pacific/Guam", True),  # 10 pm; the worker was down all day
            ("Pacific/Honolulu", False),
            ("Asia/Kolkata", True),
            ("Pacific/Kiritimati", False),  # 2 am, on Tuesday
        ],
    )
    def test_it_comes_once_the_hour_has_struck_where_one_is(self, physician, zone, due):
        wish(physician, digest="daily", time_zone=zone)

        assert digests.send_due(MONDAY) == due

    @pytest.mark.parametrize(
        ("hour", "before", "after"),
        [
            (2, "2026-03-08T06:59", "2026-03-08T07:00"),  # from 1:59 to 3:00: there is no 2 am
            (7, "2026-03-08T10:59", "2026-03-08T11:00"),
            (1, "2026-11-01T04:59", "2026-11-01T05:00"),  # the first of two
            (7, "2026-11-01T11:59", "2026-11-01T12:00"),
        ],
    )
    def test_it_goes_by_the_clock_on_the_wall_when_clocks_change(self, physician, hour, before, after):
        wish(physician, digest="daily", digest_hour=hour)
        before, after = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (before, after))

        assert digests.send_due(before) == 0
        assert digests.send_due(after) == 1
        assert digests.send_due(after + timedelta(hours=1)) == 0  # also where that hour comes again

    def test_a_weekly_one_comes_on_its_day_and_is_caught_up_within_it(self, physician):
        wish(physician, digest="weekly", digest_weekday=2)

        sent = [digests.send_due(MONDAY + timedelta(hours=6 * step)) for step in range(7 * 4)]

        assert sum(sent) == 1
        assert days_of(physician) == [date(2026, 11, 25)]
        assert digests.send_due(MONDAY + timedelta(days=9, hours=14)) == 1

    def test_a_daily_one_comes_every_day(self, physician):
        wish(physician, digest="daily")

        for step in range(3 * 4):
            digests.send_due(MONDAY + timedelta(hours=6 * step))

        assert days_of(physician) == [date(2026, 11, 23 + number) for number in range(3)]

    def test_who_chose_nothing_has_one_on_monday_at_seven_in_new_york(self, physician):
        assert digests.send_due(MONDAY - timedelta(minutes=1)) == 0
        assert digests.send_due(MONDAY) == 1
        assert digests.send_due(MONDAY + timedelta(days=1)) == 0
        assert NoticeSettings.objects.get().unsubscribe_key

    @pytest.mark.parametrize(
        ("what", "due"),
        [
            ({"standing": "read_only"}, True),
            ({"standing": "applicant"}, False),
            ({"standing": "suspended"}, False),
            ({"user": None}, False),
        ],
    )
    def test_only_who_may_read_gets_one(self, physician, what, due):
        Member.objects.update(**what)

        assert digests.send_due(MONDAY) == due

    def test_not_who_switched_it_off_or_cannot_log_in(self, physician, colleague):
        wish(physician, digest="off")
        User.objects.filter(pk=colleague.user_id).update(is_active=False)

        assert digests.send_due(MONDAY) == 0
        assert not Digest.objects.exists()


class TestOnce:
    def test_run_again_it_sends_nothing(self, physician, something):
        assert [digests.send_due(MONDAY) for _ in range(2)] == [1, 0]
        assert Digest.objects.get().mail == Mail.objects.get()

    def test_with_nothing_to_tell_it_is_noted_and_not_sent(self, physician):
        assert digests.send_due(MONDAY) == 0

        made = Digest.objects.get()
        assert (made.number, made.mail) == (0, None)
        assert not Mail.objects.exists()

    def test_it_tells_what_is_new_since_the_last(self, physician, colleague, something):
        wish(physician, digest="daily")
        wish(colleague, digest="weekly")
        long_ago = MONDAY - timedelta(days=40)
        Digest.objects.create(member=colleague, day=long_ago, made_at=long_ago, since=long_ago)

        for days in range(2):
            digests.send_due(MONDAY + timedelta(days=days))

        assert list(physician.digests.order_by("day").values_list("since", flat=True)) == [
            MONDAY - timedelta(days=1),
            MONDAY,
        ]
        assert colleague.digests.latest("day").since == MONDAY - timedelta(days=14)

    def test_old_rows_are_forgotten(self, physician):
        for days in (59, 61):
            made = timezone.now() - timedelta(days=days)
            Digest.objects.create(member=physician, day=made, made_at=made, since=made)

        assert digests.forget_old() == 1
        assert Digest.objects.count() == 1

    def test_one_that_fails_holds_up_nobody_and_is_tried_again(
        self, physician, colleague, something, monkeypatch
    ):
        fine = digests.gather

        def stumble(*, member, **rest):
            if member.pk == physician.pk:
                raise ZeroDivisionError
            return fine(member=member, **rest)

        with monkeypatch.context() as broken:
            broken.setattr(digests, "gather", stumble)
            assert digests.send_due(MONDAY) == 1

        assert digests.send_due(MONDAY) == 1
        assert Digest.objects.count() == Mail.objects.count() == 2

    def test_dying_within_a_batch_sends_nothing_of_it(self, physician, colleague, third, monkeypatch):
        members = [physician, colleague, third]
        monkeypatch.setattr(digests, "BATCH", 2)

        def die(*, member, **rest):
            if member.pk == members[1].pk:
                raise KeyboardInterrupt
            return Contents("Cardiology", "cardiology", (Waiting(1, MONDAY, "days"),))

        monkeypatch.setattr(digests, "gather", die)
        with pytest.raises(KeyboardInterrupt):
            digests.send_due(MONDAY)

        assert not Digest.objects.exists()
        assert not Mail.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_two_at_once_send_one_to_each(self, something, monkeypatch):
        members = [make_member() for _ in range(7)]
        monkeypatch.setattr(digests, "BATCH", 2)
        monkeypatch.setattr(digests.mail, "nudge", lambda *args: None)
        sent = []

        def send():
            sent.append(digests.send_due(MONDAY))
            connection.close()

        threads = [Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sum(sent) == len(members)
        assert set(Mail.objects.values_list("user", flat=True)) == {member.user_id for member in members}
        assert Mail.objects.count() == Digest.objects.exclude(mail=None).count() == len(members)


class TestCommand:
    def run(self, *args):
        said = StringIO()
        call_command("send_digests", *args, stdout=said)
        return said.getvalue()

    def test_it_says_what_it_did(self, physician, colleague, monkeypatch):
        make_question(colleague, specialties=[physician.specialty])
        Question.objects.update(opened_at=MONDAY)

        assert "1 digests queued, 1 had nothing to tell, 0 failed" in self.run("--at", "2026-11-23T12:00")
        assert "0 digests queued, 0 had nothing to tell" in self.run("--at", "2026-11-23T07:30-05:00")

    @pytest.mark.parametrize("moment", ["breakfast", "2026-13-01T00:00"])
    def test_what_is_no_moment_is_refused(self, db, moment):
        with pytest.raises(CommandError, match="is no moment"):
            self.run("--at", moment)


class TestLetter:
    def test_it_leaves_in_both_parts_with_headers_to_stop_it(self, physician, something, settings):
        wish(physician, quiet_from="00:00", quiet_to="23:59")
        digests.send_due(MONDAY)

        with post_office(settings) as office:
            mail.send_due()

        [(to, letter)] = office.letters
        assert to == [physician.user.email]
        assert letter["Subject"] == "Your Sermo digest: 1 question"
        assert letter["Message-ID"].startswith(f"<{Mail.objects.get().message_id}@")
        assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert letter.get_content_type() == "multipart/alternative"
        text, html = letter.get_body(("plain",)).get_content(), letter.get_body(("html",)).get_content()
        link = letter["List-Unsubscribe"].strip(" <>")
        for part in (text, html):
            assert "1 question in Cardiology waits for an answer" in part
            assert link in part

        assert Client(enforce_csrf_checks=True).post(link.removeprefix(site.SITE_URL)).status_code == 200
        assert digests.send_due(MONDAY + timedelta(days=7)) == 0

    def test_sent_anew_it_bears_the_same_message_id(self, physician, something, settings):
        digests.send_due(MONDAY)
        with post_office(settings) as office:
            for _ in range(2):
                mail.send_due()
                Mail.objects.update(state="sending", due_at=timezone.now())  # as if its sender had died

        assert list(office.ids.values()) == [2]

    def test_who_switched_it_off_meanwhile_gets_none(self, physician, something):
        digests.send_due(MONDAY)
        wish(physician, digest="off")

        mail.send_due()

        assert django_mail.outbox == []


class Sender:
    """A process that sends digests to a post office."""

    def __init__(self, office, batch):
        command = [sys.executable, "-m", "newsfeed.tests.digest_sender", connection.settings_dict["NAME"]]
        self.process = subprocess.Popen(
            [*command, str(batch), MONDAY.isoformat()],
            cwd=site.BASE_DIR,
            env={**os.environ, "EMAIL_URL": f"smtp://127.0.0.1:{office.port}"},
            stdout=subprocess.PIPE,
            text=True,
        )

    def kill(self):
        self.process.kill()

    def wait(self):
        """What it said: its memory at most in MB, or nothing where it was killed."""
        said, _ = self.process.communicate(timeout=900)
        return said.strip()


def in_doubt_no_longer():
    """As if the ten minutes had gone by."""
    Mail.objects.filter(state="sending").update(due_at=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_sender_killed_in_the_middle_leaves_each_member_exactly_one(settings, monkeypatch):
    members = [make_member() for _ in range(12)]
    make_question(make_member(standing="suspended"))
    Question.objects.update(opened_at=MONDAY)
    monkeypatch.setattr(digests.mail, "nudge", lambda *args: None)

    with post_office(settings) as office:
        sender = Sender(office, batch=5)
        office.on_letter = lambda number: number == 7 and sender.kill()
        assert sender.wait() == ""
        assert Mail.objects.filter(state="sent").count() == 6
        assert Digest.objects.count() == 10  # two batches

        digests.send_due(MONDAY)
        in_doubt_no_longer()
        mail.send_due()

    assert len(office.ids) == len(members)
    assert {tuple(to) for to, _ in office.letters} == {(member.user.email,) for member in members}
    assert sorted(office.ids.values()) == [1] * 11 + [2]  # the one in doubt, under the same Message-ID
    assert not Mail.objects.exclude(state="sent").exists()


# At size


def fill(now):
    """Members of forty specialties who follow something, with questions that wait, answers and news of a week."""
    specialties = [make_specialty(f"Invented Medicine {number}") for number in range(40)]
    users = User.objects.bulk_create(User(email=f"d{place}@example.org") for place in range(MANY))
    members = Member.objects.bulk_create(
        Member(user=user, handle=new_handle(), standing="physician", specialty=specialties[place % 40])
        for place, user in enumerate(users)
    )
    zones = ["America/New_York", "America/Los_Angeles", "America/Chicago", "Pacific/Honolulu"]
    NoticeSettings.objects.bulk_create(
        NoticeSettings(member=member, digest_hour=place % 2, time_zone=zones[place % 4])
        for place, member in enumerate(members)
        if place % 5
    )
    asker = make_member()
    questions = Question.objects.bulk_create(
        Question(
            title=f"Invented question {number}",
            asker=asker,
            opened_at=now - timedelta(hours=number % 160),
            activity_at=now - timedelta(hours=number % 160),
            answer_count=number % 2,
        )
        for number in range(4_000)
    )
    QuestionSpecialty.objects.bulk_create(
        QuestionSpecialty(question=question, specialty=specialties[place // 2 % 40], place=1)
        for place, question in enumerate(questions)
    )
    answered = questions[1::2]
    Byline.objects.bulk_create(Byline(question=each, member=asker, mode="anonymous") for each in questions)
    signed = Byline.objects.bulk_create(
        Byline(question=question, member=members[place % MANY], mode="anonymous")
        for place, question in enumerate(answered)
    )
    Post.objects.bulk_create(
        Post(
            question=byline.question,
            author=byline.member,
            byline=byline,
            kind="answer",
            posted_at=byline.question.activity_at,
        )
        for byline in signed
    )
    Subscription.objects.bulk_create(
        Subscription(member=member, question=answered[(7 * place + step) % len(answered)])
        for place, member in enumerate(members)
        for step in range(3)
    )
    TopicFollow.objects.bulk_create(
        TopicFollow(member=member, specialty=specialties[(place + 1) % 40])
        for place, member in enumerate(members)
        if place % 3 == 0
    )
    source = [make_source() for _ in range(20)]
    pattern = make_article(source[0], first_seen_at=now - timedelta(hours=1))
    articles = []
    for number in range(5_000):
        shown_at = now - timedelta(minutes=2 * number + 60)
        articles.append(
            Article(
                source=source[number % 20],
                title=f"An invented trial, number {number}",
                doi=f"10.5555/size.{number}",
                shown_at=shown_at,
                first_seen_at=shown_at,
                link=pattern.link,
            )
        )
    Article.objects.bulk_create(articles)
    ArticleSpecialty.objects.bulk_create(
        ArticleSpecialty(
            article=article, specialty=specialties[place % 40], how="feed", shown_at=article.shown_at
        )
        for place, article in enumerate(articles)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.mark.scale
@pytest.mark.django_db(transaction=True)
def test_ten_thousand_digests_with_a_kill_in_the_middle():
    fill(MONDAY)

    with post_office(keeps=False) as office:
        began = time.perf_counter()
        first = Sender(office, batch=100)
        office.on_letter = lambda number: number == MANY // 2 and first.kill()
        assert first.wait() == ""
        killed = time.perf_counter() - began
        print(f"\nkilled after {office.ids.total()} letters and {killed:.0f} s")
        in_doubt_no_longer()
        memory = Sender(office, batch=100).wait()
        took = time.perf_counter() - began

    print(
        f"{len(office.ids)} members, {office.ids.total()} letters of {office.bytes // office.ids.total():,} bytes in "
        f"{took:.0f} s; {memory} MB in the sender at most"
    )
    waiting = Mail.objects.exclude(state="sent").count()
    assert (len(office.ids), waiting) == (MANY, 0)
    assert office.ids.total() - MANY == 1  # the one in doubt, again under its Message-ID
    assert Digest.objects.exclude(mail=None).count() == MANY
    assert took < 600
    assert int(memory) < 400
