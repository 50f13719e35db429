"""Which diagnosis of a board leads, and which stands pinned beside it: the minority report.

Weights come from scores, which are their members' own. Nothing here may be shown but what `judge` returns, and a weight
other than 1 counts only where at least three stand together, so that no single one can be told from who leads.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import Case, Count, F, Sum, When

from consults import scores
from consults.models import Reply

LEAST_TOGETHER = 3  # members whose weights may count, and independent supporters of a minority report
MINORITY_WEIGHT = 1.1  # mean of those supporters


class Row(NamedTuple):
    """One diagnosis of a board, as it is judged: the weights of those who named it, and how many dispute it."""

    root_id: int
    independent: Sequence[float]  # of those who had not read the others
    after: Sequence[float] = ()  # of those who had
    disputes: int = 0

    @property
    def supporters(self) -> int:
        return len(self.independent) + len(self.after)

    @property
    def weight(self) -> float:
        if self.supporters < LEAST_TOGETHER:
            return float(self.supporters)
        return sum(self.independent) + sum(self.after)

    @property
    def is_heard(self) -> bool:
        """Whether it would be pinned, were it not leading."""
        known = len(self.independent)
        return (
            known >= LEAST_TOGETHER
            and self.disputes > 0
            and sum(self.independent) / known >= MINORITY_WEIGHT - 1e-9  # a mean of floats
        )


def of_members(member_ids: Iterable[int], *, besides: int | None = None) -> dict[int, float]:
    """How much the word of each of these members weighs. One query.

    `besides` is the case that is judged: its own outcome must not make prophets of those who named it.
    """
    members = set(member_ids)
    if not members:
        return {}
    wrong = F("confidence") * F("confidence")
    right = (100 - F("confidence")) * (100 - F("confidence"))
    rows = Reply.objects.filter(member__in=members, was_right__isnull=False).exclude(case=besides)
    summed = (
        rows.order_by()
        .values("member")
        .annotate(number=Count("pk"), errors=Sum(Case(When(was_right=True, then=right), default=wrong)))
    )
    known = {row["member"]: _weight(row["number"], row["errors"]) for row in summed}
    return {member: known.get(member, 1.0) for member in members}


def _weight(number: int, errors: int) -> float:
    return scores.reliability(number, scores.mean_error(number, errors))


def judge(rows: Iterable[Row]) -> tuple[int | None, set[int]]:
    """The diagnosis that leads, None where nobody named any, and the minority reports.

    The one of most weight leads; of equal ones the one more colleagues came to by themselves, then the one named first.
    A minority report is disputed, does not lead, and at least three came to it by themselves who weigh 1.1 on average.
    """
    known = [row for row in rows if row.supporters]
    if not known:
        return None, set()
    leading = min(known, key=lambda row: (-round(row.weight, 9), -len(row.independent), row.root_id))
    return leading.root_id, {row.root_id for row in known if row.is_heard and row is not leading}
