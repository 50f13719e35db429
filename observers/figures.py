"""Figures as firms may know them: taken each night, shown a night later, and never so that a few can be told.

A night's figures are shown from the next night on, so what a firm reads is 24 to 48 hours old; where a night was taken
late, the next one waits. How important a discussion was rated, with how many raters, changes once shown only when
eleven more have rated it, or eleven fewer: from two means in a row nobody can compute what a few gave. Votes of eleven
once shown go on as "over 10" until fewer than six are left, so that one who comes and goes is not seen to. How many
shut a firm out is shown from eleven and a few more on, how many drawn by a key as for charts: who has ten in hand
seldom learns of an eleventh. It then stands until eleven more block the firm, or eleven fewer, so that none watches one
member block it and let it in again.
"""

from datetime import UTC, date, timedelta

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Mod
from django.utils import timezone

from accounts.models import Member
from consults.models import Case
from observers import suppression
from observers.models import BlockFigure, Contract, FigureDay, FirmBlock, PeersOnlyShare
from questions.models import Post, Question
from questions.ranking.lines import midnight
from rewards.models import Firm

UNDER = "under {}"
OVER = "over {}"

NOTED_FOR = timedelta(hours=23, minutes=45)  # before it is shown: a day, less what a task may start earlier

SHIFT_VOTES = """
UPDATE observers_votefigure f
   SET corroborations = CASE WHEN f.corroborations >= %(least)s AND f.next_corroborations >= %(kept)s
                             THEN greatest(f.next_corroborations, %(least)s) ELSE f.next_corroborations END,
       disputes = CASE WHEN f.disputes >= %(least)s AND f.next_disputes >= %(kept)s
                       THEN greatest(f.next_disputes, %(least)s) ELSE f.next_disputes END,
       next_corroborations = p.corroborate_count, next_disputes = p.dispute_count
  FROM questions_post p
 WHERE p.id = f.post_id
   AND (f.corroborations, f.disputes, f.next_corroborations, f.next_disputes)
       IS DISTINCT FROM (f.next_corroborations, f.next_disputes, p.corroborate_count, p.dispute_count)
"""

NEW_VOTES = """
INSERT INTO observers_votefigure (post_id, corroborations, disputes, next_corroborations, next_disputes)
SELECT p.id, 0, 0, p.corroborate_count, p.dispute_count
  FROM questions_post p LEFT JOIN observers_votefigure f ON f.post_id = p.id
 WHERE f.post_id IS NULL AND p.corroborate_count + p.dispute_count > 0
"""

SHIFT_IMPORTANCE = """
UPDATE observers_importancefigure f
   SET raters = CASE WHEN moved.yes THEN f.next_raters ELSE f.raters END,
       total = CASE WHEN moved.yes THEN f.next_total ELSE f.total END,
       next_raters = q.importance_count, next_total = q.importance_sum
  FROM questions_question q
  JOIN (SELECT question_id,
               raters < %(least)s OR abs(next_raters - raters) >= %(least)s AS yes
          FROM observers_importancefigure) moved ON moved.question_id = q.id
 WHERE q.id = f.question_id
   AND (f.raters, f.total, f.next_raters, f.next_total)
       IS DISTINCT FROM (f.next_raters, f.next_total, q.importance_count, q.importance_sum)
"""

NEW_IMPORTANCE = """
INSERT INTO observers_importancefigure (question_id, raters, total, next_raters, next_total)
SELECT q.id, 0, 0, q.importance_count, q.importance_sum
  FROM questions_question q LEFT JOIN observers_importancefigure f ON f.question_id = q.id
 WHERE f.question_id IS NULL AND q.importance_count > 0
"""


