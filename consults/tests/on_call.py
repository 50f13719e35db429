"""Plain makers of shifts, pagings and pasts for tests of on call."""

import threading
from datetime import timedelta

from django.db import connections
from django.utils import timezone

from accounts.models import Specialty
from accounts.tests.factories import make_member, make_specialty
from consults.models import Call, Duty, Paging, Shift
from consults.tests.factories import make_case
from questions.models import Byline, Credit, Post, Question, QuestionSpecialty
from sermo.errors import RuleBroken

DERM = "Dermatology"


def on_duty(moment=None, *, hours=8, member=None):
    """A member, of dermatology unless given, whose shift began a little before a moment."""
    moment = moment or timezone.now()
    member = member or make_member(specialty=DERM)
    starts_at = moment - timedelta(minutes=30)
    times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=hours)}
    shift = Shift.objects.create(member=member, sort="once", **times)
    Duty.objects.create(shift=shift, member=member, specialty=member.specialty, **times)
    return member


def make_paging(case=None, *, specialty=DERM, urgency="now", **fields):
    """An open paging at its beginning, as `paging.start` leaves it before its first step."""
    specialty = specialty if isinstance(specialty, Specialty) else make_specialty(specialty)
    case = case or make_case(images=0)
    started_at = fields.pop("started_at", None) or timezone.now()
    fields.setdefault("next_at", started_at)
    return Paging.objects.create(
        case=case, specialty=specialty, urgency=urgency, started_at=started_at, **fields
    )


def past(member, moment, number, state="sent"):
    """So many pages that a member got at a moment, of one case."""
    for _ in range(number):
        paging = Paging.objects.create(
            case=_old_case(), specialty=member.specialty, urgency="now", state="unheard", started_at=moment
        )
        decided_at = None if state in Call.OPEN else moment
        Call.objects.create(
            paging=paging, member=member, step=0, state=state, sent_at=moment, decided_at=decided_at
        )


def _old_case():
    paging = Paging.objects.order_by("pk").first()
    return paging.case if paging else make_case(images=0)


def answered(member, specialty, *, mode="anonymous", credited=False, **fields):
    """An answer of a member in a question of a specialty."""
    question = Question.objects.create(kind="question", title="How long?", asker=make_member())
    QuestionSpecialty.objects.create(question=question, specialty=specialty, place=1)
    byline = Byline.objects.create(question=question, member=member, mode=mode)
    if fields.get("removed_at"):
        fields["removed_by"] = "author"
    post = Post.objects.create(
        question=question, kind="answer", author=member, byline=byline, source="A week.", html="", **fields
    )
    if credited:
        Credit.objects.create(question=question, post=post, place=1)
    return post


def at_once(*works):
    """Run each on a connection of its own, starting together; return what broke."""
    barrier, broken = threading.Barrier(len(works)), []

    def run(work):
        try:
            barrier.wait(20)
            work()
        except RuleBroken:
            pass
        except Exception as error:
            broken.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return broken
