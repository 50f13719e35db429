"""Nobody can tell that a handle and a name are one person.

The whole site is built twice: once the posts under a handle and the posts under a name are one member's, once two
members'. Everything else is equal, to the second and to the id. Each kind of reader then opens every page there is,
gets every mail and every export. Were there any path from one face to the other, something would differ.
"""

import re
from collections import deque
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from io import BytesIO
from urllib.parse import urljoin, urlsplit
from zipfile import ZipFile

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core import mail
from django.core.cache import caches
from django.db import connection, transaction
from django.test import Client

from accounts.models import Face, Kind, Member, Way
from accounts.roles import MODERATORS, OBSERVERS
from accounts.services import guard, leaving, notices, profiles, ties
from accounts.services import mail as outbox
from accounts.tests.factories import make_member, make_specialty, make_user
from questions import ranking
from questions.models import Post, Question
from questions.services import closing, following
from questions.services.moderation import acts
from questions.services.reporting import report_post
from questions.tests.factories import corroborate, dispute, make_answer, make_comment, make_question

NAME, NAME_KEY, OTHER_KEY = "Amara Okafor, MD", "k-of-the-name", "k-of-another"
HANDLE = "quiet_murmur"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SKIPPED = ("/static/", "/accounts/", "/admin/", "/demo/")
STARTS = (
    "/",
    "/questions/",
    "/questions/?status=all&sort=new",
    "/leaderboards/",
    "/connections/",
    "/notifications/",
    "/search/?q=Okafor",
    "/search/?q=murmur",
    "/search/?q=amiodarone",
    f"/search/?q=author:{HANDLE}",
    "/search/?q=author:unused_valve",
    "/search/?q=state:MN",
    "/search/?q=quiet_mu",
    "/search/?q=Amara",
    "/search/?q=diuretic&sort=newest",
    "/searches/",
    "/settings/",
    "/drafts/",
    "/points/",
    f"/members/{HANDLE}/",
    "/members/unused_valve/",
    f"/physicians/{NAME_KEY}/",
    "/questions/?following=1",
    "/notifications/count/",
    "/settings/data/",
    "/settings/blocks/",
)
MOST_PAGES = 400
# The filters of a specialty's list, which the list of all has too: with `pytest -m scale` one reader opens them at one
# specialty, and otherwise nobody at all.
THOROUGH, REPEATED = "colleague", re.compile(r"/specialties/[^/]+/\?")
SPECIALTY = "/specialties/cardiovascular-disease/"
# These see what the colleague sees, but for a block, a tie or the desk, which is opened in full: one or two links of
# each kind from every page are enough, and without a thorough reader for the colleague, too. Not opened are pages that
# are the same for all, desks on which nothing of the two faces lies, forms about oneself, and filters of the list of
# which `STARTS` has all.
LIKE_THE_COLLEAGUE = ("follower", "who blocked the handle", "who blocked the name", "moderator")
SAME_FOR_ALL = re.compile(
    r"/(about|keys|transparency|consults|news|on-call|polls|products|rewards|tags|verify)/"
    r"|/settings/(leave|notifications|pictures|security)/"
    r"|/questions/\?(kind|status|time|poll|peers|reference|saved|asked|specialty)="
)
RANDOM = [
    (r'(name="csrfmiddlewaretoken" value=")[^"]*', r"\1"),
    (r'(X-CSRFToken": ")[^"]*', r"\1"),
    (r'(nonce=")[^"]*', r"\1"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9A-F]{4}-[0-9A-F]{2}\b", "REQUEST"),
    (
        r"/physicians/[\w-]{16}/",
        "/physicians/KEY/",
    ),  # of the readers themselves; the one looked at is shorter
    (r"/unsubscribe/[^/\s]+/", "/unsubscribe/TOKEN/"),
]


class Clock:
    """One minute passes with each deed."""

    def __init__(self, traveller):
        self.traveller = traveller

    def tick(self, **much):
        self.traveller.shift(timedelta(**(much or {"minutes": 1})))


