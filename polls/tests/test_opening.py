"""Opening polls, alone and inside a discussion."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Connection
from accounts.tests.factories import make_member, make_specialty
from polls.models import Option, Poll, Tally, Trend
from polls.services import opening, trends
from polls.services.opening import Plan
from questions.models import Draft, MemberRank, Post, Question, WriteCount
from questions.services import closing, limits, writing
from questions.tests.factories import make_question

TITLE = "Which anticoagulant do you start with on dialysis?"
OPTIONS = ("Apixaban", "Warfarin", "None")


def plan(**fields):
    return Plan(**{"kind": "single", "options": OPTIONS, "days": 7, **fields})


def open_poll(asker, *, title=TITLE, source="", **fields):
    planned = fields.pop("plan", None) or plan(
        **{name: fields.pop(name) for name in list(fields) if name in Plan.__dataclass_fields__}
    )
    topics = fields.pop("topics", None) or [asker.specialty]
    return opening.open_poll(
        asker=asker, title=title, source=source, specialties=topics, plan=planned, **fields
    )


def connect(one, other):
    Connection.objects.create(requester=one, addressee=other, state="accepted", answered_at=timezone.now())


def test_a_poll_of_its_own_is_a_discussion_with_options_in_their_order_and_nothing_counted(physician):
    poll = open_poll(physician, may_change=True, tags=(), peers_only=True)

    question = poll.question
    assert (question.kind, question.title, question.has_poll) == ("poll", TITLE, True)
    assert question.peers_only
    assert [(option.place, option.text) for option in poll.options.all()] == list(enumerate(OPTIONS))
    assert Tally.objects.get(poll=poll).counts == [0, 0, 0]
    assert poll.closes_at - poll.opened_at == timedelta(days=7)
    assert poll.invited == 1
    assert Question.objects.get(pk=question.pk).has_poll


def test_an_opening_without_background_says_nothing(physician):
    post = open_poll(physician).question.posts.get()

    assert (post.source, post.html, post.question.excerpt) == ("", "", "")


def test_a_poll_is_found_by_its_options_and_labels(physician):
    found = open_poll(physician, options=("Apixaban", "Wärfarin")).question.posts.get()
    scale = open_poll(physician, kind="scale", options=(), low_label="Never", high_label="Always")

    assert "apixaban warfarin" in found.search_text
    assert "never always" in scale.question.posts.get().search_text


def test_a_scale_has_its_five_points_and_only_a_scale_has_labels(physician):
    scale = open_poll(physician, kind="scale", options=("Typed",), low_label="Never", high_label="Always")
    other = open_poll(physician, low_label="Never")

    assert [option.text for option in scale.options.all()] == ["1", "2", "3", "4", "5"]
    assert (scale.low_label, scale.high_label) == ("Never", "Always")
    assert other.low_label == ""


@pytest.mark.parametrize("options", [(), ("One",), tuple(str(number) for number in range(11)), ("One", " ")])
def test_two_to_ten_options(physician, options):
    with pytest.raises(opening.NumberOfOptions):
        open_poll(physician, options=options)

    assert not Question.objects.exists()


def test_options_differ_by_more_than_case_and_spacing(physician):
    with pytest.raises(opening.SameOption) as refused:
        open_poll(physician, options=("Apixaban", "Warfarin", "  apiXABAN"))

    assert refused.value.place == 2


@pytest.mark.parametrize("days", [0, 31, -1])
def test_a_poll_is_open_for_a_day_to_thirty(physician, days):
    with pytest.raises(opening.DaysOutOfBounds):
        open_poll(physician, days=days)


@pytest.mark.parametrize("kind", ["ranked", "scale"])
def test_rankings_and_scales_take_no_added_options(physician, kind):
    with pytest.raises(opening.CannotBeAddedTo):
        open_poll(physician, kind=kind, may_add=True)


def test_a_narrowed_poll_is_open_to_five_at_least(physician):
    for _ in range(3):
        make_member(specialty="Nephrology", state="OH")
    make_member(specialty="Nephrology", state="TX")
    make_member(specialty="Nephrology", state="OH", standing="read_only")
    narrowed = {"specialties": (make_specialty("Nephrology").pk,)}
    with pytest.raises(opening.TooFewInvited):
        open_poll(physician, **narrowed)
    assert not Question.objects.exists()
    assert not WriteCount.objects.exists()

    make_member(specialty="Nephrology", state="OH")

    assert open_poll(physician, **narrowed).invited == 5
    with pytest.raises(opening.TooFewInvited):
        open_poll(physician, **narrowed, states=("OH",))


def test_tiers_narrow_and_no_rank_yet_is_the_lowest(physician):
    members = [physician, *(make_member() for _ in range(9))]
    for member in members[:5]:
        MemberRank.objects.update_or_create(member=member, defaults={"tier": "trusted"})

    assert open_poll(physician, tiers=("trusted",)).invited == 5
    assert open_poll(physician, tiers=("new",)).invited == 5
    with pytest.raises(opening.TooFewInvited):
        open_poll(physician, tiers=("top",))


def test_only_who_can_read_the_discussion_is_invited(physician):
    friends = [make_member(specialty="Nephrology") for _ in range(4)]
    for friend in friends[:3]:
        connect(physician, friend)
    with pytest.raises(opening.TooFewInvited):
        open_poll(physician, audience="connections")

    connect(physician, friends[3])

    assert open_poll(physician, audience="connections").invited == 5


def test_the_same_submission_twice_makes_one_poll(physician):
    sent = {"submission": uuid.uuid4(), "plan": plan()}

    assert open_poll(physician, **sent) == open_poll(physician, **sent)
    assert Poll.objects.count() == Question.objects.count() == 1
    with pytest.raises(writing.SentBefore):
        open_poll(physician, submission=sent["submission"], options=("Other", "Words"))


def test_a_poll_leaves_the_draft_of_a_question_alone(physician):
    writing.save_draft(member=physician, place="ask", fields={"title": "Half a question"})

    open_poll(physician)

    assert Draft.objects.count() == 1


def test_refusals_of_a_discussion_are_those_of_a_poll(physician):
    with pytest.raises(writing.NotInAudience):
        open_poll(physician, audience="specialty", topics=[make_specialty("Dermatology")])

    assert not Poll.objects.exists()


def test_a_limit_of_writing_counts_polls(physician, settings):
    settings.DAILY_WRITES = {**settings.DAILY_WRITES, "post": 1}
    open_poll(physician)

    with pytest.raises(limits.TooManyToday):
        open_poll(physician)


# Attached


def test_the_asker_attaches_a_poll_to_an_open_discussion(physician):
    question = make_question(physician)

    poll = opening.attach_poll(question=question, by=physician, plan=plan(prompt="Do you hold it?"))

    assert poll.question.has_poll
    assert poll.prompt == "Do you hold it?"
    assert "do you hold it? apixaban warfarin none" in question.posts.get().search_text


def test_a_discussion_with_a_new_poll_does_not_close_for_silence(physician):
    question = make_question(physician)
    Question.objects.update(activity_at=timezone.now() - timedelta(days=29))

    poll = opening.attach_poll(question=question, by=physician, plan=plan(prompt="Do you hold it?"))

    assert Question.objects.get().activity_at == poll.opened_at


def test_what_cannot_be_attached(physician, colleague):
    question, planned = make_question(physician), plan(prompt="Do you hold it?")
    with pytest.raises(opening.NoPrompt):
        opening.attach_poll(question=question, by=physician, plan=plan())
    with pytest.raises(writing.NotYours):
        opening.attach_poll(question=question, by=colleague, plan=planned)

    first = opening.attach_poll(question=question, by=physician, plan=planned)

    assert opening.attach_poll(question=question, by=physician, plan=planned) == first
    with pytest.raises(opening.HasPoll):
        opening.attach_poll(question=question, by=physician, plan=plan(prompt="And why?"))
    other = make_question(physician)
    closing.close_question(question=other, by=physician)
    with pytest.raises(writing.NotOpen):
        opening.attach_poll(question=other, by=physician, plan=planned)
    private = make_question(physician)
    Question.objects.filter(pk=private.pk).update(kind="case", audience="invited")
    with pytest.raises(opening.PollAmongInvited):
        opening.attach_poll(question=private, by=physician, plan=planned)
    Question.objects.filter(pk=private.pk).update(audience="physicians", answer_first=True)
    with pytest.raises(opening.PollBesideAnswers):
        opening.attach_poll(question=private, by=physician, plan=planned)


def test_where_readers_answer_first_no_page_offers_a_poll(physician, physician_client):
    question = make_question(physician)
    address = f"/polls/new/?question={question.pk}"
    assert address in physician_client.get(question.get_absolute_url()).content.decode()
    Question.objects.filter(pk=question.pk).update(answer_first=True)

    refused = physician_client.get(address, follow=True)

    assert refused.redirect_chain == [(question.get_absolute_url(), 302)]
    assert "takes no poll" in refused.content.decode()


def test_a_physician_who_may_only_read_attaches_none(physician):
    question = make_question(physician)
    physician.standing = "read_only"
    physician.save()

    with pytest.raises(writing.ReadOnly):
        opening.attach_poll(question=question, by=physician, plan=plan(prompt="Do you hold it?"))


# What it is found by


def test_editing_the_text_keeps_the_words_of_the_poll(physician):
    question = make_question(physician)
    opening.attach_poll(question=question, by=physician, plan=plan(prompt="Do you hold it?"))

    writing.edit_post(post=question.posts.get(), by=physician, source="Wholly other words than before.")

    found = question.posts.get().search_text
    assert "wholly other words" in found
    assert "apixaban" in found


def test_the_title_of_a_poll_does_not_change_on_the_page_that_edits_its_text(physician, physician_client):
    post = open_poll(physician, source="Some words to begin with.").question.posts.get()
    url = f"/posts/{post.pk}/edit/"

    page = physician_client.get(url)
    sent = physician_client.post(
        url, {"title": "Something else altogether?", "source": "", "was": post.source}
    )

    assert "title" not in page.context["form"].fields
    assert sent.status_code == 302
    post.refresh_from_db()
    assert (post.question.title, post.source) == (TITLE, "")


# Trends begin


def test_a_trend_begins_with_its_first_poll(physician):
    poll = open_poll(physician, waves=6)

    assert (poll.wave, poll.trend.waves, poll.trend.days, poll.trend.creator) == (1, 6, 7, physician)
    assert poll.trend.next_at == trends.months_after(poll.opened_at, 1)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"waves": 1}, trends.WavesOutOfBounds),
        ({"waves": 25}, trends.WavesOutOfBounds),
        ({"waves": 2, "days": 29}, trends.TooLongForAMonth),
    ],
)
def test_what_is_no_trend(physician, fields, refusal):
    with pytest.raises(refusal):
        open_poll(physician, **fields)

    assert not Trend.objects.exists()
    assert not Question.objects.exists()


def test_options_hold_what_is_typed_without_the_spaces_around(physician):
    poll = open_poll(physician, options=("  Apixaban ", "5  mg\nonce"))

    assert list(Option.objects.values_list("text", flat=True)) == ["Apixaban", "5 mg once"]
    assert Post.objects.get(question=poll.pk).search_text.endswith("apixaban 5 mg once")


@pytest.mark.django_db(transaction=True)
def test_the_same_submission_sent_four_times_at_once_makes_one_poll(physician):
    submission, start = uuid.uuid4(), Barrier(4)

    def send(_):
        try:
            start.wait(timeout=10)
            return open_poll(physician, submission=submission, waves=2).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(send, range(4)))

    assert len(set(made)) == 1
    assert Poll.objects.count() == Trend.objects.count() == Question.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"may_change": True},
        {"may_add": True},
        {"shown": "closed"},
        {"days": 8},
        {"states": ("OH",)},
        {"options": ("Other", "Options")},
    ],
)
def test_the_same_submission_with_another_plan_is_refused(physician, other):
    for _ in range(5):
        make_member(state="OH")
    submission = uuid.uuid4()
    open_poll(physician, submission=submission)

    with pytest.raises(writing.SentBefore):
        open_poll(physician, plan=plan(**other), submission=submission)


@pytest.mark.parametrize(
    ("hours", "is_fine"), [(1, True), (30 * 24 + 23, True), (-1, False), (32 * 24, False)]
)
def test_a_poll_may_close_at_a_moment(physician, hours, is_fine):
    moment = timezone.now() + timedelta(hours=hours)
    if not is_fine:
        with pytest.raises(opening.DaysOutOfBounds):
            open_poll(physician, plan=plan(closes_at=moment))
        return

    assert open_poll(physician, plan=plan(closes_at=moment)).closes_at == moment


def test_options_that_only_the_database_finds_equal_are_the_same(physician):
    with pytest.raises(opening.SameOption):
        open_poll(physician, plan=plan(options=("ΟΔΟΣ", "οδοσ")))

    assert not Question.objects.exists()
