"""No page of the console tells a firm who wrote, when exactly, of how few, or anything of what is kept from it.

Whatever it shows of a post is read once for each request, and the author is shown it once. Each post of the world has a
word of its own, so what a page shows is known from the page itself.

All addresses of the console are asked for, those that are added later too; with them what they lead to, as a page and
as htmx asks for it, each form, each file, each picture.
"""

import csv
import io
import re
from collections import Counter
from types import SimpleNamespace
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from django.db.models import Q
from django.urls import reverse

from conftest import client_of
from observers import aliases, charts, figures, listing, texts
from observers.keys import question_key
from observers.models import Chart, Read, ReadDay, Way
from observers.tests import leaks
from observers.tests.console_crawl import OF_EACH, Console, addresses_of, console_routes, unlogged
from observers.tests.console_world import (
    CENTS_OF_OTHER,
    HIDDEN_WORD,
    WEEKS_WORD,
    arguments_of,
    hidden_marks,
    make_world,
    names_of,
    shown_posts,
)
from questions.models import Post
from rewards.tests import crawl
from rewards.words import dollars

pytestmark = pytest.mark.django_db  # the fixture holds a transaction open around all tests

LIST = "/observe/"
WORDLESS = {
    *("searches", "new_search", "count_search", "change_search", "end_search", "balance", "new_poll"),
    *(
        "company_questions",
        "company_question",
        "correct_answer",
        "safety_log",
        "seats",
        "invite_seat",
        "withdraw_seat",
        "end_seat",
    ),
    *("groups", "group", "group_prompt", "group_talk", "group_note"),  # rooms have a log of their own
    *("join", "purpose", "search", "ask", "polls", "close", "earmarks", "earmark", "cancel_earmark"),
}  # of the console, that show no words of a post but the firm's own
KEY = re.compile(r"/(?:questions|posts|images|discussions|polls|ask|searches)/([\w-]{22})/")


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker):
    """The world, and all that was seen of it from the seat that gives seats."""
    with django_db_blocker.unblock(), unlogged(), crawl.undone():
        world = make_world()
        crawl.forget()
        client = client_of(world.seat.user)
        console = Console(client)
        asked = [*addresses_of(arguments_of(world)), *lists(world)]
        before = Read.objects.count()
        visits = console.crawl(asked)
        for address in (f"{LIST}?q=velorin", question_address(world.firm, world.question)):
            console.ask("head", address)
        yield SimpleNamespace(
            world=world,
            client=client,
            visits=visits,
            before=before,
            names=names_of(world),
            hidden=hidden_marks(world, world.firm),
        )


def lists(world) -> list[str]:
    """Orders, filters and searches: by names, by words that are kept from the firm, and by some that are not."""
    words = ["velorin", WEEKS_WORD, "left*", names_of(world)[0]]
    kinds, orders = ["case"], ["importance", "corroborated"]
    if OF_EACH > 1:
        words += ["likewise", "is", "-velorin", "tag:dialysis", *names_of(world)[1:3]]
        kinds, orders = [*kinds, "poll", "article"], [*orders, "new"]
    queries = [
        *({"order": order} for order in orders),
        *({"kind": kind} for kind in kinds),
        {"solved": "yes", "group": "nephrology"},
        {"after": "no-key"},
        *({"q": word} for word in words),
        {"q": "velorin", "order": "corroborated"},
    ]
    return [f"{LIST}?{urlencode(query)}" for query in queries]


def leaks_of(site, visit) -> list[str]:
    typed = f"{visit.address} {visit.method}"
    names = [name for name in site.names if name.lower() not in typed.lower()]
    return [
        *leaks.found_in(visit.body, visit.kind, names=names, marks=site.hidden, asked=typed),
        *leaks.found_in_headers(visit.headers, names),
    ]


