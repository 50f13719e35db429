"""The record of incidents: its steps, its clock, its mails, and its pages."""

from datetime import UTC, date, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail
from accounts.roles import PRIVACY
from accounts.tests.factories import make_user
from verification import tasks
from verification.models import Event, Incident, IncidentNote, RetentionRun
from verification.services import events, incidents, retention

pytestmark = pytest.mark.django_db
ANSWERS = {name: f"Answer on {name}." for name in incidents.FACTORS}


def make_keeper(**fields):
    user = make_user(is_staff=True, **fields)
    user.groups.add(Group.objects.get(name=PRIVACY))
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


@pytest.fixture
def keeper():
    return make_keeper()


@pytest.fixture
def incident(keeper):
    return opened(keeper)


@pytest.fixture
def desk(keeper):
    client = Client()
    client.force_login(keeper)
    return client


def opened(by, days=0, **changes):
    return incidents.open_incident(
        **{
            "title": "A page for nobody",
            "kind": "access",
            "detected_at": timezone.now() - timedelta(days=days),
            "text": "A reviewer saw a page of Quillfeather.",
            "by": by,
            **changes,
        }
    )


def contain(incident, by):
    return incidents.contain(incident=incident, text="The page is closed.", by=by)


def assess(incident, by, **changes):
    said = {"verdict": "breach", "affected": 3, "factors": ANSWERS, "text": "It was read.", **changes}
    return incidents.assess(incident=incident, by=by, **said)


def notify(incident, by):
    return incidents.notify(incident=incident, text="All three by letter.", by=by)


def close(incident, by):
    return incidents.close(incident=incident, text="The door asks twice now.", by=by)


STEPS = {"contained": contain, "assessed": assess, "notified": notify, "closed": close}


