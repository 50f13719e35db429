"""What options say: added by readers, changed before the first vote, put right by moderators."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts.tests.factories import make_member, make_specialty
from polls.models import Correction, Option, Poll, Receipt, Tally
from polls.services import opening, options, voting
from polls.tests.factories import make_poll, make_trend, vote
from polls.tokens import new_token
from questions.models import Hold, ModerationAction, Post, Question
from questions.services import limits, writing
from questions.services.moderation import rights
from questions.tests.factories import make_answer, make_question
from sermo.errors import RuleBroken


@pytest.fixture
def poll(physician):
    return make_poll(asker=physician, options=("Apixaban", "Warfarin", "None"), may_add=True)


def texts(poll):
    return list(Option.objects.filter(poll=poll).order_by("place").values_list("text", flat=True))


def counts(poll):
    return Tally.objects.get(poll=poll).counts


# Added by readers


def test_a_reader_adds_an_option_that_others_can_vote_for(poll, colleague, third):
    vote(poll, third, 0)
    option = options.add_option(poll=poll, member=colleague, text="  Edoxaban ")
    vote(poll, colleague, 3)

    assert (option.place, option.text, option.is_added, option.after_votes) == (3, "Edoxaban", True, 1)
    assert counts(poll) == [1, 0, 0, 1]
    assert "edoxaban" in Post.objects.get(question=poll.pk).search_text


def test_each_reader_adds_one_and_the_same_twice_is_once(poll, colleague, third):
    first = options.add_option(poll=poll, member=colleague, text="Edoxaban")

    assert options.add_option(poll=poll, member=colleague, text="edoxaban ") == first
    with pytest.raises(options.AddedBefore):
        options.add_option(poll=poll, member=colleague, text="Dabigatran")
    with pytest.raises(opening.SameOption):
        options.add_option(poll=poll, member=third, text="EDOXABAN")
    assert counts(poll) == [0, 0, 0, 0]


def test_there_are_ten_options_at_most(physician, colleague, third):
    poll = make_poll(asker=physician, options=tuple("ABCDEFGHI"), may_add=True)
    options.add_option(poll=poll, member=colleague, text="J")

    with pytest.raises(options.PollIsFull):
        options.add_option(poll=poll, member=third, text="K")


def test_nothing_is_added_where_it_is_not_allowed(physician, colleague):
    closed = make_poll(asker=physician, may_add=True, is_over=True)
    others = make_poll(asker=physician, may_add=True, specialties=[make_specialty("Dermatology").pk])
    for poll, refusal in (
        (make_poll(asker=physician), options.NoAdding),
        (closed, voting.PollIsOver),
        (others, voting.NotAsked),
    ):
        with pytest.raises(refusal):
            options.add_option(poll=poll, member=colleague, text="Edoxaban")
    colleague.standing = "read_only"
    with pytest.raises(voting.ReadOnly):
        options.add_option(poll=make_poll(may_add=True), member=colleague, text="Edoxaban")


def test_an_empty_option_is_none(poll, colleague):
    with pytest.raises(opening.NumberOfOptions):
        options.add_option(poll=poll, member=colleague, text="  ")


def test_who_is_held_adds_nothing(poll, colleague, moderator):
    post = make_answer(make_question(poll.question.asker), colleague)
    action = ModerationAction.objects.create(
        post=post, member=colleague, moderator=moderator.user, kind="hold", reason="spam", statement="x"
    )
    Hold.objects.create(member=colleague, action=action, until=timezone.now() + timedelta(days=1))

    with pytest.raises(limits.Held):
        options.add_option(poll=poll, member=colleague, text="Edoxaban")


# Changed before the first vote


def change(poll, by, new=("Heparin", "Apixaban"), prompt="Which one would you really start with?", **labels):
    return options.edit(poll=poll, by=by, texts=new, prompt=prompt, **labels)


def test_the_author_changes_all_words_before_the_first_vote(poll, physician):
    change(poll, physician)

    assert texts(poll) == ["Heparin", "Apixaban"]
    assert counts(poll) == [0, 0]
    assert Question.objects.get(pk=poll.pk).title == "Which one would you really start with?"
    found = Post.objects.get(question=poll.pk).search_text
    assert "really start" in found
    assert "heparin" in found
    assert "warfarin" not in found


def test_an_attached_poll_changes_its_own_prompt(physician):
    question = make_question(physician)
    poll = make_poll(question=question)

    change(poll, physician)

    assert Poll.objects.get(pk=poll.pk).prompt == "Which one would you really start with?"
    assert Question.objects.get(pk=question.pk).title == question.title


def test_what_readers_added_stays_behind_the_author_s_own(poll, physician, colleague):
    options.add_option(poll=poll, member=colleague, text="Edoxaban")
    with pytest.raises(opening.SameOption):
        change(poll, physician, ("Heparin", "EDOXABAN"))

    change(poll, physician, ("A", "B", "C", "D"))

    assert texts(poll) == ["A", "B", "C", "D", "Edoxaban"]
    assert counts(poll) == [0] * 5
    added = Option.objects.get(poll=poll, is_added=True)
    assert (added.place, added.added_by) == (4, colleague)


def test_of_a_scale_the_labels_change(physician):
    poll = make_poll("scale", asker=physician, low_label="Never", high_label="Always")

    change(poll, physician, (), low_label="Rarely")

    poll.refresh_from_db()
    assert (poll.low_label, poll.high_label) == ("Rarely", "Always")
    assert texts(poll) == ["1", "2", "3", "4", "5"]


def test_after_a_vote_or_a_look_nothing_changes(physician, colleague):
    voted, looked = make_poll(asker=physician), make_poll(asker=physician)
    vote(voted, colleague, 1)
    voting.forfeit(poll=looked, member=colleague)

    for poll in (voted, looked):
        with pytest.raises(options.VotingBegan):
            change(poll, physician)
        assert texts(poll) == ["A", "B", "C"]


def test_who_may_not_change_a_poll(poll, physician, colleague, moderator):
    for other in (colleague, moderator):
        with pytest.raises(writing.NotYours):
            change(poll, other)
    with pytest.raises(voting.PollIsOver):
        change(make_poll(asker=physician, is_over=True), physician)
    with pytest.raises(opening.NoPrompt):
        change(poll, physician, prompt="")
    physician.standing = "read_only"
    with pytest.raises(writing.ReadOnly):
        change(poll, physician)


def together(*jobs):
    """Run jobs at once, each with a connection of its own; return what each came to."""
    start = Barrier(len(jobs))

    def run(job):
        try:
            start.wait(timeout=10)
            job()
            return "done"
        except RuleBroken as refusal:
            return type(refusal).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.mark.django_db(transaction=True)
def test_a_change_and_a_vote_at_once_never_change_what_was_voted_on(physician, colleague):
    """Whichever comes first: a vote locks the words, and words changed before it are what it counts for."""
    for _ in range(12):
        poll = make_poll(asker=physician, options=("A", "B", "C"))
        token = new_token()

        changed, voted = together(
            lambda poll=poll: change(poll, physician, ("X", "Y", "Z")),
            lambda poll=poll, token=token: voting.cast(poll=poll, member=colleague, choices=[2], token=token),
        )

        assert voted == "done"
        assert counts(poll) == [0, 0, 1]
        assert (changed, texts(poll)) in (("done", ["X", "Y", "Z"]), ("VotingBegan", ["A", "B", "C"]))


@pytest.mark.django_db(transaction=True)
def test_a_receipt_waits_for_a_change_that_has_looked_for_receipts(physician, colleague, monkeypatch):
    poll, looked, go_on = make_poll(asker=physician), threading.Event(), threading.Event()
    write_anew = options._write_anew

    def slowly(*args):
        looked.set()
        assert go_on.wait(timeout=10)
        write_anew(*args)

    monkeypatch.setattr(options, "_write_anew", slowly)

    def take():
        assert looked.wait(timeout=10)
        threading.Timer(0.5, release).start()
        voting.cast(poll=poll, member=colleague, choices=[0], token=new_token())

    seen = []

    def release():
        seen.append(Receipt.objects.filter(poll=poll).exists())
        connection.close()
        go_on.set()

    assert together(lambda: change(poll, physician, ("X", "Y")), take) == ["done", "done"]
    assert seen == [False]
    assert counts(poll) == [1, 0]


@pytest.mark.django_db(transaction=True)
def test_a_vote_and_added_options_at_once_are_all_counted(physician):
    poll = make_poll(asker=physician, options=("A", "B"), may_add=True)
    members = [make_member() for _ in range(8)]
    jobs = [
        lambda one=one: options.add_option(poll=poll, member=one, text=f"By {one.handle}")
        for one in members[:4]
    ]
    jobs += [
        lambda one=one: voting.cast(poll=poll, member=one, choices=[0], token=new_token())
        for one in members[4:]
    ]

    assert together(*jobs) == ["done"] * 8
    assert counts(poll) == [4, 0, 0, 0, 0, 0]
    assert list(poll.options.order_by("place").values_list("place", flat=True)) == list(range(6))


@pytest.mark.django_db(transaction=True)
def test_one_reader_who_sends_two_options_at_once_adds_one(physician, colleague):
    poll = make_poll(asker=physician, may_add=True)

    ends = together(
        *(
            lambda text=text: options.add_option(poll=poll, member=colleague, text=text)
            for text in ("First", "Second")
        )
    )

    assert sorted(ends) == ["AddedBefore", "done"]
    assert counts(poll) == [0] * 4


# What changed meanwhile


def edit(poll, by, **fields):
    said = {"texts": ["Apixaban", "Warfarin"], "prompt": "Which one would you start with?"}
    return options.edit(poll=poll, by=by, **{**said, **fields})


def test_a_page_left_open_puts_back_nothing_that_changed(physician, moderator):
    poll = make_poll(asker=physician, options=("Apixabna", "Warfarin", "None"))
    was = options.wording_of(poll)
    put_right(poll, moderator, "Apixaban", poll.options.get(place=0))

    with pytest.raises(options.ChangedMeanwhile):
        edit(poll, physician, texts=["Apixabna", "Warfarin", "Both"], was=was)

    assert texts(poll) == ["Apixaban", "Warfarin", "None"]
    edit(poll, physician, texts=["Apixaban", "Both"], was=options.wording_of(poll))
    assert texts(poll) == ["Apixaban", "Both"]


@pytest.mark.parametrize(
    "change",
    [
        lambda poll: Question.objects.filter(pk=poll.pk).update(title="Which one […]?"),
        lambda poll: Poll.objects.filter(pk=poll.pk).update(low_label="[…]"),
        lambda poll: poll.options.filter(place=2).update(text="[…]"),
    ],
)
def test_each_word_the_author_can_change_counts(poll, physician, change):
    was = options.wording_of(poll)
    change(poll)

    with pytest.raises(options.ChangedMeanwhile):
        edit(poll, physician, was=was)


def test_words_a_moderator_took_out_do_not_come_back(poll, physician, moderator):
    post, was = Post.objects.get(question=poll.pk), options.wording_of(poll)
    ModerationAction.objects.create(
        kind="redact", post=post, member=physician, moderator=moderator.user, reason="spam", statement="x"
    )
    poll.options.filter(place=2).update(text="[…]")

    with pytest.raises(writing.TakenOutByModerator):
        edit(poll, physician, was=was)


def test_corrections_stay_when_the_author_rewrites_the_options(physician, moderator):
    poll = make_poll(asker=physician, options=("Apixabna", "Warfrain", "None"))
    for place, text in enumerate(["Apixaban", "Warfarin"]):
        put_right(poll, moderator, text, poll.options.get(place=place))

    edit(poll, physician, texts=["None", "Apixaban"])

    rows = Correction.objects.values_list("option__text", "was", "became")
    assert list(rows) == [("Apixaban", "Apixabna", "Apixaban"), (None, "Warfrain", "Warfarin")]


def test_a_poll_that_repeats_another_is_not_edited(physician):
    first, second = [
        make_poll(asker=physician, trend=trend, wave=wave)
        for trend in [make_trend(physician)]
        for wave in (1, 2)
    ]

    edit(first, physician)
    with pytest.raises(options.IsRepeated):
        edit(second, physician)


def test_own_and_added_options_are_ten_at_most(physician, colleague, third):
    poll = make_poll(asker=physician, options=("A", "B"), may_add=True)
    options.add_option(poll=poll, member=colleague, text="Edoxaban")
    options.add_option(poll=poll, member=third, text="Heparin")

    with pytest.raises(options.NoRoom, match=r"“Edoxaban”, “Heparin”.* write 8 or fewer"):
        edit(poll, physician, texts=list("ABCDEFGHI"))
    with pytest.raises(opening.SameOption) as refusal:
        edit(poll, physician, texts=["A", "heparin"])
    assert refusal.value.place == 1


# Equal to the database alone


SIGMAS = ("ΟΔΟΣ", "οδοσ")  # Python ends the first one in lower case with another letter


def test_options_equal_to_the_database_are_the_same(physician, colleague, moderator):
    open_one = make_poll(asker=physician, options=(SIGMAS[0], "Warfarin", "Apixabna"), may_add=True)
    with pytest.raises(opening.SameOption):
        options.add_option(poll=open_one, member=colleague, text=SIGMAS[1])
    with pytest.raises(opening.SameOption):
        edit(open_one, physician, texts=list(SIGMAS))

    assert texts(open_one) == [SIGMAS[0], "Warfarin", "Apixabna"]


# Put right by a moderator


def put_right(poll, moderator, text, option=None):
    return options.correct(poll=poll, user=moderator.user, option=option, text=text)


def test_a_typo_is_put_right_after_votes_and_stays_on_record(physician, colleague, moderator):
    poll = make_poll(asker=physician, options=("Apixabna", "Warfarin"), title="Whcih one do you start with?")
    vote(poll, colleague, 0)
    option = poll.options.get(place=0)

    put_right(poll, moderator, " Apixaban ", option)
    put_right(poll, moderator, "Which one do you start with?")

    rows = Correction.objects.values_list("option", "was", "became", "moderator")
    assert list(rows) == [
        (option.pk, "Apixabna", "Apixaban", moderator.user.pk),
        (None, "Whcih one do you start with?", "Which one do you start with?", moderator.user.pk),
    ]
    assert texts(poll) == ["Apixaban", "Warfarin"]
    assert Question.objects.get(pk=poll.pk).title == "Which one do you start with?"
    found = Post.objects.get(question=poll.pk).search_text
    assert found == "which one do you start with? apixaban warfarin"
    assert counts(poll) == [1, 0]


def test_the_prompt_of_an_attached_poll_is_put_right(physician, moderator):
    poll = make_poll(question=make_question(physician), title="Whcih one?")

    put_right(poll, moderator, "Which one?")

    assert Poll.objects.get(pk=poll.pk).prompt == "Which one?"


@pytest.mark.parametrize(
    ("was", "text"),
    [
        ("Give 5 mg", "Give 50 mg"),
        ("Give 5 mg", "Give .5 mg"),
        ("Age >60", "Age <60"),
        ("Do it", "Do not it"),
        ("Use no stent", "Use a stent"),
        ("We don't", "We do"),
        ("Apixaban", "Edoxaban!"),
        ("With hypertension", "With hypotension"),
        ("Give 5 mg", "Give 5 mcg"),
        ("If symptomatic", "If asymptomatic"),
        ("If stable", "If unstable"),
        ("IV at once", "IM at once"),
        ("Apixaban bid", "Apixaban tid"),
        ("Lower by 5%", "Lower by 5"),
        ("Lower by 5 µg", "Lower by 5 g"),
        ("Fifty micrograms", "Fifty milligrams"),
        ("After fifty days", "After sixty days"),
        ("In fourteen days", "In fifteen days"),
        ("Increase it", "Decrease it"),
        ("Maximum dose", "Minimum dose"),
        ("Adduction", "Abduction"),
        ("If a symptomatic one", "If asymptomatic one"),
        ("Nonsmokers", "Non smokers"),
        ("Yes, if he can", "Yes, if she can"),
        ("ST or MI", "ST or mi"),
        ("IV/IM", "IV IM"),
    ],
)
def test_more_than_a_typo_is_refused(physician, moderator, was, text):
    poll = make_poll(asker=physician, options=(was, "Other"))

    with pytest.raises(options.NotATypo):
        put_right(poll, moderator, text, poll.options.get(place=0))

    assert texts(poll) == [was, "Other"]
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    ("was", "text"),
    [
        ("Apixabna", "Apixaban"),
        ("apixaban, always", "Apixaban, always"),
        ("no, never", "No, never"),
        ("Wafarin", "Warfarin"),
        ("Unkown to me", "Unknown to me"),
        ("Diabtes with insulin", "Diabetes with insulin"),
        ("Patientsabove sixty", "Patients above sixty"),
        ("Antiplatlet drug", "Antiplatelet drug"),
        ("Yes , always", "Yes, always"),
    ],
)
def test_few_letters_of_long_words_are_put_right(physician, moderator, was, text):
    poll = make_poll(asker=physician, options=(was, "Other"))

    put_right(poll, moderator, text, poll.options.get(place=0))

    assert texts(poll) == [text, "Other"]


def test_a_refused_correction_says_what_is_allowed(physician, moderator):
    poll = make_poll(asker=physician, options=("Stable", "Other"))

    with pytest.raises(options.NotATypo, match="At most 3 letters may change, in words of 5 letters or more"):
        put_right(poll, moderator, "Unstable", poll.options.get(place=0))


def test_what_is_no_correction(physician, moderator, colleague):
    poll = make_poll(asker=physician, options=("Apixabna", "Apixaban"))
    option = poll.options.get(place=0)
    for text, refusal in (
        ("Apixabna", options.NothingChanged),
        ("", options.NothingChanged),
        ("apixaban", opening.SameOption),
        ("Apixabna" + " x" * 60, options.NotATypo),
    ):
        with pytest.raises(refusal):
            put_right(poll, moderator, text, option)
    scale = make_poll("scale", asker=physician)
    with pytest.raises(options.HasPoints):
        put_right(scale, moderator, "1.", scale.options.get(place=0))
    long = make_poll(asker=physician, options=("a" * 120, "b"))
    with pytest.raises(options.TooLong):
        put_right(long, moderator, "a" * 121, long.options.get(place=0))
    with pytest.raises(rights.NotAModerator):
        put_right(poll, colleague, "Apixaban 2", option)


def test_who_takes_part_puts_nothing_right(physician, moderator):
    poll = make_poll(asker=physician, options=("Apixabna", "Warfarin"))
    make_answer(poll.question, moderator)

    with pytest.raises(rights.TakesPart):
        put_right(poll, moderator, "Apixaban", poll.options.get(place=0))


@pytest.mark.parametrize(
    ("one", "other", "letters"),
    [("", "abc", 3), ("abc", "abc", 0), ("teh", "the", 2), ("hypo", "hyper", 2), ("a", "", 1)],
)
def test_letters_changed(one, other, letters):
    assert options.letters_changed(one, other) == letters
