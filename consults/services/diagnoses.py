"""The diagnoses of a case: when two names mean one, and what colleagues think of each."""

import re
import unicodedata

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.models import Member, User
from accounts.roles import is_moderator
from consults.models import Case, Diagnosis, DiagnosisVote, Reply, Solution
from consults.models.cases import outcome_known
from consults.services import settling, stories
from questions.models import Question, Vote, WriteCount
from questions.models.votes import SHORTEST_REASON
from questions.services import committing, limits
from questions.services.closing import check_right
from questions.services.moderation.redacting import TAKEN_OUT
from questions.services.voting import ReasonMissing
from questions.services.writing import NotOpen, lock_open, touch
from sermo.errors import RuleBroken
from verification.services import events

LONGEST_NAME = Diagnosis._meta.get_field("name").max_length
CODE = re.compile(r"[A-Z][0-9][0-9AB](\.[0-9A-Z]{1,4})?")  # of ICD-10-CM, as far as its shape tells
SIGN = re.compile(r"(?<=\w)[-‐‑‒–−](?!\w)")  # HER2- is not HER2+


class NotYours(RuleBroken):
    message = "The author of the case and moderators order its diagnoses."


class OtherCase(RuleBroken):
    message = "Choose a diagnosis of the same case."


class Withdrawn(RuleBroken):
    message = "This case was withdrawn. Its diagnoses stay as they are."


class TakenOutByModerator(RuleBroken):
    message = "A moderator took words out of this name. Ask a moderator to change it."


class OneAlready(RuleBroken):
    message = "These are one diagnosis already."


class NameTaken(RuleBroken):
    message = "This name stands on the board already. Merge the two instead."


class NoName(RuleBroken):
    message = f"Name the diagnosis in letters or digits, {LONGEST_NAME} characters at most."


class CodeMalformed(RuleBroken):
    message = (
        "An ICD-10-CM code is a letter, two digits and perhaps a dot and up to four more, such as A69.20."
    )


class OwnDiagnosis(RuleBroken):
    message = "Colleagues judge this one: it is your own diagnosis."


class NotOnBoard(RuleBroken):
    message = "Nobody holds this diagnosis any more."


# Names and codes


def normalize(name: str) -> str:
    """The form in which two spellings of a name are equal; of medicine it knows nothing.

    Case, accents, apostrophes, spaces and punctuation do not tell names apart, a plus or a minus at the end of a
    word does.
    """
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", name) if unicodedata.category(sign) != "Mn")
    bare = re.sub(r"['’`´]", "", SIGN.sub("−", bare.casefold()))
    spaced = "".join(" " if unicodedata.category(sign)[0] in "PZC" else sign for sign in bare)
    return " ".join(spaced.split())[:LONGEST_NAME]


def nameless_key(diagnosis: Diagnosis, why: str) -> str:
    """What a diagnosis is known by whose name is gone. No name is normalized to it: that leaves no full stop."""
    return f"{why.lower().rstrip('.')}. {diagnosis.pk}"


def is_taken_out(diagnosis: Diagnosis) -> bool:
    """Whether a moderator took words out of its name, and that stands."""
    return diagnosis.key == nameless_key(diagnosis, TAKEN_OUT)


def as_code(typed: str) -> str:
    """A code as it is written, or nothing. Raises CodeMalformed."""
    code = "".join(typed.split()).upper()
    if len(code) > 3 and "." not in code:
        code = f"{code[:3]}.{code[3:]}"
    if code and not CODE.fullmatch(code):
        raise CodeMalformed
    return code


def as_name(typed: str) -> str:
    """A name on one line, or nothing. Raises NoName for one that cannot be told from others."""
    name = " ".join(typed.split())
    if name and (len(name) > LONGEST_NAME or not normalize(name)):
        raise NoName
    return name


def named(*, case: Case, name: str, code: str = "") -> Diagnosis:
    """The diagnosis of this name, made where there is none, in a transaction that holds the discussion.

    A name that was merged into another stays its own row, so that taking them apart gives back what was said.
    """
    diagnosis, is_new = Diagnosis.objects.get_or_create(
        case=case, key=normalize(name), defaults={"name": name, "code": code}
    )
    if code and not is_new and not diagnosis.code:
        diagnosis.code = code
        diagnosis.save(update_fields=["code"])
    return diagnosis


