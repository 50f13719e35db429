import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.services import profiles
from accounts.tests.factories import make_member, make_specialty
from questions.models import Byline, Credit, Draft, Importance, Post, Question, QuestionSpecialty, Vote
from questions.services import bylines, closing, voting, writing
from questions.signals import edit_asked
from questions.tests.factories import corroborate, make_answer, make_comment, make_question
from sermo.errors import RuleBroken


def test_asking_makes_a_question_with_its_opening_and_topics(physician, colleague):
    question = make_question(
        physician, specialties=[colleague.specialty, physician.specialty], tags=["Dialysis", "dialysis "]
    )

    assert question.posts.get().kind == Post.Kind.OPENING
    assert [row.specialty.name for row in question.questionspecialty_set.order_by("place")] == [
        "Nephrology",
        "Cardiovascular Disease",
    ]
    assert [tag.slug for tag in question.tags.all()] == ["dialysis"]
    assert question.excerpt.startswith("In the 70s")


def test_the_same_submission_asks_once(physician):
    submission = uuid.uuid4()

    first = make_question(physician, submission=submission)
    second = make_question(physician, submission=submission)

    assert first == second
    assert Question.objects.count() == 1


def test_the_same_submission_answers_and_comments_once(physician, colleague):
    question, submission, another = make_question(physician), uuid.uuid4(), uuid.uuid4()

    answer = make_answer(question, colleague, submission=submission)
    assert make_answer(question, colleague, submission=submission) == answer
    comment = make_comment(answer, physician, submission=another)
    assert make_comment(answer, physician, submission=another) == comment

    question.refresh_from_db()
    assert (question.answer_count, question.comment_count) == (1, 1)


def test_asking_within_a_specialty_one_does_not_practice_is_refused(physician, colleague):
    with pytest.raises(writing.NotInAudience):
        make_question(physician, specialties=[colleague.specialty], audience="specialty")


def test_an_answer_counts_and_lifts_the_question(physician, colleague):
    question = make_question(physician)
    before = question.hot

    answer = make_answer(question, colleague)

    question.refresh_from_db()
    assert question.answer_count == 1
    assert question.first_answer_at == question.activity_at == answer.posted_at
    assert question.hot > before


def test_the_asker_s_own_answer_is_no_first_reply(physician):
    question = make_question(physician)

    make_answer(question, physician)

    question.refresh_from_db()
    assert (question.answer_count, question.first_answer_at) == (1, None)


def test_a_reply_to_a_comment_hangs_under_the_answer(physician, colleague):
    answer = make_answer(make_question(physician), colleague)
    comment = make_comment(answer, physician)

    reply = make_comment(comment, colleague)

    assert reply.parent == answer


def test_nothing_is_written_in_a_closed_discussion(physician, colleague):
    question = make_question(physician)
    answer = make_answer(question, colleague)
    closing.close_question(question=question, by=physician)

    with pytest.raises(writing.NotOpen):
        make_answer(question)
    with pytest.raises(writing.NotOpen):
        make_comment(answer)
    with pytest.raises(writing.NotOpen):
        writing.edit_post(post=answer, by=colleague, source="Something else entirely.")


def test_an_early_edit_is_silent(physician, colleague):
    answer = make_answer(make_question(physician), colleague)

    edited = writing.edit_post(post=answer, by=colleague, source="Occlude. I am sure.")

    assert "I am sure" in edited.html
    assert edited.edited_at is None
    assert not edited.revisions.exists()


def test_no_edit_of_an_answer_that_opened_the_others_is_silent(physician, colleague):
    question = make_question(physician, answer_first=True)
    answer = make_answer(question, colleague)
    comment, opening = make_comment(answer, colleague), question.posts.get(kind="opening")

    edited = writing.edit_post(post=answer, by=colleague, source="Melanoma. I am sure.")

    assert edited.edited_at
    assert edited.revisions.get().source == answer.source
    for post in (comment, opening):
        edited = writing.edit_post(post=post, by=post.author, source="Something else entirely.")
        assert not edited.revisions.exists()


