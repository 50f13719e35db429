"""Two worlds that differ only by earmarks look and do the same to everybody, until a discussion closes.

Whatever the site shows is asked for in both: every address of the resolver, as author, as colleague, as moderator, as
applicant and as visitor; the fragments and lists that pages lead to; the answers to what members do; then the tasks of
a day, the mails they send, an export, and all rows of all tables.
"""

import logging
import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, zip_longest
from types import SimpleNamespace
from typing import NamedTuple
from unittest.mock import patch
from uuid import UUID

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.core.files.storage import storages
from django.test import override_settings
from django.urls import reverse
from django.utils.module_loading import import_string

from accounts.models import Member
from accounts.services import leaving
from polls.models import Receipt
from questions.models import Importance, Post, Vote
from rewards.models import Earmark, Transaction
from rewards.services import allowances, draws, earmarking
from rewards.tests import crawl
from rewards.tests.factories import make_firm, owed
from rewards.tests.whole_site import FINANCE_EMAIL, log_in, make_site

pytestmark = pytest.mark.django_db  # the fixture holds a transaction open around all tests

WRITTEN = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
NOW = WRITTEN + timedelta(hours=26)
TOMORROW = NOW + timedelta(days=1)

# Who asks.
INSIDERS = ("author", "reader", "lapsed", "moderator")
READERS = ("author", "reader", "moderator")
OWN = "Colleagues judge this one: it is your own."
OUTSIDERS = ("applicant", "suspended", "visitor")
STAFF = ("reviewer", "staff")  # without a membership, and without the desk of money
AT_THE_DESKS = ("moderator", *STAFF)

TURNED = (301, 302, 405)  # to another page, or since a form is sent there
OF_EACH = int(os.environ.get("OF_EACH", "1"))  # addresses of a route, links of a kind; all three by hand
HTMX = {"HX-Request": "true"}
OF_MARKED = {
    "question_id",
    "post_id",
    "diagnosis_id",
    "tag",
}  # in an address: it is about what may be earmarked
REFUSED = crawl.Answer(404, (), b"", (), ())
OF_SECRETS = (
    "admin:rewards_",
    "admin:verification_",
    "admin:index",
    "admin:app_list",
)  # may tell of earmarks
LISTS = ("index", "app_list", "changelist")
PUBLIC = ("about", "home", "rewards:", "questions:", "polls:", "consults:")
BOOKS = (
    "/rewards/",
    "/moderation/posts/",
)  # what is done there is a row of the ledger, or of the audit trail
FETCHING = {"newsfeed.tasks.check_due_feeds"}  # from other sites
MONEY = [
    f"/rewards/{page}" for page in ("", "lines/", "payouts/ask/", "donate/", "statement/2026/", "clock/")
]

# What an earmark is made of, and what is counted of it for firms; the numbers that other rows have for it.
OF_EARMARKS = {
    "rewards_earmark": "",
    "rewards_allowance": "",
    "rewards_account": """
        SELECT (to_jsonb(row) - 'id')::text FROM rewards_account AS row
         WHERE kind NOT IN ('firm', 'reserved')""",
    "rewards_transaction": """
        SELECT (to_jsonb(row) - ARRAY['id', 'reverses_id'])::text FROM rewards_transaction AS row
         WHERE key NOT LIKE 'earmark:%'""",
    "rewards_entry": """
        SELECT (to_jsonb(row) - ARRAY['id', 'transaction_id', 'account_id'])::text FROM rewards_entry AS row
          JOIN rewards_account AS account ON account.id = account_id
         WHERE kind NOT IN ('firm', 'reserved')""",
    "rewards_payout": """
        SELECT (to_jsonb(row) - ARRAY['held_id', 'settled_id', 'put_back_id'])::text FROM rewards_payout AS row""",
    "django_session": """
        SELECT row::text FROM django_session AS row WHERE session_key NOT LIKE 'sessionfinance%'""",
    "verification_subject": f"""
        SELECT row::text FROM verification_subject AS row JOIN accounts_user AS who ON who.id = user_id
         WHERE email <> '{FINANCE_EMAIL}'""",
}

