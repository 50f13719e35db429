"""The reviewers' desk of mail domains."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_user
from verification import mail_domains, reference
from verification.models import Event, MailDomain
from verification.services import domains
from verification.tests.factories import make_applicant

pytestmark = pytest.mark.django_db
LIST = "admin:verification_maildomain_changelist"


@pytest.fixture
def desk(reviewer):
    client = Client()
    client.force_login(reviewer)
    return client


@pytest.fixture
def asked(db):
    return MailDomain.objects.create(name="mercy.example")


def page_of(domain):
    return reverse("admin:verification_maildomain_change", args=[domain.pk])


def word(**changes):
    said = {
        "accept": "yes",
        "institution": "Mercy",
        "sort": "hospital",
        "note": "Its own page says staff alone.",
    }
    return {**said, **changes}


def test_a_reviewer_accepts_with_institution_sort_and_why(desk, asked, reviewer):
    response = desk.post(page_of(asked), word())

    assert response.url == reverse(LIST)
    asked.refresh_from_db()
    assert (asked.state, asked.institution, asked.sort) == ("accepted", "Mercy", "hospital")
    assert (asked.note, asked.reviewed_by) == ("Its own page says staff alone.", reviewer)
    assert domains.accepted_for("wards.mercy.example") == asked
    event = Event.objects.get(kind="mail_domain")
    assert (event.from_state, event.to_state, event.object) == ("asked", "accepted", f"domain:{asked.pk}")


def test_a_reviewer_refuses_with_why_alone(desk, asked):
    desk.post(page_of(asked), word(accept="no", institution="", sort=""))

    asked.refresh_from_db()
    assert asked.state == "refused"
    assert domains.accepted_for("mercy.example") is None


def test_a_review_can_be_turned_around(desk, asked):
    desk.post(page_of(asked), word())
    shown = desk.get(page_of(asked)).content.decode()
    assert 'value="Mercy"' in shown
    desk.post(page_of(asked), word(accept="no", note="They give them to students, too."))

    asked.refresh_from_db()
    assert asked.state == "refused"
    assert Event.objects.filter(kind="mail_domain").count() == 2


@pytest.mark.parametrize(
    "missing", [{"institution": ""}, {"sort": ""}, {"note": ""}, {"accept": ""}, {"sort": "university"}]
)
def test_what_is_missing_is_said_and_what_was_typed_stays(desk, asked, missing):
    response = desk.post(page_of(asked), word(**missing))

    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    for kept in {"institution": "Mercy", "note": "staff alone"}.items() - missing.items():
        assert kept[0] in missing or kept[1] in response.content.decode()
    asked.refresh_from_db()
    assert asked.state == "asked"


def test_the_service_refuses_what_the_form_would(asked, reviewer):
    with pytest.raises(domains.WhyMissing):
        domains.review(domain=asked, by=reviewer, accept=False, note=" ")
    for institution, sort in (("", "hospital"), ("Mercy", ""), ("Mercy", "university")):
        with pytest.raises(domains.WhoseMissing):
            domains.review(
                domain=asked, by=reviewer, accept=True, note="x", institution=institution, sort=sort
            )
    with pytest.raises(domains.MayNotReview):
        domains.review(domain=asked, by=make_user(is_staff=True), accept=False, note="x")


def test_those_asked_for_come_first(desk, reviewer):
    day = timezone.localdate()
    MailDomain.objects.create(name="c.example", asked_on=day - timedelta(days=9))
    MailDomain.objects.create(name="a.example", asked_on=day)
    known = MailDomain.objects.create(name="b.example", asked_on=day - timedelta(days=30))
    domains.review(domain=known, by=reviewer, accept=False, note="No.")

    shown = desk.get(reverse(LIST)).content.decode()

    assert shown.index("c.example") < shown.index("a.example") < shown.index("b.example")
    assert "b.example" not in desk.get(reverse(LIST), {"state": "asked"}).content.decode()


def test_neighbors_stand_beside_a_domain(desk, asked):
    MailDomain.objects.create(name="wards.mercy.example")
    MailDomain.objects.create(name="notmercy.example")

    assert [each.name for each in domains.neighbors_of(asked)] == ["wards.mercy.example"]
    assert "wards.mercy.example" in desk.get(page_of(asked)).content.decode()


@pytest.mark.parametrize("length", [1, 12])
def test_the_list_costs_the_same_at_any_length(desk, length, django_assert_max_num_queries):
    for number in range(length):
        MailDomain.objects.create(name=f"h{number}.example")

    with django_assert_max_num_queries(9):
        assert desk.get(reverse(LIST)).status_code == 200


def test_nobody_else_comes_in(asked, client):
    client.force_login(make_applicant().user)
    assert client.get(page_of(asked)).status_code in (302, 403)
    client.force_login(make_user(is_staff=True))
    for address in (page_of(asked), reverse(LIST)):
        assert client.get(address).status_code in (302, 403)
    assert client.post(page_of(asked), word()).status_code in (302, 403)
    asked.refresh_from_db()
    assert asked.state == "asked"


@pytest.mark.parametrize("key", ["0", "99999999", "x"])
def test_a_domain_that_is_not_there_is_a_404(desk, key):
    assert desk.get(f"/admin/verification/maildomain/{key}/change/").status_code == 404


def test_the_shipped_list_is_invented_and_loads_twice_without_touching_reviews(reviewer):
    shipped = reference.load_domains()
    assert MailDomain.objects.filter(state="accepted").count() == shipped
    assert all(name.endswith(".example") for name in MailDomain.objects.values_list("name", flat=True))
    domain = MailDomain.objects.get(name="mercyridge.example")
    domains.review(domain=domain, by=reviewer, accept=False, note="Closed.")

    assert reference.load_domains() == shipped
    domain.refresh_from_db()
    assert domain.state == "refused"


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Mercy.example"},
        {"name": "localhost"},
        {"name": "x.example", "state": "accepted"},
        {"name": "x.example", "state": "refused", "reviewed_at": "2026-01-01T00:00Z", "note": ""},
        {"name": "x.example", "state": "accepted", "reviewed_at": "2026-01-01T00:00Z", "note": "Why."},
    ],
)
def test_the_database_holds_what_a_domain_must_be(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        MailDomain.objects.create(**fields)


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("j@Mercy.EXAMPLE", "mercy.example"),
        ("mercy.example.", "mercy.example"),
        ("a@b@mercy.example", "mercy.example"),
        ("mercy", ""),
        ("j@mercy..example", ""),
        ("j@" + "a" * 120 + ".example", ""),
        ("j@mércy.example", ""),
        ("", ""),
    ],
)
def test_the_domain_of_what_was_typed(typed, domain):
    assert mail_domains.domain_of(typed) == domain
