from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Handle, Member, User
from accounts.roles import is_moderator
from accounts.services import members, profiles
from accounts.signals import byline_mode_changed
from accounts.tests.factories import make_user


def test_two_members_never_share_a_handle_or_its_lookalike(physician):
    for handle in ("left_atrium", "LEFT_ATRIUM", "left.atriurn"):
        with pytest.raises(members.HandleTaken):
            members.create_member(user=make_user(), handle=handle)


def test_an_old_handle_stays_reserved_for_its_owner(physician, colleague):
    members.change_handle(member=physician, handle="right_atrium")

    assert not members.is_free("left_atrium")
    assert members.is_free("left_atrium", member=physician)
    with pytest.raises(members.HandleTaken):
        members.change_handle(member=colleague, handle="left_atrium")


def test_a_handle_changes_once_in_90_days(physician):
    members.change_handle(member=physician, handle="right_atrium")

    with pytest.raises(members.HandleChangedLately, match="yours again on"):
        members.change_handle(member=physician, handle="septum")

    Member.objects.update(handle_changed_at=timezone.now() - timedelta(days=90, minutes=1))
    assert members.change_handle(member=physician, handle="left_atrium").handle == "left_atrium"


def test_the_same_handle_again_changes_nothing(physician):
    members.change_handle(member=physician, handle="left_atrium")

    physician.refresh_from_db()
    assert physician.handle_changed_at is None


def test_a_handle_in_other_letters_is_one_s_own(physician):
    changed = members.change_handle(member=physician, handle="Left_Atrium")

    assert changed.handle == "Left_Atrium"
    assert Handle.objects.filter(member=physician, released_at=None).count() == 1


def test_the_database_refuses_a_second_current_handle(physician):
    with pytest.raises(IntegrityError, match="handle_one_current"), transaction.atomic():
        Handle.objects.create(key="other", text="other", member=physician)


def test_the_database_refuses_the_same_handle_in_other_letters(physician):
    with pytest.raises(IntegrityError, match="member_handle_once"), transaction.atomic():
        Member.objects.create(handle="LEFT_atrium")


def test_the_database_refuses_an_address_with_capitals(db):
    with pytest.raises(IntegrityError, match="user_email_is_lower_case"), transaction.atomic():
        User.objects.create(email="Ada@Example.org")


def test_an_address_is_stored_in_lower_case(db):
    assert User.objects.create_user("Ada@Example.ORG").email == "ada@example.org"


def test_a_public_byline_needs_a_verified_name(physician):
    with pytest.raises(profiles.NotVerified):
        profiles.choose_byline(member=physician, mode="public")

    member = profiles.choose_byline(member=physician, mode="public", display_name="Amara Okafor, MD")
    assert member.display_name == "Amara Okafor, MD"


def test_going_back_from_public_erases_the_name_and_announces_it(physician):
    profiles.choose_byline(member=physician, mode="public", display_name="Amara Okafor, MD")
    heard = []

    def listener(member, was, **kwargs):
        heard.append((member.byline_mode, was))

    byline_mode_changed.connect(listener)
    member = profiles.choose_byline(member=physician, mode="anonymous")

    assert member.display_name == ""
    assert heard == [("anonymous", "public")]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"byline_mode": "public"}, "member_public_has_display_name"),
        ({"display_name": "Amara Okafor"}, "member_display_name_only_if_public"),
        ({"standing": "god"}, "member_standing_is_known"),
    ],
)
def test_the_database_keeps_names_and_modes_together(physician, fields, name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Member.objects.filter(pk=physician.pk).update(**fields)


def test_verification_fills_in_a_specialty_only_where_none_was_chosen(applicant, physician, colleague):
    members.set_standing(member=applicant, standing="physician", specialty=colleague.specialty)
    members.set_standing(member=physician, standing="read_only", specialty=colleague.specialty)

    applicant.refresh_from_db()
    physician.refresh_from_db()
    assert (applicant.standing, applicant.specialty) == ("physician", colleague.specialty)
    assert (physician.standing, physician.specialty.name) == ("read_only", "Cardiovascular Disease")


def test_a_rank_of_privacy_orders_the_modes():
    assert profiles.is_more_private("anonymous", than="partial")
    assert profiles.is_more_private("partial", than="public")
    assert not profiles.is_more_private("public", than="public")


def test_a_suspended_moderator_moderates_nothing(moderator):
    assert is_moderator(moderator.user)
    moderator.standing = "suspended"
    moderator.save()

    assert not is_moderator(User.objects.get(pk=moderator.user_id))


def test_the_database_refuses_a_handle_released_before_it_was_taken(physician):
    with pytest.raises(IntegrityError, match="handle_released_after_taken"), transaction.atomic():
        Handle.objects.filter(member=physician).update(released_at=timezone.now() - timedelta(days=1))
