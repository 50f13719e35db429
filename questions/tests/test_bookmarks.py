"""Saving discussions, in folders of one's own."""

from io import StringIO

import pytest
from django.db import IntegrityError

from accounts.tests.factories import make_member
from conftest import client_of
from questions.demo import lists
from questions.models import Bookmark, BookmarkFolder, Question, Tag
from questions.services import bookmarks
from questions.tests.factories import make_question

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def question(physician):
    return make_question(physician)


@pytest.fixture
def folder(colleague):
    return bookmarks.make_folder(member=colleague, name="Kidneys")


def page(client, query=""):
    return client.get(f"/bookmarks/{query}").content.decode()


def test_saving_twice_is_saving_once(question, colleague):
    for _ in range(2):
        bookmarks.save(member=colleague, question=question)

    assert Bookmark.objects.get().folder is None


def test_saving_into_a_folder_moves_what_is_saved(question, colleague, folder):
    bookmarks.save(member=colleague, question=question)
    bookmarks.save(member=colleague, question=question, folder=folder)

    assert Bookmark.objects.get().folder == folder


def test_there_is_a_most(settings, physician, colleague):
    settings.MOST_BOOKMARKS, settings.MOST_FOLDERS = 1, 1
    bookmarks.save(member=colleague, question=make_question(physician))
    bookmarks.make_folder(member=colleague, name="One")

    with pytest.raises(bookmarks.TooManySaved):
        bookmarks.save(
            member=colleague, question=make_question(physician, title="One more than there may be?")
        )
    with pytest.raises(bookmarks.TooManyFolders):
        bookmarks.make_folder(member=colleague, name="Two")


def test_a_folder_has_a_name_of_its_own(colleague, physician, folder):
    with pytest.raises(bookmarks.NameTaken):
        bookmarks.make_folder(member=colleague, name=" kidneys ")
    with pytest.raises(bookmarks.NoName):
        bookmarks.make_folder(member=colleague, name="  ")
    bookmarks.make_folder(member=physician, name="Kidneys")

    other = bookmarks.make_folder(member=colleague, name="Hearts")
    with pytest.raises(bookmarks.NameTaken):
        bookmarks.rename_folder(folder=other, name="KIDNEYS")
    bookmarks.rename_folder(folder=folder, name="kidneys")
    assert BookmarkFolder.objects.get(pk=folder.pk).name == "kidneys"


def test_nothing_goes_into_somebody_else_s_folder(question, physician, folder):
    with pytest.raises(bookmarks.NotYourFolder):
        bookmarks.save(member=physician, question=question, folder=folder)


def test_deleting_a_folder_keeps_what_it_held(question, colleague, folder):
    bookmarks.save(member=colleague, question=question, folder=folder)

    bookmarks.delete_folder(folder=folder)

    assert Bookmark.objects.get().folder is None


def test_the_button_saves_and_lets_go(question, colleague, colleague_client):
    colleague_client.post(f"/questions/{question.pk}/save/", {"save": "1"})
    assert colleague.bookmarks.get().question == question
    assert question.title in page(colleague_client)

    html = colleague_client.post(f"/questions/{question.pk}/save/", {"save": "0"}, **HTMX).content.decode()

    assert not colleague.bookmarks.exists()
    assert 'aria-pressed="false"' in html
    assert "Nothing saved yet" in page(colleague_client)


def test_what_one_may_not_see_cannot_be_saved_and_shows_nothing(
    physician, question, colleague, colleague_client
):
    hidden = make_question(physician, title="Within the specialty alone?", audience="specialty")
    assert colleague_client.post(f"/questions/{hidden.pk}/save/", {"save": "1"}).status_code == 404

    colleague_client.post(f"/questions/{question.pk}/save/", {"save": "1"})
    Question.objects.filter(pk=question.pk).update(status="removed")

    assert question.title not in page(colleague_client)
    assert "Nothing saved yet" in page(colleague_client)


