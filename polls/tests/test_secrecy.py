"""A dump of the database, with all its system columns, the log and Redis connect no member to a choice."""

import hashlib
import itertools
import json
import logging
import random
import re
import subprocess
import time
from collections import defaultdict
from contextlib import contextmanager

import pytest
import redis
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.urls import reverse

from accounts.models import Member
from conftest import client_of
from polls import cookies, unshown
from polls.models import Ballot, Poll, Receipt
from polls.services import concerns, voting
from polls.tests.factories import make_poll, make_voter, vote
from polls.tokens import new_token
from sermo.runtime import valkey

OF_MEMBERS = {"polls_receipt", "polls_sight", "polls_concern"}
OF_CHOICES = {"polls_tally", "polls_ballot"}
ALL_RANKINGS = list(itertools.permutations(range(5)))  # of which every voter here takes another one

pytestmark = pytest.mark.django_db(transaction=True)


# Reading a dump


class Dump:
    """Every row of every table, with the transaction that wrote it and where it lies."""

    def __init__(self):
        self.tables = {table: self._rows_of(table) for table in self._names()}

    def _names(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            )
            return [name for (name,) in cursor.fetchall()]

    def _rows_of(self, table):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT t.xmin::text::bigint AS xmin, t.ctid::text AS ctid, t.* FROM "{table}" t')
            names = [column.name for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for row in rows:
            row["ctid"] = tuple(map(int, row["ctid"].strip("()").split(",")))
        return rows

    def written_since(self, earlier: "Dump") -> dict[str, list[dict]]:
        """Rows that are new, or written anew."""
        before = {table: {row["xmin"] for row in rows} for table, rows in earlier.tables.items()}
        found = {
            table: [row for row in rows if row["xmin"] not in before[table]]
            for table, rows in self.tables.items()
        }
        return {table: rows for table, rows in found.items() if rows}


def columns(tables):
    """(table, column, type) of tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = ANY(%s)",
            [list(tables)],
        )
        return cursor.fetchall()


def pointing_at_people():
    """(table, column) of all that points at a member or a user."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, attname FROM pg_constraint"
            " JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] WHERE contype = 'f'"
            " AND confrelid IN ('accounts_member'::regclass, 'accounts_user'::regclass)"
        )
        return {(table.strip('"'), column) for table, column in cursor.fetchall()}


def places(rows, by):
    return sorted(rows, key=lambda row: (str(row[by]) if by == "id" else row[by], row["ctid"]))


def links(dump: Dump, chosen: dict[int, dict[int, tuple]], since: Dump) -> list[str]:
    """Everything in a dump that says better than chance what a member chose; `chosen` is the truth."""
    found = []
    written = dump.written_since(since)
    if strange := set(written) - OF_MEMBERS - OF_CHOICES:
        found.append(f"votes wrote to {sorted(strange)}")
    found += _in_one_transaction(written)
    for poll, of_members in chosen.items():
        ballots = [row for row in dump.tables["polls_ballot"] if row["poll_id"] == poll]
        receipts = [
            row for row in dump.tables["polls_receipt"] if row["poll_id"] == poll and row["kind"] == "voted"
        ]
        if ballots:
            found += _in_small_groups(poll, ballots) + _in_like_order(poll, ballots, receipts, of_members)
    return found


def _in_one_transaction(written):
    of_members = {row["xmin"]: table for table in OF_MEMBERS for row in written.get(table, [])}
    return [
        f"{table} and {of_members[row['xmin']]} share a transaction"
        for table in OF_CHOICES
        for row in written.get(table, [])
        if row["xmin"] in of_members
    ]


def _in_small_groups(poll, ballots):
    groups = defaultdict(list)
    for row in ballots:
        groups[row["xmin"]].append(row)
    return [
        f"poll {poll}: {len(rows)} ballots stem from one transaction"
        for rows in groups.values()
        if len(rows) < voting.MIXED and len(rows) < len(ballots)
    ]