def holding(replies: QuerySet) -> QuerySet:
    """Those that name a diagnosis, stand unfolded and are not the asker's. Of each member's the last counts."""
    rows = replies.filter(diagnosis__isnull=False, post__removed_at=None, post__folded_at=None)
    return rows.exclude(member=F("case__question__asker")).order_by("pk")


def counted(case_id: int) -> dict[int, int]:
    """Which diagnosis (its root) each member stands for."""
    rows = holding(Reply.objects.filter(case=case_id)).select_related("diagnosis")
    return {row.member_id: row.diagnosis.root_id for row in rows}


# Order on the board


@transaction.atomic
def merge(*, diagnosis: Diagnosis, into: Diagnosis, by: Member | None, user: User | None = None) -> Diagnosis:
    """Let two names mean one diagnosis. Its author may while the case is open, a moderator (`user`) ever.

    Earlier synonyms come along. Of who voted on both the vote on `into` stands; nobody keeps a vote on what is now
    their own diagnosis. Scores are written anew. Doing it twice does it once.
    Raises NotYours, ReadOnly, NotOpen, Withdrawn, rights.TakesPart, OtherCase, OneAlready.
    """
    is_author = _lock_for_order(diagnosis, by, user)
    diagnosis, into = Diagnosis.objects.get(pk=diagnosis.pk), Diagnosis.objects.get(pk=into.pk)
    if diagnosis.case_id != into.case_id:
        raise OtherCase
    root = into.root_id
    if diagnosis.merged_into_id == root:
        return diagnosis
    if diagnosis.pk == root:
        raise OneAlready
    diagnosis.synonyms.update(merged_into=root)
    diagnosis.merged_into_id = root
    diagnosis.save(update_fields=["merged_into"])
    moved = DiagnosisVote.objects.filter(diagnosis=diagnosis)
    moved.filter(voter__in=DiagnosisVote.objects.filter(diagnosis=root).values("voter")).delete()
    moved.update(diagnosis=root)
    forget_own_votes(diagnosis.case_id)
    return _ordered(diagnosis, user, is_author)


@transaction.atomic
def unmerge(*, diagnosis: Diagnosis, by: Member | None, user: User | None = None) -> Diagnosis:
    """Let a synonym stand for itself again; the votes stay where they are. Raises what `merge` does of who may."""
    is_author = _lock_for_order(diagnosis, by, user)
    diagnosis = Diagnosis.objects.get(pk=diagnosis.pk)
    if diagnosis.merged_into_id is None:
        return diagnosis
    diagnosis.merged_into = None
    diagnosis.save(update_fields=["merged_into"])
    return _ordered(diagnosis, user, is_author)


@transaction.atomic
def rename(
    *, diagnosis: Diagnosis, name: str, code: str = "", by: Member | None, user: User | None = None
) -> Diagnosis:
    """Write a name or a code better; the answers keep their own words.

    What a moderator took out of a name its author does not write back.
    Raises what `merge` does of who may, NoName, CodeMalformed, NameTaken, TakenOutByModerator.
    """
    is_author = _lock_for_order(diagnosis, by, user)
    diagnosis = Diagnosis.objects.get(pk=diagnosis.pk)
    name, code = as_name(name), as_code(code)
    if not name:
        raise NoName
    if (name, code) == (diagnosis.name, diagnosis.code):
        return diagnosis
    if is_author and is_taken_out(diagnosis):
        raise TakenOutByModerator
    key = normalize(name)
    if Diagnosis.objects.filter(case=diagnosis.case_id, key=key).exclude(pk=diagnosis.pk).exists():
        raise NameTaken
    diagnosis.name, diagnosis.key, diagnosis.code = name, key, code
    diagnosis.save(update_fields=["name", "key", "code"])
    return _ordered(diagnosis, user, is_author)


