import time
from collections import Counter

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from newsfeed import hosts
from newsfeed.models import Feed, Source
from newsfeed.services import checking, turns


class Command(BaseCommand):
    help = (
        "Read the news feeds that are due, one after the other, as gently as the workers do. "
        "Can be stopped with Ctrl-C and run again; what was read is kept."
    )

    def add_arguments(self, parser):
        parser.add_argument("--source", metavar="SLUG", help="only the feeds of this source")
        parser.add_argument("--all", action="store_true", help="also feeds whose time has not come")

    def handle(self, *, source, all, **options):
        self.tally = Counter()
        feeds = Feed.objects.on().select_related("source")
        if source:
            if not Source.objects.filter(slug=source).exists():
                raise CommandError(f"There is no source {source}.")
            feeds = feeds.filter(source__slug=source)
        if all:
            now = timezone.now()
            later = feeds.filter(next_at__gt=now).exclude(pk__in=turns.claimed(now))
            later.update(next_at=now)
        try:
            self.read(feeds)
        except KeyboardInterrupt:
            self.stdout.write("Stopped. Run it again to go on.")
        finally:
            self.sum_up()

    def read(self, feeds):
        """Each feed once; one whose host is busy goes to the end. What steps in for a failing feed comes last."""
        done = set()
        while waiting := [pk for pk in self.due_among(feeds) if pk not in done]:
            done.update(waiting)
            rows = feeds.in_bulk(waiting)
            line = [(rows[pk], 0.0) for pk in waiting if pk in rows]
            total = len(line)
            while line:
                feed, earliest = line.pop(0)
                if (pause := earliest - time.monotonic()) > 0:
                    time.sleep(pause)
                try:
                    happened = checking.check(feed_id=feed.pk)
                except hosts.NotNow as refusal:
                    if refusal.seconds <= hosts.SOON:
                        line.append((feed, time.monotonic() + refusal.seconds + 0.05))
                        line.sort(key=lambda one: one[1])
                        continue
                    happened = "waiting"
                self.show(feed, happened, f"{total - len(line)}/{total}")

    def due_among(self, feeds):
        return (
            feeds.filter(pk__in=checking.due(timezone.now()))
            .order_by("next_at", "pk")
            .values_list("pk", flat=True)
        )

    def show(self, feed, happened, place):
        self.tally[happened] += 1
        error = Feed.objects.filter(pk=feed.pk).values_list("error", flat=True).first()
        detail = f": {error}" if error else ""
        self.stdout.write(f"{place} {feed.source.short_name}, {feed}: {happened}{detail}")

    def sum_up(self):
        counts = ", ".join(f"{number} {word}" for word, number in sorted(self.tally.items()))
        self.stdout.write(f"{self.tally.total()} feeds: {counts}." if counts else "No feed is due.")