def _in_like_order(poll, ballots, receipts, of_members):
    """Whether receipts and ballots, each in any order a dump has, lie beside one another more often than by chance.

    All ballots differ, so by chance one of them lies at the place of its receipt; ten do in one case of a million.
    Within ballots of one transaction, neither may their order follow that of the receipts.
    """
    found = []
    for one, other in itertools.product(("ctid", "xmin", "id"), repeat=2):
        line = [of_members[row["member_id"]] for row in places(receipts, one)]
        lying = [tuple(row["choices"]) for row in places(ballots, other)]
        for way, direction in ((lying, "along"), (lying[::-1], "against")):
            if sum(a == b for a, b in zip(line, way, strict=True)) > 9:
                found.append(f"poll {poll}: receipts by {one} lie {direction} ballots by {other}")
    came = {of_members[row["member_id"]]: at for at, row in enumerate(places(receipts, "xmin"))}
    for _, group in itertools.groupby(places(ballots, "xmin"), key=lambda row: row["xmin"]):
        group = list(group)
        for by in ("ctid", "id"):
            order = [came[tuple(row["choices"])] for row in places(group, by)]
            if len(order) >= voting.MIXED and abs(rank_correlation(order)) > 5 / len(order) ** 0.5:
                found.append(f"poll {poll}: ballots of a transaction lie by {by} as they came")
    return found


def rank_correlation(order):
    """Spearman's, of places with values."""
    ranks = {value: rank for rank, value in enumerate(sorted(order))}
    size = len(order)
    return 1 - 6 * sum((ranks[value] - at) ** 2 for at, value in enumerate(order)) / (size * (size**2 - 1))


# A poll of each kind


@pytest.fixture
def voters():
    lot = random.Random(8)
    return [
        make_voter(
            lot.choice(["Cardiovascular Disease", "Dermatology", "Nephrology"]),
            lot.choice(["CA", "TX", "NY"]),
            lot.choice(Member.YearsBand.values),
        )
        for _ in range(60)
    ]


def make_polls():
    """A poll of each kind, and those with ballots of votes that may change."""
    return [
        *(make_poll(kind, options="ABCDE") for kind in ("single", "multiple", "scale")),
        make_poll("ranked", options="ABCDE"),
        make_poll("ranked", options="ABCDE", may_change=True),
        make_poll("multiple", options="ABCDEFG", may_change=True),
    ]


def choices_for(poll, members, lot):
    """What each member chooses: where there are ballots, each of them something else."""
    if poll.kind == Poll.Kind.RANKED:
        return dict(zip(members, lot.sample(ALL_RANKINGS, len(members)), strict=True))
    if poll.kind == Poll.Kind.MULTIPLE:
        options = poll.options.count()
        several = [
            one for size in range(1, options + 1) for one in itertools.combinations(range(options), size)
        ]
        drawn = lot.sample(several, len(members)) if poll.may_change else lot.choices(several, k=len(members))
        return dict(zip(members, drawn, strict=True))
    return {member: (lot.randrange(5),) for member in members}


def all_vote(polls, members, *, share_changed=0.3):
    """Let everybody see, vote in and some change each poll. Returns what they chose, by poll and member."""
    lot, chosen = random.Random(2), {}
    for poll in polls:
        wanted = choices_for(poll, members, lot)
        order = lot.sample(members, len(members))
        tokens = {}
        for number, member in enumerate(order):
            voting.note_seen(poll=poll, member=member)
            tokens[member] = vote(poll, member, *wanted[member], seconds=lot.uniform(1, 90))
            if number % 10 == 0:
                concerns.look_at(poll=poll, member=member, seconds=0.5, address="")
        if poll.may_change:
            for member in lot.sample(order, int(len(order) * share_changed)):
                other = wanted[member][::-1] if poll.kind == Poll.Kind.RANKED else wanted[member]
                if other not in wanted.values():
                    wanted[member] = other
                vote(poll, member, *wanted[member], token=tokens[member])
        chosen[poll.pk] = {member.pk: tuple(choices) for member, choices in wanted.items()}
    return chosen


def test_no_join_on_what_a_dump_holds_connects_a_member_to_a_choice(voters):
    polls, curious = make_polls(), make_voter()
    since = Dump()
    voting.forfeit(poll=polls[0], member=curious)

    chosen = all_vote(polls[:3], voters[:20]) | all_vote(polls[3:], voters)  # the first three have no ballots
    dump = Dump()

    assert len(dump.tables["polls_receipt"]) == 241
    assert len(dump.tables["polls_ballot"]) == 180
    assert len(dump.tables["polls_ticket"]) == 0
    ballots = {tuple(row["choices"]) for row in dump.tables["polls_ballot"]}
    assert ballots == {choices for poll in polls[3:] for choices in chosen[poll.pk].values()}
    assert links(dump, chosen, since) == []

    for poll in polls:
        voting.settle(poll)
    dump = Dump()
    assert all(row["key"] is None for row in dump.tables["polls_ballot"])
    assert links(dump, chosen, since) == []


