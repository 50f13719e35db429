"""Marks: who may set and remove one, what they are called, and the replies that name them."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Block, Connection
from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import Case, Consent, Image, Marker
from consults.reading import load_case
from consults.services import markers
from consults.tests.factories import make_case
from questions.models import Byline, Question, WriteCount
from questions.services import writing
from questions.services.committing import open_for_reading
from questions.services.moderation import acts, rights
from questions.tests.factories import make_answer, make_comment, make_question
from questions.views.thread import load_question
from verification.models import Event
from verification.services import events

pytestmark = pytest.mark.django_db


def make_mark(case, member=None, *, place=1, **fields):
    image = case.images.get(place=place)
    values = {"left": 250, "top": 400, "label": "Pale middle", **fields}
    return markers.add_marker(image=image, member=member or make_member(), **values)


def where(case):
    return reverse("consults:mark", args=[case.images.get().key])


FIELDS = {"left": "12.5", "top": "80", "label": "A feeding  vessel?"}


# The service


def test_marks_of_a_case_are_numbered_in_the_order_they_came_and_no_number_comes_back(physician):
    case = make_case(images=2)
    first, second = make_mark(case, physician), make_mark(case, place=2)
    markers.remove_marker(marker=second, by=second.member)

    assert (first.number, second.number, make_mark(case).number) == (1, 2, 3)
    assert first.byline == Byline.objects.get(question=case.pk, member=physician)
    assert make_mark(make_case()).number == 1


def test_a_mark_counts_as_a_comment(physician):
    make_mark(make_case(), physician)

    assert WriteCount.objects.get(member=physician).what == WriteCount.What.COMMENT


def test_the_hundredth_mark_is_refused(physician):
    case = make_case()
    last = make_mark(case, physician)
    Marker.objects.filter(pk=last.pk).update(number=99)

    with pytest.raises(markers.TooManyMarks):
        make_mark(case)


def test_words_that_identify_are_refused(physician):
    with pytest.raises(markers.MarkIdentifies, match="555-867-5309"):
        make_mark(make_case(), physician, label="Call 555-867-5309")

    assert not Marker.objects.exists()
    assert not WriteCount.objects.exists()


def test_a_closed_case_takes_no_marks(physician):
    case = make_case()
    Question.objects.filter(pk=case.pk).update(
        status="closed", close_reason="author", closed_at=timezone.now()
    )

    with pytest.raises(writing.NotOpen):
        make_mark(case, physician)


def test_what_is_hidden_ended_withdrawn_or_not_for_one_takes_no_marks(physician):
    hidden, ended, withdrawn = make_case(), make_case(), make_case()
    Image.objects.filter(case=hidden).update(hidden_at=timezone.now())
    Consent.objects.filter(pk=ended.consent_id).update(revoked_at=timezone.now(), revoked_by="patient")
    Case.objects.filter(pk=withdrawn.pk).update(withdrawn_at=timezone.now(), withdrawn="author")
    elsewhere = make_case(make_member(specialty="Nephrology"), audience="specialty")

    for case in (hidden, ended, withdrawn, elsewhere):
        with pytest.raises(markers.PictureGone):
            make_mark(case, physician)


def test_a_mark_is_removed_by_who_set_it_or_a_moderator_and_its_words_go(physician, colleague, moderator):
    case = make_case()
    own, other = make_mark(case, physician), make_mark(case, physician)

    with pytest.raises(markers.NotYourMark):
        markers.remove_marker(marker=own, by=colleague, user=colleague.user)
    removed = markers.remove_marker(marker=own, by=physician)
    again = markers.remove_marker(marker=own, by=physician)
    markers.remove_marker(marker=other, by=moderator, user=moderator.user)

    assert removed.removed_at == again.removed_at
    assert {mark.label for mark in Marker.objects.exclude(removed_at=None)} == {""}


def test_a_moderator_removes_none_where_one_takes_part_and_leaves_a_trace(physician, moderator):
    case = make_case()
    mark = make_mark(case, physician)

    markers.remove_marker(marker=mark, by=moderator, user=moderator.user)
    own = make_mark(case, moderator)
    markers.remove_marker(marker=own, by=moderator, user=moderator.user)
    event = Event.objects.get(kind="moderation_case_mark")
    assert (event.object, event.actor) == (f"marker:{mark.pk}", events.subject_of(moderator.user).pk)
    assert event.subject is None

    other = make_mark(case, physician)
    with pytest.raises(rights.TakesPart):
        markers.remove_marker(marker=other, by=moderator, user=moderator.user)


def test_a_number_is_given_once():
    case = make_case()
    mark = make_mark(case)

    with pytest.raises(IntegrityError), transaction.atomic():
        Marker.objects.filter(pk=make_mark(case).pk).update(number=mark.number)


# Replies


def test_a_reply_has_the_marks_of_its_author_that_it_names(physician, colleague):
    case = make_case()
    first, second, third = (make_mark(case, physician) for _ in range(3))
    foreign = make_mark(case, colleague)

    answer = make_answer(
        case.question, physician, source="See (mark 1), and (Mark 2); not (mark 4), not mark 3."
    )
    comment = make_comment(answer, physician, source="As (mark 1) and (mark 3) show.")

    assert [Marker.objects.get(pk=mark.pk).post for mark in (first, second)] == [answer, answer]
    assert Marker.objects.get(pk=third.pk).post == comment
    assert Marker.objects.get(pk=foreign.pk).post is None


def test_a_removed_mark_belongs_to_no_reply_and_other_discussions_know_none(physician):
    case = make_case()
    mark = make_mark(case, physician)
    markers.remove_marker(marker=mark, by=physician)

    make_answer(case.question, physician, source="See (mark 1) there.")
    make_answer(make_question(make_member()), physician, source="See (mark 1) there.")

    assert Marker.objects.get().post is None


@pytest.mark.parametrize("kind", ["remove", "fold"])
def test_marks_of_a_reply_go_out_of_sight_with_it(kind, physician, moderator):
    case = make_case()
    make_mark(case, physician)
    make_mark(case, physician, label="Scaly rim")
    answer = make_answer(case.question, physician, source="See (mark 1) there.")
    asker = case.question.asker.user
    assert [mark.number for mark in load_case(asker, load_question(asker, case.pk)).marks] == [1, 2]

    acts.act(post=answer, by=moderator.user, kind=kind, reason="spam")

    assert [mark.number for mark in load_case(asker, load_question(asker, case.pk)).marks] == [2]


# Views


def test_a_mark_is_set_and_stands_on_the_picture_and_in_the_list(physician, physician_client):
    case = make_case()

    response = physician_client.post(where(case), FIELDS, follow=True)

    mark = Marker.objects.get()
    assert (mark.left, mark.top, mark.label, mark.member) == (125, 800, "A feeding vessel?", physician)
    assert response.redirect_chain == [(f"{case.get_absolute_url()}?image=1#viewer", 302)]
    page = response.content.decode()
    assert 'x="12.5%" y="80%"' in page
    assert f'aria-label="Mark 1: A feeding vessel?, {physician.handle}"' in page
    assert f'id="mark-{mark.pk}"' in page
    assert "Name it in your answer as (mark 1)." in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label": " "}, "Say in 1 to 80 characters"),
        ({"label": "x" * 81}, "Say in 1 to 80 characters"),
        ({"left": "101"}, "from 0 to 100 percent"),
        ({"top": "nan"}, "from 0 to 100 percent"),
        ({"label": "Call 555-867-5309"}, "Leave out"),
    ],
)
def test_what_is_refused_comes_back_with_what_was_typed(physician_client, changes, said):
    case = make_case(images=1)

    response = physician_client.post(where(case), FIELDS | changes)

    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    assert f'value="{(FIELDS | changes)["label"]}"' in page
    assert not Marker.objects.exists()


def test_doors_of_marking(client, physician, physician_client, applicant_client):
    case = make_case()
    assert "/accounts/login/" in client.post(where(case), FIELDS)["Location"]
    assert applicant_client.post(where(case), FIELDS)["Location"] == reverse("verification:start")
    assert physician_client.get(where(case))["Location"] == f"{case.get_absolute_url()}?image=1#viewer"

    physician.standing = "read_only"
    physician.save(update_fields=["standing"])
    assert client_of(physician).post(where(case), FIELDS).status_code == 403
    assert "data-mark>" not in client_of(physician).get(case.get_absolute_url()).content.decode()
    assert not Marker.objects.exists()


def test_a_picture_that_one_may_not_see_takes_no_mark(physician_client):
    case = make_case()
    Image.objects.filter(case=case).update(hidden_at=timezone.now())
    assert physician_client.post(where(case), FIELDS).status_code == 404

    other = make_case(make_member(specialty="Nephrology"), audience="specialty")
    assert physician_client.post(where(other), FIELDS).status_code == 404


def test_among_connections_nobody_marks_under_a_name(physician):
    physician.byline_mode, physician.display_name = "public", "Ada Example"
    physician.save(update_fields=["byline_mode", "display_name"])
    other = make_case(audience="connections")
    Connection.objects.create(
        requester=physician, addressee=other.question.asker, state="accepted", answered_at=timezone.now()
    )

    assert client_of(physician).post(where(other), FIELDS).status_code == 302
    assert Marker.objects.get().byline.mode == Byline.Mode.ANONYMOUS


def test_one_removes_one_s_own_mark_and_nobody_else_s(
    physician, physician_client, colleague, colleague_client
):
    case = make_case()
    open_for_reading(question=case.question, member=colleague)
    mark = make_mark(case, physician)
    address = reverse("consults:remove_mark", args=[mark.pk])
    assert f'action="{address}"' in physician_client.get(case.get_absolute_url()).content.decode()
    assert f'action="{address}"' not in colleague_client.get(case.get_absolute_url()).content.decode()

    colleague_client.post(address)
    physician_client.get(address)
    assert Marker.objects.get().removed_at is None
    assert physician_client.post(address)["Location"] == f"{case.get_absolute_url()}?image=1#viewer"
    assert Marker.objects.get().removed_at
    assert "Pale middle" not in physician_client.get(case.get_absolute_url()).content.decode()


def test_marks_under_a_blocked_face_are_not_shown(physician, physician_client):
    case = make_case()
    mark = make_mark(case)
    open_for_reading(question=case.question, member=physician)
    assert "Pale middle" in physician_client.get(case.get_absolute_url()).content.decode()

    Block.objects.create(blocker=physician, blocked=mark.member, blocker_face="handle", blocked_face="handle")

    assert "Pale middle" not in physician_client.get(case.get_absolute_url()).content.decode()
