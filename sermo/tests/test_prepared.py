from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Avg, Count, F, IntegerField, Min, OuterRef, Subquery, Sum, Value
from django.test.utils import CaptureQueriesContext

from accounts.models import Member
from accounts.tests.factories import make_member
from questions.models import Question
from sermo.prepared import AnyOf, columns_of, instance_of, prepared, written


@pytest.fixture
def members(db):
    return [make_member(f"member_{number}") for number in range(4)]


def test_the_query_is_built_once_and_run_with_new_values(members):
    built = []

    @prepared
    def handles(shape, *, member):
        built.append(member)
        return Member.objects.filter(pk=member).values_list("handle", flat=False)

    assert [handles(None, member=one.pk) for one in members] == [[(one.handle,)] for one in members]
    assert len(built) == 2  # with two sets of stand-ins
    assert not {one.pk for one in members} & set(built)


def test_each_shape_has_its_own_query(members):
    @prepared
    def ordered(shape, *, least):
        return Member.objects.filter(pk__gte=least).order_by(shape).values_list("pk")

    ids = [(one.pk,) for one in members]

    assert ordered("pk", least=members[0].pk) == ids
    assert ordered("-pk", least=members[0].pk) == ids[::-1]
    assert ordered("pk", least=members[2].pk) == ids[2:]


def test_no_value_is_a_shape_of_its_own(members):
    @prepared
    def with_specialty(shape, *, specialty):
        return Member.objects.filter(specialty=specialty).values_list("pk")

    lone = make_member("without_one", specialty=None, standing="applicant")

    assert with_specialty(None, specialty=None) == [(lone.pk,)]
    assert len(with_specialty(None, specialty=members[0].specialty_id)) == 4


def test_one_value_may_stand_in_several_places_and_beside_equal_constants(members):
    @prepared
    def around(shape, *, member):
        rows = Member.objects.filter(pk__lte=member) | Member.objects.filter(pk=F("pk") * 0 + member)
        return rows.annotate(same=Value(members[1].pk)).order_by("-pk").values_list("pk", "same")[:1]

    for one in members:
        assert around(None, member=one.pk) == [(one.pk, members[1].pk)]


def test_lists_of_any_length_are_one_query(members):
    @prepared
    def some(shape, *, ids):
        return Member.objects.filter(AnyOf("pk", ids)).order_by("pk").values_list("pk")

    for wanted in ([], [members[0].pk], [one.pk for one in members]):
        with CaptureQueriesContext(connection) as queries:
            assert some(None, ids=wanted) == [(pk,) for pk in wanted]
        assert len(queries) == 1


def test_moments_fractions_and_decimals_keep_their_columns(db):
    @prepared
    def after(shape, *, moment, hot, importance):
        rows = Question.objects.filter(opened_at__gt=moment, hot__gte=hot, importance__lte=importance)
        return rows.values_list("pk")

    day = datetime(2026, 5, 1, tzinfo=UTC)
    asker = make_member()
    late, _early = (
        Question.objects.create(asker=asker, title="t", opened_at=moment, activity_at=moment, hot=1.5)
        for moment in (day + timedelta(days=2), day)
    )

    assert after(None, moment=day, hot=1.5, importance=Decimal("3.0")) == [(late.pk,)]
    assert after(None, moment=day, hot=1.6, importance=Decimal("3.0")) == []
    assert after(None, moment=day, hot=1.5, importance=Decimal("2.9")) == []


def test_a_builder_that_looks_at_a_value_is_refused(db):
    @prepared
    def sly(shape, *, member):
        rows = Member.objects.filter(pk=member)
        return (rows.order_by("pk") if member % 2 else rows).values_list("pk")

    with pytest.raises(ValueError, match="sly looks at its values"):
        sly(None, member=1)


def test_a_value_that_its_column_turns_into_another_is_refused(db):
    @prepared
    def hotter(shape, *, than):
        return Question.objects.filter(hot__gt=than).values_list("pk")

    with pytest.raises(ValueError, match="no value of this query"):
        hotter(None, than=7)
    with pytest.raises(ValueError, match=r"."):
        hotter(None, than="warm")
    assert hotter(None, than=7.0) == []