class TestWholeConsole:
    def test_every_address_is_asked_for(self, site):
        """Where this fails, give the new address arguments in `console_world.arguments_of`, and rows to show."""
        assert sorted(console_routes() - arguments_of(site.world).keys()) == []

    def test_every_address_answers_something(self, site):
        reached = {visit.route for visit in site.visits if visit.status in (200, 302, 422)}

        assert sorted(console_routes() - reached - {"join"}) == []

    def test_nothing_breaks_on_the_way(self, site):
        assert [visit.said for visit in site.visits if visit.status >= 500] == []

    def test_files_charts_fragments_and_pictures_were_among_it(self, site):
        kinds = {(visit.route, visit.kind.partition(";")[0]) for visit in site.visits if visit.status == 200}

        assert {
            ("export_discussion", "text/csv"),
            ("export_search", "text/csv"),
            ("safety_log", "text/csv"),
            ("image", "image/jpeg"),
        } <= kinds
        assert any('<svg class="chart"' in visit.text for visit in site.visits)
        assert any(visit.text and "<html" not in visit.text for visit in site.visits if visit.route == "list")

    def test_what_is_open_was_seen(self, site):
        seen = shown_posts(site.world, "".join(visit.text for visit in site.visits))
        opened = set(Post.objects.open_to(site.world.firm).values_list("pk", flat=True))

        assert opened - seen == set()
        assert len(seen) > 60

    def test_nothing_leaks(self, site):
        found = [(visit.said, leak) for visit in site.visits for leak in leaks_of(site, visit)]

        assert found == []

    def test_nothing_tells_of_what_another_firm_pays(self, site):
        amount = dollars(CENTS_OF_OTHER)

        assert [visit.said for visit in site.visits if amount in visit.text] == []


class TestKeptFromFirms:
    def test_no_list_search_or_page_has_a_post_that_is_not_open(self, site):
        closed = {pk for pk, firms in site.world.hidden.items() if site.world.firm.pk in firms}
        opened = set(Post.objects.open_to(site.world.firm).values_list("pk", flat=True))

        assert closed & opened == set()
        assert closed | opened == set(site.world.marks)  # so that nothing of the world is left out of either
        for visit in site.visits:
            assert {post for post, _ in visit.reads} & closed == set(), visit.said

    def test_a_search_for_words_of_a_closed_post_finds_nothing(self, site):
        assert found_by(site, site.hidden) == []
        assert found_by(site, [*site.hidden[:3], site.world.marks[site.world.answer.pk]]) != []

    def test_a_search_for_a_name_finds_nothing(self, site):
        assert found_by(site, site.names) == []

    def test_every_open_discussion_is_listed_once_with_its_open_answers(self, site):
        posts = Post.objects.open_to(site.world.firm)
        answers = Counter(posts.filter(kind="answer").values_list("question", flat=True))
        opened = set(posts.filter(kind="opening").values_list("question", flat=True))
        rows = [row for page in pages(site.client, LIST) for row in page.context["rows"]]
        listed = [row.question_pk for row in rows]

        assert len(listed) == len(set(listed))
        assert set(listed) <= opened
        assert opened - set(listed) <= {site.world.discussion.pk}  # whose article nobody may have spoken on
        assert [row.title for row in rows if row.answers != answers[row.question_pk]] == []

    def test_a_chart_counts_neither_peers_nor_who_shut_the_firm_out(self, site):
        world = site.world

        assert (
            mentions(world, world.firm, WEEKS_WORD) == 10
        )  # twelve, and neither the nine nor the other nine
        assert mentions(world, world.firm, HIDDEN_WORD) is None  # eight
        assert mentions(world, world.other, WEEKS_WORD) == 20  # which nobody of the nine shut out

    def test_a_chart_shows_no_cell_of_few(self, site):
        for visit in site.visits:
            for cell in (
                re.findall(r'<td class="n">(?:<span[^>]*>)?([^<]*)<', visit.text)
                if visit.route == "search"
                else ()
            ):
                assert re.fullmatch(r"not shown|over 10|\d+%|\d\.\d|\d*[05]", cell), (visit.address, cell)
                assert not cell.isdecimal() or int(cell) >= 15, (visit.address, cell)

    def test_a_file_has_what_is_open_and_its_figures_as_they_are_shown(self, site):
        files = [visit for visit in site.visits if visit.route.startswith("export_") and "csv" in visit.kind]

        assert files
        for visit in files:
            lines = list(csv.reader(io.StringIO(visit.text.removeprefix("\ufeff"))))
            place = {name: number for number, name in enumerate(lines[1])}
            for line in lines[2:-1]:
                for name in ("Corroborated", "Disputed"):
                    assert re.fullmatch(r"under 11|over 10|\d*[05]", line[place[name]]), line
                assert re.fullmatch(r"20\d\d-\d\d-\d\d", line[place["Day"]]), line

    def test_a_poll_shows_nothing_before_it_is_over_and_no_cell_of_few_after(self, site):
        world = site.world
        pages_ = {
            name: site.client.get(
                reverse("observers:results", args=[question_key(world.firm, poll.pk)])
            ).content.decode()
            for name, poll in world.polls.items()
        }

        assert "Chosen by" not in pages_["open"]
        assert "Fewer than 11 voted" in pages_["few"]
        cells = re.findall(r'<td class="n">([^<]*)</td>', pages_["closed"])
        assert cells
        assert "30" in cells
        assert [
            cell for cell in cells if cell and not re.fullmatch(r"under 11|over 10|[1-9]\d*[05]", cell)
        ] == []


