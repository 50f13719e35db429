"""Asking for one's data, making it, and leaving for good."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import storages
from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from accounts import tasks
from accounts.leaving import erasing, exporting
from accounts.leaving.ledger import Person
from accounts.models import Export, Member, User
from accounts.services import mail
from sermo import private_files
from sermo.background import nudge
from sermo.errors import RuleBroken

log = structlog.get_logger(__name__)
State = Export.State
ACTIVE = (State.WAITING, State.RUNNING)
FOLDER = "exports"
LEAVING = 7_300_002  # first number of the advisory locks under which accounts are ended
SILENT = timedelta(minutes=2)  # a worker that gave no sign for so long is taken for dead
GIVEN_UP = timedelta(days=1)  # what was not made in a day fails each time it is tried


class ExportUnderWay(RuleBroken):
    message = "An export is being made already."


class Stopped(Exception):
    """In the worker: the job was stopped, given to another worker, or deleted."""


# Exports


def ask_export(*, user: User) -> Export:
    """Let a worker pack everything about a person. Without a broker the sweep finds the job. Raises ExportUnderWay."""
    try:
        with transaction.atomic():
            export = Export.objects.create(user=user, parts=exporting.number_of_parts())
            nudge(tasks.make_export, export.pk)
    except IntegrityError as error:
        raise ExportUnderWay from error
    return export


def stop_export(*, user: User) -> bool:
    """Stop the job that waits or runs, if there is one; its worker notices within a batch."""
    active = Export.objects.filter(user=user, state__in=ACTIVE)
    return bool(active.update(state=State.STOPPED, finished_at=timezone.now()))


def make_export(*, export_id: int) -> bool:
    """Make a waiting export, in whichever worker comes first. False where there was nothing to do or it was stopped."""
    beat = timezone.now()
    waiting = Export.objects.filter(pk=export_id, state=State.WAITING)
    if not waiting.update(state=State.RUNNING, beat_at=beat, parts_done=0, rows=0):
        return False
    job = _Job(export_id, beat)
    try:
        with exporting.pack(_person_of(export_id), step=job.step, part_done=job.part_done) as packed:
            _keep(job, packed)
    except Stopped:
        return False
    except Exception:
        job.mine.update(state=State.FAILED, finished_at=timezone.now())
        raise
    return True


class _Job:
    """A running export as its worker sees it. The moment of the last beat is what tells one worker from another."""

    def __init__(self, export_id: int, beat):
        self.export_id, self.beat = export_id, beat

    @property
    def mine(self):
        return Export.objects.filter(pk=self.export_id, state=State.RUNNING, beat_at=self.beat)

    def step(self, rows: int) -> None:
        self._beat(rows=F("rows") + rows)

    def part_done(self) -> None:
        self._beat(parts_done=F("parts_done") + 1)

    def _beat(self, **changes) -> None:
        now = timezone.now()
        if not self.mine.update(beat_at=now, **changes):
            raise Stopped
        self.beat = now


def _person_of(export_id: int) -> Person:
    user = User.objects.filter(exports=export_id).first()
    if user is None:
        raise Stopped
    return Person.of(user)


@transaction.atomic
def _keep(job: _Job, packed) -> None:
    """Store the zip if the job still stands. It takes the place of any older one."""
    export = job.mine.select_for_update().first()
    if export is None:
        raise Stopped
    storage = storages["private"]
    storage.delete(export.file_name)  # of a worker that died at this very point
    storage.save(export.file_name, File(packed))
    _forget(Export.objects.filter(user=export.user_id, state=State.DONE))
    export.state, export.finished_at, export.size = State.DONE, timezone.now(), packed.tell()
    export.save(update_fields=["state", "finished_at", "size"])


def read_export(export: Export) -> Iterator[bytes]:
    """The zip of a finished export, in blocks. Raises FileNotFoundError."""
    sealed = storages["private"].open(export.file_name)

    def blocks():
        with sealed:
            yield from exporting.unseal(sealed)

    return blocks()


def resume_exports() -> int:
    """Start anew what no worker works on: jobs whose worker died, and those no broker took. Returns how many."""
    now = timezone.now()
    Export.objects.filter(state=State.RUNNING, beat_at__lt=now - SILENT).update(state=State.WAITING)
    waiting = Export.objects.filter(state=State.WAITING, asked_at__lt=now - SILENT)
    waiting.filter(asked_at__lt=now - GIVEN_UP).update(state=State.FAILED, finished_at=now)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    for export_id in ids:
        tasks.make_export.delay(export_id)
    return len(ids)


def purge_exports() -> int:
    """Delete zips made a week ago, and files that no export knows. Returns how many exports were purged."""
    purged = _forget(old_exports(timezone.now()))
    private_files.sweep(stray_files())
    return purged


def old_exports(at: datetime) -> QuerySet[Export]:
    """Zips that were a week old at a moment."""
    old = at - timedelta(days=settings.EXPORT_KEEP_DAYS)
    return Export.objects.filter(state=State.DONE, finished_at__lt=old)


def stray_files() -> list[str]:
    """Files of a day ago that no export knows: of workers that died, of people who left."""
    return private_files.strays(FOLDER, known=_keys_of_finished)


def _keys_of_finished(keys: list[str]):
    return Export.objects.filter(key__in=keys, state=State.DONE).values_list("key", flat=True)


@transaction.atomic
def _forget(exports) -> int:
    exports = list(exports.select_for_update())
    private_files.delete_files(export.file_name for export in exports)
    return Export.objects.filter(pk__in=[each.pk for each in exports]).update(state=State.GONE)


# Leaving


def check_may_leave(*, user: User) -> None:
    """Whether somebody could leave now. Raises the RuleBroken of whichever app says no."""
    erasing.check_may_leave(Person.of(user))


@transaction.atomic
def leave(user: User) -> bool:
    """End an account: all that is personal goes, what others rely on stays without a name. It cannot be undone.

    Called again, also at the same moment, it does nothing and returns False. Raises the RuleBroken of whichever app
    says no; then nothing has changed.
    """
    _lock_leaving(user)
    if not User.objects.filter(pk=user.pk).exists():
        return False
    erasing.lock(Person.of(user))  # claims before people, as reviewers do
    Member.objects.select_for_update().filter(user=user).first()
    user = User.objects.select_for_update().get(pk=user.pk)
    person = Person.of(user)
    erasing.check_may_leave(person)
    erasing.erase(person)
    _say_goodbye(user.email)
    log.info("account_left")
    return True


def _say_goodbye(address: str) -> None:
    subject, _, text = render_to_string("accounts/mail/left.txt").partition("\n")
    mail.queue_to(address, subject.strip(), text.lstrip())


def _lock_leaving(user: User) -> None:
    """Let one leave at a time. Locking the user's row first would stand across those who lock a claim before it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LEAVING, user.pk % 2**31])
