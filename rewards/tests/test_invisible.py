"""Two worlds that differ only by earmarks look and do the same to everybody, until a discussion closes.

Whatever the site shows is asked for in both: every address of the resolver, as author, as colleague, as moderator, as
applicant and as visitor; the fragments and lists that pages lead to; the answers to what members do; then the tasks of
a day, the mails they send, an export, and all rows of all tables.
"""

import logging
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from types import SimpleNamespace
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
from rewards.models import Earmark
from rewards.services import allowances, draws, earmarking
from rewards.tests import crawl
from rewards.tests.factories import make_firm
from rewards.tests.whole_site import make_site

pytestmark = pytest.mark.django_db  # the fixture holds a transaction open around all tests

WRITTEN = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
NOW = WRITTEN + timedelta(hours=26)
TOMORROW = NOW + timedelta(days=1)
INSIDERS = ("author", "reader", "moderator")
OUTSIDERS = ("applicant", "visitor")
TURNED = (301, 302, 405)  # to another page, or since a form is sent there
HTMX = {"HX-Request": "true"}
OF_MARKED = {
    "question_id",
    "post_id",
    "diagnosis_id",
    "tag",
}  # in an address: it is about what may be earmarked
REFUSED = crawl.Answer(404, (), b"", ())
PUBLIC = ("about", "home", "rewards:", "questions:", "polls:", "consults:")
ALL_ASKED = {"questions:question", "questions:poll", "polls:poll", "consults:case", "rewards:draw"}
FETCHING = {"newsfeed.tasks.check_due_feeds"}  # from other sites

# What an earmark is made of, and what is counted of it for firms.
OF_EARMARKS = {f"rewards_{name}" for name in ("earmark", "transaction", "entry", "account", "allowance")}

OF_OTHERS = ("admin:", "account_", "mfa_")  # desks moderators have no part in, and log-in, whose states vary
# What no row of a discussion leads to: keys in mails, uploads, marks, and states that take another test's machinery.
OUT_OF_REACH = {
    "consults:draft_image",
    "polls:add_option",
    "verification:vouch",
    "verification:reveal",
    "accounts:picture",
    "accounts:unsubscribe",
    "consults:remove_mark",
    "consults:incident",
    "on_call:hand_over",
    "newsfeed:log_add",
    "rewards:dispute",
    "rewards:left",
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
            plain, marked = (_seen(site, firms if is_marked else []) for is_marked in (False, True))
        yield SimpleNamespace(plain=plain, marked=marked)


@contextmanager
def _unlogged():
    """Refusals by the hundred are logged with where they came from, which takes longer than they do."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def _seen(world, firms):
    """All that shows in a world: `answers` to requests, `rows`, `mails`, the `export`, and its `closed` page."""
    seen = SimpleNamespace(answers={}, reached=set())
    with crawl.undone():
        _earmark(world, firms)
        site = crawl.Site(world.sessions)
        seen.earmarks = Earmark.objects.filter(state=Earmark.State.OPEN).count()
        _read(seen, site, world)
        seen.export = _export_of(world.people.author)
        _act(seen, site, world)
        with time_machine.travel(TOMORROW, tick=False):
            seen.mails = _work_off_a_day()
            for role in INSIDERS:
                for address in ("/", reverse("accounts:notices"), world.talk.question.get_absolute_url()):
                    seen.answers["tomorrow", role, address] = site.get(role, address)
            seen.rows = crawl.rows(but=OF_EARMARKS)
            seen.closed = _closed_page(site, world)
    return seen


def _earmark(world, firms):
    for firm in firms:
        for number, post in enumerate(world.posts):
            earmarking.place(
                firm=firm,
                post=post,
                author_cents=500 + number,
                voter_cents=500,
                voter_slots=2,
                key=UUID(int=100 * firm.pk + number),
            )


def _read(seen, site, world):
    """Of each route a page, in every role where it is about a post; then what the author's pages lead to."""
    asked = crawl.addresses(crawl.routes(), world.arguments)
    fragments = []
    for route, found in asked.items():
        for role in _who_asks(route):
            if role in INSIDERS[1:] and route.name in seen.reached and not _is_of_marked(route):
                continue  # what has no post in it looks as it does to the author
            for address in found if role == "author" and route.name in ALL_ASKED else found[:1]:
                answer = seen.answers[role, address] = site.get(role, address)
                if answer.status == 200 or (role in INSIDERS and answer.status in TURNED):
                    seen.reached.add(route.name)
        if route.has_fragments and found and seen.answers.get(("author", found[0]), REFUSED).status == 200:
            fragments.append(found[0])
    seen.asked = {route.name for route in asked if not route.name.startswith(OF_OTHERS)}
    for address in fragments:
        seen.answers["htmx", address] = site.get("author", address, **HTMX)
    for address in crawl.links_in(answer for key, answer in seen.answers.items() if key[0] == "author"):
        seen.answers["link", address] = site.get("author", address)


def _who_asks(route):
    """Of the administration its lists, as moderator; of log-in and second factors, who has none.

    Who is no member asks for posts, and for lists of them and of money: all else is behind the same doors.
    """
    if route.name.startswith("admin:"):
        return ("moderator",) if route.name.endswith(("index", "app_list", "changelist")) else ()
    if route.name.startswith(("account_", "mfa_")):
        return ("visitor",)
    if _is_of_marked(route):
        return INSIDERS + OUTSIDERS
    return (*INSIDERS, "visitor") if not route.parameters and route.name.startswith(PUBLIC) else INSIDERS


def _is_of_marked(route):
    return not OF_MARKED.isdisjoint(route.parameters)


def _act(seen, site, world):
    """What members do where an earmark is, or is not; the last of them leaves."""
    talk = world.talk
    answer, comment = talk.answer.pk, talk.comment.pk
    question = talk.question.pk
    submission = "6f1c8a9e-3f65-4d5b-9c61-0d6f1a7f5e5"
    dispute = {"value": "-1", "reason": "unsafe", "explanation": "It harmed a patient of mine."}
    acts = [
        ("reader", f"/posts/{answer}/vote/", {"value": "0"}),
        ("reader", f"/posts/{answer}/vote/", {"value": "1"}),
        ("reader", f"/posts/{answer}/vote/", {"value": "2"}),
        ("moderator", f"/posts/{answer}/vote/", dispute),
        ("author", f"/posts/{answer}/vote/", {"value": "1"}),
        ("reader", f"/posts/{talk.opening.pk}/vote/", {"value": "1"}),
        ("moderator", f"/questions/{question}/importance/", {"value": "5"}),
        ("reader", f"/posts/{answer}/comment/", {"source": "Which dose?", "submission": f"{submission}1"}),
        (
            "author",
            f"/posts/{answer}/edit/",
            {"source": "I would hold it for a day.", "was": talk.answer.source},
        ),
        ("author", f"/posts/{comment}/edit/", {"source": ""}),
        (
            "moderator",
            f"/questions/{question}/answer/",
            {"source": "It depends.", "byline": "anonymous", "submission": f"{submission}2"},
        ),
        ("reader", f"/posts/{answer}/flag/", {"reason": "harassment", "words": "It is rude."}),
        ("reader", f"/questions/{question}/save/", {}),
        ("reader", f"/questions/{question}/follow/", {"level": "alerts"}),
        ("named", f"/polls/{talk.poll.pk}/look/", {}),
        ("reader", f"/polls/{talk.poll.pk}/vote/", {"choice": "0"}),
        ("reader", reverse("newsfeed:save", args=[talk.article.pk]), {}),
        (
            "author",
            reverse("consults:vote_diagnosis", args=[talk.forecast.reply.diagnosis_id]),
            {"value": "1"},
        ),
        ("author", f"/posts/{comment}/remove/", {}),
        (
            "moderator",
            f"/moderation/posts/{talk.on_article.pk}/",
            {"kind": "remove", "reason": "harassment", "statement": "It is rude.", "seen": "0"},
        ),
        ("reader", f"/questions/{question}/close/", {}),
        ("leaver", "/settings/leave/", {"confirm": "on", "handle": world.people.leaver.handle}),
    ]
    for number, (role, address, data) in enumerate(acts):
        seen.answers["did", number, role, address] = site.post(
            role, address, data, **(HTMX if number % 2 else {})
        )
        if not number % 4:
            seen.answers["after", number, role] = site.get(role, talk.question.get_absolute_url())
    seen.done = _done(world)


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
        "has left": Member.objects.get(pk=people.leaver.pk).user_id is None,
    }


