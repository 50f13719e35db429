"""Pages with a real worker and scheduler on a real broker, killed by SIGKILL again and again."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from accounts.models import Block, Face, Kind, Notice, NoticeSettings
from accounts.tests.factories import make_member, make_specialty
from consults.models import Call, Duty, OnCallWishes, Paging
from consults.services import paging
from consults.tests.factories import make_case
from consults.tests.on_call import DERM, on_duty
from sermo.runtime import processes
from sermo.runtime.children import CHECKOUT, pager_program, worker_program

BAR = timedelta(seconds=30)  # after its time, in which every step is to be taken


class Worker:
    """A worker of `make run`, the one with the scheduler or the pager, and who starts it again after each kill."""

    def __init__(self, folder, minutes, program, every):
        self.program = program
        self.path = folder / f"{program.__name__}.log"
        self.log = self.path.open("ab")
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "consults.tests.on_call_settings",
            "VAR_DIR": str(folder),
            "PYTHONPATH": str(CHECKOUT),
            "ON_CALL_DATABASE": connection.settings_dict["NAME"],
            "ON_CALL_MINUTES": ",".join(map(str, minutes)),
            "ON_CALL_EVERY": str(every),
        }
        self.process, self.starts, self.kills = None, 0, 0

    def start(self):
        command = self.program(self.env).command
        self.process = subprocess.Popen(
            command, cwd=CHECKOUT, env=self.env, stdout=self.log, stderr=self.log, start_new_session=True
        )
        self.starts += 1

    def has_been_ready(self):
        """How often, over all its lives."""
        return self.path.read_bytes().count(b" ready.")

    def kill(self):
        """As the kernel kills it where memory is short; what is left of its group goes, as the supervisor does it."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        processes.end_group(self.process.pid)
        self.kills += 1

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill()
        self.log.close()


@pytest.fixture
def make_worker(tmp_path):
    made, before = [], settings.ON_CALL_MINUTES

    def make(minutes, program=worker_program, every=settings.ON_CALL_EVERY):
        settings.ON_CALL_MINUTES = minutes
        made.append(Worker(tmp_path, minutes, program, every))
        made[-1].start()
        return made[-1]

    yield make
    for worker in made:
        worker.end()
    settings.ON_CALL_MINUTES = before


def wait_for(is_so, seconds=60):
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert is_so()


def due_at(one, step):
    return one.started_at + timedelta(minutes=settings.ON_CALL_MINUTES[paging.LADDER.index(step)])


def make_crowd(number, *, leaves_after):
    """So many on call; and such as must not be paged: off shift, quiet, blocked, in another specialty.

    Six are on call whose shift ends so many seconds from now.
    """
    now = timezone.now()
    crowd = [on_duty(now) for _ in range(number)]
    Duty.objects.filter(member__in=crowd[:6]).update(ends_at=now + timedelta(seconds=leaves_after))
    quiet, blocked = on_duty(now), on_duty(now)
    NoticeSettings.objects.create(
        member=quiet,
        quiet_from=(now - timedelta(hours=1)).time(),
        quiet_to=(now + timedelta(hours=1)).time(),
        time_zone="UTC",
    )
    asker = make_member()
    Block.objects.create(blocker=blocked, blocked=asker, blocker_face=Face.HANDLE, blocked_face=Face.HANDLE)
    for _ in range(6):
        on_duty(now - timedelta(hours=9), hours=8)
        make_member(specialty=DERM)
    on_duty(now, member=make_member(specialty="Nephrology"))
    return asker, {member.pk for member in crowd}


def check(pagings, on_call, crowd_size):
    """Every deadline kept, nobody twice, nobody who is not on call; return by how much the slowest step was late."""
    slowest = timedelta()
    for one in pagings:
        sent = Counter()
        calls = list(one.calls.select_related("duty"))
        for call in calls:
            due = due_at(one, call.step)
            assert due <= call.sent_at <= due + BAR
            slowest = max(slowest, call.sent_at - due)
            sent[call.step] += 1
            assert call.duty.starts_at <= call.sent_at < call.duty.ends_at
            assert call.member_id in on_call
        assert (sent[0], sent[5]) == (1, 1)
        assert len(calls) == len({call.member_id for call in calls}) <= crowd_size
        told = Notice.objects.filter(kind=Kind.ON_CALL, key=f"paging:call:{one.pk}")
        assert set(told.values_list("member", flat=True)) == {call.member_id for call in calls}
        assert told.count() == len(calls)
        asker = Notice.objects.get(kind=Kind.CASE, key=f"paging:overflow:{one.pk}")
        due = due_at(one, Paging.Step.OVERFLOW)
        assert due <= asker.told_at <= due + BAR
        slowest = max(slowest, asker.told_at - due)
    return slowest


def steps_left(pagings):
    return Paging.objects.filter(pk__in=[one.pk for one in pagings]).exclude(step=30).count()


@pytest.mark.django_db(transaction=True)
def test_pages_to_fifty_on_call_go_out_in_time_though_either_worker_is_killed(make_worker):
    minutes = tuple(seconds / 60 for seconds in (0, 2, 6, 9))
    worker, pager = (make_worker(minutes, program, 2.0) for program in (worker_program, pager_program))
    wait_for(lambda: worker.has_been_ready() and pager.has_been_ready())
    asker, on_call = make_crowd(50, leaves_after=5)
    one = paging.start(
        case=make_case(asker, images=0), by=asker, specialty=make_specialty(DERM), urgency="now"
    )

    for step, victim in ((5, pager), (15, worker)):
        wait_for(Call.objects.filter(step=step).exists)
        victim.kill()
        victim.start()
    wait_for(lambda: not steps_left([one]))

    assert check([Paging.objects.get()], on_call, 50) < BAR
    assert 44 <= one.calls.count() <= 46  # six had gone home before all were paged


@pytest.mark.scale
@pytest.mark.django_db(transaction=True)
def test_a_dozen_pagings_keep_their_time_while_the_worker_is_killed_every_few_seconds(make_worker):
    lot = random.Random(20261122)
    asker, on_call = make_crowd(50, leaves_after=45)
    settings.ON_CALL_STARTED_A_DAY = 100
    worker = make_worker((0, 20 / 60, 1, 2))
    wishes = {"pages_a_shift": 20, "pages_a_week": 100}
    OnCallWishes.objects.bulk_create(OnCallWishes(member_id=member, **wishes) for member in on_call)
    pagings, next_start, next_turn, ready = [], time.monotonic(), None, 0
    deadline = time.monotonic() + 400
    while (len(pagings) < 12 or steps_left(pagings)) and time.monotonic() < deadline:
        now = time.monotonic()
        if now >= next_start and len(pagings) < 12:
            case = make_case(asker, images=0)
            pagings.append(paging.start(case=case, by=asker, specialty=make_specialty(DERM), urgency="now"))
            next_start = now + 8
        if next_turn is None and worker.has_been_ready() > ready:
            ready, next_turn = worker.has_been_ready(), now + lot.uniform(0, 12)
        elif next_turn and now >= next_turn and worker.kills < worker.starts:
            worker.kill()
            next_turn = now + 1  # the pause of the supervisor
        elif next_turn and now >= next_turn:
            worker.start()
            next_turn = None
        time.sleep(0.02)

    slowest = check(Paging.objects.all(), on_call, 50)
    per_paging = Call.objects.values("paging").annotate(number=Count("pk")).values_list("number", flat=True)
    print(
        f"\n{len(pagings)} pagings, {sum(per_paging)} pages, worker killed {worker.kills} times, "
        f"slowest step {slowest.total_seconds():.1f} s after its time"
    )