class TestSteps:
    def test_a_breach_goes_through_all_of_them_each_with_notes_and_an_event(self, incident, keeper):
        for step, take in STEPS.items():
            assert incidents.next_step(incident) == step
            incident = take(incident, keeper)

        assert incidents.next_step(incident) == ""
        assert (incident.verdict, incident.affected) == ("breach", 3)
        assert [note.step for note in incident.notes.all()] == [
            "detected",
            "contained",
            *["assessed"] * 5,
            "notified",
            "closed",
        ]
        assert list(Event.objects.order_by("pk").values_list("kind", "object", "evidence")) == [
            ("incident_opened", f"privacy_incident:{incident.pk}", ["access"]),
            ("incident_contained", f"privacy_incident:{incident.pk}", []),
            ("incident_assessed", f"privacy_incident:{incident.pk}", ["breach"]),
            ("incident_notified", f"privacy_incident:{incident.pk}", []),
            ("incident_closed", f"privacy_incident:{incident.pk}", []),
        ]
        assert events.first_broken() is None

    @pytest.mark.parametrize("done", range(5))
    @pytest.mark.parametrize("step", STEPS)
    def test_each_is_taken_once_and_in_order(self, incident, keeper, done, step):
        for take in list(STEPS.values())[:done]:
            incident = take(incident, keeper)
        if incidents.next_step(incident) == step:
            return
        before = (Incident.objects.values().get(), IncidentNote.objects.count(), Event.objects.count())

        with pytest.raises(incidents.NotNow):
            STEPS[step](incident, keeper)

        assert (
            Incident.objects.values().get(),
            IncidentNote.objects.count(),
            Event.objects.count(),
        ) == before

    @pytest.mark.parametrize("verdict", ["low_risk", "none"])
    def test_without_a_breach_nobody_is_told(self, incident, keeper, verdict):
        incident = assess(contain(incident, keeper), keeper, verdict=verdict, affected=0)

        with pytest.raises(incidents.NotNow):
            notify(incident, keeper)
        assert close(incident, keeper).closed_at

    def test_all_four_questions_of_the_law_are_answered_and_kept(self, incident, keeper):
        incident = contain(incident, keeper)

        with pytest.raises(incidents.FactorMissing):
            assess(incident, keeper, factors={**ANSWERS, "seen": "  "})
        assess(incident, keeper)

        texts = [note.text for note in incident.notes.filter(step="assessed")]
        for name, question in incidents.FACTORS.items():
            assert f"{question}\nAnswer on {name}." in texts

    def test_a_breach_affects_somebody(self, incident, keeper):
        with pytest.raises(incidents.NobodyAffected):
            assess(contain(incident, keeper), keeper, affected=0)

    def test_a_step_needs_its_note(self, incident, keeper):
        with pytest.raises(incidents.NoteMissing), transaction.atomic():
            incidents.contain(incident=incident, text=" ", by=keeper)

        incident.refresh_from_db()
        assert incident.contained_at is None

    def test_nothing_is_discovered_after_now(self, keeper):
        with pytest.raises(incidents.InTheFuture):
            opened(keeper, days=-1)

    def test_a_form_sent_twice_opens_one(self, keeper):
        at = timezone.now() - timedelta(hours=1)

        assert opened(keeper, detected_at=at) == opened(keeper, detected_at=at)
        assert IncidentNote.objects.count() == 1

    def test_more_is_noted_at_any_time_and_a_note_sent_twice_is_one(self, incident, keeper):
        for _ in range(2):
            incidents.add_note(incident=incident, text="The log has no second reader.", by=keeper)

        assert incident.notes.filter(step="").count() == 1
        assert Event.objects.filter(kind="incident_note").count() == 1
        with pytest.raises(incidents.NoteMissing):
            incidents.add_note(incident=incident, text="", by=keeper)

    def test_notes_are_unreadable_in_the_database(self, incident):
        with connection.cursor() as cursor:
            cursor.execute("SELECT text::text FROM verification_incidentnote")
            assert b"Quillfeather".hex() not in cursor.fetchone()[0]
        assert "Quillfeather" not in str(list(Event.objects.values()))

    @pytest.mark.parametrize(
        ("changes", "constraint"),
        [
            ({"assessed_at": timezone.now(), "verdict": "none", "affected": 0}, "contained_first"),
            ({"contained_at": timezone.now(), "assessed_at": timezone.now()}, "with_a_verdict"),
            ({"notified_at": timezone.now()}, "notice_of_a_breach"),
            ({"closed_at": timezone.now()}, "closed_once_told"),
            ({"opened_at": timezone.now() - timedelta(days=9)}, "found_before"),
        ],
    )
    def test_the_database_refuses_them_out_of_order(self, incident, changes, constraint):
        with pytest.raises(IntegrityError, match=constraint):
            Incident.objects.update(**changes)


class TestClock:
    @pytest.mark.parametrize(
        ("days", "words", "tone"),
        [
            (0, "60 days left, until", ""),
            (46, "14 days left, until", "warn"),
            (59, "1 day left, until", "warn"),
            (60, "Due today", "urgent"),
            (61, "1 day OVERDUE, since", "urgent"),
            (90, "30 days OVERDUE, since", "urgent"),
        ],
    )
    def test_it_runs_60_days_from_the_discovery(self, keeper, days, words, tone):
        found = incidents.clock(opened(keeper, days=days))

        assert words in found.words
        assert found.tone == tone

    def test_it_stops_once_they_are_told_or_need_not_be(self, keeper):
        told = notify(assess(contain(opened(keeper), keeper), keeper), keeper)
        spared = assess(contain(opened(keeper, title="B"), keeper), keeper, verdict="low_risk")
        late = notify(assess(contain(opened(keeper, title="C", days=70), keeper), keeper), keeper)

        assert [incidents.clock(one).words for one in (told, spared, late)] == [
            "Told in time",
            "Nobody needs to be told",
            "Told, after the term",
        ]
        assert not incidents.running().exists()

    @pytest.mark.parametrize(
        ("affected", "has_media", "secretary"),
        [
            (499, False, "2027-03-01"),
            (500, False, "at the same time"),
            (501, True, "at the same time"),
        ],
    )
    def test_what_the_law_wants_goes_by_how_many_they_are(self, keeper, affected, has_media, secretary):
        found = opened(keeper, detected_at=datetime(2026, 3, 1, tzinfo=UTC))

        said = " ".join(incidents.duties(assess(contain(found, keeper), keeper, affected=affected)))

        assert ("prominent media" in said) is has_media
        assert secretary in said
        assert "by 2026-04-30 at the latest" in said

    def test_where_it_is_no_breach_the_law_wants_nothing(self, keeper, incident):
        assert incidents.duties(incident) == []


