"""Who hears what of a focus group, and that no word of it stands in a notice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import notice_kinds
from accounts import tasks as account_tasks
from accounts.models import FanOut, Kind, Mail, Notice, NoticeChoice, NoticeSettings, Way
from accounts.tests.factories import make_member
from focusgroups import tasks
from focusgroups.models import Room
from focusgroups.services import guiding, live_hours, publishing, recruiting, screening, seating, telling
from focusgroups.tests.factories import (
    make_agreement,
    make_answer,
    make_candidate,
    make_cell,
    make_live_hour,
    make_message,
    make_moderator,
    make_participant,
    make_recruiting_room,
    make_room,
    make_running_room,
    make_section,
)
from newsfeed.digests import gathering

pytestmark = pytest.mark.django_db
SECRET = "Heparin in clinics"


@pytest.fixture
def owner():
    return make_moderator()


@pytest.fixture
def room(owner):
    return make_running_room(by=owner, title=SECRET)


def tell():
    """Have the clock do its work, and the worker."""
    tasks.close_due()
    account_tasks.work_off_fan_outs()


def lines(member):
    notices = list(member.notices.order_by("pk"))
    read = notice_kinds.lines(notices, member.user)
    return [read[notice.pk].text for notice in notices if notice.pk in read]


class TestInvitations:
    def test_they_read_as_long_as_they_stand(self, owner):
        room, member = make_recruiting_room(by=owner, title=SECRET), make_member()
        (asked,) = recruiting.invite(room=room, by=owner, number=1)

        assert lines(member) == ["You are asked into a focus group"]
        screening.decline(candidate=asked)
        assert lines(member) == []

    def test_one_that_found_no_room_in_the_budget_goes_into_the_digest(self, owner):
        room, member = make_recruiting_room(by=owner), make_member()
        NoticeSettings.objects.create(member=member, budget=0)
        recruiting.invite(room=room, by=owner, number=1)
        now = timezone.now()

        since = now - timedelta(days=1)
        shared = gathering.Shared.among([member.pk], since=since, now=now + timedelta(minutes=1))
        contents = gathering.gather(member=member, since=since, shared=shared)

        assert contents.told == ((Kind.GROUP, 1),)

    def test_one_that_was_told_does_not(self, owner):
        room, member = make_recruiting_room(by=owner), make_member()
        recruiting.invite(room=room, by=owner, number=1)
        now = timezone.now()

        since = now - timedelta(days=1)
        shared = gathering.Shared.among([member.pk], since=since, now=now + timedelta(minutes=1))

        assert gathering.gather(member=member, since=since, shared=shared).told == ()

    def test_whoever_chose_the_digest_reads_it_there_once(self, owner):
        room, member = make_recruiting_room(by=owner), make_member()
        NoticeSettings.objects.create(member=member, budget=0)
        NoticeChoice.objects.create(member=member, kind=Kind.GROUP, way=Way.DIGEST)
        recruiting.invite(room=room, by=owner, number=1)
        now = timezone.now()

        since = now - timedelta(days=1)
        shared = gathering.Shared.among([member.pk], since=since, now=now + timedelta(minutes=1))

        assert gathering.gather(member=member, since=since, shared=shared).told == ((Kind.GROUP, 1),)


class TestSections:
    def test_participants_hear_once_of_each_that_opens(self, room):
        seat, asked = make_participant(room), make_candidate(room)
        room.sections.update(opens_at=timezone.now() - timedelta(minutes=3))

        tell()
        tell()

        assert sorted(lines(seat.member)) == [
            "A new section of your focus group has opened",
            "Your focus group has opened",
        ]
        assert lines(asked.member) == []

    def test_what_opened_long_ago_or_opens_later_is_told_to_nobody(self, room):
        make_participant(room)
        now = timezone.now()
        room.sections.update(opens_at=now - timedelta(hours=25), due_at=now + timedelta(days=1))
        make_section(room, opens_at=now + timedelta(hours=1))

        assert telling.of_due_sections() == 0

    def test_nothing_is_told_of_drafts_and_what_is_over(self, room):
        now = timezone.now()
        room.sections.update(opens_at=now - timedelta(minutes=3))
        Room.objects.filter(pk=room.pk).update(closed_at=now)
        assert telling.of_due_sections() == 0
        Room.objects.filter(pk=room.pk).update(closed_at=None, published_at=None)

        assert telling.of_due_sections() == 0

    def test_a_worker_that_comes_late_tells_nobody_of_a_room_that_is_over(self, room):
        seat = make_participant(room)
        room.sections.update(opens_at=timezone.now() - timedelta(minutes=3))
        telling.of_due_sections()
        Room.objects.filter(pk=room.pk).update(closed_at=timezone.now())
        account_tasks.work_off_fan_outs()

        assert lines(seat.member) == []
        assert not FanOut.objects.filter(done_at=None).exists()


class TestEnds:
    def test_seats_and_who_waited_hear_that_it_closed(self, room, owner):
        seat, waits = make_participant(room), make_candidate(room, state="waiting")
        asked, declined = make_candidate(room), make_candidate(room, state="declined")
        seating.leave(participant=(left := make_participant(room)))

        publishing.close(room=room, by=owner)
        account_tasks.work_off_fan_outs()

        assert lines(seat.member) == ["Your focus group has closed"]
        # the seat that came free went to who waited
        assert lines(waits.member)[-1] in (
            "A focus group has closed before a seat came free for you",
            "Your focus group has closed",
        )
        assert lines(asked.member) == lines(declined.member) == lines(left.member) == []

    def test_who_waits_to_the_end_hears_that_no_seat_came_free(self, owner):
        room = make_running_room(by=owner, cells=False)
        make_cell(room, "All", seats=1)
        make_participant(room)
        waits = make_candidate(room, state="waiting")

        publishing.close(room=room, by=owner)
        account_tasks.work_off_fan_outs()

        assert lines(waits.member) == ["A focus group has closed before a seat came free for you"]

    def test_all_who_were_asked_hear_that_it_was_canceled(self, room, owner):
        seat, waits, asked = (
            make_participant(room),
            make_candidate(room, state="waiting"),
            make_candidate(room),
        )
        declined = make_candidate(room, state="declined")

        publishing.cancel(room=room, by=owner, reason="The firm gave up.")
        account_tasks.work_off_fan_outs()

        assert lines(seat.member) == ["Your focus group was canceled"]
        hopeful = ["A focus group that you were asked into was canceled"]
        assert lines(waits.member) == lines(asked.member) == hopeful
        assert lines(declined.member) == []


class TestOthers:
    def test_a_removed_one_reads_of_it_whatever_they_chose(self, room, owner):
        seat = make_participant(room)
        NoticeChoice.objects.create(member=seat.member, kind=Kind.GROUP, way=Way.OFF)

        seating.remove(participant=seat, by=owner, reason="Named a patient twice.")

        (line,) = lines(seat.member)
        assert line.startswith("A moderator ended your part in a focus group.")

    def test_a_dropped_one_reads_that_the_seat_was_given_on(self, room, owner):
        seat = make_participant(room)

        seating.drop(participant=seat, by=owner)

        assert lines(seat.member)[0].startswith("Your seat in a focus group was given on.")

    def test_a_new_agreement_is_told_to_seats(self, room):
        seat = make_participant(room)

        telling.of_agreement(make_agreement(room, "Another text."))
        account_tasks.work_off_fan_outs()

        assert lines(seat.member) == ["The agreement of your focus group has a new version"]

    def test_quotes_and_probes_are_told_to_one(self, room):
        seat = make_participant(room)
        answer = make_answer(seat, room.sections.first().prompts.first())
        quote = room.quotes.create(answer=answer, text="Low dose", paraphrase="Start low.")

        telling.of_quote(quote, seat)
        telling.of_probe(quote, seat)

        deeds = seat.member.notices.values_list("key", flat=True)
        assert {key.split(":")[2] for key in deeds} == {"quote", "probe"}

    def test_a_probe_reads_as_a_question(self, room):
        seat = make_participant(room)

        telling.of_probe(make_message(room, moderator=make_moderator(), kind="probe", to=seat), seat)

        assert lines(seat.member) == ["A moderator of your focus group asks you something"]


class TestDates:
    def test_who_has_a_seat_is_told_once_a_day_that_times_moved(self, room, owner):
        seat, asked = make_participant(room), make_candidate(room)
        starts_at = room.ends_at + timedelta(hours=1)

        publishing.extend(room=room, by=owner, ends_at=room.ends_at + timedelta(days=1))
        live_hours.save(
            room=room, by=owner, title="Live", starts_at=starts_at, ends_at=starts_at + timedelta(hours=1)
        )
        tell()
        tell()

        assert lines(seat.member) == ["Times of your focus group have changed"]
        assert lines(asked.member) == []
        assert FanOut.objects.get().key == f"group:{room.pk}:changed:{timezone.now().date()}"

    def test_a_section_that_moves_and_an_hour_that_goes_are_told(self, owner):
        room = make_running_room(by=owner, sections=4, released=2)
        section = room.sections.last()
        fields = {"title": section.title, "honorarium": section.honorarium, "due_at": None}

        guiding.save_section(room=room, by=owner, section=section, opens_at=section.opens_at, **fields)
        assert FanOut.objects.count() == 1

        other = make_recruiting_room(by=owner)
        hour = make_live_hour(other, starts_at=other.starts_at + timedelta(hours=1))
        live_hours.save(
            room=other, by=owner, hour=hour, title="New", starts_at=hour.starts_at, ends_at=hour.ends_at
        )
        assert FanOut.objects.count() == 1

        live_hours.delete(hour=hour, by=owner)
        assert FanOut.objects.count() == 2

    def test_of_a_draft_nobody_is_told(self, owner):
        draft = make_room(owner)
        starts_at = draft.starts_at + timedelta(hours=1)

        live_hours.save(
            room=draft, by=owner, title="Live", starts_at=starts_at, ends_at=starts_at + timedelta(hours=1)
        )

        assert not FanOut.objects.exists()


def test_no_notice_and_no_mail_says_what_a_room_is_about(room, owner):
    waits = make_candidate(room, state="waiting")
    seat, dropped, removed = (make_participant(room) for _ in range(3))
    room.sections.update(opens_at=timezone.now() - timedelta(minutes=3))
    recruiting.invite_by_handle(room=room, by=owner, handles=[make_member().handle for _ in range(5)])
    telling.of_agreement(make_agreement(room, "Another text."))
    seating.remind(participant=seat, by=owner)
    seating.drop(participant=dropped, by=owner)
    seating.remove(participant=removed, by=owner, reason="Named a patient.")
    tell()
    publishing.close(room=room, by=owner)
    account_tasks.work_off_fan_outs()

    deeds = {notice.key.split(":")[2] for notice in Notice.objects.all()}
    assert deeds >= {
        "invited",
        "seat",
        "opened",
        "section",
        "remind",
        "agreement",
        "dropped",
        "removed",
        "closed",
    }
    said = [line for member in (seat, waits, dropped, removed) for line in lines(member.member)]
    said += [mail.subject + mail.text + mail.html for mail in Mail.objects.all()]
    assert Mail.objects.count() > 5
    for words in said:
        for told in (SECRET, "Heparin", "Aldgate", seat.alias, "Named", "Another text"):
            assert told not in words


def test_it_is_read_in_one_query(room, django_assert_num_queries):
    seat = make_participant(room)
    room.sections.update(opens_at=timezone.now() - timedelta(minutes=3))
    tell()
    notices = list(seat.member.notices.all())

    with django_assert_num_queries(1):
        assert len(notice_kinds.lines(notices, seat.member.user)) == 2
