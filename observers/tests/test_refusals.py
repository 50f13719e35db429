"""Who may not: seats on the site of members, everybody else on the console, firms in the matters of other firms.

All addresses come from the resolver, with the ids of rows that are there, and are asked for by GET, by POST and by one
more method in turn; where all roles are turned away at one door, some of them ask for each. What is refused leaves no
row of any table other than it was. With OF_EACH=2 each address is asked for by every method, and by every role.
"""

from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch
from uuid import uuid4

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from accounts.roles import OBSERVERS
from accounts.tests.factories import make_user
from observers.keys import post_key, question_key, search_key
from observers.models import Contract, Export, Seat
from observers.services import charting, searching, seating
from observers.services.company import answer as answer_as_maker
from observers.tests.console_crawl import OF_EACH, console_routes, taken_back, unlogged
from observers.tests.factories import make_plan, make_seat
from observers.tests.product_makers import ask as ask_maker
from observers.tests.product_makers import make_product
from observers.tests.watched_rooms import arguments_of_room, make_watched_room
from rewards.models import Firm
from rewards.tests import crawl
from rewards.tests.factories import make_earmark, make_firm
from rewards.tests.whole_site import log_in, make_site

BOTH = ("get", "post")
BY_TURNS = ("put", "patch", "delete", "head")
REFUSED = {403, 404, 405}
MISSING = {404, 405}
# What anybody may see, and how a person keeps their own log-in safe.
PUBLIC = {
    *("about", "favicon", "healthz", "readyz", "watchers:all", "questions:transparency", "questions:keys"),
    *("rewards:clock", "rewards:draws", "rewards:draw", "rewards:tickets", "consults:revoke", "rewards:left"),
    *("rewards:stripe_hook", "rewards:paypal_hook", "accounts:unsubscribe", "accounts:left"),
    *(
        "accounts:check_identifiers",
        "verification:vouch",
        "verification:objection_find",
        "verification:objection",
        "verification:registry_entry",
        "accounts:shared_left",
        "accounts:shared_stay",
        "demo_log_in",
        "consults:stories",
        "consults:story",
        "newsfeed:atom",
    ),
    *(
        "accounts:security",
        "accounts:end_session",
        "accounts:settings",
        "accounts:data",
        "accounts:export_state",
    ),
    *("accounts:ask_export", "accounts:stop_export", "accounts:leave"),
}
OF_A_LOG_IN = {
    "accounts:end_session",
    "accounts:ask_export",
    "accounts:stop_export",
    "accounts:leave",
}  # and change it
OF_LOG_INS = ("account_", "mfa_", "usersessions_", "socialaccount_", "admin:login", "admin:logout")
OF_SEARCH = ("search", "count_search", "change_search", "end_search", "export_search")
APART = 3 if OF_EACH == 1 else 1  # addresses of the console, between two that a role asks for
OWN_HOME = ("/observe/", "/accounts/login/", "/admin/login/")


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker):
    """A site with something on every page, and two firms that watch it."""
    with (
        django_db_blocker.unblock(),
        unlogged(),
        crawl.undone(),
        patch(
            "sermo.views.render_to_string", return_value=""
        ),  # of refusals, which are drawn by the thousand
    ):
        with time_machine.travel(timezone.now() - timedelta(days=2), tick=False):
            made = make_site()
        firms = _firms(made)
        people = SimpleNamespace(**vars(made.people), seat=firms.seat.user, other=firms.other_seat.user)
        crawl.forget()
        yield SimpleNamespace(
            made=made,
            firms=firms,
            asker=crawl.Site(log_in(people)),
            members_side=_members_side(made),
            console=_console(firms),
        )


