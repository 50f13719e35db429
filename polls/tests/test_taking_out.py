"""Words that moderators take out of a poll with those of its discussion, and what its author may not remove."""

import pytest
from django.urls import reverse

from conftest import client_of
from polls.models import Correction, Option, Poll, Tally
from polls.services import opening, taking_out, voting
from polls.tests.factories import make_poll, make_poll_question, make_voter, vote
from questions.models import Question
from questions.services import writing
from questions.services.moderation import acts, redacting, undoing
from questions.tests.factories import make_answer, make_question

pytestmark = pytest.mark.django_db

TITLE = "What would you give Mr. Quillfeather of Duluth?"
CLEAN = "What would you give […]?"


@pytest.fixture
def question(physician):
    return make_question(physician, title="What next?", source="Mr. Quillfeather had it, too. Start early.")


def redact(poll, moderator, *, title=None, text=None, elsewhere=""):
    post = Question.objects.get(pk=poll.pk).posts.get(kind="opening")
    return acts.act(
        post=post,
        by=moderator.user,
        kind="redact",
        reason="identity",
        title=title,
        text=post.source if text is None else text,
        elsewhere=elsewhere,
    )


def texts(poll):
    return list(poll.options.order_by("place").values_list("text", flat=True))


def words_of_search(poll):
    return poll.question.posts.values_list("search_text", flat=True).get(kind="opening")


class TestRedacting:
    def test_a_title_can_lose_words_where_there_is_no_background(self, physician, moderator):
        poll = make_poll(asker=physician, title=TITLE)
        redact(poll, moderator, title=CLEAN)

        poll.question.refresh_from_db()
        assert poll.question.title == CLEAN

    def test_a_text_cannot_be_emptied_all_the_same(self, question, moderator):
        poll = make_poll(question=question)
        with pytest.raises(redacting.NothingTakenOut):
            redact(poll, moderator, title="What?", text="")

    def test_all_that_the_poll_says_loses_them_and_search_too(self, question, moderator):
        poll = make_poll(
            Poll.Kind.MULTIPLE,
            question=question,
            options=("What quillfeather took", "Nothing"),
            prompt="What would Mr. Quillfeather like?",
        )
        Correction.objects.create(poll=poll, was="Mr Quillfeather", became="Mr. Quillfeather")
        opening.make_searchable(poll)
        assert "quillfeather" in words_of_search(poll)
        vote(poll, make_voter(), 0)
        redact(poll, moderator, text="[…] had it, too. Start early.")

        poll.refresh_from_db()
        correction = Correction.objects.get()
        assert texts(poll) == ["What […] took", "Nothing"]
        assert poll.prompt == "What would […] like?"
        assert (correction.was, correction.became) == ("[…]", "[…]")
        assert "quillfeather" not in words_of_search(poll)
        assert "nothing" in words_of_search(poll)
        assert Tally.objects.get().counts == [1, 0]

    def test_labels_of_a_scale_lose_them_and_its_points_stay(self, physician, moderator):
        poll = make_poll(
            Poll.Kind.SCALE, asker=physician, title="Mr. Five, 5 years old?", low_label="As 5 do"
        )
        redact(poll, moderator, title="Mr. Five, […] years old?")

        poll.refresh_from_db()
        assert poll.low_label == "As […] do"
        assert texts(poll) == ["1", "2", "3", "4", "5"]

    def test_options_that_say_the_same_without_them_are_numbered(self, physician, moderator):
        poll = make_poll(asker=physician, options=("Quillfeather", "Duluth", "Neither", "Alder"))
        redact(poll, moderator, elsewhere="quillfeather\nDuluth\n\nalder")

        assert texts(poll) == ["[…]", "[…] (2)", "Neither", "[…] (3)"]
        again = redact(poll, moderator, elsewhere="neither")
        assert texts(poll)[2] == "[…] (4)"
        undoing.undo(action=again, by=moderator.user)
        assert texts(poll)[2] == "Neither"

    def test_a_longest_option_stays_within_its_room(self, physician, moderator):
        poll = make_poll(asker=physician, options=("a " * 60, "B"))
        poll.options.filter(place=0).update(text=("a b " * 30).strip())
        redact(poll, moderator, elsewhere="a")

        assert len(texts(poll)[0]) == 120

    def test_words_that_stand_in_an_option_alone_can_be_named(self, physician, moderator):
        poll = make_poll(asker=physician, options=("Ask the ferryman of Duluth", "Wait"))
        redact(poll, moderator, elsewhere="ferryman of duluth")

        assert texts(poll) == ["Ask the […]", "Wait"]
        assert "ferryman" not in words_of_search(poll)

    @pytest.mark.parametrize("named", ["boatman", "Ferryman\nboatman"])
    def test_named_words_must_stand_there(self, physician, moderator, named):
        poll = make_poll(asker=physician, options=("Ask the ferryman", "Wait"))
        with pytest.raises(redacting.NotInPoll):
            redact(poll, moderator, elsewhere=named)

        assert texts(poll) == ["Ask the ferryman", "Wait"]

    def test_an_answer_that_loses_words_leaves_the_poll_alone(self, question, colleague, moderator):
        poll = make_poll(question=question, options=("Quillfeather", "Wait"))
        answer = make_answer(question, colleague, source="Ask Quillfeather. Then wait.")
        acts.act(post=answer, by=moderator.user, kind="redact", reason="identity", text="Ask […]. Then wait.")

        assert texts(poll) == ["Quillfeather", "Wait"]

    def test_undone_it_says_what_it_said(self, question, moderator):
        poll = make_poll(question=question, options=("Quillfeather", "Wait"), prompt="As Quillfeather?")
        Correction.objects.create(poll=poll, was="Qillfeather", became="Quillfeather")
        action = redact(poll, moderator, text="[…] had it, too. Start early.")
        Option.objects.create(poll=poll, place=2, text="Later", is_added=True)
        undoing.undo(action=action, by=moderator.user)

        poll.refresh_from_db()
        assert texts(poll) == ["Quillfeather", "Wait", "Later"]
        assert poll.prompt == "As Quillfeather?"
        assert Correction.objects.get().became == "Quillfeather"
        assert "quillfeather" in words_of_search(poll)

    def test_an_option_added_since_keeps_its_words(self, physician, moderator):
        poll = make_poll(asker=physician, options=("Ferryman", "Wait"))
        action = redact(poll, moderator, elsewhere="ferryman")
        Option.objects.create(poll=poll, place=2, text="ferryman", is_added=True)
        undoing.undo(action=action, by=moderator.user)

        assert texts(poll) == ["[…]", "Wait", "ferryman"]

    def test_a_title_changed_since_is_not_put_back_over(self, physician, moderator):
        poll = make_poll(asker=physician, title=TITLE)
        action = redact(poll, moderator, title=CLEAN)
        post = poll.question.posts.get()
        writing.edit_post(post=post, by=physician, source="", title="What would you give?")
        with pytest.raises(redacting.ChangedSince):
            undoing.undo(action=action, by=moderator.user)

    def test_the_desk_asks_for_them_where_there_is_a_poll(self, physician, moderator):
        poll = make_poll(asker=physician, options=("Ask the ferryman", "Wait"))
        address = reverse("questions:moderate_post", args=[poll.question.posts.get().pk])
        other = make_question(physician).posts.get()
        browser = client_of(moderator)
        sent = {
            "kind": "redact",
            "reason": "identity",
            "title": poll.question.title,
            "text": "",
            "elsewhere": "ferryman",
            "seen": 0,
        }

        page = browser.get(address).content.decode()
        assert 'name="elsewhere"' in page
        assert "Its poll closes for good." in page
        page = browser.get(reverse("questions:moderate_post", args=[other.pk])).content.decode()
        assert 'name="elsewhere"' not in page
        assert "Its poll closes" not in page
        assert browser.post(address, sent).status_code == 302
        assert texts(poll) == ["Ask the […]", "Wait"]


