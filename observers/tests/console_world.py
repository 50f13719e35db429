"""A site with what firms may read and what they may not, side by side: the world in which the console is asked.

Each post has a word of its own in its text, and each title another, so that whatever shows a post can be told. Numbers
of members' rows begin where no other number of a page lies.
"""

from collections.abc import Iterable
from datetime import timedelta
from itertools import count, product
from types import SimpleNamespace
from unittest.mock import patch
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts import handles
from accounts.models import Connection, Handle, Member, Picture
from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import Consent, Image
from consults.tests.factories import make_case, make_consent, make_forecast, make_image
from newsfeed.services.discussing import discuss
from newsfeed.tests.factories import make_article
from observers.keys import post_key, question_key
from observers.models import (
    Crowd,
    FirmBlock,
    FirmSearch,
    ImportanceFigure,
    Read,
    VoteFigure,
    Way,
)
from observers.services import adverse_events, asking, charting, reading, searching, seating, sponsoring
from observers.tests.factories import let_pass, make_contract, make_plan, make_seat
from observers.tests.product_makers import ask as ask_maker
from observers.tests.product_makers import make_product, pay
from observers.tests.speakers import make_members, speak
from observers.tests.watched_rooms import arguments_of_room, make_watched_room
from polls.models import Poll, Tally
from polls.services.opening import Plan
from polls.tests.factories import make_poll
from questions.models import Byline, Credit, Post, Question, Report, Severity
from questions.tests.factories import make_answer, make_comment, make_question
from rewards.models import Earmark, Firm
from rewards.services import ledger
from rewards.tests.factories import make_earmark, make_firm
from sermo.text import searchable

FIRST_NUMBER = 7_310_000  # see `leaks.MEMBERS_NUMBER`
APART = 2_000
OF_FIRMS = (
    "observers_",
    "rewards_firm_",
    "rewards_earmark_",
    "rewards_entry_",
    "rewards_transaction_",
    "django_",
)
SEQUENCES = """
SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND sequencename LIKE '%%\\_id\\_seq' ORDER BY 1
"""
OLD_HANDLE = "bundle_branch_b"
CENTS_OF_OTHER = 2_417  # an earmark of the other firm, whose amount stands nowhere else
CHANGES = (
    lambda: {"peers_only": True},
    lambda: {"folded_at": timezone.now(), "fold_reason": "other"},
    lambda: {"removed_at": timezone.now(), "removed_by": "author"},
    lambda: {"edited_at": timezone.now()},
    lambda: {"posted_at": timezone.now()},
)  # of posts that are kept from firms, or do not reach them yet
WEEKS_WORD, HIDDEN_WORD = "fibrolinum", "gastrolinum"  # of charts: enough write of one, too few of the other
PEOPLE = {
    "anonymous": ("left_atriumq", {}),
    "partial": ("nephronq_loop", {"byline_mode": "partial", "state": "CA", "years_band": "6-10"}),
    "named": ("vagalq_tone", {"byline_mode": "public", "display_name": "Annelise Quillfeather, MD"}),
    "masked": ("quietq_harbor", {}),
    "answerer": ("drq_owl", {"state": "TX"}),
    "shut_firm": ("papularq", {}),
    "shut_sector": ("nightq_float", {}),
    "bystander": ("zebraq_hoof", {}),
}


def make_world() -> SimpleNamespace:
    """Two firms with seats, members of all kinds of bylines, and discussions of which each firm may read a part."""
    with patch("questions.tests.factories.makers_tell", False):
        _number_members_rows_high()
        world = SimpleNamespace(hidden={}, marks={}, titles={})
        world.people = _people()
        _firms(world)
        _open_ones(world)
        _hidden_ones(world)
        _polls(world)
        _cases(world)
        _trends(world)
        _of_firms(world)
        _rooms(world)
        _mark_texts(world)
        _history(world)
    return world


def names_of(world) -> list[str]:
    """All that leads to a member."""
    found = [OLD_HANDLE, "Quillfeather", "Annelise"]
    for member in vars(world.people).values():
        found += [member.handle, member.physician_key, member.user.email]
    found += Picture.objects.values_list("key", flat=True)
    return [*found, *Image.objects.values_list("key", flat=True)]