def _firms(made) -> SimpleNamespace:
    plan = make_plan(searches=50)
    seats = []
    for name, kind in (("Corvane Pharma", "pharma"), ("Halberd Fund", "finance")):
        firm = make_firm(f"{name} Watch", kind=kind)
        Contract.objects.create(
            firm=firm,
            plan=plan,
            purposes=["medical", "safety"],
            starts_on=timezone.now().date() - timedelta(days=9),
        )
        seats.append(make_seat(firm, is_admin=True))
    seat, other = seats
    ostavel = make_product("ostavel", name="Ostavel", words=("ostavel",), maker=other.firm)
    return SimpleNamespace(
        seat=seat,
        other_seat=other,
        firm=seat.firm,
        other=other.firm,
        question=made.talk.question,
        answer=made.talk.answer,
        case=made.talk.case,
        **_matters(other, made, ostavel),
    )


def _matters(seat, made, ostavel) -> dict:
    """What is a firm's alone: of the second, which the first asks for."""
    saved = searching.save(seat=seat, name="Dialysis", terms="dialysis")
    charting.ask(saved=saved, seat=seat)
    Export.objects.create(
        **{
            "firm": seat.firm,
            "seat": seat,
            "search": saved,
            "what": "Search: Dialysis",
            "purpose": "medical",
        },
        **{"reason": "For the yearly review.", "rows": 1, "phrase": "four words of it", "key": uuid4()},
    )
    company = ask_maker(ostavel, made.people.named, "Does Ostavel keep in the heat?")
    answered = ask_maker(ostavel, made.people.named, "Does Ostavel keep in the cold?")
    type(company).objects.update(due_at=timezone.now() + timedelta(hours=5))
    answer_as_maker(question=answered, seat=seat, text="It does, for a month.")
    event = seat.firm.adverse_events.create(product=ostavel, post=made.talk.answer)
    return {
        "saved": saved,
        "earmark": make_earmark(made.talk.answer, seat.firm),
        "room": make_watched_room(seat, members=[made.people.author, made.people.reader]),
        "company": company,
        "answered": answered,
        "event": event,
        "invitation": seating.invite(
            firm=seat.firm, by=seat.user, email="new@other.example", name="N. New", purpose="medical"
        ),
    }


def _members_side(made) -> dict[str, str]:
    """One address of each route outside the console, about a row that is there where it is about one."""
    routes = [route for route in crawl.routes() if not is_public(route.name)]
    return {route.name: asked[0] for route, asked in crawl.addresses(routes, made.arguments).items() if asked}


def is_public(name: str) -> bool:
    return name in PUBLIC or name.startswith((*OF_LOG_INS, "observers:"))


def _console(firms) -> dict[str, str]:
    """One address of each route of the console, as the second firm asks for it."""
    firm = firms.other
    key, post = question_key(firm, firms.question.pk), post_key(firm, firms.answer.pk)
    of_question = ("question", "export_discussion", "close", "results")
    arguments = {
        **{name: {"key": key} for name in of_question},
        **{name: {"key": firms.saved.key} for name in OF_SEARCH},
        "image": {"key": question_key(firm, firms.case.pk), "place": 1},
        "earmark": {"key": post},
        "cancel_earmark": {"key": firms.earmark.key},
        "company_question": {"key": firms.company.key},
        "correct_answer": {"key": firms.answered.key},
        "safety_event": {"pk": firms.event.pk},
        "withdraw_seat": {"pk": firms.invitation.pk},
        "end_seat": {"number": firms.other_seat.number},
        "join": {"token": "none"},
        **arguments_of_room(firms.other_seat, firms.room),
    }
    return {name: reverse(f"observers:{name}", kwargs=arguments.get(name, {})) for name in console_routes()}


def methods_of(place: int) -> tuple[str, ...]:
    """By which the address at a place of a list is asked for."""
    return BOTH + (BY_TURNS if OF_EACH > 1 else (BY_TURNS[place % 4],))


def one_of_both(place: int) -> tuple[str, ...]:
    return BOTH if OF_EACH > 1 else (BOTH[place % 2],)