def test_apps_above_may_refuse_an_edit(physician, colleague):
    answer = make_answer(make_question(physician), colleague)

    def refuse(post, source, **kwargs):
        raise RuleBroken(f"Not “{source}” instead of “{post.source}”.")

    edit_asked.connect(refuse)
    try:
        with pytest.raises(RuleBroken, match="instead of"):
            writing.edit_post(post=answer, by=colleague, source="Wait.")
    finally:
        edit_asked.disconnect(refuse)


def test_a_later_edit_keeps_what_it_said_before(physician, colleague):
    answer = make_answer(make_question(physician), colleague)
    Post.objects.filter(pk=answer.pk).update(posted_at=timezone.now() - timedelta(minutes=16))

    writing.edit_post(post=answer, by=colleague, source="Do not occlude after all.")
    edited = writing.edit_post(post=answer, by=colleague, source="On reflection, occlude.")

    assert edited.edited_at
    assert [row.source for row in edited.revisions.order_by("number")] == [
        answer.source,
        "Do not occlude after all.",
    ]


def test_an_edited_title_is_kept_in_the_revision_and_found_by_search(physician):
    question = make_question(physician)
    opening = question.posts.get()
    Post.objects.update(posted_at=timezone.now() - timedelta(hours=1))

    writing.edit_post(
        post=opening, by=physician, source=opening.source, title="Apixaban and a Zürich protocol?"
    )

    question.refresh_from_db()
    opening.refresh_from_db()
    assert question.title == "Apixaban and a Zürich protocol?"
    assert opening.search_text.startswith("apixaban and a zurich protocol?")
    assert opening.revisions.get().title == "How long do you hold it before the procedure?"


def test_only_the_author_edits(physician, colleague):
    answer = make_answer(make_question(physician), colleague)

    with pytest.raises(writing.NotYours):
        writing.edit_post(post=answer, by=physician, source="Mine now, entirely.")


def test_two_editors_do_not_overwrite_each_other(physician, colleague):
    answer = make_answer(make_question(physician), colleague)
    writing.edit_post(post=answer, by=colleague, source="The first window's words.", was=answer.source)

    with pytest.raises(writing.ChangedMeanwhile):
        writing.edit_post(post=answer, by=colleague, source="The second window's words.", was=answer.source)


def test_removing_an_answer_takes_its_counts_along(physician, colleague, third):
    question = make_question(physician)
    answer = make_answer(question, colleague)
    corroborate(answer, third)

    writing.remove_post(post=answer, by=colleague)
    writing.remove_post(post=answer, by=colleague)

    question.refresh_from_db()
    answer.refresh_from_db()
    colleague.rank.refresh_from_db()
    assert (question.answer_count, question.vote_count, question.first_answer_at) == (0, 0, None)
    assert (answer.removed_by, colleague.rank.points) == ("author", 0)


def test_an_author_removes_nothing_once_it_is_closed_or_the_license_lapsed(physician, colleague):
    question = make_question(physician)
    answer = make_answer(question, colleague)
    colleague.standing = "read_only"
    colleague.save()
    with pytest.raises(writing.ReadOnly):
        writing.remove_post(post=answer, by=colleague)

    colleague.standing = "physician"
    closing.close_question(question=question, by=physician)
    with pytest.raises(writing.NotOpen):
        writing.remove_post(post=answer, by=colleague)


def test_removing_a_question_takes_the_points_of_all_who_wrote_in_it(physician, colleague, third, moderator):
    question = make_question(physician)
    corroborate(make_answer(question, colleague), third)
    assert colleague.rank.points == 5

    writing.remove_post(post=question.posts.get(kind="opening"), by=moderator, user=moderator.user)

    colleague.rank.refresh_from_db()
    assert colleague.rank.points == 0


def test_removing_the_credited_answer_takes_the_solution_back(physician, colleague):
    question = make_question(physician)
    answer = make_answer(question, colleague)
    closing.solve_question(question=question, by=physician, answers=[answer])

    writing.remove_post(post=answer, by=colleague)

    question.refresh_from_db()
    assert not question.is_solved
    assert not question.credits.exists()


