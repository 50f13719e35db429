"""Lists by prepared queries show just what the gate and the filters say, to every kind of reader."""

import pytest
from django.contrib.auth.models import Group
from django.http import Http404
from django.utils import timezone

from accounts.models import Block, Connection, Face, Specialty
from accounts.roles import MODERATORS
from accounts.tests.factories import make_member, make_user
from questions.filters import Filters, narrow, readable
from questions.models import Question, Tag, TopicMute
from questions.rows import ListRows, by_ids
from questions.services import writing
from questions.tests.factories import make_question
from questions.views.listing import Listed
from questions.views.thread import load_question
from questions.walks import walk

pytestmark = pytest.mark.usefixtures("nobody_told")

FILTERS = [
    Filters(status="all"),
    Filters(status="all", sort="new"),
    Filters(status="closed"),
    Filters(status="unanswered", sort="unanswered"),
    Filters(status="all", specialty="mine"),
    Filters(status="all", following=True),
    Filters(status="all", saved=True),
    Filters(status="all", asked=True),
    Filters(status="all", tag="dialysis"),
    Filters(status="all", kind="observation", time="week"),
    Filters(status="all", peers=True, reference=True),
]


@pytest.fixture
def readers(db):
    """One of each kind, by name, who are tied to each other in every way."""
    cardiologist = make_member("left_atrium")
    nephrologist = make_member("nephron_loop", specialty="Nephrology")
    group = Group.objects.get_or_create(name=MODERATORS)[0]
    moderator = make_member("plainspoken", specialty="Family Medicine")
    moderator.user.groups.add(group)
    staff = make_user(is_staff=True)
    staff.groups.add(group)
    Connection.objects.create(
        requester=cardiologist, addressee=nephrologist, state="accepted", answered_at=timezone.now()
    )
    Block.objects.create(
        blocker=nephrologist, blocker_face=Face.HANDLE, blocked=moderator, blocked_face=Face.HANDLE
    )
    return {
        "cardiologist": cardiologist.user,
        "nephrologist": nephrologist.user,
        "read only": make_member("may_only_read", standing="read_only").user,
        "suspended": make_member("not_any_more", standing="suspended").user,
        "applicant": make_member("not_yet", standing="applicant", specialty=None).user,
        "moderator": moderator.user,
        "staff": staff,
        "outsider": make_user(),
    }


@pytest.fixture
def discussions(readers):
    asker, other = readers["cardiologist"].member, readers["moderator"].member
    made = [
        make_question(asker, title="For all of us who read this"),
        make_question(asker, title="For cardiologists and nobody else", audience="specialty"),
        make_question(asker, title="For those I am connected with", audience="connections"),
        make_question(other, title="Asked by whom the nephrologist blocked"),
        make_question(other, title="Under a tag that somebody mutes", tags=["dialysis"]),
    ]
    closed, removed = (
        make_question(other, title="Closed some time ago"),
        make_question(asker, title="Removed by its author"),
    )
    Question.objects.filter(pk=closed.pk).update(
        status="closed", closed_at=closed.opened_at, close_reason="author"
    )
    writing.remove_post(post=removed.posts.get(), by=asker)
    TopicMute.objects.create(
        member=readers["read only"].member, tag=Tag.objects.get_or_create(slug="dialysis", name="dialysis")[0]
    )
    return [*made, closed, removed]


def shown(user, filters, topic=None):
    return [row.pk for row in listed(user, filters, topic)]


def listed(user, filters, topic=None, after=None, size=50):
    return walk(ListRows(user, Listed(filters, topic), filters.order), after=after, size=size)


def direct(user, filters, topic=None):
    rows = narrow(readable(user, topic), filters, user, topic=topic)
    return list(rows.order_by(*filters.order).values_list("pk", flat=True))


@pytest.mark.parametrize("filters", FILTERS, ids=lambda filters: filters.query or "usual")
def test_every_reader_sees_what_the_gate_and_the_filters_say(filters, readers, discussions):
    seen = {name: shown(user, filters) for name, user in readers.items()}

    assert seen == {name: direct(user, filters) for name, user in readers.items()}


