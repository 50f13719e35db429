from datetime import UTC, date, datetime

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from questions import pairs, ranking
from questions.models import Question
from questions.services import lexemes, references, revoking
from questions.services.counting import recount_questions
from sermo.management.parts import parts

BATCH = 200


class Command(BaseCommand):
    help = (
        "Compute counters, references, hot ranks, points, tiers and boards anew from the rows, after removing the votes"
        " of revoked members and flagging reciprocal pairs; say where the counts of polls do not fit, which nothing can"
        " mend. Can be stopped and run again."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--as-of",
            metavar="DAY",
            help="points as of 00:00 UTC of this day (YYYY-MM-DD), today by default; an earlier day is only shown",
        )

    def handle(self, *, as_of=None, **options):
        day = self._day(as_of)
        if day < ranking.midnight().date():
            self._show(day)
            return
        votes = revoking.remove_all_of_the_revoked()
        self.stdout.write(f"  {votes} votes of revoked members removed")
        wrong = self._questions()
        self.stdout.write(f"  {self._references()} posts with references read")
        self.stdout.write(f"  {lexemes.recount_lexemes()} words counted otherwise than before")
        for check in parts("checking", "check"):
            check(self.stdout.write)
        flags = pairs.flag_all_pairs()
        self.stdout.write(f"  {flags} pairs flagged")
        done = ranking.recount_ranks(months=settings.BOARD_MONTHS)
        self.stdout.write(f"  {done.places} places on {done.boards} leaderboards drawn")
        self.stdout.write(
            f"recount as of {day} 00:00 UTC: {wrong} counters mended, "
            f"{done.points} points and {done.tiers} tiers changed, "
            f"{votes} votes of the revoked removed, {flags} pairs flagged, "
            f"{done.places} places on {done.boards} leaderboards"
        )

    def _references(self) -> int:
        """What posts refer to, with the links in their texts, read from the texts anew."""
        seen = last = 0
        while posts := references.posts_to_read(after=last, limit=BATCH):
            for post in posts:
                references.restore(post)
            seen, last = seen + len(posts), posts[-1].pk
        return seen

    def _show(self, day: date) -> None:
        rows = ranking.points_on(day)
        for member_id, points, events in rows:
            self.stdout.write(f"  member {member_id}: {points} points from {events} events")
        self.stdout.write(f"points as of {day} 00:00 UTC, {len(rows)} members; nothing was written")

    def _day(self, typed) -> date:
        if typed is None:
            return ranking.midnight().date()
        try:
            day = date.fromisoformat(typed)
        except ValueError as error:
            raise CommandError(f"{typed!r} is no day such as 2026-11-22.") from error
        if day > datetime.now(UTC).date():
            raise CommandError("That day has not begun.")
        return day

    def _questions(self) -> int:
        """In batches of their own transactions, so that writers wait for little."""
        wrong = seen = last = 0
        while ids := list(
            Question.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
        ):
            wrong += recount_questions(ids)
            seen, last = seen + len(ids), ids[-1]
            self.stdout.write(f"  {seen} discussions, {wrong} counters mended")
        return wrong