def build(clock: Clock, *, one_person: bool, later_private: bool) -> dict[str, object]:
    specialty = make_specialty("Cardiovascular Disease", code="207RC0000X")
    other = make_specialty("Nephrology", code="207RN0300X")
    author, stand_in, colleague, connected, follower, foe, namefoe = (
        make_member(handle, email=f"{handle.replace('_', '-')}@example.org", specialty=practice)
        for handle, practice in [
            (HANDLE, specialty),
            ("unused_valve", specialty),
            ("nephron_loop", other),
            ("pale_heron", specialty),
            ("brisk_tern", specialty),
            ("dune_lark", other),
            ("salt_ferry", other),
        ]
    )
    for _ in range(12):
        make_member(specialty=specialty, state="MN", years_band="11-20")
    named = author if one_person else stand_in
    for member in (author, stand_in):
        Member.objects.filter(pk=member.pk).update(
            state="MN", years_band="11-20", physician_key=OTHER_KEY + str(member.pk)
        )
    Member.objects.filter(pk=named.pk).update(
        physician_key=NAME_KEY,
        school="Rush Medical College",
        training="Fellowship in Ghent",
        publications=["31535829"],
        visibility={"school": "physicians", "training": "physicians", "publications": "physicians"},
        name_picture="stock:waves",
    )
    author.refresh_from_db()
    author.visibility |= {"state": "physicians", "years_band": "physicians", "bio": "physicians"}
    author.bio, author.handle_picture = "Valves, mostly on Tuesdays.", "stock:rings"
    author.save(update_fields=["visibility", "bio", "handle_picture"])
    for member in (author, stand_in):
        member.refresh_from_db()
        guard.refresh(member)
    profiles.choose_byline(member=named, mode="public", display_name=NAME)
    for member in (author, stand_in, named):
        member.refresh_from_db()
    for reader in (connected, follower):
        clock.tick()
        ties.request_connection(requester=author, addressee=reader)
        ties.request_connection(requester=reader, addressee=author)
    ties.follow(follower=follower, followed=author)
    ties.set_alerts(follower=follower, followed=author, alerts=True)
    following.follow_topic(member=follower, topic=specialty)
    following.set_topic_alerts(member=follower, topic=specialty, alerts=True)
    ties.block(blocker=foe, blocked=author, blocked_face=Face.HANDLE)
    ties.block(blocker=namefoe, blocked=named, blocked_face=Face.NAME)
    for reader in (colleague, connected, follower, foe, namefoe):
        notices.change_settings(member=reader, ways=dict.fromkeys(Kind, Way.EMAIL))
    write(clock, author, named, stand_in, colleague, connected)
    if later_private:
        clock.tick()
        profiles.choose_byline(member=named, mode="anonymous")
    clock.tick(days=2)
    ranking.recount_ranks()
    clock.tick(hours=1)
    moderator = make_member("plainspoken", email="plainspoken@example.org", specialty=other)
    moderator.user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    moderator.user.authenticator_set.create(type="totp", data={})
    moderate(clock, colleague, follower)
    observer = make_user("observer@example.org")
    observer.groups.add(Group.objects.get_or_create(name=OBSERVERS)[0])
    observer.authenticator_set.create(type="totp", data={})
    applicant = make_member("new_attending", email="new@example.org", standing="applicant", specialty=None)
    return {
        "colleague": colleague,
        "follower": follower,
        "who blocked the handle": foe,
        "who blocked the name": namefoe,
        "moderator": moderator,
        "observer": observer,
        "applicant": applicant,
        "visitor": None,
    }


