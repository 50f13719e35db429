from celery import shared_task


@shared_task
def check_due_feeds():
    pass


@shared_task
def check_feed(feed_id):
    pass


@shared_task
def send_digests():
    pass