def hidden_marks(world, firm: Firm) -> list[str]:
    """The words of posts that a firm must not meet, and of titles whose discussion it must not."""
    closed = {pk for pk, firms in world.hidden.items() if firm.pk in firms}
    rooms = [room.title for room in world.hidden_rooms] if firm == world.firm else []
    return [
        *rooms,
        *(world.marks[pk] for pk in closed),
        *(world.titles[pk] for pk in closed if pk in world.titles),
    ]


def shown_posts(world, text: str) -> set[int]:
    """Whose words stand in a text: a title is words of its opening."""
    return {pk for words in (world.marks, world.titles) for pk, mark in words.items() if mark in text}


# How it is made


def _number_members_rows_high() -> None:
    with connection.cursor() as cursor:
        cursor.execute(SEQUENCES)
        names = [name for (name,) in cursor.fetchall() if not name.startswith(OF_FIRMS)]
        for place, name in enumerate(names):
            cursor.execute("SELECT setval(%s, %s)", [name, FIRST_NUMBER + APART * place])


def _people():
    found = {}
    for role, (handle, fields) in PEOPLE.items():
        found[role] = make_member(handle, specialty="Nephrology", email=f"{handle}@member.example", **fields)
    member = found["anonymous"]
    Handle.objects.create(
        key=handles.key(OLD_HANDLE),
        text=OLD_HANDLE,
        member=member,
        taken_at=timezone.now() - timedelta(days=9),
        released_at=timezone.now(),
    )
    for role, face in (("anonymous", "handle"), ("named", "name")):
        picture = Picture.objects.create(member=found[role], face=face, likeness="0" * 64)
        Member.objects.filter(pk=found[role].pk).update(**{f"{face}_picture": picture.key})
    specialty = found["anonymous"].specialty
    Crowd.objects.create(group=specialty.group, physicians=60)
    Crowd.objects.create(group=specialty.group, region="South", physicians=10)
    return SimpleNamespace(**found)


def _firms(world):
    plan = make_plan(exports_a_day=1_000, searches=200, charts_a_day=200, earmarks_a_day=200)
    world.firm = make_firm("Corvane Pharma", balance=2_000_000)
    world.other = make_firm("Halberd Fund", kind="finance", balance=2_000_000)
    for firm in (world.firm, world.other):
        make_contract(firm, plan=plan)
    world.seat = make_seat(world.firm, name="M. Ruiz", is_admin=True)
    world.second = make_seat(world.firm, name="K. Oyelaran")
    world.other_seat = make_seat(world.other, name="B. Halloran", is_admin=True)
    FirmBlock.objects.create(member=world.people.shut_firm, firm=world.firm)
    FirmBlock.objects.create(member=world.people.shut_sector, sector=world.firm.kind)
    world.product = make_product("velorin", maker=world.firm)
    world.other_product = make_product("ostavel", name="Ostavel", words=("ostavel",), maker=world.other)


def _hide(world, posts: Iterable[Post], *firms: Firm) -> None:
    for post in posts:
        world.hidden[post.pk] = {firm.pk for firm in firms or (world.firm, world.other)}