def ask(site, role, addresses: dict[str, str], methods=methods_of) -> list[tuple]:
    """Who was answered how, by the methods of each address."""
    return [
        (role, name, method, answer.status, dict(answer.headers).get("Location", ""))
        for place, (name, address) in enumerate(addresses.items())
        for method in methods(place)
        for answer in [site.asker.ask(method, role, address, {}, {})]
    ]


def let_in(answers) -> list[tuple]:
    """Answers that are no refusal."""
    return [
        answer
        for answer in answers
        if answer[3] not in REFUSED and not (answer[3] == 302 and answer[4].startswith(OWN_HOME))
    ]


def same_rows(before: dict[str, list[str]]) -> list[str]:
    """The tables that are other than they were."""
    after = crawl.rows(instead={})
    return [table for table in before if sorted(before[table]) != sorted(after[table])]


@pytest.mark.django_db
class TestSeats:
    def test_the_site_of_members_is_shut_by_every_method_and_nothing_changes(self, site):
        before = crawl.rows(instead={})

        answers = ask(site, "seat", site.members_side)

        assert let_in(answers) == []
        assert same_rows(before) == []
        assert len(site.members_side) > 300

    def test_scripts_are_refused_alike(self, site):
        """Where a view looks at whether htmx asks."""
        looking = {route.name for route in crawl.routes() if route.has_fragments or OF_EACH > 1}
        found = {
            name: site.asker.get("seat", address, **{"HX-Request": "true"}).status
            for name, address in site.members_side.items()
            if name in looking
        }

        assert {name: status for name, status in found.items() if status not in {302, 401, *REFUSED}} == {}
        assert len(found) > 50

    def test_what_is_public_is_on_no_more_addresses_than_are_named(self, site):
        named = {route.name for route in crawl.routes()}

        assert PUBLIC - named == set()

    def test_what_is_public_is_so_to_visitors(self, site):
        routes = [
            route
            for route in crawl.routes()
            if route.name in ("consults:stories", "consults:story", "watchers:all")
        ]
        asked = crawl.addresses(routes, site.made.arguments)

        assert {site.asker.get("visitor", found[0]).status for found in asked.values()} == {200}

    def test_a_public_page_writes_nothing(self, site):
        routes = [route for route in crawl.routes() if route.name in PUBLIC - OF_A_LOG_IN]
        asked = crawl.addresses(routes, site.made.arguments)
        addresses = {route.name: found[0] for route, found in asked.items() if found}
        before = crawl.rows(instead={})

        answers = ask(site, "seat", addresses)

        assert [answer for answer in answers if answer[3] >= 500] == []
        assert same_rows(before) == []


@pytest.mark.django_db
class TestConsole:
    ROLES = (
        *("author", "reader", "named", "lapsed", "suspended", "applicant"),
        *("moderator", "reviewer", "staff", "finance", "visitor"),
    )

    def test_nobody_without_a_seat_gets_in_by_any_method_and_nothing_changes(self, site):
        before = crawl.rows(instead={})

        answers = ask(site, "author", site.console)
        for number, role in enumerate(self.ROLES):
            of_role = dict(list(site.console.items())[number % APART :: APART])
            answers += ask(site, role, of_role, lambda place, number=number: one_of_both(place + number))

        assert let_in(answers) == []
        assert same_rows(before) == []

    def test_a_seat_of_the_firm_does_get_in(self, site):
        """So that what is refused above is refused for who asks."""
        found = {name: site.asker.get("other", address).status for name, address in site.console.items()}

        only_posted = {"close", "count_search", "end_search", "cancel_earmark", "withdraw_seat", "group_note"}
        elsewhere = {"join", "results"}  # offered to nobody; no poll
        assert {name for name, status in found.items() if status != 200} == only_posted | elsewhere

    def test_an_observer_without_a_seat_is_refused(self, site):
        with taken_back():
            user = make_user()
            user.groups.add(Group.objects.get_or_create(name=OBSERVERS)[0])
            Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
            site.asker.sessions |= log_in(SimpleNamespace(seatless=user))

            assert let_in(ask(site, "seatless", site.console, one_of_both)) == []