def write(clock, author, named, stand_in, colleague, connected):
    """What both faces say, in discussions of their own."""
    make_question(
        stand_in, "When do you stop statins in the very old?", byline="anonymous", byline_confirmed=True
    )
    clock.tick()
    asked = make_question(author, "Do you anticoagulate subclinical atrial fibrillation?", byline="anonymous")
    clock.tick()
    named_ask = make_question(named, "How do you taper amiodarone after ablation?", byline="public")
    clock.tick()
    to_connections = make_question(
        author, "Who covers the valve clinic in spring?", byline="anonymous", audience="connections"
    )
    clock.tick()
    waiting = make_question(colleague, "Would you dialyze before contrast here?")
    other = make_question(colleague, "Which diuretic first in cardiorenal syndrome?")
    clock.tick()
    by_handle = make_answer(
        waiting, author, byline="anonymous", source="No, hydrate and wait. @nephron_loop may differ."
    )
    clock.tick()
    by_name = make_answer(other, named, byline="public", source="Loop diuretic first, then add a thiazide.")
    for post in (by_handle, by_name):
        clock.tick()
        for _ in range(5):
            corroborate(post)
        corroborate(post, connected)
        dispute(post, stand_in if post is by_handle else None)
        make_comment(post, colleague, source="And with an ejection fraction of 20?")
        clock.tick()
        make_comment(post, post.author, source="Then slower, over two days.")
    for question in (asked, named_ask, to_connections):
        clock.tick()
        make_answer(question, connected, source="It depends on the burden; I look at six hours.")
    closing.solve_question(question=waiting, by=colleague, answers=[by_handle])
    clock.tick()
    closing.solve_question(question=other, by=colleague, answers=[by_name])


def moderate(clock, colleague, follower):
    """What both faces said is reported; one was warned before, the other held from writing."""
    second = make_member("second_reader", specialty=colleague.specialty)
    second.user.groups.add(Group.objects.get(name=MODERATORS))
    for words, kind, days in (("No, hydrate", "warn", None), ("Loop diuretic", "hold", 3)):
        clock.tick()
        post = Post.objects.get(source__startswith=words)
        acts.act(post=post, by=second.user, kind=kind, reason="harassment", days=days)
        clock.tick()
        report_post(post=post, by=follower, reason="misinformation", words="No trial says so.")
    for question in Question.objects.filter(title__startswith="When do you stop"):
        report_post(post=question.posts.get(), by=colleague, reason="spam")


def pages_of(reader, *, thorough, samples=False, known=()) -> dict[str, str]:
    """Every page this reader reaches by links, forms and scripts, as text without what is random.

    Or those `known` from the other world, in their order: a link that only one world has is a page that differs.
    """
    client = Client()
    if reader is not None:
        client.force_login(getattr(reader, "user", reader))
    waiting, seen = deque(known or STARTS), {}
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.popleft()
        if path in seen or is_left_out(path, thorough=thorough):
            continue
        response = client.get(path)
        seen[path] = f"{response.status_code} {response.get('Location', '')}\n{plain(body_of(response))}"
        if not known:
            links = links_in(response, path)
            waiting.extend(link for link in (sampled(links) if samples else links) if link not in seen)
    assert len(seen) < MOST_PAGES
    return seen


def is_left_out(path: str, *, thorough: bool) -> bool:
    if path in STARTS:
        return False
    repeats = REPEATED.match(path) and not (thorough and path.startswith(SPECIALTY))
    return path.startswith(SKIPPED) or path.count("=") > 1 or bool(repeats)


def sampled(links):
    """The first two of those that differ in a number alone, and the first of those that differ after "="."""
    met = {}
    for link in links:
        like = met.setdefault(re.sub(r"\d+|=.*", "#", link), set())
        few = not link.startswith("/moderation/") and len(like) >= (1 if "=" in link else 2)
        if not SAME_FOR_ALL.match(link) and (link in like or not few):
            like.add(link)
            yield link


def body_of(response) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode(errors="backslashreplace")


def plain(text: str) -> str:
    for pattern, instead in RANDOM:
        text = re.sub(pattern, instead, text)
    return text