def _open_ones(world):
    """What both firms read, with names in every place where one can stand."""
    people = world.people
    handle, named = people.anonymous.handle, people.named.handle
    own = f"{settings.SITE_URL}/members/{handle}/"
    question = make_question(
        people.anonymous,
        f"Does {handle} still hold it, as @{named} said?",
        source=f"I am {handle.upper()}, was {OLD_HANDLE}. Ask @{people.bystander.handle} or [my page]({own}).",
    )
    answer = make_answer(
        question,
        people.partial,
        source=f"As {handle} and **{handle[:4]}**{handle[4:]} said: see [{named}](https://{handle}.example/{named}) "
        f"and {settings.SITE_URL}/questions/{question.pk}/x/#post-7310001, /physicians/{people.named.physician_key}/.",
    )
    by_name = make_answer(
        question,
        people.named,
        source="Signed Annelise Quillfeather, or Quillfeather, Annelise. Velorin 5 mg worked.",
        byline="public",
        byline_confirmed=True,
    )
    masked = make_answer(question, people.masked, source=f"Nobody knows {people.masked.handle} any more.")
    Byline.objects.filter(question=question, member=people.masked).update(mode=Byline.Mode.MASKED)
    credited = make_answer(
        question, people.answerer, source=f"Write to {people.answerer.user.email} about Velorin."
    )
    comment = make_comment(answer, people.named, source="Annelise thanks you.", byline="public")
    long_ago = timezone.now() - timedelta(days=2)
    Credit.objects.create(question=question, post=credited, place=1, credited_at=long_ago)
    world.question, world.answer, world.comment = question, answer, comment
    world.open_posts = [question.posts.get(kind="opening"), answer, by_name, masked, credited, comment]
    world.solved = make_question(people.partial, "Who has seen this before?", kind="observation")
    article = make_article(
        specialties=[people.anonymous.specialty], shown_at=timezone.now() - timedelta(days=4)
    )
    world.discussion = discuss(article=article, user=people.anonymous.user).question
    make_answer(world.discussion, people.anonymous, source="The trial was too short.")
    # Enough discussions for a second page of a list.
    world.many = [make_question(people.answerer, f"Number {number} of many?") for number in range(11)]
    world.long = make_question(people.answerer, "Where twenty-three answered?")
    speak(world.long, make_members(23), "Likewise.", timezone.now().date() - timedelta(days=4))
    for one in (question, world.solved, world.discussion, world.long, *world.many):
        let_pass(one)
    Question.objects.filter(pk=world.solved.pk).update(solved_at=timezone.now() - timedelta(days=2))
    _figures(world)


def _figures(world):
    """Figures of few, and of so many that they are rounded."""
    numbers = [(7, 3), (23, 9), (11, 12), (38, 2), (9, 10)]
    for post, (corroborations, disputes) in zip(world.open_posts, numbers, strict=False):
        VoteFigure.objects.create(post=post, corroborations=corroborations, disputes=disputes)
        Post.objects.filter(pk=post.pk).update(corroborate_count=corroborations + 1, dispute_count=disputes)
    few, enough = world.question, world.solved
    ImportanceFigure.objects.create(question=few, raters=8, total=33)
    ImportanceFigure.objects.create(question=enough, raters=31, total=97)


def _hidden_ones(world):
    """What a firm must not meet, one of each kind, and what stands under it."""
    people, now = world.people, timezone.now()
    question = world.question
    _hide(world, _whole(make_question(people.anonymous, "For peers only?", peers_only=True)))
    connection_ = Connection(
        requester=people.anonymous, addressee=people.partial, state="accepted", answered_at=now
    )
    connection_.save()
    for audience in ("specialty", "connections", "invited"):
        narrow = make_question(people.anonymous, f"Put to {audience}?")
        posts = _whole(narrow)
        Question.objects.filter(pk=narrow.pk).update(audience=audience)
        _hide(world, posts)
    removed = make_question(people.anonymous, "Removed altogether?")
    posts = _whole(removed)
    Question.objects.filter(pk=removed.pk).update(status=Question.Status.REMOVED)
    _hide(world, posts)
    _hide(world, _whole(make_question(people.shut_firm, "By who shut the firm out?")), world.firm)
    _hide(world, _whole(make_question(people.shut_sector, "By who shut its sector out?")), world.firm)
    _hide(world, make_question(people.anonymous, "Only just asked?").posts.all())
    posts = [make_answer(question, people.answerer) for _ in CHANGES]
    under = [make_comment(post, people.partial) for post in posts]
    for author in (people.shut_firm, people.shut_sector):
        post = make_answer(question, author)
        _hide(world, [post, make_comment(post, people.partial)], world.firm)
        _hide(world, [make_comment(world.answer, author)], world.firm)
    doubted = make_answer(question, people.answerer)
    Report.objects.create(post=doubted, severity=Severity.IDENTITY)
    let_pass(question)
    for post, changed in zip(posts, CHANGES, strict=True):
        Post.objects.filter(pk=post.pk).update(**changed())
    _hide(world, [*posts, *under, doubted])


