"""Manners: one at a time, a pause between two, peace for those who ask for it, and nothing without Redis."""

from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from newsfeed import hosts
from newsfeed.models import Host

HOST = "journal.example.org"
AWAY = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def key():
    return hosts.key_of("host", HOST)


def test_a_host_is_visited_by_one_at_a_time(db):
    with hosts.visit(HOST):
        with pytest.raises(hosts.NotNow) as refusal, hosts.visit(HOST):
            pass
        with hosts.visit("other.example.org"):
            pass

    assert 15 < refusal.value.seconds <= hosts.HELD


def test_after_a_visit_the_host_rests_for_two_seconds(db, key):
    with hosts.visit(HOST):
        pass

    with pytest.raises(hosts.NotNow) as refusal, hosts.visit(HOST):
        pass
    assert 1.5 < refusal.value.seconds <= 2
    assert 1500 < hosts.memory().pttl(key) <= 2000


def test_and_then_it_can_be_visited_again(db, key):
    with hosts.visit(HOST):
        pass
    hosts.memory().delete(key)  # two seconds later

    with hosts.visit(HOST) as visit:
        assert visit.held == [HOST]


def test_a_visit_ends_with_whatever_ends_it(db, key):
    with pytest.raises(KeyboardInterrupt), hosts.visit(HOST):
        raise KeyboardInterrupt

    assert hosts.memory().get(key) == "pause"


def test_who_dies_at_a_host_is_forgotten_after_longer_than_a_fetch_may_take(db, key):
    hosts.Visit().go_to(HOST)

    assert 15_000 < hosts.memory().pttl(key) <= 20_000


def test_who_came_late_does_not_end_the_visit_of_another(db, key):
    with hosts.visit(HOST):
        hosts.memory().set(key, "of another")

    assert hosts.memory().get(key) == "of another"


def test_a_further_question_keeps_the_turn_as_long_as_it_is_one_s_own(db, key):
    visit = hosts.Visit()
    visit.go_to(HOST)
    hosts.memory().pexpire(key, 1000)
    visit.go_to(HOST)
    assert hosts.memory().pttl(key) > 15_000

    hosts.memory().set(key, "of another")
    with pytest.raises(hosts.NotNow):
        visit.go_to(HOST)


def test_a_visit_may_lead_to_further_hosts_and_leaves_all(db):
    with hosts.visit(HOST) as visit:
        visit.go_to("other.example.org")
        with pytest.raises(hosts.NotNow), hosts.visit("other.example.org"):
            pass

    for host in (HOST, "other.example.org"):
        assert hosts.memory().get(hosts.key_of("host", host)) == "pause"


def test_without_redis_nobody_is_visited(db, monkeypatch):
    monkeypatch.setattr(hosts, "memory", lambda: AWAY)

    with pytest.raises(hosts.NotNow) as refusal, hosts.visit(HOST):
        pass
    assert refusal.value.seconds > hosts.SOON


def test_redis_lost_on_the_way_ends_the_visit_quietly(db, monkeypatch):
    with hosts.visit(HOST) as visit:
        monkeypatch.setattr(hosts, "memory", lambda: AWAY)

    assert visit.held == []


def test_a_parked_host_is_left_alone_until_its_time(db, key):
    now = timezone.now()
    hosts.park(HOST, until=now + timedelta(minutes=10), why="Asked too often")

    with pytest.raises(hosts.Parked) as refusal, hosts.visit(HOST):
        pass
    assert 590 < refusal.value.seconds <= 600
    assert not hosts.memory().exists(key)

    Host.objects.update(parked_until=now)
    with hosts.visit(HOST):
        pass


def test_a_shorter_wish_does_not_shorten_a_longer_one(db):
    now = timezone.now()
    for minutes in (60, 5, 90):
        hosts.park(HOST, until=now + timedelta(minutes=minutes), why=f"For {minutes} minutes")

    assert Host.objects.get().why == "For 90 minutes"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0120 ", 120),
        ("9999999999999999", 86_400),
        ("Sun, 22 Nov 2026 12:05:00 GMT", 300),
        ("Sun, 22 Nov 2026 07:05:00 -0500", 300),
        ("Sunday, 22-Nov-26 12:05:00 GMT", 300),
        ("Sun Nov 22 12:05:00 2026", 300),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 86_400),
        ("Sun, 22 Nov 2026 11:00:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(value, seconds):
    until = hosts.retry_after(value, NOW)

    assert until == (seconds and NOW + timedelta(seconds=seconds))