def test_the_tables_of_choices_point_at_nobody_and_nothing_there_has_an_order_or_a_moment():
    vote_tables = (
        {model._meta.db_table for model in (Ballot, Receipt)}
        | OF_CHOICES
        | {
            "polls_sight",
            "polls_ticket",
        }
    )
    people = pointing_at_people()

    assert {table for table, _ in people} >= OF_MEMBERS
    assert not {table for table, _ in people} & (OF_CHOICES | {"polls_ticket"})
    for table, column, kind in columns(vote_tables):
        assert not kind.startswith(("timestamp", "date", "time", "interval")), (table, column)
    with connection.cursor() as cursor:
        for table, column, _ in columns(vote_tables):
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, column])
            assert cursor.fetchone() == (None,), (table, column)
        cursor.execute("SELECT sequencename FROM pg_sequences")
        names = {name for (name,) in cursor.fetchall()}
    assert not {name for name in names if name.startswith(tuple(vote_tables))}
    raised = {column: kind for table, column, kind in columns(["polls_concern"])}
    assert raised["raised_on"] == "date"
    assert {column for column, kind in raised.items() if kind.startswith("timestamp")} == {"decided_at"}


def test_a_key_is_found_with_no_member_and_no_token_of_another(voters):
    poll = make_poll("ranked", options="ABCDE", may_change=True)
    tokens = {member: vote(poll, member, 0) for member in voters[:25]}
    keys = {bytes(key) for key in Ballot.objects.values_list("key", flat=True)}
    own = {tokens[member]: member for member in tokens}

    guesses = set()
    for member in voters:
        names = ("", "ballot", "ticket", member.handle, member.pk, member.user.email, member.physician_key)
        for purpose in ("ballot", "ticket", ""):
            for guess in names:
                for text in (f"{purpose}:{poll.pk}:{member.pk}:{guess}", f"{purpose}:{member.pk}:{guess}"):
                    guesses.add(hashlib.sha256(text.encode()).digest())
        for token, holder in own.items():
            if holder != member:
                guesses.add(hashlib.sha256(f"ballot:{poll.pk}:{member.pk}:{token}".encode()).digest())

    assert len(keys) == 25
    assert not keys & guesses


# What would show


@contextmanager
def instead(monkeypatch, **ways):
    with monkeypatch.context() as patched:
        for name, way in ways.items():
            patched.setattr(voting, name, way)
        yield


def test_ballots_written_as_they_come_would_show(voters, monkeypatch):
    polls, since = [make_poll("ranked", options="ABCDE")], Dump()

    with instead(monkeypatch, mix=lambda poll, ballot: ballot.save()):
        chosen = all_vote(polls, voters)

    told = " ".join(links(Dump(), chosen, since))
    assert "1 ballots stem from one transaction" in told
    assert "receipts by xmin lie along ballots by xmin" in told


def test_ballots_that_keep_their_order_would_show_though_written_together(voters, monkeypatch):
    class NoLot:
        def shuffle(self, ballots):
            pass

    polls, since = [make_poll("ranked", options="ABCDE", may_change=True)], Dump()

    with instead(monkeypatch, _lot=NoLot(), MIXED=100):
        chosen = all_vote(polls, voters, share_changed=0)
    told = " ".join(links(Dump(), chosen, since))

    assert "lie against ballots by ctid" in told
    assert "ballots of a transaction lie by ctid as they came" in told


def test_a_member_and_a_count_in_one_transaction_would_show(voters):
    polls, since = [make_poll()], Dump()

    for member in voters[:3]:
        with transaction.atomic():
            voting.note_seen(poll=polls[0], member=member)

    assert links(Dump(), {}, since) == ["polls_tally and polls_sight share a transaction"]


