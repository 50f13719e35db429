"""The board of diagnoses: what stands on it, who votes, who merges and renames."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_member
from conftest import client_of
from consults import board, weights
from consults.models import Diagnosis, DiagnosisVote, Reply, Solution
from consults.services import diagnoses, markers, withdrawing
from consults.tests.factories import make_case, make_forecast
from consults.tests.test_replies import at_once, reply
from questions.models import Question, WriteCount
from questions.services import circles, voting, writing
from questions.services.committing import AnswerFirst, open_for_reading
from questions.services.moderation import acts, rights
from verification.models import Event

pytestmark = pytest.mark.django_db
WHY = "There is no scale at the border."


def board_of(case, reader=None):
    return board.board_of(case.pk, reader_id=reader and reader.pk)


def named(case, name="Erythema migrans") -> Diagnosis:
    return Diagnosis.objects.get(case=case, key=diagnoses.normalize(name))


def reader_of(case, member=None):
    """Somebody to whom the answers are open."""
    member = member or make_member()
    open_for_reading(question=case.question, member=member)
    return member


def corroborate(case, voter=None, name="Erythema migrans"):
    return diagnoses.cast(diagnosis=named(case, name), voter=reader_of(case, voter), value=1)


def dispute(case, voter=None, name="Erythema migrans"):
    diagnosis, voter = named(case, name), reader_of(case, voter)
    return diagnoses.cast(diagnosis=diagnosis, voter=voter, value=-1, reason="evidence", explanation=WHY)


def merge(case, one, other, by=None, user=None):
    by = by or case.question.asker
    return diagnoses.merge(diagnosis=named(case, one), into=named(case, other), by=by, user=user)


def facts(case, reader=None):
    return [
        (row.name, row.on_their_own, row.after_reading, row.confidence) for row in board_of(case, reader).rows
    ]


# What stands there


def test_each_diagnosis_has_its_colleagues_counted_apart_and_how_sure_they_are_on_average():
    case = make_case(images=0)
    reply(case, confidence=50)
    reply(case, make_member(specialty="Dermatology"), confidence=90, code="A69.20")
    reply(case, reader_of(case), confidence=70)
    reply(case, diagnosis="Tinea", confidence=60)

    rows = board_of(case).rows

    assert facts(case) == [("Erythema migrans", 2, 1, 70), ("Tinea", 1, 0, 60)]
    assert (rows[0].is_leading, rows[1].is_leading, rows[0].code) == (True, False, "A69.20")
    assert "1 dermatologist" in rows[0].specialties


def test_each_member_counts_once_by_the_latest_standing_reply(colleague):
    case = make_case(images=0)
    reply(case, colleague, confidence=90)
    second = reply(case, colleague, diagnosis="Tinea", confidence=60)
    assert facts(case) == [("Tinea", 0, 1, 60)]

    writing.remove_post(post=second, by=colleague)

    assert facts(case) == [("Erythema migrans", 1, 0, 90)]


def test_folded_replies_and_the_asker_s_hold_no_diagnosis(moderator, colleague):
    case = make_case(images=0)
    post = reply(case, colleague)
    make_forecast(case, case.question.asker)

    assert facts(case) == [("Erythema migrans", 1, 0, 80)]
    assert diagnoses.counted(case.pk) == {colleague.pk: named(case).pk}

    acts.act(post=post, by=moderator.user, kind="fold", reason="misinformation")

    assert facts(case) == []
    assert diagnoses.counted(case.pk) == {}


def test_what_nobody_holds_any_more_is_gone_but_for_the_final_diagnosis(colleague):
    case = make_case(images=0)
    post = reply(case, colleague)
    reply(case, diagnosis="Tinea")
    writing.remove_post(post=post, by=colleague)
    assert [row.name for row in board_of(case).rows] == ["Tinea"]

    Solution.objects.create(case=case, diagnosis=named(case), confirmed="expert")
    assert [row.name for row in board_of(case).rows] == ["Tinea"]  # not while the case is unsolved

    Question.objects.filter(pk=case.pk).update(solved_at=timezone.now())

    assert [(row.name, row.is_final) for row in board_of(case).rows] == [
        ("Tinea", False),
        ("Erythema migrans", True),
    ]


def test_verdicts_stand_with_their_reasons_and_without_their_voters(colleague):
    case = make_case(images=0)
    reply(case)
    corroborate(case, colleague)
    dispute(case)

    row = board_of(case, colleague).rows[0]

    assert (row.corroborate_count, row.dispute_count, row.own_vote) == (1, 1, 1)
    assert row.disputes == [("Evidence says otherwise", WHY)]
    assert row.cells == []
    assert row.is_own is False


def test_verdicts_by_specialty_only_where_no_small_number_can_be_told():
    case = make_case(images=0)
    reply(case)
    for _ in range(5):
        corroborate(case, make_member(specialty="Dermatology"))

    assert board_of(case).rows[0].cells == [("corroborate", {"Dermatology": 5})]


def test_what_few_hold_for_themselves_who_are_mostly_right_is_a_minority_report(monkeypatch):
    case = make_case(images=0)
    right = [reply(case).author_id for _ in range(3)]
    for _ in range(4):
        reply(case, diagnosis="Tinea")
    dispute(case)
    monkeypatch.setattr(
        weights, "of_members", lambda ids, besides: {pk: 1.5 if pk in right else 1.0 for pk in ids}
    )

    def standing():
        return [(row.name, row.is_leading, row.is_minority) for row in board_of(case).rows]

    assert standing() == [("Erythema migrans", True, False), ("Tinea", False, False)]
    reply(case, diagnosis="Tinea")
    assert standing() == [("Tinea", True, False), ("Erythema migrans", False, True)]


@pytest.mark.parametrize("number", [1, 6])
def test_the_board_costs_two_queries_at_any_length(number, django_assert_max_num_queries):
    case = make_case(images=0)
    for place in range(number):
        reply(case, diagnosis=f"Diagnosis {'x' * (place % 2)}")

    with django_assert_max_num_queries(2):
        assert board_of(case).members == number


# Voting


def test_a_second_verdict_replaces_the_first_and_can_be_taken_back(colleague):
    case = make_case(images=0)
    reply(case)
    corroborate(case, colleague)

    vote = dispute(case, colleague)

    assert DiagnosisVote.objects.get() == vote
    assert vote.changed_at is not None
    assert WriteCount.objects.get(member=colleague, what="vote").count == 1
    diagnoses.withdraw(diagnosis=named(case), voter=colleague)
    diagnoses.withdraw(diagnosis=named(case), voter=colleague)
    assert not DiagnosisVote.objects.exists()


@pytest.mark.parametrize(("reason", "explanation"), [("", WHY), ("evidence", "Too short."), ("taste", WHY)])
def test_a_dispute_says_why(reason, explanation, colleague):
    case = make_case(images=0)
    reply(case)
    reader_of(case, colleague)

    with pytest.raises(voting.ReasonMissing):
        diagnoses.cast(
            diagnosis=named(case), voter=colleague, value=-1, reason=reason, explanation=explanation
        )


def test_nobody_votes_on_their_own_diagnosis_before_the_others_are_open_or_after_the_close(colleague, third):
    case = make_case(images=0)
    reply(case, colleague)
    diagnosis = named(case)

    with pytest.raises(diagnoses.OwnDiagnosis):
        diagnoses.cast(diagnosis=diagnosis, voter=colleague, value=1)
    for act in (
        lambda: diagnoses.cast(diagnosis=diagnosis, voter=third, value=1),
        lambda: diagnoses.withdraw(diagnosis=diagnosis, voter=third),
    ):
        with pytest.raises(AnswerFirst):
            act()
    reader_of(case, third)
    Question.objects.filter(pk=case.pk).update(
        status="closed", close_reason="author", closed_at=timezone.now()
    )
    with pytest.raises(writing.NotOpen):
        diagnoses.cast(diagnosis=diagnosis, voter=third, value=1)


def test_a_private_consult_takes_verdicts_and_replies_of_who_accepted_alone(third):
    case = make_case(images=0)
    reply(case)
    diagnosis = named(case)
    reader_of(case, third)
    Question.objects.filter(pk=case.pk).update(audience="invited")

    for act in (
        lambda: diagnoses.cast(diagnosis=diagnosis, voter=third, value=1),
        lambda: diagnoses.withdraw(diagnosis=diagnosis, voter=third),
        lambda: reply(case, third),
    ):
        with pytest.raises(circles.NotAccepted):
            act()


def test_what_nobody_holds_takes_no_verdict(colleague, third):
    case = make_case(images=0)
    post = reply(case, colleague)
    reader_of(case, third)
    writing.remove_post(post=post, by=colleague)

    with pytest.raises(diagnoses.NotOnBoard):
        diagnoses.cast(diagnosis=named(case), voter=third, value=1)


def test_the_vote_on_a_synonym_goes_to_what_it_was_merged_into():
    case = make_case(images=0)
    reply(case)
    reply(case, diagnosis="ECM")
    merge(case, "ECM", "Erythema migrans")

    assert corroborate(case, name="ECM").diagnosis == named(case)


# Merging


def test_merged_names_are_one_row_and_can_be_taken_apart_again():
    case = make_case(images=0)
    for name in ("Erythema migrans", "ECM", "Lyme rash"):
        reply(case, diagnosis=name)

    merge(case, "Lyme rash", "ECM")
    merge(case, "ECM", "Erythema migrans")
    merge(case, "ECM", "Erythema migrans")

    row = board_of(case).rows[0]
    assert facts(case) == [("Erythema migrans", 3, 0, 80)]
    assert [name for _, name in row.synonyms] == ["ECM", "Lyme rash"]
    diagnoses.unmerge(diagnosis=named(case, "ECM"), by=case.question.asker)
    diagnoses.unmerge(diagnosis=named(case, "ECM"), by=case.question.asker)
    assert [fact[:2] for fact in facts(case)] == [("Erythema migrans", 2), ("ECM", 1)]


def test_what_is_merged_into_a_synonym_goes_to_its_root():
    case = make_case(images=0)
    for name in ("Erythema migrans", "ECM", "Lyme rash"):
        reply(case, diagnosis=name)
    merge(case, "ECM", "Erythema migrans")

    merge(case, "Lyme rash", "ECM")

    assert named(case, "Lyme rash").merged_into == named(case)
    with pytest.raises(diagnoses.OneAlready):
        merge(case, "Erythema migrans", "ECM")


def test_after_merging_each_has_one_verdict_and_none_on_their_own(colleague, third):
    case = make_case(images=0)
    reply(case)
    reply(case, third, diagnosis="ECM")
    corroborate(case, colleague, name="ECM")
    dispute(case, colleague)
    fourth = corroborate(case, name="ECM").voter
    corroborate(case, third)  # another's, until they are one

    merge(case, "ECM", "Erythema migrans")

    votes = DiagnosisVote.objects.order_by("pk").values_list("voter", "value", "diagnosis")
    root = named(case).pk
    assert sorted(votes) == sorted([(colleague.pk, -1, root), (fourth.pk, 1, root)])


def test_merging_scores_forecasts_anew(colleague):
    case = make_case(images=0, intent="teaching")
    reply(case, colleague)
    reply(case, diagnosis="ECM")
    Solution.objects.update_or_create(
        case=case, defaults={"diagnosis": named(case, "ECM"), "confirmed": "pathology"}
    )

    merge(case, "Erythema migrans", "ECM")
    assert Reply.objects.get(member=colleague).was_right is True

    diagnoses.unmerge(diagnosis=named(case), by=case.question.asker)
    assert Reply.objects.get(member=colleague).was_right is False


def test_only_the_asker_while_it_is_open_and_moderators_who_take_no_part_order_the_board(
    colleague, third, moderator
):
    case, asker = make_case(images=0), None
    asker = case.question.asker
    reply(case, colleague)
    reply(case, diagnosis="ECM")
    with pytest.raises(diagnoses.NotYours):
        merge(case, "ECM", "Erythema migrans", by=colleague, user=colleague.user)

    Question.objects.filter(pk=case.pk).update(
        status="closed", close_reason="author", closed_at=timezone.now()
    )
    with pytest.raises(writing.NotOpen):
        merge(case, "ECM", "Erythema migrans", by=asker, user=asker.user)
    merge(case, "ECM", "Erythema migrans", by=moderator, user=moderator.user)

    event = Event.objects.get(kind="moderation_diagnosis")
    assert event.object == f"diagnosis:{named(case, 'ECM').pk}"
    other = make_case(images=0)
    reply(other)
    diagnoses.cast(diagnosis=named(other), voter=moderator, value=1)
    with pytest.raises(rights.TakesPart):
        diagnoses.rename(diagnosis=named(other), name="ECM", by=moderator, user=moderator.user)


@pytest.mark.parametrize("part", ["judged", "marked"])
def test_a_moderator_who_judged_a_diagnosis_or_marked_a_picture_decides_nothing_there(part, moderator):
    case = make_case()
    post = reply(case)
    if part == "judged":
        corroborate(case, moderator)
    else:
        markers.add_marker(image=case.images.get(), member=moderator, left=1, top=1, label="Rim")

    with pytest.raises(rights.TakesPart):
        acts.act(post=post, by=moderator.user, kind="remove", reason="spam")
    acts.act(post=reply(make_case(images=0)), by=moderator.user, kind="remove", reason="spam")


def test_only_an_order_by_a_moderator_waits_for_the_chain(colleague, moderator, monkeypatch):
    case, waited = make_case(images=0), []
    reply(case, colleague)
    monkeypatch.setattr(diagnoses.events, "lock_chain", lambda: waited.append(1))

    with pytest.raises(diagnoses.NotYours):
        diagnoses.rename(diagnosis=named(case), name="ECM", by=colleague, user=colleague.user)
    asker = case.question.asker
    diagnoses.rename(diagnosis=named(case), name="ECM", by=asker, user=asker.user)

    assert waited == []


def test_the_asker_does_not_write_back_what_a_moderator_took_out_of_a_name(physician, moderator):
    case = make_case(physician, images=0)
    post = reply(case, diagnosis="Quillfeather rash")
    acts.act(
        post=post,
        by=moderator.user,
        kind="redact",
        reason="identity",
        text=post.source.replace("Quillfeather", "[…]"),
    )
    diagnosis = Diagnosis.objects.get()
    assert diagnosis.name == "[…] rash"

    with pytest.raises(diagnoses.TakenOutByModerator):
        diagnoses.rename(diagnosis=diagnosis, name="Quillfeather rash", by=physician, user=physician.user)
    made = diagnoses.rename(diagnosis=diagnosis, name="Tick rash", by=moderator, user=moderator.user)

    assert (made.name, made.key) == ("Tick rash", "tick rash")


def test_the_diagnoses_of_a_withdrawn_case_are_ordered_by_nobody(physician, moderator):
    case = make_case(physician, images=0)
    reply(case)
    reply(case, diagnosis="ECM")
    one, other = Diagnosis.objects.order_by("pk")
    withdrawing.withdraw(case=case, why="author", by=physician)
    question = Question.objects.get(pk=case.pk)

    for act in (
        lambda: diagnoses.merge(diagnosis=other, into=one, by=moderator, user=moderator.user),
        lambda: diagnoses.unmerge(diagnosis=other, by=moderator, user=moderator.user),
        lambda: diagnoses.rename(diagnosis=other, name="ECM", by=moderator, user=moderator.user),
    ):
        with pytest.raises(diagnoses.Withdrawn):
            act()
    client = client_of(moderator)
    page = reverse("consults:diagnoses", args=[case.pk, question.slug])
    assert client.get(page).status_code == 404
    assert page not in text_of(moderator, question)
    for name in ("merge", "unmerge", "rename"):
        address = reverse(f"consults:{name}_diagnosis", args=[other.pk])
        assert client.post(address, {"name": "ECM", "into": one.pk}).status_code == 404


def test_diagnoses_of_two_cases_are_never_one(physician):
    one, other = make_case(physician, images=0), make_case(physician, images=0)
    reply(one)
    reply(other)

    with pytest.raises(diagnoses.OtherCase):
        diagnoses.merge(diagnosis=named(one), into=named(other), by=physician)


def test_a_name_is_written_better_but_not_as_another(physician):
    case = make_case(physician, images=0)
    reply(case, diagnosis="eritema migrans")
    reply(case, diagnosis="Tinea")
    wrong = named(case, "eritema migrans")

    made = diagnoses.rename(diagnosis=wrong, name=" Erythema  migrans", code="a6920", by=physician)

    assert (made.name, made.key, made.code) == ("Erythema migrans", "erythema migrans", "A69.20")
    for name, refusal in (("tinea", diagnoses.NameTaken), ("...", diagnoses.NoName)):
        with pytest.raises(refusal):
            diagnoses.rename(diagnosis=made, name=name, by=physician)


@pytest.mark.django_db(transaction=True)
def test_merging_voting_and_answering_at_once_leave_one_verdict_each():
    case = make_case(images=0)
    asker, voter = case.question.asker, make_member()
    reply(case)
    reply(case, diagnosis="ECM")
    reader_of(case, voter)
    one, other = named(case), named(case, "ECM")

    at_once(
        lambda: diagnoses.merge(diagnosis=other, into=one, by=asker),
        lambda: diagnoses.cast(diagnosis=other, voter=voter, value=1),
        lambda: diagnoses.cast(diagnosis=one, voter=voter, value=1),
        lambda: reply(case, diagnosis="ecm"),
    )

    assert DiagnosisVote.objects.get().diagnosis_id == one.pk
    assert facts(case) == [("Erythema migrans", 3, 0, 80)]


# Views


def text_of(who, case, status=200) -> str:
    response = client_of(who).get(case.get_absolute_url())
    assert response.status_code == status
    return response.content.decode()


def test_the_board_is_closed_until_one_answered_or_asked_to_read(colleague):
    case = make_case(images=0)
    reply(case, next_step="Doxycycline.")

    assert "Erythema" not in text_of(colleague, case)
    reader_of(case, colleague)
    page = text_of(colleague, case)

    assert page.index('id="board"') < page.index('id="answers"')
    assert "<b>Erythema migrans</b>" in page
    assert "1 colleague named a diagnosis" in page
    assert "Merge or rename" not in page


def test_a_verdict_by_htmx_brings_the_row_back_and_a_refused_one_with_what_was_typed(colleague):
    case = make_case(images=0)
    reply(case)
    reader_of(case, colleague)
    client, address = client_of(colleague), reverse("consults:vote_diagnosis", args=[named(case).pk])

    for htmx in ({"HX-Request": "true"}, {}):
        refused = client.post(
            address, {"value": "-1", "reason": "unsafe", "explanation": "No."}, headers=htmx
        )
        assert refused.status_code == 422
        page = refused.content.decode()
        assert "A dispute says why" in page
        assert ">No.</textarea>" in page
        assert 'value="unsafe" checked' in page
    assert (
        "555-867-5309"
        in client.post(
            address, {"value": "-1", "reason": "unsafe", "explanation": "Call him at 555-867-5309 first."}
        ).content.decode()
    )
    assert not DiagnosisVote.objects.exists()

    row = client.post(address, {"value": "1"}, headers={"HX-Request": "true"}).content.decode()
    assert row.strip().splitlines()[0].startswith("<tr") or "<tr" in row
    assert "You corroborated this." in row
    back = client.post(address, {"value": "0"})
    assert back["Location"] == f"{case.get_absolute_url()}#diagnosis-{named(case).pk}"
    assert not DiagnosisVote.objects.exists()


def test_who_has_not_committed_knows_of_no_diagnosis(client, colleague, applicant_client):
    case = make_case(images=0)
    reply(case)
    number = named(case).pk

    for name in ("vote", "merge", "unmerge", "rename"):
        address = reverse(f"consults:{name}_diagnosis", args=[number])
        assert client_of(colleague).post(address, {"value": "1"}).status_code == 404
        assert "/accounts/login/" in client.post(address)["Location"]
        assert applicant_client.post(address)["Location"] == reverse("verification:start")
    page = reverse("consults:diagnoses", args=[case.pk, case.question.slug])
    reader_of(case, colleague)
    assert client_of(colleague).get(page).status_code == 404


def test_the_asker_merges_renames_and_takes_apart_on_a_page_of_its_own(physician):
    case = make_case(physician, images=0)
    reply(case)
    reply(case, diagnosis="ECM")
    client, one, other = client_of(physician), named(case), named(case, "ECM")
    page = reverse("consults:diagnoses", args=[case.pk, case.question.slug])
    assert page in text_of(physician, case)
    assert client.get(page).content.decode().count("Count it under") == 2

    def post(act, diagnosis, **typed):
        return client.post(reverse(f"consults:{act}_diagnosis", args=[diagnosis.pk]), typed)

    assert post("merge", other, into="").status_code == 422
    assert post("merge", other, into=one.pk)["Location"] == page
    assert "Also named: ECM" in client.get(page).content.decode()
    assert post("unmerge", other)["Location"] == page
    refused = post("rename", other, name="erythema Migrans")
    assert refused.status_code == 422
    assert "stands on the board already" in refused.content.decode()
    assert 'value="erythema Migrans"' in refused.content.decode()
    assert "must go" in post("rename", other, name="Call 555-867-5309").content.decode()
    assert post("rename", other, name="Lyme rash", code="x").status_code == 422
    assert post("rename", other, name="Lyme rash", code="A69.2").status_code == 302
    assert named(case, "Lyme rash").code == "A69.2"


def test_a_moderator_removes_a_reply_and_its_diagnosis_leaves_the_board(moderator, colleague):
    case = make_case(images=0)
    post = reply(case, colleague)

    acts.act(post=post, by=moderator.user, kind="remove", reason="spam")

    assert board_of(case).rows == []
