"""Votes that a person looks at: what raises a concern, who decides it, and that nothing else comes of it."""

from datetime import timedelta

import pytest
import redis
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notice
from accounts.roles import MODERATORS
from accounts.tests.factories import make_member
from conftest import client_of
from polls import unshown
from polls.models import Concern, Receipt, Tally
from polls.services import concerns
from polls.tests.factories import make_poll, make_voter, vote
from questions.services.moderation import rights
from questions.tests.factories import make_answer
from verification.models import Event

pytestmark = pytest.mark.django_db

ADDRESS = "203.0.113.7"


@pytest.fixture
def poll(physician):
    return make_poll(asker=physician)


@pytest.fixture
def second(db):
    member = make_member("evenhanded", specialty="Family Medicine")
    member.user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    Authenticator.objects.create(user=member.user, type=Authenticator.Type.TOTP, data={})
    return member


def look(poll, member=None, *, seconds=30, address=ADDRESS, other_ballot=False):
    concerns.look_at(
        poll=poll,
        member=member or make_voter(),
        seconds=seconds,
        address=address,
        other_ballot=other_ballot,
    )


def kinds():
    return sorted(Concern.objects.values_list("kind", flat=True))


def make_concern(poll, member, kind="speed"):
    return Concern.objects.create(poll=poll, member=member, kind=kind, raised_on=timezone.now().date())


class TestRaising:
    @pytest.mark.parametrize(("seconds", "raised"), [(0.4, ["speed"]), (2, []), (40, []), (None, [])])
    def test_a_vote_faster_than_reading_is_looked_at(self, poll, seconds, raised):
        look(poll, seconds=seconds)

        assert kinds() == raised

    def test_a_browser_that_holds_another_members_ballot_is_looked_at(self, poll, colleague):
        look(poll, colleague, other_ballot=True)

        assert list(Concern.objects.values_list("member", "kind", "state")) == [
            (colleague.pk, "browser", "open")
        ]

    def test_from_one_address_the_sixth_within_an_hour_is_looked_at(self, poll, physician):
        for _ in range(5):
            look(poll)
        look(make_poll(asker=physician))
        look(poll, address="203.0.113.8")
        assert kinds() == []

        look(poll)
        assert kinds() == ["address"]

    def test_an_unknown_address_is_counted_nowhere(self, poll):
        for _ in range(7):
            look(poll, address="")

        assert kinds() == []

    def test_the_address_is_kept_in_redis_alone_for_an_hour_and_cannot_be_read(self, poll):
        look(poll)

        names = unshown.memory().keys("*:poll:from:*")
        assert len(names) == 1
        assert ADDRESS not in names[0]
        assert 0 < unshown.memory().ttl(names[0]) <= 3600

    def test_the_hour_is_counted_from_the_first_vote(self, poll):
        look(poll)
        (name,) = unshown.memory().keys("*:poll:from:*")
        unshown.memory().expire(name, 60)
        look(poll)

        assert unshown.memory().ttl(name) <= 60

    def test_tomorrow_the_hash_is_another(self, poll, monkeypatch):
        look(poll)
        tomorrow = timezone.now() + timedelta(days=1)
        monkeypatch.setattr(concerns.timezone, "now", lambda: tomorrow)
        look(poll)

        assert len(unshown.memory().keys("*:poll:from:*")) == 2

    def test_a_concern_has_a_day_and_no_moment(self):
        moments = [field.name for field in Concern._meta.fields if "DateTime" in field.get_internal_type()]

        assert moments == ["decided_at"]

    def test_the_same_twice_is_one(self, poll, colleague):
        look(poll, colleague, seconds=0)
        look(poll, colleague, seconds=0)

        assert kinds() == ["speed"]

    def test_the_vote_counts_all_the_same(self, poll, colleague):
        vote(poll, colleague, 1, seconds=0)
        look(poll, colleague, seconds=0, other_ballot=True)

        assert (Tally.objects.get().voters, Tally.objects.get().counts) == (1, [0, 1, 0])

    def test_without_redis_nothing_is_raised_and_nobody_is_named_in_the_log(self, poll, monkeypatch, caplog):
        def away():
            raise redis.ConnectionError(ADDRESS)

        monkeypatch.setattr(unshown, "memory", away)
        look(poll, seconds=0)

        assert kinds() == ["speed"]
        assert ADDRESS not in caplog.text

    def test_a_fault_of_the_site_stops_no_vote_and_names_nobody(self, poll, colleague, monkeypatch, caplog):
        def fail(*_):
            raise RuntimeError(f"{colleague.handle} in {poll.pk}")

        monkeypatch.setattr(concerns, "_raise_concerns", fail)
        look(poll, colleague, seconds=0)

        assert "concern_not_raised" in caplog.text
        assert colleague.handle not in caplog.text


