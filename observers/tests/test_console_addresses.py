"""Addresses and cursors of the console: nothing in them is a number or a moment that firms share."""

import base64
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.urls import reverse
from django.urls.converters import IntConverter
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from observers import keys, urls
from observers.models import (
    AdverseEvent,
    CompanyQuestion,
    Export,
    FirmSearch,
    Purpose,
    Seat,
    SeatInvitation,
)
from observers.services import adverse_events, company, searching, seating
from observers.tests.factories import let_pass, make_seat
from observers.tests.product_makers import make_product
from observers.views import desk_products, searches
from questions.tests.factories import make_question
from rewards.tests.factories import make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]
OWN_NUMBERS = {"place", "number"}  # of a picture in its case, of a seat in its firm
NUMBERS = st.integers(min_value=1, max_value=2**63 - 1)
SAFETY = reverse("observers:safety")


@given(NUMBERS)
def test_a_key_of_an_event_leads_back_to_it_and_tells_nothing(pk):
    key = adverse_events.event_key(pk)

    assert adverse_events.event_pk(key) == pk
    assert not any(number == pk for number in (key.int, key.int & (2**64 - 1), key.int >> 64))


@given(st.uuids())
def test_any_other_key_leads_nowhere(key):
    assert adverse_events.event_pk(key) is None


def test_neither_the_number_nor_the_key_of_another_firm_opens_an_event(seat, seat_client, physician):
    own, other = make_event(seat.firm, physician), make_event(make_seat(make_firm()).firm, physician)

    assert seat_client.get(reverse("observers:safety_event", args=[own.pk])).status_code == 200
    assert seat_client.get(reverse("observers:safety_event", args=[other.pk])).status_code == 404
    for name in (own.pk, uuid4(), "x"):
        assert seat_client.get(f"{SAFETY}{name}/").status_code == 404
    assert str(own.pk) not in urlsplit(reverse("observers:safety_event", args=[own.pk])).path.split("/")


@pytest.mark.parametrize(
    ("name", "show"),
    [(name, show) for name in ("safety", "company_questions") for show in ("waiting", "answered")]
    + [("exports", "")],
)
def test_a_cursor_says_nothing_and_leads_through_all(seat, seat_client, physician, monkeypatch, name, show):
    for views in (desk_products, searches):
        monkeypatch.setattr(views, "PER_PAGE", 2)
    make = {"safety": make_event, "company_questions": make_asked, "exports": make_export}[name]
    rows = [make(seat.firm, physician) for _ in range(5)]
    if show == "answered":
        answered(rows, seat)

    where, shown = f"{reverse(f'observers:{name}')}?show={show}", []
    while where:
        page = seat_client.get(where)
        shown += [row.pk for row in page.context["rows"]]
        where = page.context["more_url"]
        for text in plain_texts_in(where):
            assert not re.search(r"\d{4}-\d\d-\d\dT", text)
            assert not re.match(r"\[.*\]$", text)

    assert sorted(shown) == sorted(row.pk for row in rows)


def test_no_address_has_a_number_that_firms_share():
    found = {
        (pattern.name, name)
        for pattern in urls.urlpatterns
        for name, converter in pattern.pattern.converters.items()
        if isinstance(converter, IntConverter) and name not in OWN_NUMBERS
    }

    assert found == set()


@pytest.mark.parametrize("name", ["search", "count_search", "change_search", "end_search", "export_search"])
def test_neither_the_number_nor_the_key_of_another_firm_opens_a_search(seat, seat_client, name):
    other = make_seat(make_firm())
    own, theirs = (searching.save(seat=each, name="", terms="apixaban") for each in (seat, other))

    for key in (theirs.key, str(own.pk), keys.question_key(seat.firm, own.pk), "A" * 22):
        for method in (seat_client.get, seat_client.post):
            assert method(reverse(f"observers:{name}", args=[key])).status_code in (404, 405)
    assert FirmSearch.objects.filter(ended_at=None).count() == 2


def test_neither_the_number_nor_another_key_withdraws_an_invitation(seat, seat_client):
    Seat.objects.filter(pk=seat.pk).update(is_admin=True)
    invitation = invite(seat)
    theirs = invite(make_seat(make_firm(), is_admin=True))
    address = reverse("observers:withdraw_seat", args=[invitation.pk])

    assert str(invitation.pk) not in address.split("/")
    for key in (invitation.pk, keys.search_key(seat.firm, invitation.pk), keys.invitation_key(theirs.pk)):
        assert seat_client.post(f"/observe/seats/invitations/{key}/withdraw/").status_code == 404
    assert seat_client.post(address).status_code == 302
    assert SeatInvitation.objects.get(withdrawn_at__isnull=False) == invitation


def invite(seat):
    said = {"email": f"new@{seat.firm.pk}.example", "name": "N. New", "purpose": Purpose.MEDICAL}
    return seating.invite(firm=seat.firm, by=seat.user, **said)


def plain_texts_in(address):
    """What a cursor of an address would say if it were not sealed."""
    for value in parse_qs(urlsplit(address).query).get("after", ()):
        yield base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("latin-1")


def make_event(firm, author):
    post = let_pass(make_question(author)).posts.get()
    return AdverseEvent.objects.create(firm=firm, product=product_of(firm), post=post)


def make_asked(firm, author):
    moment = timezone.now() - timedelta(hours=2)
    return CompanyQuestion.objects.create(
        product=product_of(firm),
        firm=firm,
        asker=author,
        text="Is it stable when it is crushed?",
        asked_at=moment,
        due_at=moment + timedelta(hours=24),
        submission=uuid4(),
    )


def make_export(firm, author):
    return Export.objects.create(
        firm=firm,
        seat=firm.seats.first(),
        what="A discussion",
        reason="For the dossier",
        purpose=Purpose.MEDICAL,
        rows=1,
        phrase=uuid4().hex,
        key=uuid4(),
    )


def product_of(firm):
    return firm.made_products.first() or make_product(f"drug-{firm.pk}", maker=firm)


def answered(rows, seat):
    if isinstance(rows[0], AdverseEvent):
        for event in rows:
            adverse_events.say(event=event, seat=seat, outcome=AdverseEvent.Outcome.NONE)
    else:
        for question in rows:
            company.answer(question=question, seat=seat, text="It is.")
