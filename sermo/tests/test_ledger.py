"""No table with a way to a person, and no field of one, stays outside the ledger of personal data."""

from dataclasses import replace

import pytest
from django.apps import apps
from django.db import connection

from accounts.leaving import ledger
from accounts.leaving.ledger import Entry, Fate
from accounts.personal import OTHER_TABLES


@pytest.fixture
def book():
    return ledger.entries()


def test_every_table_with_a_way_to_a_person_is_in_the_ledger(book):
    assert ledger.missing_tables(book) == []


def test_every_field_is_exported_or_left_out_for_a_reason(book):
    assert ledger.missing_fields(book) == []


def test_the_ledger_names_only_what_exists(book):
    assert ledger.mistakes(book) == []


@pytest.mark.parametrize(
    "table",
    [
        "accounts.Member",
        "account.EmailAddress",
        "accounts.User_groups",
        "admin.LogEntry",
        "questions.Question_tags",
        "questions.Revision",
        "verification.Document",
        "verification.Subject",
    ],
)
def test_a_forgotten_table_is_named(book, table):
    short = [entry for entry in book if entry.model != table]

    assert ledger.missing_tables(short) == [table]


@pytest.mark.parametrize("name", ["bio", "handle_picture", "visibility"])
def test_a_forgotten_field_is_named(book, name):
    short = [replace(entry, shown=tuple(each for each in entry.shown if each != name)) for entry in book]

    assert ledger.missing_fields(short) == [f"accounts.Member.{name}"]


def test_a_field_left_out_without_a_reason_is_named(book):
    silent = [
        replace(entry, withheld={**entry.withheld, "text": ""}) for entry in book if "Mail" in entry.model
    ]

    assert ledger.missing_fields(silent) == ["accounts.Mail.text"]


def test_what_the_ledger_invents_is_named():
    invented = Entry(
        "questions.Draft",
        "Drafts",
        Fate.DELETED,
        "All of it goes.",
        path="member__nobody",
        shown=("place", "mood"),
        withheld={"place": "said twice"},
    )

    assert ledger.mistakes([invented, invented]) == [
        "questions.Draft.mood: unknown",
        "questions.Draft.place: exported and withheld",
        "questions.Draft: the path 'member__nobody' leads to nobody",
        "questions.Draft: deleted by nothing",
        "questions.Draft: twice",
        "questions.Draft.mood: unknown",
        "questions.Draft.place: exported and withheld",
        "questions.Draft: the path 'member__nobody' leads to nobody",
        "questions.Draft: deleted by nothing",
    ]


def test_every_eraser_named_by_an_entry_is_run_when_somebody_leaves(book):
    run = {eraser for erasers in ledger.declared("ERASERS") for eraser in erasers}

    assert {entry.eraser for entry in book} - {None} <= run


@pytest.mark.django_db
def test_tables_without_a_model_are_known():
    models = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}

    assert set(connection.introspection.table_names()) - models == set(OTHER_TABLES)


def test_every_app_of_ours_with_personal_tables_declares_its_own(book, settings):
    personal = {model._meta.app_label for model in ledger.personal_models()}
    declaring = {entries[-1].model_class._meta.app_label for entries in ledger.declared("ENTRIES")}

    assert personal & set(settings.LOCAL_APPS) == declaring