class TestTwoFirms:
    def test_they_meet_other_aliases_other_keys_and_who_shut_out_one_alone(self, site):
        world = site.world
        other = Console(client_of(world.other_seat.user))
        text = "".join(other.ask("get", address).text for address in (LIST, *other_questions(world)))
        keys = {key for visit in site.visits for key in KEY.findall(visit.text)}
        theirs = set(KEY.findall(text))
        ours, named = (aliases.aliases_of(firm, [world.question.pk]) for firm in (world.firm, world.other))
        shown = site.client.get(question_address(world.firm, world.question)).content.decode()
        own = {world.marks[pk] for pk, firms in world.hidden.items() if firms == {world.firm.pk}}

        assert keys
        assert theirs
        assert keys & theirs == set()
        assert set(ours.values()) & set(named.values()) == set()
        assert [alias for alias in named.values() if alias in shown] == []
        assert any(mark in text for mark in own)

    def test_a_key_of_the_other_leads_nowhere(self, site):
        assert {site.client.get(address).status_code for address in other_questions(site.world)} == {404}


def question_address(firm, question) -> str:
    return reverse("observers:question", args=[question_key(firm, question.pk)])


def other_questions(world) -> list[str]:
    return [
        question_address(world.other, question) for question in (world.question, world.long, world.thread)
    ]


def found_by(site, words) -> list[str]:
    """The titles that a search for any of these words finds, as many at a time as may be typed."""
    found, left = [], sorted(words)
    while left:
        typed = left.pop()
        while left and len(f"{typed} or {left[-1]}") <= listing.LONGEST:
            typed = f"{typed} or {left.pop()}"
        found += [row.title for row in site.client.get(LIST, {"q": typed}).context["rows"]]
    return found


def pages(client, address) -> list:
    found = []
    while address:
        found.append(client.get(address))
        address = found[-1].context["more_url"]
    return found


def mentions(world, firm, terms):
    chart = Chart.objects.get(search=world.searches[firm.pk, terms])
    return next(week["mentions"] for week in chart.weeks if week["week"] == world.week.isoformat())


class TestReads:
    def test_what_a_page_shows_it_has_logged(self, site):
        own = of_firm(site.world)
        unlogged_ = {}
        for visit in site.visits:
            logged = {post for post, _ in visit.reads}
            if missing := shown_posts(site.world, visit.text) - logged - own:
                unlogged_.setdefault(visit.route, (visit.said, sorted(missing)))

        assert unlogged_ == {}

    def test_no_request_logs_a_post_twice(self, site):
        twice = {}
        for visit in site.visits:
            times = Counter(post for post, _ in visit.reads)
            if max(times.values(), default=0) > 1:
                twice.setdefault(visit.route, (visit.said, visit.reads))

        assert twice == {}

    def test_nothing_is_logged_that_a_page_does_not_show(self, site):
        """But by a picture, whose case is read, and by an answer without a body."""
        not_shown = {}
        for visit in site.visits:
            logged = {post for post, _ in visit.reads}
            if visit.text and visit.status == 200 and logged - shown_posts(site.world, visit.text):
                not_shown.setdefault(visit.route, visit.said)

        assert not_shown == {}

    def test_every_page_with_words_of_posts_was_among_them(self, site):
        with_reads = {visit.route for visit in site.visits if visit.reads}

        assert sorted(console_routes() - WORDLESS - with_reads - {"exports"}) == []
        assert WORDLESS & with_reads == set()

    @pytest.mark.parametrize(
        ("route", "way"),
        [
            ("list", Way.FOUND),
            ("question", Way.OPENED),
            ("image", Way.OPENED),
            ("safety", Way.FOUND),
            ("safety_event", Way.OPENED),
        ],
    )
    def test_a_page_says_in_which_way(self, site, route, way):
        ways = {found for visit in site.visits if visit.route == route for _, found in visit.reads}

        assert ways == {way}

    def test_a_file_is_read_as_exported(self, site):
        files = [visit for visit in site.visits if visit.kind.startswith("text/csv") and visit.reads]

        assert {visit.route for visit in files} == {"export_search", "export_discussion"}
        for visit in files:
            assert {post for post, way in visit.reads if way == Way.EXPORTED} == shown_posts(
                site.world, visit.text
            )

    def test_a_page_that_is_not_found_reads_nothing(self, site):
        assert [visit.said for visit in site.visits if visit.status in (403, 404) and visit.reads] == []


