"""What a digest tells, in which order, and that no word of a member stands in it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import Block, Follow, Kind, Member, NoticeChoice
from accounts.services import notices
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from newsfeed.digests.contents import Answered, Contents, News, Waiting
from newsfeed.digests.gathering import Shared, gather
from newsfeed.digests.writing import Clock, write
from newsfeed.models import Article
from newsfeed.tests.factories import make_article, make_source
from questions.models import Question, Subscription, TopicFollow, TopicMute
from questions.services import committing
from questions.tests.factories import make_answer, make_comment, make_question

pytestmark = pytest.mark.django_db

PREVIEW = "/news/digest/preview/"
WEEK = timedelta(days=7)
SECRET = "xanthochrome"  # a word of members


def contents_of(member, since=None, now=None):
    member = Member.objects.select_related("user", "specialty").get(pk=member.pk)
    now = now or timezone.now()
    since = since or now - WEEK
    return gather(member=member, since=since, shared=Shared.among([member.pk], since=since, now=now))


def written_for(member):
    return write(contents_of(member), now=timezone.now(), time_zone="America/New_York")


def ids_of(rows):
    return [row.question for row in rows]


def age(question, **ago):
    Question.objects.filter(pk=question.pk).update(opened_at=timezone.now() - timedelta(**ago))


class TestWaiting:
    def test_the_urgent_come_first_and_then_the_newest(self, physician, colleague):
        questions = [make_question(colleague, specialties=[physician.specialty]) for _ in range(3)]
        for days, question in enumerate(questions):
            age(question, days=days + 1)
        Question.objects.filter(pk=questions[2].pk).update(urgency="today")

        found = contents_of(physician)

        assert ids_of(found.waiting) == [questions[2].pk, questions[0].pk, questions[1].pk]
        assert found.number == 3

    def test_only_what_a_reader_of_this_specialty_may_see_and_answer(self, physician, colleague):
        mine = {"specialties": [physician.specialty]}
        peer = make_member(specialty=physician.specialty)
        theirs = make_question(peer, audience="specialty")
        make_question(physician)  # one's own
        make_question(colleague)  # of another specialty
        make_question(colleague, peers_only=True, **mine)
        Question.objects.filter(peers_only=True).update(audience="connections")
        make_answer(make_question(colleague, **mine))
        make_question(colleague, kind="discussion", **mine)
        silenced = make_question(colleague, **mine)
        Subscription.objects.update_or_create(
            member=physician, question=silenced, defaults={"level": "muted"}
        )
        Question.objects.filter(kind="discussion").update(
            status="closed", closed_at=timezone.now(), close_reason="author"
        )

        assert ids_of(contents_of(physician).waiting) == [theirs.pk]

    def test_not_what_one_blocked_or_muted(self, physician, colleague):
        make_question(colleague, specialties=[physician.specialty])
        muted = make_specialty("Pediatrics")
        make_question(make_member(), specialties=[physician.specialty, muted])
        assert len(contents_of(physician).waiting) == 2

        Block.objects.create(
            blocker=physician, blocked=colleague, blocker_face="handle", blocked_face="handle"
        )
        TopicMute.objects.create(member=physician, specialty=muted)

        assert contents_of(physician).waiting == ()

    def test_a_moderator_is_told_what_is_put_to_them_as_a_reader(self, moderator, colleague):
        mine = {"specialties": [moderator.specialty]}
        make_question(colleague, **mine)
        Question.objects.update(audience="connections")
        asked = make_question(colleague, **mine)

        assert ids_of(contents_of(moderator).waiting) == [asked.pk]

    def test_members_of_one_batch_are_each_asked_for_themselves(self, physician, colleague):
        other = make_member(specialty=physician.specialty)
        make_question(colleague, specialties=[physician.specialty])
        Block.objects.create(
            blocker=physician, blocked=colleague, blocker_face="handle", blocked_face="handle"
        )
        now = timezone.now()
        shared = Shared.among([physician.pk, other.pk], since=now - WEEK, now=now)

        found = [
            len(gather(member=member, since=now - WEEK, shared=shared).waiting)
            for member in (physician, other)
        ]

        assert found == [0, 1]


class TestFollowed:
    def follow(self, member, question):
        Subscription.objects.update_or_create(member=member, question=question, defaults={"level": "digest"})

    def test_new_answers_of_others_are_counted_by_discussion(self, physician, colleague):
        quiet, busy = make_question(colleague), make_question(colleague)
        for question in (quiet, busy):
            self.follow(physician, question)
            make_answer(question)
        make_answer(busy)
        make_answer(busy, physician)
        make_comment(busy.posts.filter(kind="answer").first())
        busy.posts.filter(kind="answer").first()

        found = contents_of(physician).answered

        assert [(row.question, row.number) for row in found] == [(busy.pk, 2), (quiet.pk, 1)]

    def test_what_came_before_or_was_removed_or_is_not_followed_is_no_news(self, physician, colleague):
        question = make_question(colleague)
        answer = make_answer(question)
        assert contents_of(physician).answered == ()

        self.follow(physician, question)
        assert ids_of(contents_of(physician).answered) == [question.pk]
        assert contents_of(physician, since=timezone.now()).answered == ()

        answer.removed_at, answer.removed_by = timezone.now(), "author"
        answer.save()
        assert contents_of(physician).answered == ()

    @pytest.mark.parametrize("what", ["specialty", "handle"])
    def test_topics_and_handles_one_follows_count_too(self, physician, colleague, what):
        question = make_question(colleague)
        make_answer(question)
        if what == "specialty":
            TopicFollow.objects.create(member=physician, specialty=colleague.specialty)
        else:
            Follow.objects.create(follower=physician, followed=colleague)

        assert ids_of(contents_of(physician).answered) == [question.pk]

    def test_answers_that_are_closed_to_a_reader_are_not_counted(self, physician, colleague):
        question = make_question(colleague, answer_first=True)
        self.follow(physician, question)
        make_answer(question)
        assert contents_of(physician).answered == ()

        committing.open_for_reading(question=question, member=physician)

        assert ids_of(contents_of(physician).answered) == [question.pk]


class TestTold:
    @pytest.fixture
    def question(self, physician):
        NoticeChoice.objects.create(member=physician, kind=Kind.REPLY, way="digest")
        question = make_question(physician)
        Subscription.objects.filter(member=physician).delete()
        return question

    def test_kinds_that_go_into_the_digest_are_counted_until_read(self, physician, question):
        make_answer(question)
        make_answer(question, source="@left_atrium would know.")

        found = contents_of(physician)
        assert found.told == ((Kind.REPLY, 2),)
        assert found.number == 2
        assert "2 answers and comments" in written_for(physician).text

        notices.mark_all_read(member=physician)
        assert contents_of(physician).told == ()

    def test_those_of_an_earlier_digest_or_not_there_any_more_are_not(self, physician, question):
        make_answer(question)
        assert contents_of(physician, since=timezone.now()).told == ()

        question.posts.filter(kind="answer").update(removed_at=timezone.now(), removed_by="moderator")
        assert contents_of(physician).told == ()


class TestNews:
    def test_six_of_ones_own_feed_with_where_and_why(self, physician):
        for number in range(4):
            source = make_source(f"Annals {number}")
            for _ in range(2):
                make_article(source, specialties=[physician.specialty])

        found = contents_of(physician).news

        assert len(found) == 6
        assert {(row.why, row.badge) for row in found} == {("in your specialty", "")}
        assert all(row.journal.startswith("Annals") for row in found)

    def test_what_bears_an_older_day_and_came_late_is_news_once(self, physician):
        now = timezone.now()
        article = make_article(specialties=[physician.specialty], shown_at=now - timedelta(days=2))

        assert [row.article for row in contents_of(physician, now - timedelta(days=1)).news] == [article.pk]
        assert contents_of(physician, since=timezone.now()).news == ()

    def test_what_was_removed_or_opened_is_not_told(self, physician):
        make_article(specialties=[physician.specialty], state=Article.State.REMOVED)
        physician.news_read.create(article=make_article(specialties=[physician.specialty]))

        assert contents_of(physician).news == ()


class TestWords:
    NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)  # a Thursday, 7 am in New York

    def test_the_parts_stand_in_their_order_in_both(self):
        written = write(self.full(), now=self.NOW, time_zone="America/New_York")

        assert written.subject == "Your Sermo digest: 4 questions, 1 discussion, 3 notices, 1 article"
        told = [
            "Thursday, Nov 26",
            "4 questions in Cardiology wait for an answer, the oldest since Tuesday.",
            "Asked 3 hours ago, needed within the day",
            "2 new answers in 1 discussion you follow.",
            "2 new answers, the last 5 minutes ago",
            "2 answers and comments, 1 mention",
            "Statins in the very old",
            "Preprint, not peer reviewed · In your specialty",
        ]
        for part in (written.text, written.html):
            words = " ".join(part.split())
            places = [words.index(each) for each in told]
            assert sorted(places) == places
            for path in ("questions/11", "questions/21", "news/31", "notifications"):
                assert f"{settings.SITE_URL}/{path}/" in part
            assert "/specialties/cardiology/?sort=unanswered" in part
            assert "/questions/14/" not in part  # the fourth stands behind that
        assert written.html.count("background:#403a96") == 1

    def full(self):
        ago = [timedelta(hours=3), timedelta(days=1), timedelta(days=2), timedelta(hours=30)]
        waiting = [Waiting(11 + n, self.NOW - gone, "days" if n else "today") for n, gone in enumerate(ago)]
        return Contents(
            specialty="Cardiology",
            specialty_slug="cardiology",
            waiting=tuple(waiting),
            answered=(Answered(21, 2, self.NOW - timedelta(minutes=5)),),
            told=((Kind.REPLY, 2), (Kind.MENTION, 1)),
            news=(
                News(
                    31,
                    "Statins in the very old: a trial <with> a rather long title & many words in it",
                    "Annals",
                    "Preprint, not peer reviewed",
                    "in your specialty",
                ),
            ),
        )

    def test_a_safety_alert_is_called_so_once(self):
        alert = News(32, "A recall", "Medicines Watch", "Safety alert", "safety alert for the United States")

        written = write(Contents(news=(alert,)), now=self.NOW, time_zone="America/New_York")

        assert "Medicines Watch · Safety alert for the United States" in written.text

    def test_text_is_wrapped_and_html_escaped(self):
        written = write(self.full(), now=self.NOW, time_zone="America/New_York")

        lines = written.text.splitlines()
        assert all(len(line) <= 72 for line in lines if not line.startswith("http"))
        assert "\n\n\n" not in written.text
        assert "trial <with> a" in written.text
        assert "trial &lt;with&gt; a" in written.html
        assert "<img" not in written.html

    @pytest.mark.parametrize(
        ("ago", "words"),
        [
            (timedelta(seconds=20), ("just now", "since 6:59 am")),
            (timedelta(minutes=1), ("1 minute ago", "since 6:59 am")),
            (timedelta(hours=8), ("8 hours ago", "since yesterday")),
            (timedelta(hours=30), ("yesterday", "since yesterday")),
            (timedelta(days=3), ("on Monday", "since Monday")),
            (timedelta(days=8), ("on Nov 18", "since Nov 18")),
            (timedelta(days=400), ("on Oct 22, 2025", "since Oct 22, 2025")),
        ],
    )
    def test_moments_are_said_by_the_readers_clock(self, ago, words):
        clock = Clock(self.NOW, ZoneInfo("America/New_York"))

        assert (clock.ago(self.NOW - ago), clock.since(self.NOW - ago)) == words

    def test_one_of_each_is_singular(self):
        contents = Contents("Cardiology", "cardiology", (Waiting(1, self.NOW, "days"),))

        written = write(contents, now=self.NOW, time_zone="America/New_York")

        assert written.subject == "Your Sermo digest: 1 question"
        assert "1 question in Cardiology waits for an answer, since 7:00 am." in written.text

    def test_no_word_of_a_member_stands_in_it(self, physician):
        asker = make_member(f"{SECRET}_doc")
        said = {"title": f"How long does {SECRET} last?", "source": f"After {SECRET}, fever for a week."}
        make_question(asker, specialties=[physician.specialty], tags=[SECRET], **said)
        followed = make_question(asker, **said)
        Subscription.objects.create(member=physician, question=followed)
        NoticeChoice.objects.create(member=physician, kind=Kind.REPLY, way="digest")
        mine = make_question(physician, **said)
        for question in (followed, mine):
            make_answer(question, make_member(), source=f"It is {SECRET}.")
        make_article(specialties=[physician.specialty])

        found, written = contents_of(physician), written_for(physician)

        assert all([found.waiting, found.answered, found.told, found.news])
        for part in (written.subject, written.text, written.html):
            assert SECRET not in part.lower()
            assert physician.handle not in part


class TestPreview:
    @pytest.fixture
    def staff(self, staff):
        Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})
        return staff

    def test_staff_see_subject_text_and_html_of_an_invented_members(self, staff, physician):
        make_article(title="An invented trial of statins", specialties=[physician.specialty])
        client = client_of(staff)

        page = client.get(PREVIEW, {"specialty": physician.specialty.slug, "digest": "daily"})
        part = client.get(PREVIEW, {"specialty": physician.specialty.slug, "digest": "daily", "part": "html"})

        assert "Your Sermo digest: 1 article" in page.content.decode()
        assert "An invented trial of statins" in page.content.decode()
        html = part.content.decode()
        assert "An invented trial of statins" in html
        assert "style=" not in html
        assert "unsafe" not in part["Content-Security-Policy"]
        assert part["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert Member.objects.filter(pk=0).count() == 0

    def test_an_empty_one_says_that_none_would_be_sent(self, staff, physician):
        assert b"Nothing to tell." in client_of(staff).get(PREVIEW).content

    def test_it_is_for_staff_alone(self, physician_client, applicant_client):
        assert Client().get(PREVIEW).status_code == 302
        assert physician_client.get(PREVIEW).status_code == 403
        assert applicant_client.get(PREVIEW).status_code == 403
        assert physician_client.post(PREVIEW).status_code == 405

    def test_a_specialty_that_is_none_is_said_so(self, staff, physician):
        response = client_of(staff).get(PREVIEW, {"specialty": "alchemy", "digest": "daily"})

        assert response.status_code == 422