def test_yes_and_no_belong_to_the_shape(db):
    @prepared
    def flagged(shape, *, only):
        return Question.objects.filter(peers_only=only).values_list("pk")

    with pytest.raises(TypeError):
        flagged(None, only=True)


def test_a_query_that_can_match_nothing_answers_without_asking(db, django_assert_num_queries):
    @prepared
    def none(shape, *, member):
        return Member.objects.filter(pk=member, pk__in=[]).values_list("pk")

    with django_assert_num_queries(0):
        assert none(None, member=3) == []


def test_a_whole_row_comes_back_as_the_orm_would_load_it(members):
    @prepared
    def whole(shape, *, member):
        return Member.objects.filter(pk=member).values_list(*columns_of(Member))

    loaded = instance_of(Member, whole(None, member=members[0].pk)[0])
    known = Member.objects.get(pk=members[0].pk)

    assert loaded == known
    assert {name: value for name, value in vars(loaded).items() if name != "_state"} == {
        name: value for name, value in vars(known).items() if name != "_state"
    }
    assert not loaded._state.adding


def test_what_is_used_often_is_prepared_in_the_database_and_finds_the_same(members):
    @prepared
    def near(shape, *, handle, ids, since):
        rows = Member.objects.filter(AnyOf("pk", ids), handle__gte=handle, joined_at__gt=since)
        return (
            rows.annotate(percent=Value("100 % sure, 'quoted'")).order_by("pk").values_list("pk", "percent")
        )

    values = {"ids": [one.pk for one in members], "since": datetime(2026, 1, 1, tzinfo=UTC)}
    answers, texts = [], []
    for _ in range(5):
        with CaptureQueriesContext(connection) as queries:
            answers.append(near(None, handle="member_", **values))
        assert len(queries) == 1
        texts.append(queries[0]["sql"].split()[0])

    assert texts == ["SELECT", "SELECT", "EXECUTE", "EXECUTE", "EXECUTE"]
    assert answers == [[(one.pk, "100 % sure, 'quoted'") for one in members]] * 5
    assert near(None, handle="member_3", **values) == [(members[3].pk, "100 % sure, 'quoted'")]
    assert near(None, handle="member_3", ids=[], since=values["since"]) == []


def test_numbers_come_as_the_orm_would_bring_them(members):
    @prepared
    def numbers(shape, *, least):
        own = Member.objects.filter(pk=OuterRef("pk")).values("pk")[:1]
        return (
            Member.objects.filter(pk__gte=least)
            .values("standing")
            .annotate(
                count=Count("pk"),
                sum=Sum("pk", output_field=IntegerField()),
                mean=Avg("pk"),
                first=Min(Subquery(own)),
            )
            .values_list("count", "sum", "mean", "first")
        )

    brought, by_orm = numbers(None, least=0), list(numbers.build(None, least=0))

    assert brought == by_orm
    assert [type(value) for value in brought[0]] == [type(value) for value in by_orm[0]]
    assert brought[0][0] == len(members)


def test_behind_a_pooler_nothing_is_prepared(members, settings):
    settings.PREPARE_QUERIES = False

    @prepared
    def handles(shape, *, member):
        return Member.objects.filter(pk=member).values_list("handle")

    for _ in range(5):
        with CaptureQueriesContext(connection) as queries:
            assert handles(None, member=members[0].pk) == [("member_0",)]
        assert queries[0]["sql"].startswith("SELECT")


def test_what_is_planned_for_its_values_is_built_once_and_never_prepared(members):
    built = []

    @written
    def handles(shape, *, member):
        built.append(member)
        return Member.objects.filter(pk=member).values_list("handle")

    for one in members * 2:
        with CaptureQueriesContext(connection) as queries:
            assert handles(None, member=one.pk) == [(one.handle,)]
        assert queries[0]["sql"].startswith("SELECT")
    assert len(built) == 2  # with two sets of stand-ins


@pytest.mark.django_db(transaction=True)
def test_a_new_session_prepares_anew():
    member = make_member("member_0")

    @prepared
    def handles(shape, *, member):
        return Member.objects.filter(pk=member).values_list("handle")

    for _ in range(3):
        handles(None, member=member.pk)
    connection.close()

    assert handles(None, member=member.pk) == [("member_0",)]
