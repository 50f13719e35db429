"""A question that interests many: the request is short, nobody is told twice, and no budget is broken.

The small version kills a real worker within a batch; the large one, with 5,000 members, runs under `make bench`.
"""

import subprocess
import sys
import time
from statistics import median

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import tasks
from accounts.models import (
    FanOut,
    Mail,
    Member,
    Notice,
    NoticeChoice,
    NoticeDay,
    NoticeSettings,
    NoticeThread,
    User,
)
from accounts.tests.factories import make_member, new_handle
from questions.models import TopicFollow
from questions.tests.factories import make_question

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 5_000
SPENT = 50  # every so-manieth has used up the day's budget
MAILED = 3  # and every so-manieth of the others wants mail


def make_followers(specialty, number):
    """So many physicians who want alerts of a specialty, by bulk."""
    users = User.objects.bulk_create(User(email=f"f{place}@example.org") for place in range(number))
    members = Member.objects.bulk_create(
        Member(user=user, handle=new_handle(), standing="physician", specialty=specialty) for user in users
    )
    TopicFollow.objects.bulk_create(
        TopicFollow(member=member, specialty=specialty, alerts=True) for member in members
    )
    today = NoticeSettings().local_day(timezone.now())
    NoticeDay.objects.bulk_create(
        NoticeDay(member=member, day=today, alerts=12) for member in members[::SPENT]
    )
    NoticeChoice.objects.bulk_create(
        NoticeChoice(member=member, kind="topic", way="email") for member in members[::MAILED]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return members


def worker(*batches):
    """A process that works off fan-outs, once it has started."""
    command = [sys.executable, "-m", "accounts.tests.killed_teller", connection.settings_dict["NAME"]]
    process = subprocess.Popen(
        [*command, *map(str, batches)],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout.readline() == "started\n"
    return process


def kill(process):
    process.kill()
    process.wait()
    process.stdout.close()


def wait_until_told(number):
    while Notice.objects.count() < number:
        time.sleep(0.01)


def check_told_once_within_budget(members):
    number = len(members)
    spent = len(members[::SPENT])
    row = FanOut.objects.get()
    assert row.done_at
    assert (row.alerted, row.held) == (number - spent, spent)
    assert Notice.objects.count() == NoticeThread.objects.count() == number
    assert Notice.objects.filter(held=True).count() == spent
    assert not NoticeDay.objects.filter(alerts__gt=12).exists()
    assert sorted(set(NoticeDay.objects.values_list("alerts", flat=True))) == [1, 12]
    mailed = {member.pk for member in members[::MAILED]} - {member.pk for member in members[::SPENT]}
    assert set(Mail.objects.values_list("notice__member", flat=True)) == mailed
    assert Mail.objects.count() == len(mailed)


def test_a_worker_killed_within_a_batch_leaves_nobody_out_and_tells_nobody_twice():
    asker = make_member()
    members = make_followers(asker.specialty, 60)
    make_question(asker)

    process = worker(20, 1)
    assert process.stdout.readline() == "within a batch\n"
    kill(process)
    assert Notice.objects.count() == 20

    tasks.work_off_fan_outs()

    check_told_once_within_budget(members)


@pytest.mark.scale
def test_a_question_that_interests_five_thousand():
    asker = make_member()
    specialty = asker.specialty
    took = []
    for _ in range(5):  # with nobody to tell
        began = time.perf_counter()
        make_question(asker)
        took.append(time.perf_counter() - began)
    FanOut.objects.all().delete()
    members = make_followers(specialty, MANY)

    began = time.perf_counter()
    make_question(asker)
    request = time.perf_counter() - began
    print(f"\nrequest: {request * 1000:.0f} ms (with nobody to tell {median(took) * 1000:.0f} ms)")
    assert request < 1

    kills = 5
    for number in range(kills):
        process = worker()
        wait_until_told(number * MANY // 10)
        time.sleep(number / 10)  # at any moment within a batch
        kill(process)
        row = FanOut.objects.get()
        print(f"killed: {Notice.objects.count()} told, {row.alerted + row.held} written down as told")
        assert Notice.objects.count() == row.alerted + row.held
    left = MANY - Notice.objects.count()
    began = time.perf_counter()
    tasks.work_off_fan_outs()
    rest = time.perf_counter() - began
    print(f"after {kills} kills, the other {left} in {rest:.2f} s ({rest / max(left, 1) * 1000:.2f} ms each)")

    check_told_once_within_budget(members)
    held, mails = Notice.objects.filter(held=True).count(), Mail.objects.count()
    print(
        f"told {MANY}: {MANY - held} alerts, {held} held back, {mails} mails, nobody twice, nobody above budget"
    )

    began = time.perf_counter()
    tasks.send_mail()
    took = time.perf_counter() - began
    assert Mail.objects.filter(state="sent").count() == mails
    print(f"{mails} mails left in {took:.1f} s")


@pytest.mark.scale
def test_two_workers_share_a_fan_out_and_tell_nobody_twice():
    asker = make_member()
    members = make_followers(asker.specialty, MANY)
    make_question(asker)

    began = time.perf_counter()
    processes = [worker(), worker()]
    for process in processes:
        assert process.wait(timeout=120) == 0
        process.stdout.close()
    print(f"\ntwo workers: {time.perf_counter() - began:.1f} s, starting them included")
    tasks.work_off_fan_outs()

    check_told_once_within_budget(members)
