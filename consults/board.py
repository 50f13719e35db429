"""The board of a case: which diagnoses colleagues hold, how sure they are, and what others think of each.

Each member counts once, by the latest of the replies that `consults.services.diagnoses.holding` knows.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case as Choice
from django.db.models import F, OuterRef, When
from django.db.models.functions import JSONObject

from consults import weights
from consults.models import Diagnosis, DiagnosisVote, Reply
from consults.models.cases import outcome_known
from consults.services.diagnoses import holding
from questions import answerers
from questions.cells import safe_cells
from questions.models import Vote
from questions.seen import MOST_DISPUTES
from questions.signature import Signature, Signer, signed, signer_columns
from sermo.prepared import prepared

SIGNER = Signer._fields


class Holder(NamedTuple):
    """A member who holds a diagnosis."""

    member_id: int
    confidence: int
    came_after: bool  # having read the others
    signature: Signature


class Verdict(NamedTuple):
    """What somebody thinks of a diagnosis."""

    voter_id: int
    value: int
    reason: str
    explanation: str
    specialty: str


class Refused(NamedTuple):
    """A verdict that comes back: why, and what was typed."""

    diagnosis_id: int
    words: str
    reason: str = ""
    explanation: str = ""


@dataclass(frozen=True)
class Row:
    """One diagnosis of a board, under all its names, as one reader sees it."""

    pk: int
    name: str
    code: str
    synonyms: tuple[tuple[int, str], ...]  # number and name, in the order they were named
    holders: tuple[Holder, ...]
    verdicts: tuple[Verdict, ...]  # the newest first
    reader_id: int | None = None
    is_final: bool = False
    is_leading: bool = False
    is_minority: bool = False
    refused: Refused | None = None

    @property
    def on_their_own(self) -> int:
        return sum(not holder.came_after for holder in self.holders)

    @property
    def after_reading(self) -> int:
        return sum(holder.came_after for holder in self.holders)

    @property
    def confidence(self) -> int | None:
        """The mean of all who hold it, in whole percents, halves up."""
        said = [holder.confidence for holder in self.holders]
        return (2 * sum(said) + len(said)) // (2 * len(said)) if said else None

    @property
    def specialties(self) -> str:
        """Of whom, as their answers show it: "2 dermatologists, 1 colleague"."""
        counts = answerers.tally((holder.member_id, holder.signature) for holder in self.holders)
        return ", ".join(answerers.in_words(counts))

    @property
    def is_own(self) -> bool:
        return any(holder.member_id == self.reader_id for holder in self.holders)

    @property
    def own_vote(self) -> int | None:
        return next((one.value for one in self.verdicts if one.voter_id == self.reader_id), None)

    @property
    def corroborate_count(self) -> int:
        return sum(one.value == Vote.Value.CORROBORATE for one in self.verdicts)

    @property
    def dispute_count(self) -> int:
        return sum(one.value == Vote.Value.DISPUTE for one in self.verdicts)

    @property
    def disputes(self) -> list[tuple[str, str]]:
        """The newest reasons, without their voters."""
        said = [one for one in self.verdicts if one.value == Vote.Value.DISPUTE][:MOST_DISPUTES]
        return [(Vote.Reason(one.reason).label, one.explanation) for one in said]

    @property
    def reason_counts(self) -> list[tuple[str, int]]:
        counts = Counter(one.reason for one in self.verdicts if one.value == Vote.Value.DISPUTE)
        return [(Vote.Reason(reason).label.lower(), count) for reason, count in counts.most_common()]

    @property
    def cells(self) -> list[tuple[str, dict[str, int]]]:
        """Verdicts by specialty, as far as no small number can be told from them."""
        shown = []
        for word, value in (("corroborate", 1), ("dispute", -1)):
            of = Counter(one.specialty or "no specialty" for one in self.verdicts if one.value == value)
            if safe := safe_cells(of):
                shown.append((word, safe))
        return shown

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return Vote.Reason.choices


@dataclass(frozen=True)
class Board:
    """All diagnoses of a case that somebody holds, and the final one; the leading one first."""

    rows: list[Row]

    @cached_property
    def members(self) -> int:
        return sum(len(row.holders) for row in self.rows)

    def row(self, diagnosis_id: int) -> Row | None:
        """The row on which a diagnosis counts, also by one of its other names."""
        return next(
            (row for row in self.rows if diagnosis_id in (row.pk, *(pk for pk, _ in row.synonyms))), None
        )


def board_of(case_id: int, *, reader_id: int | None, refused: Refused | None = None) -> Board:
    """The board for a reader to whom the answers are open. One query, and one more where weights may count."""
    named = [_Named(*row) for row in _diagnoses(None, case=case_id)]
    root_of = {one.pk: one.merged_into or one.pk for one in named}
    final = next((root_of[one.pk] for one in named if one.final == one.pk), None)
    holders = _holders(named, root_of)
    verdicts = {one.pk: [Verdict(**said) for said in one.votes] for one in named}
    rows = [
        Row(
            pk=one.pk,
            name=one.name,
            code=one.code,
            synonyms=tuple((other.pk, other.name) for other in named if other.merged_into == one.pk),
            holders=tuple(holders[one.pk]),
            verdicts=tuple(_besides(verdicts[one.pk], holders[one.pk])),
            reader_id=reader_id,
            is_final=one.pk == final,
            refused=refused if refused and root_of.get(refused.diagnosis_id) == one.pk else None,
        )
        for one in named
        if one.merged_into is None and (holders[one.pk] or one.pk == final)
    ]
    return Board(_judged(rows, case_id))


def may_order(page) -> bool:
    """Whether the reader of a case's page may merge and rename what is on its board, as far as the page can tell."""
    if page.case.is_withdrawn:
        return False
    writes = page.is_asker and page.member.may_write and page.question.is_open
    return writes or (page.can_moderate and not page.is_asker)