def _whole(question: Question) -> list[Post]:
    """An old discussion with an answer and a comment, all of its posts."""
    answer = make_answer(question)
    make_comment(answer)
    let_pass(question)
    return list(question.posts.all())


def _polls(world):
    """Open, closed by enough and closed by few; with cells of few among them."""
    people = world.people
    group = people.anonymous.specialty.group
    cells = {
        "specialty": {group: [13, 7, 0], "Rare": [4, 2, 1]},
        "region": {"South": [6, 1, 0], "West": [21, 12, 0]},
    }
    counts = {"open": [9, 4, 2], "closed": [31, 14, 6], "few": [4, 3, 0]}
    world.polls = {}
    for name, numbers in counts.items():
        poll = make_poll(asker=people.partial, title=f"Which dose is {name}?")
        let_pass(poll.question)
        if name != "open":
            _close(poll)
        Tally.objects.filter(poll=poll).update(counts=numbers, voters=sum(numbers), cells=cells)
        world.polls[name] = poll
    hidden = make_poll(asker=people.shut_firm, title="Which by who shut out?")
    let_pass(hidden.question)
    _close(hidden)
    _hide(world, hidden.question.posts.all(), world.firm)


def _close(poll: Poll) -> None:
    now = timezone.now()
    Poll.objects.filter(pk=poll.pk).update(
        opened_at=now - timedelta(days=3),
        closes_at=now - timedelta(hours=5),
        closed_at=now - timedelta(hours=5),
        close_reason="time",
    )


def _cases(world):
    """With and without the patient's consent to observers; a picture whose own consent says no, and a hidden one."""
    asker = world.people.answerer
    yes = make_consent(asker, Consent.Kind.SIGNED, for_observers=True)
    no = make_consent(asker, Consent.Kind.SIGNED)
    withdrawn = make_consent(
        asker, Consent.Kind.SIGNED, for_observers=True, revoked_at=timezone.now(), revoked_by="patient"
    )
    world.case = make_case(asker, 1, consent=yes, peers_only=False, title="A rash that may be seen")
    make_image(case=world.case, place=2, consent=no)
    make_image(case=world.case, place=3, hidden_at=timezone.now())
    world.closed_cases = [
        make_case(
            asker, 1, consent=consent, peers_only=peers_only, title=f"A rash that may not be seen {number}"
        )
        for number, (consent, peers_only) in enumerate([(no, False), (withdrawn, False), (yes, True)])
    ]
    for case in (world.case, *world.closed_cases):
        make_forecast(case, world.people.partial)
        let_pass(case.question)
    for case in world.closed_cases:
        _hide(world, case.question.posts.all())


def _trends(world):
    """Of a week twelve physicians, nine that shut the firm out, nine among peers; of another word eight and eight."""
    monday = charting.weeks_until(charting.latest_day())[-1]
    day = monday + timedelta(days=2)
    thread = let_pass(make_question(world.people.anonymous, "What is new?"), timedelta(days=200))
    world.thread = thread
    members = make_members(54)
    speak(thread, members[:12], f"We gave {WEEKS_WORD}.", day)
    shut = speak(thread, members[12:21], f"We stopped {WEEKS_WORD}.", day)
    FirmBlock.objects.bulk_create(FirmBlock(member=member, firm=world.firm) for member in members[12:21])
    _hide(world, shut, world.firm)
    among_peers = speak(thread, members[21:30], f"We fear {WEEKS_WORD}.", day)
    speak(thread, members[30:38], f"We gave {HIDDEN_WORD}.", day)
    among_peers += speak(thread, members[38:46], f"We fear {HIDDEN_WORD}.", day)
    Post.objects.filter(pk__in=[post.pk for post in among_peers]).update(peers_only=True)
    _hide(world, among_peers)
    world.week = monday