def test_the_page_narrows_to_a_folder_and_to_words(physician, colleague, colleague_client, folder):
    inside = make_question(physician, title="Which phosphate binder first?")
    outside = make_question(physician, title="Which anticoagulant first?")
    bookmarks.save(member=colleague, question=inside, folder=folder)
    bookmarks.save(member=colleague, question=outside)

    assert outside.title not in page(colleague_client, f"?folder={folder.pk}")
    assert inside.title in page(colleague_client, f"?folder={folder.pk}")
    assert inside.title not in page(colleague_client, "?folder=none")
    assert inside.title in page(colleague_client, "?q=BINDER+which")
    assert outside.title not in page(colleague_client, "?q=BINDER+which")
    assert "No saved discussion has these words" in page(colleague_client, "?q=zebra")


def test_saved_ones_go_on_by_key(settings, physician, colleague, colleague_client):
    settings.BOOKMARKS_PER_PAGE = 2
    made = [make_question(physician, title=f"Question number {number} here?") for number in range(5)]
    for question in made:
        bookmarks.save(member=colleague, question=question)

    seen, address = [], "/bookmarks/"
    while address:
        shown = colleague_client.get(address)
        seen += [kept.question_id for kept in shown.context["page"]]
        address = shown.context["more_url"]

    assert seen == [question.pk for question in reversed(made)]


def test_folders_are_made_renamed_and_deleted_on_the_page(question, colleague, colleague_client):
    colleague_client.post("/bookmarks/folders/", {"name": "Kidneys"})
    folder = colleague.bookmark_folders.get()
    kept = bookmarks.save(member=colleague, question=question)
    colleague_client.post(f"/bookmarks/{kept.pk}/move/", {"folder": folder.pk})
    assert colleague.bookmarks.get().folder == folder

    colleague_client.post(f"/bookmarks/folders/{folder.pk}/rename/", {"name": "Renal"})
    assert "Renal" in page(colleague_client)
    colleague_client.post(f"/bookmarks/folders/{folder.pk}/delete/")

    assert not BookmarkFolder.objects.exists()
    assert colleague.bookmarks.get().folder is None


def test_somebody_else_s_things_are_out_of_reach(question, colleague, folder, physician_client):
    kept = bookmarks.save(member=colleague, question=question, folder=folder)

    for address in (
        f"/bookmarks/{kept.pk}/move/",
        f"/bookmarks/folders/{folder.pk}/rename/",
        f"/bookmarks/folders/{folder.pk}/delete/",
    ):
        assert physician_client.post(address, {"name": "Taken"}).status_code == 404
    assert question.title not in page(physician_client, f"?folder={folder.pk}")
    answer = physician_client.post(f"/questions/{question.pk}/save/", {"save": "1", "folder": folder.pk})
    assert answer.status_code == 404


def test_the_door(client, applicant_client, staff, question):
    assert client.get("/bookmarks/").status_code == 302
    assert applicant_client.get("/bookmarks/").status_code == 302
    assert client_of(staff).get("/bookmarks/").status_code == 302  # a second factor first


def test_the_page_costs_the_same_for_few_and_many(
    physician, colleague, colleague_client, folder, django_assert_max_num_queries
):
    for number in range(12):
        bookmarks.save(
            member=colleague, question=make_question(physician, title=f"Question number {number} here?")
        )
    page(colleague_client)

    with django_assert_max_num_queries(7):
        page(colleague_client)


def test_the_database_keeps_one_per_member_and_discussion(question, colleague):
    bookmarks.save(member=colleague, question=question)

    with pytest.raises(IntegrityError):
        Bookmark.objects.create(member=colleague, question=question)


def test_the_demonstration_fills_folders_filters_and_synonyms_once(physician):
    cardiologist = make_member("cardio_demo", email="cardio@demo.sermo.test")
    for number in range(4):
        make_question(physician, title=f"Question number {number} here?", tags=["anticoagulation"])

    for _ in range(2):
        lists.seed(StringIO())

    assert cardiologist.bookmarks.count() == 4
    assert cardiologist.bookmark_folders.count() == 2
    assert cardiologist.saved_searches.count() == 3
    assert Tag.objects.get(slug="blood-thinners").merged_into.name == "anticoagulation"


def test_a_name_with_a_sign_that_cannot_be_kept_is_kept_without_it(colleague_client):
    assert colleague_client.post("/bookmarks/folders/", {"name": "Kid\x00neys"}).status_code == 302

    assert BookmarkFolder.objects.get().name == "Kid neys"