def test_a_form_sent_again_with_other_words_is_refused(physician, colleague):
    question, other, submission = (
        make_question(physician),
        make_question(physician, title="Quite another one?"),
        uuid.uuid4(),
    )
    make_answer(question, colleague, submission=submission)

    with pytest.raises(writing.SentBefore):
        make_answer(question, colleague, source="Other words than before.", submission=submission)
    with pytest.raises(writing.SentBefore):
        make_answer(other, colleague, submission=submission)


def test_a_question_with_answers_stays_and_one_without_goes(physician, colleague):
    answered, lonely = (
        make_question(physician),
        make_question(physician, title="Nobody will answer this one?"),
    )
    make_answer(answered, colleague)

    with pytest.raises(writing.HasReplies):
        writing.remove_post(post=answered.posts.get(kind="opening"), by=physician)
    writing.remove_post(post=lonely.posts.get(), by=physician)

    lonely.refresh_from_db()
    assert lonely.is_removed


def test_a_moderator_removes_and_another_member_does_not(physician, colleague, moderator):
    answer = make_answer(make_question(physician), colleague)

    with pytest.raises(writing.NotYours):
        writing.remove_post(post=answer, by=physician, user=physician.user)
    removed = writing.remove_post(post=answer, by=moderator, user=moderator.user)

    assert removed.removed_by == "moderator"


def test_a_byline_is_fixed_by_the_first_post(physician, colleague):
    question = make_question(physician)

    first = make_answer(question, colleague, byline="anonymous")
    second = make_answer(question, colleague, byline="partial", byline_confirmed=True)

    assert first.byline == second.byline
    assert second.byline.mode == "anonymous"


def test_showing_more_than_the_profile_needs_a_confirmation(physician, colleague):
    question = make_question(physician)

    with pytest.raises(bylines.LessPrivateByline):
        make_answer(question, colleague, byline="partial")
    with pytest.raises(bylines.NoPublicName):
        make_answer(question, colleague, byline="public", byline_confirmed=True)

    assert make_answer(question, colleague, byline="partial", byline_confirmed=True).byline.mode == "partial"


def test_more_privacy_masks_old_posts_and_less_uncovers_none(physician):
    profiles.choose_byline(member=physician, mode="public", display_name="Amara Okafor, MD")
    named = make_question(physician).posts.get()
    profiles.choose_byline(member=physician, mode="partial")
    partial = make_question(physician, title="Another question for the house?").posts.get()
    assert Byline.objects.get(pk=named.byline_id).mode == "masked"

    profiles.choose_byline(member=physician, mode="public", display_name="Amara Okafor, MD")
    modes = dict(Byline.objects.values_list("pk", "mode"))
    assert modes == {named.byline_id: "masked", partial.byline_id: "anonymous"}


@pytest.mark.parametrize("back_to", ["anonymous", "partial"])
def test_no_step_changes_both_what_stands_under_the_handle_and_under_the_name(physician, back_to):
    """Two faces that changed at one moment would be known for one person."""
    kept = make_question(physician, title="What do you do under the bare handle?").posts.get()
    profiles.choose_byline(member=physician, mode="partial")
    partial = make_question(physician).posts.get()
    steps = []
    for mode in ("public", back_to):
        before = dict(Byline.objects.values_list("pk", "mode"))
        profiles.choose_byline(member=physician, mode=mode, display_name="Amara Okafor, MD")
        now = dict(Byline.objects.values_list("pk", "mode"))
        steps.append({pk: now[pk] for pk in now if now[pk] != before[pk]})
        if mode == "public":
            named = make_question(physician, title="And what under the name?").posts.get()

    assert steps == [{partial.byline_id: "anonymous"}, {named.byline_id: "masked"}]
    assert Byline.objects.get(pk=kept.byline_id).mode == "anonymous"


def test_the_handle_of_a_member_who_shows_the_name_gives_no_details(physician, colleague):
    profiles.choose_byline(member=colleague, mode="public", display_name="Amara Okafor, MD")
    colleague.refresh_from_db()

    with pytest.raises(bylines.NoPartialByline):
        make_answer(make_question(physician), colleague, byline="partial")
    assert "partial" not in dict(bylines.choices_for(colleague))


def test_who_has_just_left_signs_nothing(physician, colleague):
    question = make_question(physician)
    type(colleague).objects.filter(pk=colleague.pk).update(user=None)

    with pytest.raises(bylines.AccountClosed):
        bylines.sign(question=question, member=colleague)