@pytest.mark.django_db
class TestOtherFirms:
    OWN = (
        *OF_SEARCH,
        "cancel_earmark",
        *(
            "company_question",
            "correct_answer",
            "safety_event",
            "withdraw_seat",
            "question",
            "export_discussion",
            "close",
            "results",
        ),
        *("image", "earmark", "group", "group_prompt", "group_talk", "group_note"),
    )

    def test_what_is_of_another_firm_is_not_there(self, site):
        before = crawl.rows(instead={})

        answers = ask(site, "seat", {name: site.console[name] for name in self.OWN})

        assert [answer for answer in answers if answer[3] not in MISSING] == []
        assert {
            answer[3]
            for answer in answers
            if answer[2] == "post" and answer[1] not in ("question", "results", "image", "search")
        } == {404}
        assert same_rows(before) == []

    def test_nor_is_it_by_its_number_under_the_own_key(self, site):
        """As who guessed the number would ask, had keys of the own firm been made for it."""
        key, before = search_key(site.firms.firm, site.firms.saved.pk), crawl.rows(instead={})
        addresses = {name: reverse(f"observers:{name}", args=[key]) for name in OF_SEARCH}

        answers = ask(site, "seat", addresses, lambda place: BOTH)

        assert [answer for answer in answers if answer[3] not in MISSING] == []
        assert same_rows(before) == []

    def test_lists_hold_nothing_of_another_firm(self, site):
        firms = site.firms
        words = (
            *(firms.saved.name, "four words of it", firms.invitation.email, firms.other_seat.user.email),
            firms.room.title,
        )
        for name in (
            "searches",
            "exports",
            "earmarks",
            "balance",
            "seats",
            "safety",
            "company_questions",
            "polls",
            "ask",
            "groups",
        ):
            body = site.asker.get("seat", site.console[name]).body.decode()
            assert [word for word in (*words, "Ostavel") if word in body] == [], name

    def test_the_number_of_a_seat_is_one_of_the_own_firm(self, site):
        """The numbers of both firms begin with 1."""
        body = site.asker.get("seat", site.console["end_seat"]).body.decode()

        assert site.firms.other_seat.name in body  # both are called so
        assert site.firms.other_seat.user.email not in body


@pytest.mark.django_db
class TestWhoMayNoMore:
    @pytest.mark.parametrize(
        ("over", "turn"),
        [
            (lambda firms: Seat.objects.filter(pk=firms.other_seat.pk).update(ended_at=timezone.now()), 0),
            (lambda firms: contracts(firms).update(ends_on=timezone.now().date() - timedelta(days=1)), 1),
            (lambda firms: contracts(firms).update(ended_at=timezone.now()), 0),
            (lambda firms: contracts(firms).update(starts_on=timezone.now().date() + timedelta(days=1)), 1),
            (lambda firms: Firm.objects.filter(pk=firms.other.pk).update(is_active=False), 0),
        ],
        ids=["seat ended", "contract past its day", "contract ended", "contract not begun", "firm inactive"],
    )
    def test_the_console_is_shut_and_nothing_changes(self, site, over, turn):
        with taken_back():
            over(site.firms)
            before = crawl.rows(instead={})

            assert let_in(ask(site, "other", site.console, lambda place: one_of_both(place + turn))) == []
            assert site.asker.get("other", "/").status == 200  # the page for those who have no seat
            assert same_rows(before) == []

    def test_a_seat_that_gives_none_gives_none(self, site):
        with taken_back():
            Seat.objects.filter(pk=site.firms.other_seat.pk).update(is_admin=False)
            names = ("seats", "invite_seat", "withdraw_seat", "end_seat")

            answers = ask(site, "other", {name: site.console[name] for name in names}, lambda place: BOTH)

        assert {answer[3] for answer in answers} == {403}


def contracts(firms):
    return Contract.objects.filter(firm=firms.other)