class _Named(NamedTuple):
    pk: int
    name: str
    code: str
    merged_into: int | None
    final: int | None
    replies: list[dict]
    votes: list[dict]


@prepared
def _diagnoses(shape: None, *, case: int):
    signer = dict(zip(SIGNER, signer_columns(F("post__byline__mode"), "member"), strict=True))
    replies = holding(Reply.objects.filter(diagnosis=OuterRef("pk")))
    votes = DiagnosisVote.objects.filter(diagnosis=OuterRef("pk")).order_by("-cast_at", "-pk")
    of_reply = JSONObject(
        post="post", member="member", confidence="confidence", came_after="post__saw_others", **signer
    )
    of_vote = JSONObject(
        voter_id="voter",
        value="value",
        reason="reason",
        explanation="explanation",
        specialty="voter__specialty__name",
    )
    return (
        Diagnosis.objects.filter(case=case)
        .order_by("named_at", "pk")
        .values_list(
            *("pk", "name", "code", "merged_into"),
            Choice(When(outcome_known("case"), then=F("case__final__diagnosis"))),
            ArraySubquery(replies.values_list(of_reply)),
            ArraySubquery(votes.values_list(of_vote)),
        )
    )


def _holders(named: Iterable[_Named], root_of: dict[int, int]) -> dict[int, list[Holder]]:
    """By root: who holds it, in the order of their replies."""
    latest = {}
    said = [(reply["post"], root_of[one.pk], reply) for one in named for reply in one.replies]
    for _, root, reply in sorted(said, key=lambda each: each[0]):
        latest[reply["member"]] = root, reply
    holders = defaultdict(list)
    for member, (root, reply) in latest.items():
        signature = signed(Signer(*(reply[name] for name in SIGNER)))
        holders[root].append(Holder(member, reply["confidence"], reply["came_after"], signature))
    return holders


def _besides(verdicts: Iterable[Verdict], holders: Iterable[Holder]) -> list[Verdict]:
    """Nobody judges their own diagnosis, also where it became theirs after they did."""
    own = {holder.member_id for holder in holders}
    return [one for one in verdicts if one.voter_id not in own]


def _judged(rows: list[Row], case_id: int) -> list[Row]:
    """With what leads, which comes first, and beside it the minority reports; then by how many hold each."""
    known = _weights(rows, case_id)

    def weighed(row: Row, *, came_after: bool) -> list[float]:
        said = [holder.member_id for holder in row.holders if holder.came_after is came_after]
        return [known.get(member, 1.0) for member in said]

    leading, minority = weights.judge(
        weights.Row(row.pk, weighed(row, came_after=False), weighed(row, came_after=True), row.dispute_count)
        for row in rows
    )
    judged = [replace(row, is_leading=row.pk == leading, is_minority=row.pk in minority) for row in rows]
    return sorted(
        judged, key=lambda row: (not row.is_leading, not row.is_minority, -len(row.holders), row.pk)
    )


def _weights(rows: list[Row], case_id: int) -> dict[int, float]:
    """Where fewer stand together than make weights count, all weigh the same, and nothing is asked."""
    if all(len(row.holders) < weights.LEAST_TOGETHER for row in rows):
        return {}
    members = [holder.member_id for row in rows for holder in row.holders]
    return weights.of_members(members, besides=case_id)
