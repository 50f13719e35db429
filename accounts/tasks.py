import logging

from celery import shared_task

from accounts.services import guard, leaving, mail, notices

log = logging.getLogger(__name__)


@shared_task
def recheck_faces():
    """Coarsen what handles show where members became too few, and refine it where they became enough."""
    done = guard.recheck()
    log.info("faces: %d checked, %d coarsened, %d refined", done.checked, done.coarsened, done.refined)


@shared_task
def send_mail():
    """Send what is due in the outbox: nudged by what writes into it, and each minute in case a nudge was lost."""
    mail.send_due()


@shared_task
def send_pressing_mail():
    """The same for what is pressing alone, as pages are. It waits in their queue, behind no long task."""
    mail.send_due(is_pressing=True)


@shared_task
def work_off_fan_out(fan_out_id):
    """Tell everybody a fan-out reaches, batch by batch."""
    while notices.tell_next_batch(fan_out_id=fan_out_id):
        pass


@shared_task
def work_off_fan_outs():
    """Each minute, go on with what no worker was nudged to tell, or stopped telling halfway."""
    for fan_out_id in notices.unfinished_fan_outs():
        try:
            work_off_fan_out(fan_out_id)
        except Exception as error:  # the next sweep tries it again; the others need not wait for it
            log.error("fan-out %d stopped: %s", fan_out_id, type(error).__name__)


@shared_task
def make_export(export_id):
    """Pack everything about one person."""
    leaving.make_export(export_id=export_id)


@shared_task
def resume_exports():
    """Start anew the exports that no worker works on."""
    leaving.resume_exports()