def of_firm(world) -> set[int]:
    """Posts under the firm's own name, whose words it knows."""
    voice = world.asked[world.firm.pk].asker_id
    return set(Post.objects.filter(author=voice).values_list("pk", flat=True))


class TestAuthors:
    def test_the_counts_of_authors_are_the_log(self, site):
        counted = Counter()
        for row in ReadDay.objects.all():
            counted[row.post_id, row.firm_id, row.way, row.purpose, row.author_id] += row.reads
        logged = Counter(Read.objects.values_list("post", "firm", "way", "purpose", "post__author"))

        assert counted == logged
        assert Read.objects.count() > site.before

    def test_each_author_is_shown_each_read_once(self, site):
        member = site.world.people.named
        page = client_of(member).get(reverse("watchers:reads_file")).getvalue().decode()
        lines = list(csv.DictReader(io.StringIO(page.removeprefix("\ufeff"))))
        shown = Counter()
        for line in lines:
            post = int(line["Post"].rstrip("/").rpartition("/")[2])
            shown[post, line["Firm"], line["What it did"], line["Purpose"]] += int(line["Times"])
        logged = Counter(
            (read.post_id, read.firm.name, read.get_way_display(), read.get_purpose_display())
            for read in Read.objects.filter(post__author=member).select_related("firm")
        )

        assert shown == logged
        assert len({(line["Day (UTC)"], *key) for key in shown for line in lines[:1]}) == len(lines)

    def test_one_more_look_is_one_more_line_of_one(self, site):
        world = site.world
        member, post = world.people.partial, world.answer
        reads = reads_shown(member, post)

        site.client.get(question_address(world.firm, world.question))

        assert reads_shown(member, post) == reads + 1

    def test_another_firms_looks_are_its_own(self, site):
        world = site.world
        other = client_of(world.other_seat.user)

        other.get(question_address(world.other, world.question))

        firms = Read.objects.filter(post=world.answer, seat=world.other_seat).values_list("firm", flat=True)
        assert list(firms) == [world.other.pk]


def reads_shown(member, post) -> int:
    page = client_of(member).get(reverse("watchers:post", args=[post.pk]))
    assert page.status_code == 200
    return sum(read.reads for read in page.context["reads"])


class TestTheCheckers:
    """By which the pages above are held to it; of pages that are made up, see `test_leaks`."""

    @pytest.mark.parametrize(
        ("of", "name", "instead"),
        [
            (texts, "for_firm", lambda html, masks: html),
            (texts, "plain", lambda text, masks: text),
            (figures, "shown_number", str),
            (aliases, "_alias", lambda firm, question, member, attempt: f"member {member}"),
        ],
    )
    def test_it_finds_what_a_broken_product_shows(self, site, of, name, instead):
        address = question_address(site.world.firm, site.world.question)
        console = Console(site.client)

        assert leaks_of(site, console.ask("get", address)) == []
        with patch.object(of, name, instead):
            assert leaks_of(site, console.ask("get", address)) != []

    def test_it_finds_what_an_open_gate_shows(self, site):
        address = question_address(site.world.firm, site.world.question)

        with patch("questions.models.openness._shut_out", lambda firm, author: Q(pk__in=[])):
            assert any(
                "not open" in leak for leak in leaks_of(site, Console(site.client).ask("get", address))
            )

    def test_it_finds_the_true_number_of_a_chart(self, site):
        search = site.world.searches[site.world.firm.pk, WEEKS_WORD]

        with patch.object(charts, "shown_mentions", lambda rounded: "12"):
            visit = Console(site.client).ask("get", reverse("observers:search", args=[search.key]))

        assert any("12" in leak for leak in leaks_of(site, visit))