# Desks moderators have no part in, log-in, whose states vary, and the console of firms, where members are turned away.
OF_OTHERS = ("admin:", "account_", "mfa_", "observers:")
# What no row of a discussion leads to, and why. A new page that is found here for no reason fails the test.
OUT_OF_REACH = {
    **dict.fromkeys(
        ["verification:vouch", "verification:objection", "accounts:unsubscribe", "rewards:left"],
        "a key out of a mail",
    ),
    **dict.fromkeys(["consults:draft_image", "accounts:picture", "focusgroups:stimulus"], "an upload"),
    **dict.fromkeys(["consults:remove_mark"], "marks"),
    **dict.fromkeys(
        [
            "verification:reveal",
            "verification:reasons",
            "consults:incident",
            "on_call:hand_over",
            "newsfeed:log_add",
        ],
        "states that take another test's machinery",
    ),
    **dict.fromkeys(["rewards:connect", "rewards:connect_back"], "a provider that this world has not"),
    "rewards:dispute": "the report of a year that is over",
}


# Two worlds


@pytest.fixture(scope="module")
def worlds(django_db_setup, django_db_blocker):
    """What was seen of a world without earmarks, and of the same with them."""
    with (
        django_db_blocker.unblock(),
        patch("sermo.prepared.PREPARED_FROM", 10**9),  # whose statement depends on how often it was sent
        _unlogged(),
        override_settings(EARMARK_PERCENT=100),
        crawl.rolled_back(),
    ):
        with time_machine.travel(WRITTEN, tick=False), crawl.chance_of("the world"):
            site = make_site()
            firms = [make_firm(f"Firm {number}", balance=100_000) for number in (1, 2)]
            draws.keep_ahead()
        with time_machine.travel(NOW, tick=False):
            allowances.fix(draws.today())
            site.sessions = log_in(site.people)
            site.asked = crawl.addresses(crawl.routes(), site.arguments)
            crawl.analyze()
            plain, marked = (_seen(site, firms if is_marked else []) for is_marked in (False, True))
        yield SimpleNamespace(plain=plain, marked=marked)