class TestReminders:
    def mails(self):
        return list(Mail.objects.order_by("pk").values_list("user__email", "subject"))

    @pytest.mark.parametrize(
        ("days", "is_told"),
        [(29, False), (30, True), (31, True), (46, True), (53, True), (59, True), (60, True), (61, True)],
    )
    def test_they_come_at_30_14_7_and_1_days_and_when_overdue(self, keeper, days, is_told):
        opened(keeper, days=days)

        assert [tasks.remind_incidents() for _ in range(3)] == [int(is_told), 0, 0]

    def test_each_stage_is_told_once_and_overdue_each_week(self, keeper, monkeypatch):
        found = opened(keeper, detected_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
        told = []
        for days in range(80):
            day = datetime(2026, 3, 1, 13, tzinfo=UTC) + timedelta(days=days)
            monkeypatch.setattr(timezone, "now", lambda day=day: day)
            if incidents.remind_due():
                told.append(days)

        assert told == [30, 46, 53, 59, 61, 68, 75]
        assert found.due_on == date(2026, 4, 30)

    def test_the_whole_group_hears_of_it_and_nothing_in_it_says_what_happened(self, keeper):
        second = make_keeper(email="second@example.org")
        make_keeper(is_active=False)
        make_user(is_superuser=True)
        found = opened(keeper, days=50)

        tasks.remind_incidents()

        assert self.mails() == [
            (user.email, f"Incident {found.pk}: 10 days left, until {found.due_on}")
            for user in (keeper, second)
        ]
        text = Mail.objects.first().text
        assert reverse("admin:verification_incident_change", args=[found.pk]) in text
        assert "page for nobody" not in text
        assert "Quillfeather" not in text

    def test_with_nobody_in_the_group_superusers_hear_of_it(self, keeper):
        opened(keeper, days=50)
        keeper.groups.clear()
        boss = make_user(is_superuser=True, is_staff=True)

        tasks.remind_incidents()

        assert [address for address, _ in self.mails()] == [boss.email]

    def test_who_was_told_stops_them(self, keeper):
        notify(assess(contain(opened(keeper, days=59), keeper), keeper), keeper)

        assert tasks.remind_incidents() == 0


class TestDesk:
    def page(self, incident):
        return reverse("admin:verification_incident_change", args=[incident.pk])

    def test_the_whole_way_on_the_pages(self, desk):
        form = {
            "title": "A page for nobody",
            "kind": "access",
            "detected_at": "2026-03-01 12:00",
            "text": "A reviewer saw it.",
        }
        answer = desk.post(reverse("admin:verification_incident_add"), form)
        incident = Incident.objects.get()
        assert answer.url == self.page(incident)
        assert incident.detected_at == datetime(2026, 3, 1, 12, tzinfo=UTC)

        for typed in (
            {"step": "contained", "text": "Closed."},
            {
                "step": "assessed",
                **ANSWERS,
                "verdict": "breach",
                "affected": "501",
                "text": "It was read.",
            },
            {"step": "note", "text": "Counsel has called."},
            {"step": "notified", "text": "By letter."},
            {"step": "closed", "text": "Learned."},
        ):
            assert desk.post(self.page(incident), typed).status_code == 302

        page = desk.get(self.page(incident)).content.decode()
        assert "prominent media" in page
        assert "Counsel has called." in page
        assert 'value="Close"' not in page
        incident.refresh_from_db()
        assert incident.closed_at

    def test_a_step_out_of_order_is_refused_on_the_page(self, desk, incident, keeper):
        contain(incident, keeper)

        page = desk.post(self.page(incident), {"step": "contained", "text": "Again."})

        assert page.status_code == 200
        assert incident.notes.filter(step="contained").count() == 1

    def test_a_form_with_a_fault_says_so(self, desk, incident, keeper):
        contain(incident, keeper)

        typed = {"step": "assessed", **ANSWERS, "verdict": "breach", "affected": "0", "text": "So."}
        page = desk.post(self.page(incident), typed).content.decode()

        assert incidents.NobodyAffected.message in page
        assert "Answer on data." in page

    def test_opening_one_that_lies_in_the_future_is_refused(self, desk):
        form = {"title": "T", "kind": "loss", "detected_at": "2199-01-01 12:00", "text": "x"}

        page = desk.post(reverse("admin:verification_incident_add"), form).content.decode()

        assert incidents.InTheFuture.message in page
        assert not Incident.objects.exists()

    @pytest.mark.parametrize("how_many", [1, 12])
    def test_the_list_has_the_clock_and_costs_the_same_at_any_length(
        self, desk, keeper, how_many, django_assert_num_queries
    ):
        for number in range(how_many):
            opened(keeper, days=61, title=f"Title {number}")
        address = reverse("admin:verification_incident_changelist")
        desk.get(address)

        with django_assert_num_queries(6):
            page = desk.get(address).content.decode()

        assert page.count("1 day OVERDUE") == how_many
        assert "Quillfeather" not in page

    @pytest.mark.parametrize("name", ["incident_changelist", "incident_add", "retentionrun_changelist"])
    def test_the_door(self, desk, reviewer, name):
        address = reverse(f"admin:verification_{name}")
        other, boss = Client(), Client()
        other.force_login(reviewer)
        root = make_user(is_staff=True, is_superuser=True)
        Authenticator.objects.create(user=root, type=Authenticator.Type.TOTP, data={})
        boss.force_login(root)

        assert Client().get(address).status_code == 302
        assert other.get(address).status_code == 403
        assert desk.get(address).status_code == 200
        assert boss.get(address).status_code == 200

    def test_who_may_only_look_takes_no_step(self, incident, keeper, reviewer):
        from django.contrib.auth.models import Permission

        reviewer.user_permissions.add(
            Permission.objects.get(content_type__app_label="verification", codename="view_incident")
        )
        client = Client()
        client.force_login(reviewer)

        page = client.get(self.page(incident))
        assert page.status_code == 200
        assert b"Write down" not in page.content
        assert client.post(self.page(incident), {"step": "contained", "text": "x"}).status_code == 403
        assert client.get(reverse("admin:verification_incident_add")).status_code == 403

    @pytest.mark.parametrize("pk", ["0", "99999999999999999999", "x", "²"])
    def test_there_is_no_such_incident(self, desk, pk):
        assert desk.get(f"/admin/verification/incident/{pk}/change/").status_code == 404

    def test_the_table_of_what_is_forgotten(self, desk):
        retention.enforce_all()
        RetentionRun.objects.filter(rule="accounts.mail").update(failure="OSError")
        RetentionRun.objects.filter(rule="accounts.exports").update(left_over=3)

        page = desk.get(reverse("admin:verification_retentionrun_changelist")).content.decode()

        assert page.count("failed: OSError") == 1
        assert page.count("not all gone") == 1
        assert "Files of documents that prove a license" in page
        run = RetentionRun.objects.first()
        assert desk.get(f"/admin/verification/retentionrun/{run.pk}/change/").status_code == 404
