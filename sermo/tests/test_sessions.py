from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from sermo.sessions import SessionStore


@pytest.fixture
def key(db):
    store = SessionStore()
    store["word"] = "kept"
    store.save()
    return store.session_key


def test_a_session_is_found_again(key, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert SessionStore(key)["word"] == "kept"


def test_one_that_has_run_out_is_empty_and_gets_another_key(key):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    store = SessionStore(key)

    assert store.get("word") is None
    assert store.session_key is None


def test_one_that_was_ended_elsewhere_is_gone_at_once(key):
    assert SessionStore(key)["word"] == "kept"
    SessionStore(key).delete()

    assert SessionStore(key).get("word") is None
