"""Which diagnosis leads, and which is a minority report."""

import pytest

from accounts.tests.factories import make_member
from conftest import client_of
from consults import board, weights
from consults.models import DiagnosisVote
from consults.services import solving
from consults.tests.factories import make_case, make_diagnosis, make_forecast
from consults.weights import Row, judge
from questions.models import Question

# Judging


@pytest.mark.parametrize(
    ("rows", "leading"),
    [
        ([], None),
        ([Row(1, [])], None),  # a final diagnosis nobody had named
        ([Row(1, [1.0]), Row(2, [1.0, 1.0])], 2),
        ([Row(1, [1.0] * 4), Row(2, [1.4] * 3)], 2),  # 4.0 against 4.2
        ([Row(1, [0.5] * 4), Row(2, [1.0, 1.0], [0.9])], 2),  # who read first counts as well
        ([Row(1, [1.5]), Row(2, [0.5, 0.5])], 2),  # of so few no weight can be told
        ([Row(2, [1.0], [1.0]), Row(1, [], [1.0, 1.0])], 2),  # as many, but more by themselves
        ([Row(2, [1.0]), Row(1, [1.0])], 1),  # named first
    ],
)
def test_the_diagnosis_of_most_weight_leads(rows, leading):
    assert judge(rows)[0] == leading


CONSENSUS = Row(1, [1.0] * 9, disputes=4)


@pytest.mark.parametrize(
    ("row", "is_heard"),
    [
        (Row(2, [1.3] * 3, disputes=1), True),
        (Row(2, [1.1, 1.0, 1.2], disputes=1), True),  # 1.1 on average
        (Row(2, [1.3] * 3), False),  # nobody disputes it
        (Row(2, [1.5] * 2, disputes=3), False),  # too few
        (Row(2, [1.5] * 2, [1.5] * 2, disputes=3), False),  # after reading is not by oneself
        (Row(2, [1.0] * 5, disputes=3), False),  # not known for being right
        (Row(2, [1.3] * 3, [0.5] * 3, disputes=1), True),  # those who read first change nothing
    ],
)
def test_a_minority_report_is_disputed_and_held_by_three_who_are_often_right(row, is_heard):
    assert judge([CONSENSUS, row]) == (1, {2} if is_heard else set())


def test_what_leads_is_no_minority():
    assert judge([Row(1, [1.4] * 5, disputes=9), Row(2, [1.0], disputes=1)]) == (1, set())


# Weighing


def make_record(member, *forecasts):
    for confidence, was_right in forecasts:
        make_forecast(make_case(images=0), member, confidence, was_right=was_right)


@pytest.mark.django_db
def test_weights_come_from_scored_forecasts_in_one_query(django_assert_num_queries):
    sure, fair, new = make_member(), make_member(), make_member()
    make_record(sure, *[(90, True)] * 10)  # a score of 0.01
    make_record(fair, *[(70, True)] * 6, *[(70, False)] * 4)  # (6 x 0.09 + 4 x 0.49) / 10 = 0.25
    make_record(new, *[(100, False)] * 9, (100, None))

    with django_assert_num_queries(1):
        found = weights.of_members([sure.pk, fair.pk, new.pk])

    assert {pk: round(weight, 9) for pk, weight in found.items()} == {
        sure.pk: 1.48,
        fair.pk: 1.0,
        new.pk: 1.0,
    }


@pytest.mark.django_db
def test_the_case_that_is_judged_makes_no_prophet():
    member, case = make_member(), make_case(images=0)
    make_record(member, *[(90, True)] * 9)
    make_forecast(case, member, 90, was_right=True)

    assert weights.of_members([member.pk], besides=case.pk) == {member.pk: 1.0}
    assert weights.of_members([member.pk])[member.pk] > 1.4


@pytest.mark.django_db
def test_a_minority_that_was_right_stays_pinned_and_says_so():
    case = make_case(images=0)
    for _ in range(3):
        known = make_member()
        make_record(known, *[(90, True)] * 10)
        make_forecast(case, known, 90)
    for _ in range(6):
        make_forecast(case, name="Tinea corporis")
    for _ in range(2):  # more than the minority, but not pinned
        make_forecast(case, name="Granuloma annulare")
    make_forecast(case, name="Granuloma annulare", confidence=50)
    Question.objects.filter(pk=case.pk).update(answer_count=12)
    reader = make_member()
    final = make_diagnosis(case, "Erythema migrans")
    DiagnosisVote.objects.create(
        diagnosis=final,
        voter=reader,
        value=-1,
        reason="evidence",
        explanation="There is scale at the border.",
    )
    case.question.commitments.create(member=reader, how="reading")

    solving.solve_case(
        case=case, by=case.question.asker, diagnosis=final, confirmed="pathology", outcome="It was cut out."
    )

    found = board.board_of(case.pk, reader_id=reader.pk)
    assert [(row.name, row.is_leading, row.is_minority, row.is_final) for row in found.rows] == [
        ("Tinea corporis", True, False, False),
        ("Erythema migrans", False, True, True),
        ("Granuloma annulare", False, False, False),
    ]
    assert "The minority was right." in client_of(reader).get(case.get_absolute_url()).content.decode()


def test_of_nobody_nothing_is_asked():
    assert weights.of_members([]) == {}