class TestDeciding:
    @pytest.fixture
    def concern(self, poll, colleague):
        return make_concern(poll, colleague)

    def decide(self, concern, user, state="upheld", reason="Twelve votes from one browser."):
        return concerns.decide(concern=concern, user=user, state=state, reason=reason)

    def test_an_upheld_concern_is_told_with_its_reason(self, concern, colleague, moderator):
        decided = self.decide(concern, moderator.user)

        notice = Notice.objects.get(member=colleague)
        page = client_of(colleague).get(reverse("polls:decide", args=[concern.pk])).content.decode()
        event = Event.objects.get(kind="moderation_poll_concern")
        assert (decided.state, decided.decided_by) == ("upheld", moderator.user)
        assert (notice.kind, notice.held) == ("moderation", False)
        assert "Twelve votes from one browser." in page
        assert "Send the objection" in page
        assert moderator.handle not in page
        assert (event.to_state, event.object, event.subject) == ("upheld", f"concern:{concern.pk}", None)

    def test_that_nothing_was_wrong_is_told_to_nobody(self, concern, colleague, moderator):
        self.decide(concern, moderator.user, "dismissed")

        assert not Notice.objects.filter(member=colleague).exists()

    @pytest.mark.parametrize(
        ("state", "reason", "refusal"),
        [
            ("upheld", "  ", concerns.ReasonMissing),
            ("open", "Perhaps.", concerns.NotADecision),
        ],
    )
    def test_it_takes_a_decision_and_a_reason(self, concern, moderator, state, reason, refusal):
        with pytest.raises(refusal):
            self.decide(concern, moderator.user, state, reason)

    def test_others_do_not_decide(self, concern, third):
        with pytest.raises(rights.NotAModerator):
            self.decide(concern, third.user)

    def test_nobody_decides_about_themselves(self, poll, moderator):
        with pytest.raises(concerns.AboutYourself):
            self.decide(make_concern(poll, moderator), moderator.user)

    def test_who_takes_part_does_not_decide(self, poll, concern, moderator):
        make_answer(poll.question, moderator)

        with pytest.raises(rights.TakesPart):
            self.decide(concern, moderator.user)

    def test_another_moderator_takes_it_back(self, concern, colleague, moderator, second):
        self.decide(concern, moderator.user)
        with pytest.raises(concerns.DecidedByYou):
            self.decide(concern, moderator.user, "dismissed", "I was wrong.")
        with pytest.raises(concerns.DecidedAlready):
            self.decide(concern, second.user)

        decided = self.decide(concern, second.user, "dismissed", "Two colleagues share that workstation.")

        assert (decided.state, decided.decided_by) == ("dismissed", second.user)
        assert Notice.objects.filter(member=colleague).count() == 2
        with pytest.raises(concerns.DecidedAlready):
            self.decide(concern, moderator.user)

    def test_upheld_ones_are_counted_by_member(self, poll, concern, colleague, third, moderator, physician):
        for each in (concern, make_concern(poll, colleague, "browser"), make_concern(poll, third)):
            self.decide(each, moderator.user)
        make_concern(poll, make_voter())
        self.decide(make_concern(make_poll(asker=physician), third), moderator.user)

        assert concerns.upheld_count(poll.pk) == 2

    def test_of_somebody_who_has_left_no_words_are_kept(self, concern, colleague, moderator):
        type(colleague).objects.filter(pk=colleague.pk).update(user=None)

        assert self.decide(concern, moderator.user).reason == concerns.LEFT


class TestObjecting:
    WORDS = "Two of us share the workstation on the ward."

    @pytest.fixture
    def concern(self, poll, colleague, moderator):
        concern = make_concern(poll, colleague, "browser")
        return concerns.decide(concern=concern, user=moderator.user, state="upheld", reason="One browser.")

    @pytest.fixture
    def address(self, concern):
        return reverse("polls:decide", args=[concern.pk])

    def test_the_member_sends_one_and_another_moderator_decides(
        self, concern, colleague, moderator, second, address
    ):
        browser = client_of(colleague)
        assert browser.post(address, {"text": ""}).status_code == 422
        assert browser.post(address, {"text": self.WORDS}).status_code == 302
        concern.refresh_from_db()
        assert (concern.state, concern.objection, concern.decided_at) == ("open", self.WORDS, None)
        assert concerns.upheld_count(concern.poll_id) == 0
        page = browser.get(address).content.decode()
        assert self.WORDS in page
        assert "Send the objection" not in page
        assert 'name="reason"' not in client_of(moderator).get(address).content.decode()
        with pytest.raises(concerns.DecidedByYou):
            concerns.decide(concern=concern, user=moderator.user, state="dismissed", reason="So be it.")

        desk = client_of(second)
        assert "The member objects" in desk.get(reverse("polls:concerns")).content.decode()
        page = desk.get(address).content.decode()
        assert self.WORDS in page
        assert "One browser." in page
        assert desk.post(address, {"state": "dismissed", "reason": "They do."}).status_code == 302
        assert "They do." in browser.get(address).content.decode()
        assert Notice.objects.filter(member=colleague).count() == 2

    def test_kept_it_is_told_and_cannot_be_objected_to_again(self, concern, colleague, second):
        concerns.object_to(concern=concern, by=colleague, text=self.WORDS)
        concerns.decide(concern=concern, user=second.user, state="upheld", reason="Nine votes.")

        assert Notice.objects.filter(member=colleague).count() == 2
        with pytest.raises(concerns.ObjectedAlready):
            concerns.object_to(concern=concern, by=colleague, text=self.WORDS)

    def test_nobody_else_objects_nor_to_what_does_not_stand(self, poll, concern, colleague, third, second):
        with pytest.raises(concerns.NotYours):
            concerns.object_to(concern=concern, by=third, text=self.WORDS)
        with pytest.raises(concerns.WordsMissing):
            concerns.object_to(concern=concern, by=colleague, text="  ")
        concerns.decide(concern=concern, user=second.user, state="dismissed", reason="Shared.")
        with pytest.raises(concerns.NothingToObjectTo):
            concerns.object_to(concern=concern, by=colleague, text=self.WORDS)

    def test_what_identifies_a_patient_is_not_sent(self, concern, colleague, address):
        page = client_of(colleague).post(address, {"text": "My patient, MRN 48213377, needed me."})

        concern.refresh_from_db()
        assert (page.status_code, concern.objection) == (422, "")

    def test_its_event_names_nobody(self, concern, colleague):
        concerns.object_to(concern=concern, by=colleague, text=self.WORDS)

        event = Event.objects.get(kind="poll_concern_objection")
        assert (event.actor, event.subject, event.object) == (None, None, f"concern:{concern.pk}")