def _export_of(member):
    with crawl.chance_of("the export"):
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
    assert "Paid:" not in worlds.plain.closed
    assert "Paid:" in worlds.marked.closed
    assert "by Firm 1 and Firm 2" in worlds.marked.closed


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
            "has left": True,
        }
    )


def test_every_page_is_reached(worlds):
    """A new page is found by itself. Where this fails, give it arguments in `whole_site`, and rows to show."""
    assert sorted(worlds.marked.asked - worlds.marked.reached - OUT_OF_REACH) == []


def test_every_answer_is_the_same_to_the_byte(worlds):
    assert worlds.plain.answers.keys() == worlds.marked.answers.keys()
    assert _differing(worlds, lambda answer: answer.shown) == []


def test_every_answer_takes_the_same_statements(worlds):
    assert _differing(worlds, lambda answer: answer.statements) == []


def test_mails_and_exports_are_the_same(worlds):
    assert worlds.plain.mails == worlds.marked.mails
    assert worlds.plain.mails
    assert worlds.plain.export == worlds.marked.export


def test_all_rows_but_those_of_earmarks_are_the_same(worlds):
    plain, marked = worlds.plain.rows, worlds.marked.rows

    assert [
        (table, *_first_difference(plain[table], marked[table]))
        for table in plain
        if plain[table] != marked[table]
    ] == []


def _differing(worlds, of):
    """Which answers differ, each with the first line that does."""
    plain, marked = worlds.plain.answers, worlds.marked.answers
    pairs = [(key, of(plain[key]), of(marked[key])) for key in plain if key in marked]
    return [(key, *_first_difference(one, other)) for key, one, other in pairs if one != other]


def _first_difference(one, other):
    return next((pair for pair in zip_longest(one, other) if pair[0] != pair[1]), ())
