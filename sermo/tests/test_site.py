"""The frame: landing, health, errors, headers, the demonstration's log-ins."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError

from accounts.demo_logins import DEMO_LOGINS
from accounts.roles import OBSERVERS
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from questions.tests.factories import make_question
from sermo.celery import app as celery_app

ABOUT = ["verification", "ranks", "rewards", "rules", "privacy"]


def test_visitors_read_what_this_is(client, db):
    page = client.get("/").content.decode()

    for words in ("Who may join", "Who may watch", "How rewards work", "Join with your license"):
        assert words in page


@pytest.mark.parametrize("topic", ABOUT)
def test_pages_about_the_site_are_open(client, db, topic):
    assert client.get(f"/about/{topic}/").status_code == 200


def test_other_topics_are_not_pages(client, db):
    assert client.get("/about/nothing/").status_code == 404


def test_home_greets_each_kind_of_account(applicant, physician, db):
    observer = make_user()

    assert client_of(applicant).get("/").url == "/verify/"
    assert "Discussed now" in client_of(physician).get("/").content.decode()
    assert "no physician membership" in client_of(observer).get("/").content.decode()
    assert "suspended" in client_of(make_member(standing="suspended")).get("/").content.decode()


def test_an_observer_without_a_seat_and_staff_are_told_where_they_stand(staff, settings):
    settings.DEMO = True
    observer = make_user("observer@demo.sermo.test")
    observer.groups.add(Group.objects.get_or_create(name=OBSERVERS)[0])
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})

    assert "No firm has given you a seat" in client_of(observer).get("/").content.decode()
    assert "Your work is in the administration" in client_of(staff).get("/").content.decode()


def test_home_shows_what_waits_in_one_s_specialty(physician, colleague, physician_client):
    peer = make_member(specialty=physician.specialty)
    waiting = make_question(peer, title="Waiting in cardiology since noon?")
    make_question(colleague, title="Something nephrological entirely?")

    page = physician_client.get("/")

    assert [question.pk for question in page.context["waiting"]] == [waiting.pk]
    assert len(page.context["hot"]) == 1


def test_home_costs_the_same_at_any_size(physician, physician_client, django_assert_max_num_queries):
    for number in range(12):
        make_question(make_member(specialty=physician.specialty), title=f"Question number {number} of many?")
    physician_client.get("/")

    with django_assert_max_num_queries(7):
        physician_client.get("/")


# Health


def test_alive_and_ready(client, db):
    assert client.get("/healthz").content == b"ok\n"
    assert client.get("/readyz").json() == {"ready": True, "missing": []}


def test_readiness_names_what_is_missing(client, db, monkeypatch):
    monkeypatch.setattr("sermo.views._broker", lambda: False)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {"ready": False, "missing": ["broker"]}


def test_the_site_reads_and_throttles_without_its_cache(db, monkeypatch):
    cache = caches["default"]

    def broken(*args, **kwargs):
        raise RedisConnectionError("away")

    monkeypatch.setattr("django.core.cache.backends.redis.RedisCacheClient.get", broken)
    monkeypatch.setattr("django.core.cache.backends.redis.RedisCacheClient.set", broken)
    monkeypatch.setattr("django.core.cache.backends.redis.RedisCacheClient.add", broken)
    monkeypatch.setattr("django.core.cache.backends.redis.RedisCacheClient.delete", broken)

    assert cache.get("anything", "miss") == "miss"
    cache.set("anything", 1)
    make_member(email="ada@example.org", password="correct-horse-battery")
    client = Client()
    for _ in range(5):
        client.post("/accounts/login/", {"login": "ada@example.org", "password": "wrong"})
    client.post("/accounts/login/", {"login": "ada@example.org", "password": "correct-horse-battery"})
    assert "_auth_user_id" not in client.session


# Errors


def test_an_unknown_page_has_an_id_to_quote(client, db):
    page = client.get("/no/such/page/")

    assert page.status_code == 404
    assert page["X-Request-Id"] in page.content.decode()
    assert "There is no page here, or it is not open to you." in page.content.decode()


def test_a_fault_has_an_id_to_quote_and_needs_no_database(physician, monkeypatch):
    client = client_of(physician)
    client.raise_request_exception = False
    monkeypatch.setattr("sermo.views._home", lambda user, member: 1 / 0)

    page = client.get("/")

    assert page.status_code == 500
    assert page["X-Request-Id"] in page.content.decode()


def test_a_stale_form_says_so(db):
    client = Client(enforce_csrf_checks=True)

    page = client.post("/accounts/login/", {"login": "a@b.example", "password": "x"})

    assert page.status_code == 403
    assert "Go back, reload the page" in page.content.decode()


# Headers


def test_headers_of_the_first_page(client, db):
    page = client.get("/")
    policy = page["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "'nonce-" in policy
    for directive in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "style-src 'self'"):
        assert directive in policy
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "same-origin"
    assert page["Cross-Origin-Resource-Policy"] == "same-origin"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"


def test_pages_of_a_member_are_kept_by_nobody(physician_client):
    assert physician_client.get("/questions/")["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("address", ["/", "/accounts/login/", "/accounts/signup/", "/about/ranks/"])
def test_no_page_loads_from_another_host_or_styles_inline(client, db, address):
    page = client.get(address).content.decode()

    assert 'src="http' not in page
    assert "style=" not in page
    assert "<style" not in page
    assert 'rel="stylesheet" href="http' not in page


# The demonstration


def test_demo_log_ins_exist_only_in_the_demonstration(client, db, settings):
    make_member(email="cardio@demo.sermo.test")
    settings.DEMO = False
    assert client.post("/demo/log-in/", {"email": "cardio@demo.sermo.test"}).status_code == 404
    assert "Try it as" not in client.get("/").content.decode()

    settings.DEMO = True
    assert client.get("/").content.decode().count('name="email"') == len(DEMO_LOGINS)
    assert client.post("/demo/log-in/", {"email": "somebody@else.example"}).status_code == 404
    assert client.get("/demo/log-in/").status_code == 405
    assert client.post("/demo/log-in/", {"email": "cardio@demo.sermo.test"}).url == "/"
    assert "_auth_user_id" in client.session


def test_every_scheduled_task_exists(settings):
    celery_app.loader.import_default_modules()

    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in celery_app.tasks
