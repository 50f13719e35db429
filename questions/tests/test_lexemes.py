"""In how many posts each word occurs, as of last night."""

import threading

import pytest
from django.core.management import call_command
from django.db import connection

from questions.models import Lexeme
from questions.services import lexemes, writing
from questions.tests.factories import make_answer, make_question


def counted():
    return dict(Lexeme.objects.values_list("word", "documents"))


def test_words_are_counted_by_stem_and_once_a_post(physician, colleague):
    question = make_question(physician, "Dialysis, dialysis and levosimendan?", source="Nothing else here.")
    make_answer(question, colleague, source="On dialyses I would not.")

    lexemes.recount_lexemes()

    assert counted()["dialysi"] == 1
    assert counted()["dialys"] == 1
    assert counted()["levosimendan"] == 1


def test_a_second_count_follows_the_posts(physician, colleague):
    question = make_question(physician, "Levosimendan?")
    answer = make_answer(question, colleague, source="Levosimendan, and icatibant.")
    lexemes.recount_lexemes()
    writing.remove_post(post=answer, by=colleague)

    changed = lexemes.recount_lexemes()

    assert changed == 1
    assert counted()["levosimendan"] == 1
    assert "icatib" not in counted()
    assert lexemes.recount_lexemes() == 0


def test_a_word_too_long_to_be_kept_stops_nothing(physician):
    make_question(physician, "Levosimendan?", source="x" * 300 + " and words")

    lexemes.recount_lexemes()

    assert counted()["levosimendan"] == 1
    assert max(map(len, counted())) <= 100


def test_recount_counts_them_too(physician, capsys):
    make_question(physician, "Levosimendan?")

    call_command("recount")

    assert "words counted otherwise" in capsys.readouterr().out
    assert counted()["levosimendan"] == 1


@pytest.mark.django_db(transaction=True)
def test_two_counts_at_once_come_to_the_same(physician):
    for number in range(30):
        make_question(physician, f"Levosimendan in case {number}?", source=f"word{number} other{number}")
    faults = []

    def count():
        try:
            lexemes.recount_lexemes()
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    workers = [threading.Thread(target=count) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert not faults
    assert counted()["levosimendan"] == 30