# What a page would have one open or fetch; an HTML parser written in Python takes longer than the pages.
TAG = re.compile(r"""<(a|img|form)\b((?:[^>"]|"[^"]*")*)>""", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([\w-]+)="([^"]*)\"""")
FETCHED = re.compile(r"""\shx-get="([^"]*)\"""")


def addresses_in(page: str):
    for tag, rest in TAG.findall(page):
        said = dict(ATTRIBUTE.findall(rest))
        if tag != "form":
            yield said.get("href" if tag == "a" else "src")
        elif said.get("method", "get").lower() == "get":
            yield said.get("action")
    yield from FETCHED.findall(page)


def links_in(response, path):
    if "html" not in response.get("Content-Type", ""):
        return
    for found in filter(None, addresses_in(response.content.decode())):
        address = urlsplit(urljoin(path, unescape(found)))
        if not address.netloc and not address.scheme:
            yield address.path + (f"?{address.query}" if address.query else "")


@contextmanager
def fresh_world(**kind):
    """A world that is gone afterwards, its ids counted from the same number each time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(oid, 5000) FROM pg_class WHERE relkind = 'S'")
    mail.outbox.clear()
    caches["default"].clear()  # what was counted in the other world is not known in this one
    with transaction.atomic(), time_machine.travel(NOON, tick=False) as traveller:
        yield build(Clock(traveller), **kind)
        transaction.set_rollback(True)


def differences(one: dict[str, str], two: dict[str, str]) -> list[str]:
    found = [f"only one world has {path}" for path in sorted(one.keys() ^ two.keys())]
    for path in sorted(one.keys() & two.keys()):
        if one[path] != two[path]:
            lines = zip(one[path].splitlines(), two[path].splitlines(), strict=False)
            first = next((pair for pair in lines if pair[0] != pair[1]), ("", ""))
            found.append(f"{path}:\n  one person: {first[0][:300]}\n  two people: {first[1][:300]}")
    return found


def tell_all() -> None:
    """What workers would do: tell the many, send the mails."""
    for fan_out in notices.unfinished_fan_outs():
        while notices.tell_next_batch(fan_out_id=fan_out):
            pass
    outbox.send_due()


def mails_to(readers) -> list[tuple]:
    addresses = {getattr(reader, "user", reader).email for reader in readers.values() if reader}
    return [
        (letter.to, letter.subject, plain(letter.body), plain(str(sorted(letter.extra_headers.items()))))
        for letter in mail.outbox
        if set(letter.to) & addresses
    ]


def export_of(reader) -> dict[str, str]:
    """The files of a member's export, by name."""
    leaving.make_export(export_id=leaving.ask_export(user=reader.user).pk)
    packed = b"".join(leaving.read_export(reader.user.exports.get()))
    with ZipFile(BytesIO(packed)) as files:
        return {name: plain(files.read(name).decode(errors="backslashreplace")) for name in files.namelist()}


# What each reader could learn from; after going private fewer of them, since little differs between the two.
READERS = {
    False: None,
    True: ["colleague", "who blocked the name"],
}


@pytest.mark.parametrize(
    ("later_private", "thorough"),
    [
        pytest.param(False, False, id="as posted"),
        pytest.param(True, False, id="after going private"),
        pytest.param(False, True, id="as posted, every page", marks=pytest.mark.scale),
    ],
)
def test_no_page_mail_or_export_differs_whether_a_handle_and_a_name_are_one_person(
    db, later_private, thorough
):
    seen, opened = [], {}
    for one_person in (True, False):
        with fresh_world(one_person=one_person, later_private=later_private) as readers:
            tell_all()
            pages = {
                who: pages_of(
                    reader,
                    thorough=thorough and who == THOROUGH,
                    samples=not thorough or who in LIKE_THE_COLLEAGUE,
                    known=opened.get(who, ()),
                )
                for who, reader in readers.items()
                if who in (READERS[later_private] or readers)
            }
            opened = pages
            exports = {
                who: export_of(readers[who]) for who in ("follower", "who blocked the name", "colleague")
            }
            seen.append((pages, exports, mails_to(readers)))

    (pages_one, exports_one, mails_one), (pages_two, exports_two, mails_two) = seen
    assert len(pages_one["colleague"]) > 50
    assert mails_one
    found = [f"{who}: {fault}" for who in pages_one for fault in differences(pages_one[who], pages_two[who])]
    found += [
        f"export, {who}: {fault}"
        for who in exports_one
        for fault in differences(exports_one[who], exports_two[who])
    ]
    assert not found, "\n".join(found[:20])
    assert mails_one == mails_two
