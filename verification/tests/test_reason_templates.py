import re

import pytest

from verification.forms import OTHER, REASONS, DecisionForm
from verification.models import Decision
from verification.reason_templates import ACTS, CLAIM, LICENSE, template, templates, templates_by_act
from verification.services import held

OF_CLAIMS = [each for each in templates() if each.page == CLAIM]
OF_LICENSES = [each for each in templates() if each.page == LICENSE]


@pytest.mark.parametrize("each", OF_LICENSES, ids=lambda each: each.key)
def test_every_template_of_a_license_makes_an_answer(each):
    assert each.reason in held.REASONS[Decision.Outcome(each.act)]
    assert bool(each.words) == (each.act == "ask")
    assert len(OF_CLAIMS) + len(OF_LICENSES) == len(templates())


@pytest.mark.parametrize("each", OF_CLAIMS, ids=lambda each: each.key)
def test_every_template_makes_a_decision_that_can_be_taken(each):
    form = DecisionForm(
        {"outcome": each.act, "reason": each.reason, "note": each.note, "message": each.words},
        has_namesakes=False,
    )

    assert form.is_valid(), form.errors
    assert each.reason in [*REASONS[each.act], OTHER]
    assert bool(each.words) == (each.act != "approve")


@pytest.mark.parametrize("each", templates(), ids=lambda each: each.key)
def test_the_sentences_are_whole_and_name_nobody(each):
    for words in filter(None, (each.words, each.note)):
        assert words.endswith(".")
        assert not re.search(r"\d|[{}<>@]", words)
    assert 0 < len(each.name) <= 40


@pytest.mark.parametrize("page", [CLAIM, LICENSE])
def test_each_act_has_some_and_each_fits_a_key_from_1_to_9(page):
    by_act = templates_by_act(page)

    assert [act for act, _ in by_act] == [*ACTS[page]]
    for _, found in by_act:
        assert [each.number for each in found] == list(range(1, len(found) + 1))
        assert 1 <= len(found) <= 9


def test_a_template_is_found_by_its_key():
    assert template("claim-reject-1").reason == "no_license"
    assert template("claim-reject-99") is None