class TestTheDesk:
    def test_moderators_find_it_beside_their_desk(self, poll, colleague, moderator):
        make_concern(poll, colleague)
        browser = client_of(moderator)

        desk = browser.get(reverse("questions:moderation")).content.decode()
        page = browser.get(reverse("polls:concerns")).content.decode()
        assert reverse("polls:concerns") in desk
        assert colleague.handle in page
        assert 'aria-current="page">Poll votes' in page

    def test_to_others_there_is_no_such_page(self, poll, colleague, physician_client, colleague_client):
        concern = make_concern(poll, colleague)

        assert physician_client.get(reverse("polls:concerns")).status_code == 404
        for client in (physician_client, colleague_client):
            assert client.get(reverse("polls:decide", args=[concern.pk])).status_code == 404

    def test_what_is_about_oneself_is_not_shown(self, poll, moderator):
        concern = make_concern(poll, moderator)
        browser = client_of(moderator)

        assert moderator.handle not in browser.get(reverse("polls:concerns")).context["page"].rows
        assert list(browser.get(reverse("polls:concerns")).context["page"]) == []
        assert browser.get(reverse("polls:decide", args=[concern.pk])).status_code == 404

    def test_where_one_takes_part_nobody_is_named(self, poll, colleague, moderator):
        concern = make_concern(poll, colleague)
        make_answer(poll.question, moderator)
        browser = client_of(moderator)

        for address in (reverse("polls:concerns"), reverse("polls:decide", args=[concern.pk])):
            page = browser.get(address).content.decode()
            assert colleague.handle not in page
            assert "take part in" in page or "Another moderator decides" in page

    @pytest.mark.parametrize("kind", ["voted", "forfeited"])
    def test_nor_where_one_took_the_poll(self, poll, colleague, moderator, kind):
        concern = make_concern(poll, colleague)
        Receipt.objects.create(poll=poll, member=moderator, kind=kind)
        browser = client_of(moderator)

        for address in (reverse("polls:concerns"), reverse("polls:decide", args=[concern.pk])):
            page = browser.get(address).content.decode()
            assert colleague.handle not in page
            assert 'name="reason"' not in page

    def test_it_is_marked_as_moderation(self, poll, colleague, moderator):
        concern = make_concern(poll, colleague)
        browser = client_of(moderator)

        for address in (reverse("polls:concerns"), reverse("polls:decide", args=[concern.pk])):
            page = browser.get(address).content.decode()
            assert 'aria-current="true">Moderation' in page
            assert 'aria-current="true">Polls' not in page

    def test_a_decision_is_made_there(self, poll, colleague, moderator):
        concern = make_concern(poll, colleague)
        browser, address = client_of(moderator), reverse("polls:decide", args=[concern.pk])

        assert browser.post(address, {"state": "upheld", "reason": ""}).status_code == 422
        assert browser.post(address, {"state": "upheld", "reason": "Too fast."}).status_code == 302
        concern.refresh_from_db()
        assert (concern.state, concern.reason) == ("upheld", "Too fast.")
        assert "Too fast." in browser.get(address).content.decode()
        assert colleague.handle in browser.get(f"{reverse('polls:concerns')}?show=upheld").content.decode()

    def test_the_list_costs_the_same_at_any_length(self, poll, moderator, django_assert_max_num_queries):
        browser = client_of(moderator)
        for _ in range(12):
            make_concern(poll, make_voter())

        with django_assert_max_num_queries(8):
            browser.get(reverse("polls:concerns"))