def test_the_readers_do_not_all_see_the_same(readers, discussions):
    everything = Filters(status="all")
    seen = {name: set(shown(user, everything)) for name, user in readers.items()}
    of_all, of_specialty, of_connections, blocked, muted, _closed, removed = (one.pk for one in discussions)

    assert of_specialty in seen["cardiologist"] - seen["nephrologist"]
    assert of_connections in seen["nephrologist"] - seen["read only"]
    assert blocked in seen["cardiologist"] - seen["nephrologist"]
    assert muted in seen["cardiologist"] - seen["read only"]
    assert of_all in seen["read only"]
    assert removed not in set().union(*seen.values())
    assert not seen["suspended"] | seen["applicant"] | seen["outsider"]


@pytest.mark.parametrize("column", ["tag", "specialty"])
def test_a_topic_s_list_is_that_topic_s(column, readers, discussions):
    topic = (
        Tag.objects.get(slug="dialysis")
        if column == "tag"
        else Specialty.objects.get(name="Cardiovascular Disease")
    )
    user = readers["nephrologist"]

    assert shown(user, Filters(status="all"), topic) == direct(user, Filters(status="all"), topic)
    assert shown(readers["read only"], Filters(status="all"), topic) == direct(
        readers["read only"], Filters(status="all"), topic
    )


def test_rows_by_their_ids_come_in_that_order_and_through_the_gate(readers, discussions):
    wanted = [one.pk for one in reversed(discussions)]

    assert [row.pk for row in by_ids(readers["moderator"], wanted)] == wanted
    assert [row.pk for row in by_ids(readers["nephrologist"], wanted)] == [
        pk for pk in wanted if Question.objects.visible_to(readers["nephrologist"]).filter(pk=pk).exists()
    ]
    assert by_ids(readers["moderator"], []) == []


def test_a_page_goes_on_where_the_last_one_ended(readers, discussions):
    filters, user, seen, after = Filters(status="all", sort="new"), readers["moderator"], [], None
    for _ in discussions:
        page = listed(user, filters, after=after, size=2)
        seen += [row.pk for row in page]
        after = page.next
        if after is None:
            break

    assert seen == direct(user, filters)


def test_the_page_of_a_discussion_has_the_same_gate(readers, discussions):
    for name, user in readers.items():
        for question in discussions:
            allowed = Question.objects.visible_to(user).filter(pk=question.pk).exists()
            assert opens(user, question) == allowed, (name, question.title)


def opens(user, question):
    try:
        return load_question(user, question.pk) == question
    except Http404:
        return False


def test_a_row_changes_with_what_it_shows(readers, discussions):
    user, asker = readers["nephrologist"], readers["cardiologist"].member
    filters, question = Filters(status="all"), discussions[0]

    def row():
        return next(str(row.drawn) for row in listed(user, filters) if row.pk == question.pk)

    before = row()
    assert row() == before
    Question.objects.filter(pk=question.pk).update(title="Another title for all of us")
    renamed = row()
    type(asker).objects.filter(pk=asker.pk).update(handle="another_handle")

    assert "Another title for all of us" in renamed
    assert asker.handle in renamed
    assert "another_handle" in row()
    assert asker.handle not in row()


def test_what_a_reader_did_comes_with_the_discussion_and_only_theirs(readers, discussions):
    question = discussions[0]
    reader, other = readers["nephrologist"], readers["moderator"]
    question.ratings.create(rater=reader.member, asker=question.asker, value=4)
    question.subscriptions.create(member=reader.member, level="alerts")
    question.bookmarks.create(member=reader.member)

    own, theirs = load_question(reader, question.pk), load_question(other, question.pk)

    assert (own.own_importance, own.own_level, bool(own.own_bookmark)) == (4, "alerts", True)
    assert (theirs.own_importance, theirs.own_level, theirs.own_bookmark) == (None, None, None)
