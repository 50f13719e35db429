"""Two words in place of a member."""

import pytest

from accounts.tests.factories import make_member
from observers import aliases
from observers.models import Voice
from observers.tests.factories import make_firm
from questions.models import Byline
from questions.tests.factories import make_answer, make_comment, make_question

pytestmark = pytest.mark.django_db


@pytest.fixture
def question(physician):
    return make_question(physician)


def alias_of(member, question, firm):
    return aliases.aliases_of(firm, [question.pk])[question.pk, member.pk]


def test_an_alias_is_two_words_and_no_handle(question, physician, firm):
    alias = alias_of(physician, question, firm)

    assert len(alias.split()) == 2
    assert physician.handle.lower() not in alias.lower()


def test_an_alias_is_steady_in_a_discussion_and_for_a_firm_alone(question, physician, firm):
    other = make_question(physician, title="Another matter altogether?")

    assert alias_of(physician, question, firm) == alias_of(physician, question, firm)
    assert alias_of(physician, question, firm) != alias_of(physician, other, firm)
    assert alias_of(physician, question, firm) != alias_of(physician, question, make_firm())


def test_all_who_wrote_there_have_one_in_one_query(
    question, physician, colleague, third, firm, django_assert_num_queries
):
    make_comment(make_answer(question, colleague), third)
    other = make_question(colleague)

    with django_assert_num_queries(1):
        found = aliases.aliases_of(firm, [question.pk, other.pk])

    assert set(found) == {
        *((question.pk, member.pk) for member in (physician, colleague, third)),
        (other.pk, colleague.pk),
    }


def test_of_two_with_the_same_words_the_later_gets_others(question, physician, colleague, firm, monkeypatch):
    words = {"first": ("amber", "brisk"), "second": ("heron",)}
    monkeypatch.setattr("sermo.aliases.words", words.get)
    before = alias_of(physician, question, firm)

    make_answer(question, colleague)

    found = aliases.aliases_of(firm, [question.pk])
    assert found[question.pk, physician.pk] == before
    assert set(found.values()) == {"Amber heron", "Brisk heron"}


def test_the_site_and_firms_speak_under_their_names(question, firm):
    house, voice = make_member(), make_member()
    Voice.objects.create(firm=firm, member=voice)
    Byline.objects.create(question=question, member=house, mode=Byline.Mode.HOUSE)
    Byline.objects.create(question=question, member=voice, mode=Byline.Mode.FIRM)

    assert alias_of(house, question, firm) == "Sermo"
    assert alias_of(voice, question, firm) == firm.name