def _of_firms(world):
    """What firms opened, asked, saved, paid and were asked themselves."""
    people = world.people
    specialties = [people.anonymous.specialty]
    world.asked, world.sponsored = {}, {}
    for seat in (world.seat, world.other_seat):
        said = {"seat": seat, "source": "We plan a study.", "specialties": specialties}
        asked = asking.ask(**said, title=f"What keeps you from it, {seat.firm.kind}?", key=uuid4())
        plan = Plan(kind="single", options=("Price", "Habit"), days=7)
        poll = sponsoring.open_poll(
            **said,
            title=f"Which matters, {seat.firm.kind}?",
            plan=plan,
            honorarium=500,
            quota=20,
            key=uuid4(),
        )
        let_pass(poll.question)
        world.asked[seat.firm_id], world.sponsored[seat.firm_id] = let_pass(asked), poll
    make_answer(world.asked[world.firm.pk], people.partial, source="The price.")
    let_pass(world.asked[world.firm.pk])
    own = world.sponsored[world.firm.pk]
    _close(own)
    Tally.objects.filter(poll=own).update(counts=[13, 3], voters=16)
    text = f"Ask {people.anonymous.handle}: is it stable when it is crushed? Annelise Quillfeather wants to know."
    world.company = ask_maker(world.product, people.named, text)
    answered = ask_maker(world.product, people.partial, "Is there a form for the old?")
    type(answered).objects.filter(pk=answered.pk).update(
        answer="Yes.", html="<p>Yes.</p>", answered_at=timezone.now(), answered_by=world.seat
    )
    begun = timezone.now() + timedelta(hours=10)
    type(answered).objects.update(asked_at=begun - timedelta(hours=30), due_at=begun)
    world.answered = answered
    world.other_company = ask_maker(world.other_product, people.named, "Does Ostavel keep in the heat?")
    type(answered).objects.filter(pk=world.other_company.pk).update(due_at=begun)
    world.searches = {}
    for seat in (world.seat, world.other_seat):
        for terms in (WEEKS_WORD, HIDDEN_WORD, "likewise"):
            world.searches[seat.firm_id, terms] = searching.save(
                seat=seat, name=f"{terms} of {seat.name}", terms=terms, alert=FirmSearch.Alert.DAILY
            )
    world.invitation = seating.invite(
        firm=world.firm, by=world.seat.user, email="new@firm.example", name="N. New", purpose="medical"
    )
    world.other_invitation = seating.invite(
        firm=world.other,
        by=world.other_seat.user,
        email="new@other.example",
        name="O. New",
        purpose="medical",
    )


def _rooms(world):
    """One that the seat watches, one of the other firm, and one of its own that it was not let into."""
    members = vars(world.people).values()
    world.room = make_watched_room(world.seat, members=members)
    world.hidden_rooms = [
        make_watched_room(world.other_seat, members=members, title="qxroomofother"),
        make_watched_room(world.second, members=members, title="qxroomofsecond"),
    ]


def _mark_texts(world):
    """A word before each text and each title, by which the post is known wherever it is shown."""
    words = ("".join(letters) for letters in product("bkmptvz", repeat=5))
    fresh = (f"qx{word}" for word in words)
    for post in Post.objects.select_related("question").order_by("pk"):
        mark = world.marks[post.pk] = next(fresh)
        text = f"{mark} {post.search_text}"
        if post.kind == Post.Kind.OPENING:
            title = world.titles[post.pk] = next(fresh)
            Question.objects.filter(pk=post.question_id).update(title=f"{title} {post.question.title}")
            text = f"{title} {text}"
        Post.objects.filter(pk=post.pk).update(
            html=f"<p>{mark}</p>\n{post.html}", source=f"{mark} {post.source}", search_text=searchable(text)
        )