class TestRemoving:
    def test_its_author_does_not_remove_what_colleagues_voted_in(self, physician, physician_client):
        poll = make_poll(asker=physician)
        vote(poll, make_voter(), 0)
        with pytest.raises(taking_out.HasVotes):
            writing.remove_post(post=poll.question.posts.get(), by=physician)

        assert Question.objects.get().is_open

    def test_what_was_only_looked_at_goes(self, physician, colleague):
        poll = make_poll(asker=physician)
        voting.forfeit(poll=poll, member=colleague)
        writing.remove_post(post=poll.question.posts.get(), by=physician)

        assert Question.objects.get().is_removed

    def test_a_moderator_removes_it(self, physician, moderator):
        poll = make_poll(asker=physician)
        vote(poll, make_voter(), 0)
        writing.remove_post(post=poll.question.posts.get(), by=None, user=moderator.user)

        assert Question.objects.get().is_removed

    def test_an_answer_of_a_poll_goes_as_ever(self, physician, colleague):
        poll = make_poll(asker=physician)
        vote(poll, make_voter(), 0)
        answer = make_answer(poll.question, colleague)
        writing.remove_post(post=answer, by=colleague)

        answer.refresh_from_db()
        assert answer.is_removed


class TestClosing:
    def test_whoever_closes_the_discussion_reads_that_its_poll_closes_for_good(self, question, physician):
        browser, words = client_of(physician), "its poll closes for good"
        assert words not in browser.get(question.get_absolute_url()).content.decode()
        make_poll(question=question)

        assert words in browser.get(question.get_absolute_url()).content.decode()


class TestWaitingForAnswers:
    def test_a_poll_does_not(self, question, physician):
        make_poll_question(physician)

        assert list(Question.objects.unanswered()) == [question]

    def test_the_list_still_has_its_index(self, question):
        from django.db import connection, transaction

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            plan = Question.objects.unanswered().order_by("-opened_at", "-pk")[:20].explain()

        assert "question_unanswered" in plan