@contextmanager
def _unlogged():
    """Refusals by the hundred are logged with where they came from, which takes longer than they do."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _seen(world, firms):
    """All that shows in a world: `answers` to requests, `rows`, `mails`, `exports`, and its `closed` page."""
    seen = SimpleNamespace(answers={}, at_rows={}, booked={}, reached=set(), acts=[])
    with crawl.undone():
        site = crawl.Site(world.sessions)
        _earmark(world, firms, site)
        seen.earmarks = Earmark.objects.filter(state=Earmark.State.OPEN).count()
        seen.trail = Transaction.objects.filter(key__startswith="earmark:", by__isnull=False).count()
        _read(seen, site, world.asked)
        _act(seen, site, world)
        seen.exports = {role: _export_of(getattr(world.people, role)) for role in ("author", "lapsed")}
        with time_machine.travel(TOMORROW, tick=False):
            crawl.forget()  # what is kept for hours is kept by the real clock
            seen.mails = _work_off_a_day()
            _read_tomorrow(seen, site, world)
            seen.rows = crawl.rows(instead=OF_EARMARKS)
            seen.closed = _closed_page(site, world)
    return seen


def _earmark(world, firms, site):
    """The first firm's are placed by the service, the second's at the finance desk, which stands in the ledger."""
    for number, (post, cents) in enumerate(zip(world.posts, count(500)) if firms else ()):
        amounts = {"author_cents": cents, "voter_cents": 500, "voter_slots": 2}
        earmarking.place(firm=firms[0], post=post, key=UUID(int=100 + number), **amounts)
        form = {
            "firm": firms[1].pk,
            "post": post.pk,
            "author_cents": f"{cents / 100:.2f}",
            "voter_cents": "5.00",
            "voter_slots": "2",
            "submission": UUID(int=200 + number),
        }
        site.post("finance", reverse("admin:rewards_earmark_place"), form)


def _read(seen, site, asked):
    """Of each route some pages, in every role where it is about a post; then what pages lead to.

    Pages of single rows of the desk of money, where all who ask are turned away, are kept `at_rows`.
    """
    for route, found in asked.items():
        for role in _who_asks(route):
            if role in INSIDERS[1:] and route.name in seen.reached and not _is_for_all(route):
                continue  # what has no post in it, and is about one row, looks as it does to the author
            for address in found[: _how_many(route, role)]:
                kept = seen.at_rows if _is_at_row(route) else seen.answers
                answer = kept[role, address] = site.get(role, address)
                if answer.status == 200 or (role in INSIDERS and answer.status in TURNED):
                    seen.reached.add(route.name)
    seen.asked = {route.name for route in asked if not route.name.startswith(OF_OTHERS)}
    _read_fragments(seen, site, asked)
    _read_links(seen, site, asked)


def _who_asks(route):
    """Of the administration who has a desk there; of log-in and second factors, who has none.

    Where all who ask are turned away at one door, two of them are enough: of the rows of the desk of money, and of
    the console. Of staff without a membership one is, on the pages of members.
    """
    is_list = route.name.endswith(LISTS)
    if route.name.startswith("admin:rewards_"):
        return AT_THE_DESKS if is_list else ("moderator", "staff")
    if route.name.startswith("admin:"):
        return AT_THE_DESKS if route.name.startswith(OF_SECRETS) else ("moderator",) if is_list else ()
    if route.name.startswith(("account_", "mfa_")):
        return ("visitor",)
    if route.name.startswith("observers:"):
        return ("author", "moderator")
    return (*INSIDERS, *OUTSIDERS, "staff") if _is_for_all(route) else INSIDERS


def _is_for_all(route):
    return _is_of_marked(route) or (not route.parameters and route.name.startswith(PUBLIC))


def _how_many(route, role):
    """Three addresses for the author, and where there are posts for other members; one for whoever is turned away."""
    if route.name.startswith("admin:"):
        return None
    return OF_EACH if role == "author" or (_is_of_marked(route) and role in READERS) else 1


def _is_at_row(route):
    return route.name.startswith("admin:rewards_") and bool(route.parameters)


def _is_of_marked(route):
    return not OF_MARKED.isdisjoint(route.parameters)


def _read_fragments(seen, site, asked):
    for route, found in asked.items():
        for role in ("author", "reader") if _is_of_marked(route) else ("author",):
            for address in found[:OF_EACH] if route.has_fragments else ():
                if seen.answers.get((role, address), REFUSED).status == 200:
                    seen.answers["htmx", role, address] = site.get(role, address, **HTMX)


def _read_links(seen, site, asked):
    """Orders, filters, later pages and fragments; asked for by a script, too, where that may make a difference."""
    with_fragments = {route.name for route in asked if route.has_fragments}
    for role in READERS:
        pages = [answer for key, answer in seen.answers.items() if key[0] == role]
        for address in crawl.links_in(pages, OF_EACH if role == "author" else 1):
            seen.answers["link", role, address] = site.get(role, address)
            if crawl.kind_of(address) in with_fragments:
                seen.answers["link by htmx", role, address] = site.get(role, address, **HTMX)


class Act(NamedTuple):
    """What somebody does, how it is answered, and the refusal that the next page says."""

    role: str
    address: str
    data: dict
    status: int = 302
    refusal: str = ""


def _acts(world):
    """What members do where an earmark is, or is not; the last of them leaves."""
    talk, money = world.talk, world.money
    answer, comment = talk.answer.pk, talk.comment.pk
    question = talk.question.pk
    submission = "6f1c8a9e-3f65-4d5b-9c61-0d6f1a7f5e5"
    dispute = {"value": "-1", "reason": "unsafe", "explanation": "It harmed a patient of mine."}
    edited = {"source": "I would hold it for a day.", "was": talk.answer.source}
    written = {"source": "It depends.", "byline": "anonymous", "submission": f"{submission}2"}
    removed = {"kind": "remove", "reason": "harassment", "statement": "It is rude.", "seen": "0"}
    diagnosis = talk.forecast.reply.diagnosis_id
    return [
        Act("reader", f"/posts/{answer}/vote/", {"value": "0"}),
        Act("reader", f"/posts/{answer}/vote/", {"value": "1"}, 200),
        Act("reader", f"/posts/{answer}/vote/", {"value": "2"}, 400),
        Act("moderator", f"/posts/{answer}/vote/", dispute, 200),
        Act("author", f"/posts/{answer}/vote/", {"value": "1"}, refusal=OWN),
        Act("lapsed", f"/posts/{answer}/vote/", {"value": "1"}, 403),
        Act("suspended", f"/posts/{answer}/vote/", {"value": "1"}, 403),
        Act("reader", f"/posts/{talk.opening.pk}/vote/", {"value": "1"}, 422),
        Act("moderator", f"/questions/{question}/importance/", {"value": "5"}),
        Act("reader", f"/posts/{answer}/comment/", {"source": "Which dose?", "submission": f"{submission}1"}),
        Act("author", f"/posts/{answer}/edit/", edited),
        Act("author", f"/posts/{comment}/edit/", {"source": ""}, 422),
        Act("moderator", f"/questions/{question}/answer/", written),
        Act("reader", f"/posts/{answer}/flag/", {"reason": "harassment", "words": "It is rude."}),
        Act("reader", f"/questions/{question}/save/", {}),
        Act("reader", f"/questions/{question}/follow/", {"level": "alerts"}),
        Act("named", f"/polls/{talk.poll.pk}/look/", {}),
        Act("reader", f"/polls/{talk.poll.pk}/vote/", {"choice": "0"}, 200),
        Act("reader", reverse("newsfeed:save", args=[talk.article.pk]), {}),
        Act("author", reverse("consults:vote_diagnosis", args=[diagnosis]), {"value": "1"}, 200),
        Act("author", f"/posts/{comment}/remove/", {}),
        Act("moderator", f"/moderation/posts/{talk.on_article.pk}/", removed),
        Act("reader", f"/questions/{question}/close/", {}, refusal="Only its author can change this."),
        Act("author", "/rewards/payouts/ask/", {"amount": "20.00", "submission": f"{submission}3"}),
        Act("author", f"/rewards/payouts/{money.waiting.key}/cancel/", {}),
        Act(
            "reader",
            "/rewards/donate/",
            {"charity": money.charity.pk, "amount": "5.00", "submission": f"{submission}4"},
        ),
        Act("suspended", "/rewards/payouts/ask/", {"amount": "20.00", "submission": f"{submission}5"}, 403),
        Act("leaver", "/settings/leave/", {"confirm": "on", "handle": world.people.leaver.handle}),
    ]


def _act(seen, site, world):
    """Every second act as a script does it. What was booked is read again by whose it is."""
    for number, act in enumerate(_acts(world)):
        answer = site.post(act.role, act.address, act.data, **(HTMX if number % 2 else {}))
        kept = seen.booked if act.address.startswith(BOOKS) else seen.answers
        kept["did", number, act.role, act.address] = answer
        seen.acts.append((act, answer.status, answer.refusals))
        if not number % 4:
            seen.answers["after", number, act.role] = site.get(act.role, _talk_page(world))
    for role in ("author", "reader", "suspended"):
        for address in MONEY:
            seen.booked["after", role, address] = site.get(role, address)
    seen.done = _done(world)


def _talk_page(world):
    return world.talk.question.get_absolute_url()


def _read_tomorrow(seen, site, world):
    for role in INSIDERS:
        for address in ("/", reverse("accounts:notices"), _talk_page(world)):
            seen.answers["tomorrow", role, address] = site.get(role, address)
    for address in MONEY:
        seen.booked["tomorrow", "author", address] = site.get("author", address)
    seen.heads = site.get("visitor", reverse("questions:transparency"))


def _done(world):
    """What is in the rows of what members did, and what should be."""
    talk, people = world.talk, world.people
    votes = Vote.objects.filter(post=talk.answer)
    removed = Post.objects.filter(pk__in=[talk.comment.pk, talk.on_article.pk])
    return {
        "votes": sorted(votes.values_list("voter__handle", "value")),
        "rating": Importance.objects.get(question=talk.question, rater=people.moderator).value,
        "in the poll": sorted(Receipt.objects.filter(poll=talk.poll).values_list("member__handle", "kind")),
        "edited": Post.objects.get(pk=talk.answer.pk).source,
        "written": sorted(Post.objects.filter(submission__isnull=False).values_list("source", flat=True)),
        "removed by": list(removed.order_by("pk").values_list("removed_by", flat=True)),
        "owed": {role: owed(payee) for role, payee in world.money.payees.items()},
        "has left": Member.objects.get(pk=people.leaver.pk).user_id is None,
    }


def _export_of(member):
    with crawl.chance_of(f"the export of {member.handle}"):
        export = leaving.ask_export(user=member.user)
        leaving.make_export(export_id=export.pk)
        export.refresh_from_db()
        packed = b"".join(leaving.read_export(export))
    storages["private"].delete(export.file_name)
    return packed


def _work_off_a_day():
    """Do everything the clock does in a day but reading other sites, and return the mails that left."""
    mail.outbox.clear()
    names = dict.fromkeys(entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values())
    for name in [*names, "accounts.tasks.send_mail"]:
        if name not in FETCHING:
            with crawl.chance_of(name):
                import_string(name)()
    with crawl.chance_of("mails"):
        return [message.message().as_bytes() for message in mail.outbox]


def _closed_page(site, world):
    site.post("author", f"/questions/{world.talk.question.pk}/close/")
    return site.get("author", world.talk.question.get_absolute_url()).body.decode()


# What must be


def test_there_are_earmarks_to_hide_and_the_close_shows_them(worlds):
    assert (worlds.plain.earmarks, worlds.marked.earmarks) == (0, 14)
    assert (worlds.plain.trail, worlds.marked.trail) == (0, 7)
    assert "Paid:" not in worlds.plain.closed
    assert "Paid:" in worlds.marked.closed
    assert "by Firm 1 and Firm 2" in worlds.marked.closed


def test_every_act_is_answered_as_it_should_be(worlds):
    for world in (worlds.plain, worlds.marked):
        assert [
            (act.role, act.address, status, refusals)
            for act, status, refusals in world.acts
            if (status, " ".join(refusals)) != (act.status, act.refusal)
        ] == []


def test_members_did_what_they_did_in_both(worlds):
    assert (
        worlds.plain.done
        == worlds.marked.done
        == {
            "votes": [("nephron_loop", 1), ("plainspoken", -1)],
            "rating": 5,
            "in the poll": [("nephron_loop", "voted"), ("plainspoken", "voted"), ("vagal_tone", "forfeited")],
            "edited": "I would hold it for a day.",
            "written": ["It depends.", "Which dose?"],
            "removed by": ["author", "moderator"],
            "owed": {
                "author": 56_340,
                "reader": 56_800,
                "lapsed": 60_000,
                "suspended": 60_000,
                "moderator": 60_500,
            },
            "has left": True,
        }
    )


def test_every_page_is_reached(worlds):
    """A new page is found by itself. Where this fails, give it arguments in `whole_site`, and rows to show."""
    assert sorted(worlds.marked.asked - worlds.marked.reached - OUT_OF_REACH.keys()) == []


def test_nothing_that_is_reached_is_said_to_be_out_of_reach(worlds):
    assert sorted(OUT_OF_REACH.keys() & worlds.marked.reached) == []


def test_nothing_breaks_on_the_way(worlds):
    """Of which both worlds would have the same page."""
    answers = {**worlds.marked.answers, **worlds.marked.booked, **worlds.marked.at_rows}
    broken = [key for key, answer in answers.items() if answer.status >= 500]

    assert broken == []


def test_a_wallet_is_read_past_its_first_page(worlds):
    later = [
        answer
        for key, answer in worlds.marked.answers.items()
        if key[1] == "author" and key[-1].startswith("/rewards/lines/?after=")
    ]

    assert later
    assert {answer.status for answer in later} == {200}
    assert any(b"<html" in answer.body for answer in later)
    assert any(b"<html" not in answer.body for answer in later)  # what a script puts below
    assert all(b"Aurelian Labs" in answer.body for answer in later)


def test_every_answer_is_the_same_to_the_byte(worlds):
    plain, marked = ({**world.answers, **world.booked} for world in (worlds.plain, worlds.marked))

    assert plain.keys() == marked.keys()
    assert _differing(plain, marked, lambda answer: answer.shown) == []


def test_whoever_is_turned_away_from_a_row_of_the_desk_does_not_learn_whether_it_is_there(worlds):
    plain, marked = worlds.plain.at_rows, worlds.marked.at_rows

    assert plain.keys() == marked.keys()
    assert _differing(plain, marked, lambda answer: answer.shown) == []


def test_every_answer_takes_the_same_statements(worlds):
    """With the same values, but where something was booked, whose rows have other numbers."""
    plain, marked = worlds.plain, worlds.marked

    assert _differing(plain.answers, marked.answers, lambda answer: answer.statements) == []
    assert _differing(plain.booked, marked.booked, lambda answer: answer.wordings) == []


def test_mails_and_exports_are_the_same(worlds):
    assert worlds.plain.mails == worlds.marked.mails
    assert worlds.plain.mails
    assert worlds.plain.exports == worlds.marked.exports


def test_all_rows_but_those_of_earmarks_are_the_same(worlds):
    plain, marked = worlds.plain.rows, worlds.marked.rows

    assert [
        (table, *_first_difference(plain[table], marked[table]))
        for table in plain
        if plain[table] != marked[table]
    ] == []


def test_the_public_heads_are_the_same(worlds):
    assert _first_difference(worlds.plain.heads.shown, worlds.marked.heads.shown) == ()


def _differing(plain, marked, of):
    """Which answers differ, each with the first line that does."""
    pairs = [(key, of(plain[key]), of(marked[key])) for key in plain if key in marked]
    return [(key, *_first_difference(one, other)) for key, one, other in pairs if one != other]


def _first_difference(one, other):
    return next((pair for pair in zip_longest(one, other) if pair[0] != pair[1]), ())
