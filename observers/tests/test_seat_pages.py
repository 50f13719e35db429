"""The frame of the console: its bar on every width, axe on the pages of seats, and who is shown which bar."""

import re

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_user
from conftest import client_of
from observers.services import company, seating
from observers.tests.factories import make_plan, make_seat
from observers.tests.product_makers import ask, make_product
from observers.tests.test_company import begun
from observers.tests.test_seats import invite, token_in_mail
from questions.tests.factories import make_question
from sermo.tests.test_accessibility import faults_by_look

WIDTHS = (320, 390, 768, 1200, 1280)

OVER = """where => {
    const menu = document.querySelector(`nav[aria-label="${where}"]`);
    return menu.scrollWidth - menu.clientWidth;
}"""  # pixels of a menu that are not seen


def make_company_question_of_another(asker):
    begun(ask(make_product("other", maker=make_seat().firm), asker))


@pytest.fixture
def giver(db):
    make_plan(seats=9)
    seat = make_seat(is_admin=True)
    ended = make_seat(seat.firm, name="J. Osei")
    seating.end(seat=ended, by=seat.user)
    invite(seat)
    return seat


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestInABrowser:
    @pytest.fixture
    def page(self, giver, browser_page, live_server):
        page = browser_page()
        session = client_of(giver.user).cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        return page

    def test_pages_of_seats_have_no_faults(self, page, live_server):
        addresses = [
            *(reverse(f"observers:{name}") for name in ("seats", "invite_seat", "purpose")),
            reverse("observers:end_seat", args=[1]),
            reverse("observers:join", args=[token_in_mail()]),
        ]
        found = []
        for address in addresses:
            assert page.goto(live_server.url + address).status == 200, address
            found += [f"{address}: {fault}" for fault in faults_by_look(page)]

        assert not found, "\n".join(found)

    @pytest.mark.parametrize("width", WIDTHS)
    def test_the_bar_fits_every_width(self, page, live_server, width):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(live_server.url + reverse("observers:seats"))

        assert page.evaluate("document.documentElement.scrollWidth") == width
        where = "Console" if width >= 768 else "Console, phone"
        assert page.get_by_role("navigation", name=where, exact=True).is_visible()
        assert page.get_by_role("navigation").count() == 1
        assert page.evaluate(OVER, where) <= 0


@pytest.mark.django_db
class TestFrame:
    def test_the_menu_says_where_one_is(self, giver):
        page = client_of(giver.user).get(reverse("observers:seats")).content.decode()

        assert f'<a href="{reverse("observers:seats")}" aria-current="page">Seats</a>' in page
        assert 'Seat 1<span class="only-wide">: M. Ruiz</span>' in page
        assert giver.firm.name in page

    def test_seats_stand_in_the_menu_of_who_gives_them(self, seat_client):
        page = seat_client.get(reverse("observers:purpose")).content.decode()

        assert reverse("observers:seats") not in page

    def test_members_are_met_nowhere_in_the_bar(self, giver):
        page = client_of(giver.user).get(reverse("observers:seats")).content.decode()

        for name in ("questions:list", "consults:list", "accounts:notices", "questions:ask", "on_call:board"):
            assert reverse(name) not in page

    @pytest.mark.parametrize(
        ("address", "status"),
        [
            (reverse("accounts:security"), 200),
            (reverse("watchers:all"), 200),
            (reverse("about", args=["rules"]), 200),
            (reverse("watchers:reads_file"), 403),
            (reverse("questions:list"), 403),
            ("/no/such/page/", 404),
        ],
    )
    def test_outside_the_console_its_menu_stays(self, address, status, seat_client):
        response = seat_client.get(address)

        page = response.content.decode()
        assert response.status_code == status
        assert "Seat 1<" in page
        assert 'aria-label="Console"' in page
        assert 'aria-label="Console, phone"' in page

    def test_who_has_no_second_factor_has_no_menu_either(self, seat, seat_client):
        seat.user.authenticator_set.all().delete()

        page = seat_client.get(reverse("watchers:all"), follow=True).content.decode()

        assert 'aria-label="Console"' not in page
        assert "Console</a>" in page

    def test_nor_whose_seat_or_contract_ended(self, seat, seat_client):
        seat.firm.contracts.update(ended_at=timezone.now())

        assert 'aria-label="Console"' not in seat_client.get(reverse("watchers:all")).content.decode()

    @pytest.mark.parametrize("address", [reverse("observers:purpose"), reverse("watchers:all")])
    def test_what_waits_is_counted_wherever_the_menu_stands(self, address, seat, seat_client, physician):
        product = make_product(maker=seat.firm)
        for _ in range(2):
            begun(ask(product, physician))
        answered = begun(ask(product, physician))
        company.answer(question=answered, seat=seat, text="It is not.")
        make_company_question_of_another(physician)
        seat.firm.adverse_events.create(product=product, post=make_question(physician).posts.get())

        page = seat_client.get(address).content.decode()

        counts = re.findall(
            r">(Questions to us|Safety|Seat 1).*?<span class=.count.>(\d+)</span><span class=.sr.> waiting<",
            page,
        )
        wide, phone = page.partition("<main")[0], page.partition("</main>")[2]
        for words, number in (("Questions to us", 2), ("Safety", 1)):
            said = f'{words} <span class="count">{number}</span><span class="sr"> waiting</span></a>'
            assert wide.count(said) == 2  # the menu, and what hangs under the seat on a phone
            assert phone.count(said) == 1
        assert ("Seat 1", "3") in counts

    def test_where_nothing_waits_no_number_stands(self, seat_client):
        assert "count" not in re.findall(
            r'class="([^"]*)"', seat_client.get(reverse("observers:purpose")).content.decode()
        )

    def test_the_menu_costs_one_query_elsewhere_and_none_in_the_console(
        self, seat, seat_client, django_assert_max_num_queries
    ):
        for address in (reverse("observers:purpose"), reverse("about", args=["rules"])):
            seat_client.get(address)
            with django_assert_max_num_queries(3):
                seat_client.get(address)

    def test_a_page_that_is_not_there_keeps_the_bar(self, giver):
        response = client_of(giver.user).get(reverse("observers:end_seat", args=[77]))

        assert response.status_code == 404
        assert "Seat 1<" in response.content.decode()

    def test_staff_keep_theirs(self, db):
        page = client_of(make_user()).get("/").content.decode()

        assert 'aria-label="Console"' not in page