def test_changes_that_leave_few_of_a_settled_group_would_show(voters, monkeypatch):
    polls, since = [make_poll("ranked", options="ABCDE", may_change=True)], Dump()

    with instead(monkeypatch, _unsettle_with=lambda ballot: None):
        chosen = all_vote(polls, voters)

    assert re.search(r" 1?\d ballots stem from one transaction", " ".join(links(Dump(), chosen, since)))


# Beside the database


def test_a_vote_over_http_writes_to_no_other_table_and_changes_no_session(voters, caplog):
    poll, member = make_poll("ranked", options="ABCDE", may_change=True), voters[0]
    client = client_of(member)
    client.get(poll.get_absolute_url())
    for other in voters[1:3]:
        vote(poll, other, 0)
    session, before = Session.objects.get().session_data, Dump()
    token = new_token()
    caplog.set_level(logging.DEBUG)
    caplog.clear()

    response = client.post(
        reverse("polls:vote", args=[poll.pk]),
        {f"rank-{place}": str(number) for number, place in enumerate((3, 1, 4), start=1)} | {"token": token},
    )

    assert response.status_code == 302
    assert sorted(ballot.choices for ballot in Ballot.objects.all()) == [[0], [0], [3, 1, 4]]
    assert set(Dump().written_since(before)) <= {
        "polls_receipt",
        "polls_sight",
        "polls_tally",
        "polls_ballot",
    }
    assert Session.objects.get().session_data == session
    said = [
        record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
        for record in caplog.records
    ]
    [line] = [one for one in said if one.get("event") == "request"]
    assert set(line) <= {
        "event",
        "request_id",
        "method",
        "view",
        "status",
        "ms",
        "level",
        "logger",
        "timestamp",
    }
    assert line["view"] == "polls:vote"
    told = json.dumps([str(one) for one in said])
    for secret in (member.handle, member.user.email, token, "rank-", "[3, 1, 4]", client.session.session_key):
        assert secret not in told
    assert set(response.cookies) <= {cookies.name_of(poll.pk, member)}


def test_redis_holds_no_member_beside_a_choice(voters):
    server = unshown.memory()
    before = set(server.keys("*"))
    polls = [make_poll("single"), make_poll("multiple")]

    for poll in polls:
        for member in voters[:12]:
            vote(poll, member, 0, *([1] if poll.kind == "multiple" else []))

    keys = set(server.keys("*")) - before
    assert keys == {f"sermo:poll:{poll.pk}:unshown" for poll in polls}
    values = {
        "specialty": {"Cardiovascular Disease", "Dermatology", "Nephrology"},
        "region": {"Pacific", "West South Central", "Middle Atlantic"},
        "years": set(Member.YearsBand.values),
        "drawn": {""},
    }
    for key in keys:
        assert 0 < server.ttl(key) <= unshown.KEPT_DAYS * 86_400
        for name, number in server.hgetall(key).items():
            dimension, value, option = name.split(unshown.BETWEEN)
            assert value in values[dimension]
            assert option in "01"
            assert 1 <= int(number) <= 12
    for poll in polls:
        unshown.forget(poll.pk)
    assert set(server.keys("*")) == before


@pytest.fixture
def durable_redis(tmp_path, monkeypatch):
    """A Valkey that writes everything down, as that of `make run` does."""
    own = valkey.Valkey(folder=tmp_path / "v", socket=tmp_path / "v" / "s", program=valkey.find_program())
    own.prepare()
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(own.command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 10
        while not own.ready(running.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        client = redis.Redis(unix_socket_path=str(own.socket), decode_responses=True)
        monkeypatch.setattr(unshown, "memory", lambda: client)
        yield client, tmp_path / "v"
    finally:
        running.terminate()
        running.wait(10)


def test_the_file_redis_writes_lists_no_votes(durable_redis):
    """It would have them in the order of the receipts, each with all values of its voter."""
    client, folder = durable_redis
    for place in range(3):
        unshown.add(7, {"specialty": "Dermatology", "region": "Pacific"}, [place])
    client.set("marker", "written")
    client.wait(0, 0)
    time.sleep(1.2)  # the file is written once a second

    kept = b"".join(path.read_bytes() for path in folder.rglob("*.aof"))

    assert unshown.read(7, 3)["region"] == {"Pacific": [1, 1, 1]}
    assert b"marker" in kept
    assert b"Dermatology" not in kept
    assert b"Pacific" not in kept