@transaction.atomic
def take(day: date | None = None) -> bool:
    """Show the figures of the night before, and note those of this one. One call a day (UTC) counts.

    What was noted less than a day ago is not shown yet: then nothing is taken. With a day, as if at its beginning.
    """
    at = midnight(day) if day else timezone.now()
    day = at.astimezone(UTC).date()
    last = FigureDay.objects.order_by("-day").first()
    if last and (last.day >= day or at - last.taken_at < NOTED_FOR):
        return False
    if not FigureDay.objects.get_or_create(day=day, defaults={"taken_at": at})[1]:
        return False
    least = settings.OBSERVER_LEAST
    with connection.cursor() as cursor:
        cursor.execute(SHIFT_VOTES, {"least": least, "kept": least // 2 + 1})
        cursor.execute(NEW_VOTES)
        cursor.execute(SHIFT_IMPORTANCE, {"least": least})
        cursor.execute(NEW_IMPORTANCE)
    take_blocks()
    _take_shares(day - timedelta(days=1))
    return True


def shown_number(number: int) -> str:
    """A number of physicians as a firm may read it."""
    least = settings.OBSERVER_LEAST
    if number < least:
        return UNDER.format(least)
    lower = number - number % settings.OBSERVER_ROUND
    return str(lower) if lower >= least else OVER.format(least - 1)


def shown_mean(total: int, raters: int) -> str:
    """A mean of ratings to a tenth; empty where too few rated."""
    return f"{total / raters:.1f}" if raters >= settings.OBSERVER_LEAST else ""


def rounded(field: str) -> models.Case:
    """A number of physicians at a path, as far as a firm may know it: what its lists are ordered by."""
    lower = F(field) - Mod(F(field), Value(settings.OBSERVER_ROUND))
    return models.Case(
        When(**{f"{field}__gte": settings.OBSERVER_LEAST}, then=lower),
        default=Value(0),
        output_field=models.IntegerField(),
    )


def shown_share(month: date) -> str:
    """How much of a month firms never see, in steps of five percent; empty where that, or the rest, is too few."""
    share = PeersOnlyShare.objects.filter(pk=month.replace(day=1)).first()
    if share is None or min(share.withheld, share.discussions - share.withheld) < settings.OBSERVER_LEAST:
        return ""
    return f"{5 * round(20 * share.withheld / share.discussions)}%"


def take_blocks() -> None:
    """Show each firm that was ever under contract the block rate of the night before, where it may move, and count that
    of this one."""
    moved = [figure for figure in BlockFigure.objects.all() if _moves(figure)]
    shown = {"blocked": F("next_blocked"), "physicians": F("next_physicians")}
    BlockFigure.objects.filter(pk__in=[figure.pk for figure in moved]).update(**shown)
    physicians = Member.objects.filter(user__isnull=False, standing=Member.Standing.PHYSICIAN)
    shutting = FirmBlock.objects.filter(
        Q(firm=OuterRef("pk")) | Q(sector=OuterRef("kind")), member__in=physicians
    )
    counted = shutting.order_by().annotate(one=Value(1)).values("one")
    counted = counted.annotate(number=Count("member", distinct=True)).values("number")
    firms = Firm.objects.filter(Exists(Contract.objects.filter(firm=OuterRef("pk"))))
    total = physicians.count()
    BlockFigure.objects.bulk_create(
        [
            BlockFigure(firm_id=firm, next_blocked=min(number, total), next_physicians=total)
            for firm, number in firms.values_list("pk", Coalesce(Subquery(counted), 0))
        ],
        update_conflicts=True,
        unique_fields=["firm"],
        update_fields=["next_blocked", "next_physicians"],
    )


def are_blocks_told(figure: BlockFigure) -> bool:
    """Whether those who shut the firm out, and those who do not, are each enough to tell: the least and a few more."""
    if figure.blocked is None:
        return False
    needed = settings.OBSERVER_LEAST + suppression.keyed(figure.pk, "blocks")
    return needed <= figure.blocked <= figure.physicians - needed


def _moves(figure: BlockFigure) -> bool:
    if not are_blocks_told(figure):
        return True
    return abs(figure.next_blocked - figure.blocked) >= settings.OBSERVER_LEAST


def _take_shares(until: date) -> None:
    """Count the month of a day and the one before, up to the beginning of that day."""
    last = until.replace(day=1)
    counts = {"discussions": Count("pk"), "withheld": Count("pk", filter=_withheld())}
    PeersOnlyShare.objects.bulk_create(
        [
            PeersOnlyShare(month=month, **_opened(month, until).aggregate(**counts))
            for month in ((last - timedelta(days=1)).replace(day=1), last)
        ],
        update_conflicts=True,
        unique_fields=["month"],
        update_fields=["discussions", "withheld"],
    )


def _opened(month: date, until: date):
    """What members opened in a month and stands; neither the site's own threads nor those of firms."""
    following = (month + timedelta(days=31)).replace(day=1)
    opened = Question.objects.filter(
        opened_at__gte=midnight(month), opened_at__lt=midnight(min(following, until)), industry=""
    )
    return opened.exclude(status=Question.Status.REMOVED).exclude(kind=Question.Kind.ARTICLE)


def _withheld() -> Q:
    """What no firm reads, whoever it is. Whom a member shut out is no part of it."""
    consented = Case.objects.filter(pk=OuterRef("pk")).consented_to_observers()
    hidden = Post.objects.filter(question=OuterRef("pk"), kind=Post.Kind.OPENING, peers_only=True)
    return (
        Q(peers_only=True)
        | ~Q(audience=Question.Audience.PHYSICIANS)
        | Q(Exists(hidden))
        | (Q(kind=Question.Kind.CASE) & ~Q(Exists(consented)))
    )