def _lock_for_order(diagnosis: Diagnosis, by: Member | None, user: User | None) -> bool:
    """Hold the discussion for who may order its board: its author (True), or a moderator who takes no part."""
    if user is not None and is_moderator(user):
        events.lock_chain()
    question = Question.objects.select_for_update(of=("self",)).get(pk=diagnosis.case_id)
    is_author = check_right(question, by, user, otherwise=NotYours)
    if is_author and not question.is_open:
        raise NotOpen
    if Case.objects.filter(pk=question.pk, withdrawn_at__isnull=False).exists():
        raise Withdrawn
    return is_author


def _ordered(diagnosis: Diagnosis, user: User | None, is_author: bool) -> Diagnosis:
    settling.settle(diagnosis.case_id)
    if Solution.objects.filter(diagnosis=diagnosis).exists():
        stories.return_changed(diagnosis.case_id)
    if not is_author:
        events.record(kind="moderation_diagnosis", by=user, object=f"diagnosis:{diagnosis.pk}")
    return diagnosis


# Verdicts


@transaction.atomic
def cast(
    *, diagnosis: Diagnosis, voter: Member, value: int, reason: str = "", explanation: str = ""
) -> DiagnosisVote:
    """Corroborate (+1) or dispute (-1) a diagnosis of the board; a second vote replaces the first.

    A synonym's vote goes to what it was merged into. Raises NotOpen, circles.NotAccepted, committing.AnswerFirst,
    NotOnBoard, OwnDiagnosis, ReasonMissing, and the refusals of `limits`.
    """
    value, explanation = Vote.Value(value), explanation.strip()
    question = lock_open(diagnosis.case.question, by=voter)
    root = _judged(diagnosis, question, voter)
    if value == Vote.Value.CORROBORATE:
        reason = explanation = ""
    elif reason not in Vote.Reason.values or len(explanation) < SHORTEST_REASON:
        raise ReasonMissing
    vote = DiagnosisVote.objects.filter(diagnosis=root, voter=voter).first()
    if vote is None:
        limits.count_write(voter, WriteCount.What.VOTE)
        vote = DiagnosisVote(diagnosis_id=root, voter=voter)
    else:
        limits.check_not_held(voter)
        vote.changed_at = timezone.now()
    vote.value, vote.reason, vote.explanation = value, reason, explanation
    vote.save()
    touch(question, timezone.now())
    return vote


@transaction.atomic
def withdraw(*, diagnosis: Diagnosis, voter: Member) -> None:
    """Take one's vote back, while the case is open. Without one nothing happens.

    Raises NotOpen, circles.NotAccepted, committing.AnswerFirst.
    """
    question = lock_open(diagnosis.case.question, by=voter)
    committing.check_open(question=question, member=voter)
    root = Diagnosis.objects.get(pk=diagnosis.pk).root_id
    DiagnosisVote.objects.filter(diagnosis=root, voter=voter).delete()


def _judged(diagnosis: Diagnosis, question: Question, voter: Member) -> int:
    """The root that a vote goes to."""
    committing.check_open(question=question, member=voter)
    root = Diagnosis.objects.get(pk=diagnosis.pk).root_id
    stands = counted(question.pk)
    if stands.get(voter.pk) == root:
        raise OwnDiagnosis
    if root not in stands.values() and root != final_root(question.pk):
        raise NotOnBoard
    return root


def final_root(case_id: int) -> int | None:
    """What the case turned out to be, as far as that stands: a solution lost with its last credit is no more one."""
    final = Solution.objects.filter(outcome_known("case"), case=case_id).select_related("diagnosis").first()
    return final and final.diagnosis.root_id


def forget_own_votes(case_id: int) -> None:
    """Nobody judges their own diagnosis: votes on what their voters now stand for go."""
    stands = counted(case_id)
    votes = DiagnosisVote.objects.filter(diagnosis__case=case_id, voter__in=stands)
    own = [pk for pk, root, voter in votes.values_list("pk", "diagnosis", "voter") if stands[voter] == root]
    DiagnosisVote.objects.filter(pk__in=own).delete()