def test_a_byline_is_chosen_from_the_profile_as_it_is_not_as_the_request_saw_it(physician, colleague):
    question = make_question(physician)
    profiles.choose_byline(member=colleague, mode="partial")
    stale = type(colleague).objects.get(pk=colleague.pk)
    profiles.choose_byline(member=colleague, mode="anonymous")

    with pytest.raises(bylines.LessPrivateByline):
        make_answer(question, stale, byline="partial")


def test_a_draft_is_forgotten_once_posted(physician):
    writing.save_draft(member=physician, place="ask", fields={"title": "Half a thought"})
    writing.save_draft(member=physician, place="ask", fields={"title": "A whole thought"})
    assert Draft.objects.get().fields == {"title": "A whole thought"}

    make_question(physician)

    assert not Draft.objects.exists()


def test_the_database_refuses_a_second_opening(physician):
    opening = make_question(physician).posts.get()
    opening.pk, opening.submission = None, None

    with pytest.raises(IntegrityError, match="post_one_opening"), transaction.atomic():
        opening.save(force_insert=True)


def test_the_database_refuses_a_comment_under_nothing(physician, colleague):
    answer = make_answer(make_question(physician), colleague)

    with pytest.raises(IntegrityError, match="post_comment_has_parent"), transaction.atomic():
        Post.objects.filter(pk=answer.pk).update(kind="comment")


def test_the_database_refuses_a_fourth_specialty(physician):
    question = make_question(physician)

    with pytest.raises(IntegrityError, match="question_specialties_at_most_three"), transaction.atomic():
        QuestionSpecialty.objects.create(question=question, specialty=make_specialty("Urology"), place=4)


def test_the_database_refuses_a_removal_by_nobody(physician):
    with pytest.raises(IntegrityError, match="post_removed_by_someone"), transaction.atomic():
        Post.objects.filter(pk=make_question(physician).posts.get().pk).update(removed_at=timezone.now())


def test_a_former_member_s_post_is_not_linked_to_a_page(physician):
    from questions.signature import signature

    physician.user.delete()
    physician.refresh_from_db()

    assert signature("anonymous", physician).name == "former member"
    assert signature("anonymous", physician).url == ""


def test_votes_of_a_removed_answer_cannot_be_cast(physician, colleague, third):
    answer = make_answer(make_question(physician), colleague)
    writing.remove_post(post=answer, by=colleague)

    with pytest.raises(writing.PostIsGone):
        voting.cast_vote(post=answer, voter=third, value=1)
    with pytest.raises(writing.PostIsGone):
        make_comment(answer, make_member())


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"kind": "x"}, "question_kind_is_known"),
        ({"audience": "x"}, "question_audience_is_known"),
        ({"urgency": "x"}, "question_urgency_is_known"),
    ],
)
def test_the_database_knows_every_kind_of_question(physician, fields, name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Question.objects.filter(pk=make_question(physician).pk).update(**fields)


def test_the_database_holds_together_what_belongs_to_one_discussion(physician, colleague, third):
    one, other = make_question(physician), make_question(physician, title="Quite another question?")
    answer, stranger = make_answer(one, colleague), make_answer(other, third)
    refused = [
        (
            "post_signed_by_its_author",
            lambda: Post.objects.filter(pk=answer.pk).update(byline=stranger.byline),
        ),
        ("post_under_one_of_its_discussion", lambda: make_comment_under(answer, stranger)),
        ("credit_within_its_discussion", lambda: Credit.objects.create(question=one, post=stranger, place=1)),
        (
            "vote_names_the_author",
            lambda: Vote.objects.create(post=answer, voter=colleague, author=third, value=1),
        ),
        (
            "importance_names_the_asker",
            lambda: Importance.objects.create(question=one, rater=physician, asker=third, value=5),
        ),
    ]

    for name, write in refused:
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            checked(write)


def checked(write):
    """Write, and let the deferred keys speak at once."""
    write()
    connection.check_constraints()


def make_comment_under(answer, stranger):
    comment = make_comment(answer, stranger.author)
    Post.objects.filter(pk=comment.pk).update(parent=stranger)
