"""All of a load in order: people, tags, discussions a batch at a time, then what is drawn from the rows."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import product

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Specialty
from accounts.services import guard
from questions import ranking
from questions.load import people
from questions.load.copying import take_ids
from questions.load.discussions import Discussion, Person, Tables, World
from questions.load.scale import Scale, Share, shares
from questions.load.words import writer
from questions.models import Byline, MemberRank, Post, Question
from questions.services.lexemes import recount_lexemes

BATCH = 250  # discussions in one transaction
MONTHS = 12
TOPICS = (
    *("acute", "adult", "ambulatory", "chronic", "critical", "elderly", "emergent", "inpatient", "inherited"),
    *(
        "late",
        "maternal",
        "mild",
        "neonatal",
        "operative",
        "palliative",
        "pediatric",
        "postoperative",
        "primary",
    ),
    *("rare", "recurrent", "refractory", "remote", "secondary", "severe", "stable", "subacute", "unstable"),
)
SUBJECTS = (
    *("anemia", "arrhythmia", "asthma", "bleeding", "cancer", "delirium", "diabetes", "dialysis", "edema"),
    *("embolism", "epilepsy", "fever", "fracture", "headache", "hepatitis", "hypertension", "imaging"),
    *("infection", "neuropathy", "pain", "pneumonia", "rash", "sepsis", "stroke", "syncope", "transplant"),
)


class OtherScale(Exception):
    """The database holds a load of other numbers."""


def fill(scale: Scale, say: Callable[[str], None]) -> int:
    """Bring a load to this scale, from wherever an earlier run was stopped; return the rows written now.

    Raises OtherScale.
    """
    members = people.of_the_load().count()
    if members not in (0, scale.members):
        raise OtherScale(f"here are {members} members of a load, not {scale.members}")
    if not members:
        people.make_people(scale.members, now=timezone.now())
        say(f"{scale.members} members")
    written = _fill_discussions(scale, say)
    if written or not MemberRank.objects.filter(member=people.of_the_load().last()).exists():
        _draw(say)
    return written


def _fill_discussions(scale: Scale, say) -> int:
    done = Question.objects.filter(asker__in=people.of_the_load()).count()
    if done > scale.questions:
        raise OtherScale(f"here are {done} discussions of a load, not {scale.questions}")
    if done == scale.questions:
        return 0
    world, plan = _world(scale), shares(scale, "shares of the load")
    tables, written, began = Tables(), 0, time.monotonic()
    for first in range(done, scale.questions, BATCH):
        written += _copy_batch(world, first, plan[first : first + BATCH], tables)
        rate = written / (time.monotonic() - began)
        say(f"{min(first + BATCH, scale.questions)} of {scale.questions} discussions, {rate:,.0f} rows/s")
    return written


@transaction.atomic
def _copy_batch(world: World, first: int, plan: list[Share], tables: Tables) -> int:
    posts = len(plan) + sum(share.answers + share.comments for share in plan)
    question_ids, post_ids = take_ids(Question, len(plan)), take_ids(Post, posts)
    byline_ids = take_ids(Byline, posts)  # more than needed: some speak twice
    for number, share in enumerate(plan, start=first):
        Discussion(world, number, share, next(question_ids)).write(tables, post_ids, byline_ids)
    return tables.copy()


def _world(scale: Scale) -> World:
    """The moments follow from when the members joined, so that a second run goes on where the first was stopped."""
    rows = people.of_the_load().values_list("pk", "specialty_id", "byline_mode", "joined_at")
    start = rows[0][3]
    return World(
        scale=scale,
        people=[Person(*row[:3]) for row in rows],
        specialties=list(
            Specialty.objects.filter(is_choice=True).order_by("code").values_list("pk", flat=True)
        ),
        tags=people.make_tags(tag_names(scale.tags)),
        writer=writer(),
        start=start.timestamp(),
        end=(start + people.SPAN - timedelta(seconds=1)).timestamp(),
    )


def tag_names(number: int) -> list[str]:
    """Slugs of two words."""
    names = [f"{topic}-{subject}" for topic, subject in product(TOPICS, SUBJECTS)]
    random.Random("tags of the load").shuffle(names)  # noqa: S311 - the same every time is the purpose
    return sorted(names[:number])


def _draw(say) -> None:
    """What is computed from the rows: statistics, counts of words, what handles show, points, tiers and boards."""
    analyze()
    say("statistics gathered")
    say(f"{recount_lexemes()} word stems counted")
    checked = guard.recheck().checked
    say(f"{checked} handles checked by the small-cell guard")
    drawn = ranking.recount_ranks(months=MONTHS)
    say(f"{drawn.points} points, {drawn.tiers} tiers and {drawn.places} places drawn")
    analyze()


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
