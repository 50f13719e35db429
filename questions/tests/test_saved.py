"""Searches and filters one keeps, and word of what newly matches."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import notice_kinds
from accounts.models import Face, Kind, Notice
from accounts.services import ties
from accounts.tests.factories import make_member
from conftest import client_of
from questions.models import Post, Question, SavedSearch, Subscription, Tag, TopicMute
from questions.search import alerts
from questions.services import saved as services
from questions.services import writing
from questions.tests.factories import make_answer, make_question

QUERY = "q=apixaban&sort=relevance"


@pytest.fixture
def kept(colleague):
    return services.save(member=colleague, place="search", query=QUERY)


@pytest.fixture
def watched(colleague, physician):
    """A search with alerts, after something had been written already."""
    make_question(physician, "How long do you hold apixaban?")
    row = services.save(member=colleague, place="search", query=QUERY)
    return services.set_alerts(saved=row, alerts=True)


def settle():
    """As if what was written had been written some minutes ago."""
    Post.objects.update(posted_at=timezone.now() - timedelta(minutes=5))


def tell():
    settle()
    return alerts.tell_of_new_matches()


def told(member):
    return list(
        Notice.objects.filter(member=member, kind=Kind.SEARCH).order_by("pk").values_list("key", flat=True)
    )


# Keeping


def test_a_search_is_kept_once_under_what_it_says(colleague, kept):
    again = services.save(member=colleague, place="search", query=f"?{QUERY}&after=1-2-3-0.1")

    assert again == kept
    assert (kept.name, kept.query, kept.alerts) == ("apixaban", QUERY, False)


def test_the_same_filters_are_another_thing_in_another_place_or_of_another_member(colleague, third, kept):
    services.save(member=colleague, place="list", query=QUERY)
    services.save(member=third, place="search", query=QUERY)

    assert [row.place for row in services.list_for(colleague)] == ["search", "list"]
    assert services.list_for(colleague, "search") == [kept]
    assert services.list_for(None) == []


@pytest.mark.parametrize("query", ["", "?", "q=", "after=abc&page=2"])
def test_nothing_is_not_kept(colleague, query):
    with pytest.raises(services.NothingToSave):
        services.save(member=colleague, place="search", query=query)


def test_a_search_too_long_for_an_address_is_refused(colleague):
    with pytest.raises(services.TooLong):
        services.save(member=colleague, place="search", query="q=" + "x" * 500)


def test_one_keeps_fifty_at_most(colleague, settings):
    settings.SAVED_SEARCHES = 2
    for number in range(2):
        services.save(member=colleague, place="search", query=f"q=word{number}")

    with pytest.raises(services.TooManySaved):
        services.save(member=colleague, place="list", query="sort=new")
    services.save(member=colleague, place="search", query="q=word1")


def test_a_name_can_be_chosen_and_changed_and_is_never_empty(colleague):
    row = services.save(member=colleague, place="search", query=QUERY, name="  DOACs   and  more ")

    assert row.name == "DOACs and more"
    assert services.rename(saved=row, name="y" * 80).name == "y" * 59 + "…"
    with pytest.raises(services.NoName):
        services.rename(saved=row, name="  ")


def test_alerts_go_with_searches_alone(colleague):
    row = services.save(member=colleague, place="list", query="sort=new")

    with pytest.raises(services.OnlySearches):
        services.set_alerts(saved=row, alerts=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedSearch.objects.filter(pk=row.pk).update(alerts=True)


# Alerts


def test_a_new_match_is_told_once(watched, colleague, physician):
    question = make_question(physician, "And apixaban with a valve?")

    assert tell() == 1
    assert tell() == 0
    assert told(colleague) == [f"search:{watched.pk}:{question.posts.get().pk}"]


def test_what_stood_before_is_not_told(watched, colleague):
    assert tell() == 0
    services.set_alerts(saved=watched, alerts=False)
    make_answer(Question.objects.get(), source="Apixaban, two days.")
    services.set_alerts(saved=watched, alerts=True)

    assert tell() == 0


def test_new_matches_are_told_however_much_was_written_meanwhile(watched, colleague, physician):
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('questions_post_id_seq', nextval('questions_post_id_seq') + 50000)")
    question = make_question(physician, "And apixaban with a valve?")

    assert tell() == 1
    assert told(colleague) == [f"search:{watched.pk}:{question.posts.get().pk}"]


def test_of_several_new_matches_the_newest_is_told_with_their_number(watched, colleague, physician):
    question = Question.objects.get()
    answers = [make_answer(question, source=f"Apixaban {days} days.") for days in ("two", "three", "four")]
    make_answer(question, source="Something else.")

    assert tell() == 1

    notice = Notice.objects.get(member=colleague, kind=Kind.SEARCH)
    line = notice_kinds.lines([notice], colleague.user)[notice.pk]
    assert (notice.target, notice.number) == (answers[-1].pk, 3)
    assert line.text == "New and 2 more for your search “apixaban”"
    assert line.title == question.title
    assert line.url == answers[-1].get_absolute_url()


def test_one_search_alerts_at_most_once_a_run_and_each_for_itself(watched, colleague, physician):
    other = services.save(member=colleague, place="search", query="q=valve")
    services.set_alerts(saved=other, alerts=True)
    make_question(physician, "Apixaban with a valve?")
    make_question(physician, "Apixaban with two valves?")

    assert tell() == 2
    assert len(told(colleague)) == 2


def test_own_posts_are_not_told(watched, colleague):
    make_question(colleague, "Apixaban again?")

    assert tell() == 0


def test_what_was_told_otherwise_is_not_told_again(watched, colleague):
    make_answer(make_question(colleague, "And that valve?"), source="Apixaban.")

    assert tell() == 0
    assert told(colleague) == []


def removed(question, colleague):
    writing.remove_post(post=question.posts.get(), by=question.asker)


def of_a_specialty(question, colleague):
    Question.objects.filter(pk=question.pk).update(audience="specialty")


def of_a_blocked_handle(question, colleague):
    ties.block(blocker=colleague, blocked=question.asker, blocked_face=Face.HANDLE)


def of_one_who_blocks(question, colleague):
    ties.block(blocker=question.asker, blocked=colleague, blocked_face=Face.HANDLE)


def of_a_muted_topic(question, colleague):
    question.tags.set([Tag.objects.create(slug="noise", name="noise")])
    TopicMute.objects.create(member=colleague, tag=Tag.objects.get())


def muted(question, colleague):
    Subscription.objects.create(member=colleague, question=question, level="muted")


@pytest.mark.parametrize(
    "hide", [removed, of_a_specialty, of_a_blocked_handle, of_one_who_blocks, of_a_muted_topic, muted]
)
def test_what_one_may_not_see_or_does_not_want_to_is_not_told(watched, colleague, physician, hide):
    hide(make_question(physician, "Apixaban, and who may know?"), colleague)

    assert tell() == 0


def test_who_may_not_read_any_more_is_not_told(watched, colleague, physician):
    make_question(physician, "Apixaban and more?")
    colleague.standing = "suspended"
    colleague.save()

    assert tell() == 0


def test_a_notice_is_gone_with_what_it_was_about(watched, colleague, physician):
    question = make_question(physician, "Apixaban and more?")
    tell()
    notice = Notice.objects.get(member=colleague, kind=Kind.SEARCH)
    writing.remove_post(post=question.posts.get(), by=physician)

    assert notice_kinds.lines([notice], colleague.user) == {}


def test_a_notice_reads_on_after_its_search_was_deleted(watched, colleague, physician):
    make_question(physician, "Apixaban and more?")
    tell()
    services.delete(saved=watched)

    notice = Notice.objects.get(member=colleague, kind=Kind.SEARCH)
    assert notice_kinds.lines([notice], colleague.user)[notice.pk].text == "New for a search you had saved"


def test_what_was_written_a_moment_ago_waits_for_the_next_run(watched, physician):
    """A post with a lower number may not be there yet."""
    make_question(physician, "Apixaban just now?")

    assert alerts.tell_of_new_matches() == 0
    assert tell() == 1


def test_a_run_that_was_stopped_is_gone_on_with(watched, colleague, third, physician, monkeypatch):
    row = services.save(member=third, place="search", query=QUERY)
    services.set_alerts(saved=row, alerts=True)
    make_question(physician, "Apixaban and more?")
    monkeypatch.setattr(alerts.notices, "tell", lambda **deed: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        tell()
    monkeypatch.undo()

    assert tell() == 2
    assert len(told(colleague)) == len(told(third)) == 1


def test_a_search_that_fails_does_not_keep_others_from_being_looked_at(
    watched, colleague, third, physician, monkeypatch
):
    row = services.save(member=third, place="search", query=QUERY)
    services.set_alerts(saved=row, alerts=True)
    make_question(physician, "Apixaban and more?")
    look = alerts._new_matches
    monkeypatch.setattr(
        alerts, "_new_matches", lambda saved, upto: look(saved, upto) if saved == row else 1 / 0
    )

    assert tell() == 1
    assert told(third)


# Pages


def test_saving_from_the_results_and_finding_it_again(colleague, colleague_client, physician):
    make_question(physician, "How long do you hold apixaban?")
    page = colleague_client.get("/search/", {"q": "apixaban kind:question"})

    answer = colleague_client.post(
        reverse("questions:save_search"),
        {
            "place": "search",
            "query": page.context["saved_query"],
            "name": "DOACs",
            "alerts": "1",
            "next": "/search/?q=x",
        },
    )

    row = SavedSearch.objects.get()
    assert answer.url == "/search/?q=x"
    assert (row.member, row.name, row.alerts) == (colleague, "DOACs", True)
    assert parse_qs(row.query)["q"] == ["apixaban kind:question"]
    listed = colleague_client.get("/searches/").content.decode()
    assert "DOACs" in listed
    assert f"/search/?{row.query.replace('&', '&amp;')}" in listed


def test_renaming_alerts_and_deleting(colleague_client, kept):
    address = reverse("questions:change_search", args=[kept.pk])

    colleague_client.post(address, {"name": "Anticoagulants"})
    colleague_client.post(address, {"alerts": "1"})
    kept.refresh_from_db()
    assert (kept.name, kept.alerts) == ("Anticoagulants", True)
    colleague_client.post(address, {"name": ""})
    colleague_client.post(address, {"alerts": "0"})
    kept.refresh_from_db()
    assert (kept.name, kept.alerts) == ("Anticoagulants", False)
    colleague_client.post(address, {"delete": "1"})
    assert not SavedSearch.objects.exists()


def test_what_others_keep_is_not_there(kept, third, physician_client):
    assert (
        physician_client.post(reverse("questions:change_search", args=[kept.pk]), {"delete": "1"}).status_code
        == 404
    )
    assert kept.name not in client_of(third).get("/searches/").content.decode()


@pytest.mark.parametrize("address", ["/searches/", "/searches/save/", "/searches/1/"])
def test_the_door(client, applicant_client, staff, address):
    assert client.get(address).url.startswith("/accounts/login/")
    assert applicant_client.get(address).url == reverse("verification:start")


def test_refusals_are_said(colleague_client, settings):
    settings.SAVED_SEARCHES = 0

    page = colleague_client.post(
        reverse("questions:save_search"), {"place": "search", "query": "q=x"}, follow=True
    ).content.decode()

    assert "the most there can be" in page
    assert colleague_client.post(reverse("questions:save_search"), {"place": "moon"}).status_code == 404


def test_the_page_of_many_costs_as_little_as_that_of_few(
    colleague, colleague_client, django_assert_num_queries
):
    for number in range(20):
        services.save(member=colleague, place="search", query=f"q=word{number}")

    with django_assert_num_queries(3):
        colleague_client.get("/searches/")


def test_a_lapsed_member_may_still_save(kept):
    lapsed = make_member(standing="read_only")

    answer = client_of(lapsed).post(reverse("questions:save_search"), {"place": "search", "query": QUERY})

    assert answer.status_code == 302
    assert services.list_for(lapsed)