def _history(world):
    """What seats did before: reads, an export, earmarks. One discussion of it was put among peers afterwards."""
    people = world.people
    world.charts = [charting.ask(saved=saved, seat=saved.seat) for saved in world.searches.values()]
    charting.count_waiting()
    closed = let_pass(make_question(people.named, "Peers only since yesterday, with Velorin?"))
    posts = _whole(closed)
    fresh = count(1)
    for post in posts:
        world.marks[post.pk] = (
            f"qy{'bkmpt'[next(fresh) % 5]}{'vz'[next(fresh) % 2]}later{'bkmpt'[next(fresh) % 5]}"
        )
        Post.objects.filter(pk=post.pk).update(html=f"<p>{world.marks[post.pk]}</p>{post.html}")
        if post.kind == Post.Kind.OPENING:
            world.titles[post.pk] = "qylatertitle"
            Question.objects.filter(pk=post.question_id).update(title="qylatertitle Velorin?")
    adverse_events.met(world.seat, [post.pk for post in posts])
    for event in adverse_events.waiting(world.firm, [post.pk for post in posts]):
        adverse_events.say(event=event, seat=world.seat, outcome="none")  # or nothing of it would be exported
    client = client_of(world.seat.user)
    reason = {"reason": "For the yearly review of safety.", "submission": ""}
    for question in (world.thread, closed):
        key = question_key(world.firm, question.pk)
        answer = client.post(
            reverse("observers:export_discussion", args=[key]), {**reason, "submission": uuid4()}
        )
        assert answer["Content-Type"].startswith("text/csv")
    client.get(reverse("observers:question", args=[question_key(world.firm, world.question.pk)]))
    reading.note(seat=world.second, purpose="medical", way=Way.OPENED, post_pks=[posts[0].pk])
    world.earmarks = [make_earmark(post, world.firm, author_cents=1_500) for post in (world.answer, posts[0])]
    settled = make_earmark(
        world.open_posts[0], world.firm, author_cents=2_000, voter_cents=500, voter_slots=3
    )
    pay(people.anonymous, world.firm, world.open_posts[0], cents=2_000)
    ended = ledger.post(
        kind="settle",
        key=f"test:{uuid4()}",
        entries={ledger.reserved_of(world.firm): -3_500, ledger.firm_balance(world.firm): 3_500},
    )
    Earmark.objects.filter(pk=settled.pk).update(
        state=Earmark.State.SETTLED, ended=ended, ended_at=timezone.now()
    )
    world.other_earmark = make_earmark(world.answer, world.other, author_cents=CENTS_OF_OTHER)
    Question.objects.filter(pk=closed.pk).update(peers_only=True)
    world.later_closed = closed
    _hide(world, posts)
    assert Read.objects.exists()


def arguments_of(world) -> dict[str, list[dict]]:
    """What the addresses of the console are about, by the name of the route; empty for those about nothing."""
    firm = world.firm
    questions = [
        *(world.question, world.solved, world.discussion, world.long, world.thread, world.case.question),
        *(poll.question for poll in world.polls.values()),
        *world.asked.values(),
        *(poll.question for poll in world.sponsored.values()),
    ]
    by_question = [{"key": question_key(firm, question.pk)} for question in questions]
    own = [world.asked[firm.pk], world.sponsored[firm.pk].question]
    searches = [{"key": saved.key} for (of, _), saved in world.searches.items() if of == firm.pk]
    events = [{"pk": pk} for pk in firm.adverse_events.order_by("pk").values_list("pk", flat=True)]
    nothing = [{}]
    return {
        "image": [
            {"key": question_key(firm, world.case.pk), "place": place} for place in (1, 2, 3)
        ],  # before its page is read: see `_note_picture`
        **dict.fromkeys(
            [
                *(
                    "list",
                    "searches",
                    "new_search",
                    "exports",
                    "earmarks",
                    "balance",
                    "ask",
                    "polls",
                    "new_poll",
                ),
                *("company_questions", "safety", "safety_log", "seats", "invite_seat", "purpose", "groups"),
            ],
            nothing,
        ),
        **{name: [about] for name, about in arguments_of_room(world.seat, world.room).items()},
        "question": by_question,
        "export_discussion": by_question[1:3],
        "results": [
            {"key": question_key(firm, poll.pk)}
            for poll in (*world.polls.values(), *world.sponsored.values())
        ],
        "search": searches,
        **dict.fromkeys(["count_search", "change_search", "end_search", "export_search"], searches[:1]),
        "cancel_earmark": [{"key": earmark.key} for earmark in world.earmarks],
        "earmark": [{"key": post_key(firm, post.pk)} for post in world.open_posts[1:4]],
        "close": [{"key": question_key(firm, question.pk)} for question in own],
        "company_question": [{"key": world.company.key}],
        "correct_answer": [{"key": world.answered.key}],
        "safety_event": events,
        "withdraw_seat": [{"pk": world.invitation.pk}],
        "end_seat": [{"number": world.second.number}],
        "join": [{"token": "no-such-token"}],
    }
