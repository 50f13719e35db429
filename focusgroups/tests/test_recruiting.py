"""Whom a room's rule reaches, and asking them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Kind, NoticeChoice, NoticeSettings, Way
from accounts.models.notices import Notice
from accounts.tests.factories import make_member, make_specialty
from focusgroups.models import Candidate, RoomModerator
from focusgroups.services import holding, recruiting
from focusgroups.signals import seats_sought
from focusgroups.tests.factories import make_cell, make_moderator, make_recruiting_room, make_room
from questions.models import MemberRank
from verification.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_moderator()


@pytest.fixture
def room(owner):
    return make_recruiting_room(by=owner)


def reached(room):
    return set(recruiting.reach(room))


class TestReach:
    def test_it_is_all_active_physicians_of_a_room_without_a_rule(self, room):
        physician = make_member()
        make_member(standing="applicant", specialty=None)
        make_member(standing="read_only")
        idle = make_member()
        idle.user.is_active = False
        idle.user.save()

        assert reached(room) == {physician}

    def test_each_list_narrows_it(self, room):
        fits = {"specialty": "Nephrology", "state": "CA", "years_band": "6-10"}
        found = make_member(**fits)
        MemberRank.objects.create(member=found, points=100, tier=MemberRank.Tier.values[1])
        for other in ({"specialty": "Dermatology"}, {"state": "NY"}, {"years_band": "31+"}, {}):
            near = make_member(**{**fits, **other})
            if other:
                MemberRank.objects.create(member=near, points=100, tier=MemberRank.Tier.values[1])
        room.specialties = [make_specialty("Nephrology").pk]
        room.states, room.years_bands, room.tiers = ["CA"], ["6-10"], [MemberRank.Tier.values[1]]

        assert reached(room) == {found}

    def test_whoever_has_no_rank_is_of_the_first_tier(self, room):
        newcomer = make_member()
        room.tiers = [MemberRank.Tier.NEW]

        assert reached(room) == {newcomer}

    def test_nobody_is_reached_for_whom_there_is_no_cell(self, owner):
        room = make_recruiting_room(by=owner, cells=False)
        kidneys, early = make_member(specialty="Nephrology"), make_member(years_band="0-5")
        make_member(specialty="Dermatology", years_band="31+")
        make_cell(room, "Kidneys", specialties=[make_specialty("Nephrology").pk])
        make_cell(room, "Early", years_bands=["0-5"])

        assert reached(room) == {kidneys, early}

    def test_nobody_is_asked_twice_nor_into_a_room_they_run(self, room):
        asked, runs, other = make_member(), make_member(), make_member()
        Candidate.objects.create(room=room, member=asked, state=Candidate.State.DECLINED)
        RoomModerator.objects.create(room=room, user=runs.user)

        assert reached(room) == {other}

    def test_whoever_wants_to_hear_of_no_focus_group_is_not_asked(self, room):
        quiet, by_digest = make_member(), make_member()
        NoticeChoice.objects.create(member=quiet, kind=Kind.GROUP, way=Way.OFF)
        NoticeChoice.objects.create(member=by_digest, kind=Kind.GROUP, way=Way.DIGEST)

        assert reached(room) == {by_digest}

    def test_receivers_say_who_else_may_not_be_asked(self, room):
        in_conflict, free = make_member(), make_member()

        def shut_out(room, members, **kwargs):
            return members.filter(pk=in_conflict.pk).values("pk")

        seats_sought.connect(shut_out)
        try:
            assert reached(room) == {free}
        finally:
            seats_sought.disconnect(shut_out)

    def test_it_costs_the_same_for_any_number(self, room):
        make_cell(room, "Kidneys", specialties=[make_specialty("Nephrology").pk])
        costs = []
        for _ in range(2):
            make_member()
            with CaptureQueriesContext(connection) as queries:
                assert recruiting.reach(room).count() == len(costs) * 5 + 1
            costs.append(len(queries))
            for _ in range(4):
                make_member()

        assert costs[0] == costs[1] < 10


class TestInviting:
    def test_so_many_are_asked_and_told_in_the_inbox_and_by_mail_without_content(self, room, owner):
        members = {make_member().pk for _ in range(4)}

        made = recruiting.invite(room=room, by=owner, number=3)

        assert len(made) == 3
        assert {row.member_id for row in made} < members
        assert all(row.is_told and row.state == Candidate.State.INVITED for row in made)
        told = Notice.objects.filter(key=f"group:{room.pk}:invited", held=False)
        assert {notice.member_id for notice in told} == {row.member_id for row in made}
        for notice in told:
            assert room.title not in notice.mail.text + notice.mail.subject

    def test_it_is_an_event(self, room, owner):
        make_member()

        recruiting.invite(room=room, by=owner, number=1)

        assert Event.objects.get(kind="room_invite").object == f"room:{room.pk}"

    def test_fewer_than_wanted_are_asked_where_there_are_no_more(self, room, owner):
        make_member()

        assert len(recruiting.invite(room=room, by=owner, number=50)) == 1
        with pytest.raises(recruiting.NobodyLeft):
            recruiting.invite(room=room, by=owner, number=1)

    def test_whoever_was_asked_least_lately_comes_first(self, room, owner):
        often, once, never = make_member(), make_member(), make_member()
        long_ago = timezone.now() - timedelta(days=40)
        for times, member in ((2, often), (1, once)):
            for _ in range(times):
                Candidate.objects.create(room=make_room(), member=member)
        Candidate.objects.create(room=make_room(), member=never, invited_at=long_ago)

        drawn = [recruiting.invite(room=room, by=owner, number=1)[0].member for _ in range(3)]

        assert drawn == [never, once, often]

    def test_the_draw_is_by_lot(self, owner):
        for _ in range(12):
            make_member()
        firsts = set()
        for _ in range(12):
            Candidate.objects.all().delete()
            firsts.add(
                recruiting.invite(room=make_recruiting_room(by=owner), by=owner, number=1)[0].member_id
            )

        assert len(firsts) > 1

    def test_whose_day_is_full_is_asked_and_told_by_digest(self, room, owner):
        busy = make_member()
        NoticeSettings.objects.create(member=busy, budget=0)

        (asked,) = recruiting.invite(room=room, by=owner, number=1)

        assert not asked.is_told
        assert Notice.objects.get(member=busy).held
        assert not busy.user.mails.exists()

    @pytest.mark.parametrize("number", [0, -1, 501])
    def test_a_number_out_of_bounds_is_refused(self, room, owner, number):
        make_member()

        with pytest.raises(recruiting.BadNumber):
            recruiting.invite(room=room, by=owner, number=number)

    def test_a_draft_asks_nobody(self, owner):
        make_member()

        with pytest.raises(holding.NotPublished):
            recruiting.invite(room=make_room(by=owner), by=owner, number=1)

    def test_a_room_that_is_over_asks_nobody(self, room, owner):
        room.closed_at = timezone.now()
        room.save()

        with pytest.raises(holding.Over):
            recruiting.invite(room=room, by=owner, number=1)

    def test_moderators_of_other_rooms_ask_nobody(self, room):
        with pytest.raises(holding.NotYours):
            recruiting.invite(room=room, by=make_moderator(), number=1)


class TestByHandle:
    def test_they_are_asked_whatever_the_rule_says(self, room, owner):
        room.states = ["CA"]
        room.save()
        others = [make_member(state="NY").handle for _ in range(4)]
        member = make_member("left_atrium", state="NY")

        asked = recruiting.invite_by_handle(room=room, by=owner, handles=["@Left_Atrium", *others])

        assert len(asked) == 5
        assert member in [each.member for each in asked]
        assert all(each.is_told for each in asked)

    def test_all_of_them_or_nobody(self, room, owner):
        others = [make_member().handle for _ in range(4)]
        before = Candidate.objects.create(room=room, member=make_member("left_atrium"))

        for handle in ("left_atrium", make_member("not_yet", standing="applicant").handle, "nobody_at_all"):
            with pytest.raises(recruiting.CannotBeAsked) as refusal:
                recruiting.invite_by_handle(room=room, by=owner, handles=[handle, *others])
            assert handle not in str(refusal.value)

        assert Candidate.objects.get() == before

    def test_one_for_whom_there_is_no_cell_is_refused(self, owner):
        room = make_recruiting_room(by=owner, cells=False)
        make_cell(room, "Kidneys", specialties=[make_specialty("Nephrology").pk])
        handles = [make_member(specialty="Nephrology").handle for _ in range(4)]
        handles.append(make_member("papular", specialty="Dermatology").handle)

        with pytest.raises(recruiting.CannotBeAsked):
            recruiting.invite_by_handle(room=room, by=owner, handles=handles)

    def test_fewer_than_five_are_refused(self, room, owner):
        handles = [make_member().handle for _ in range(4)]

        for named in ([" ", "@"], handles, [*handles, handles[0].upper()]):
            with pytest.raises(recruiting.TooFewNamed):
                recruiting.invite_by_handle(room=room, by=owner, handles=named)

    def test_handles_are_read_as_typed(self):
        assert recruiting.handles_in("@one, two\nthree;  @") == ["@one", "two", "three"]
