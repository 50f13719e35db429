"""A real mail server for tests, in a thread of its own: it keeps what it is handed, or only counts it."""

from collections import Counter
from contextlib import contextmanager
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class PostOffice:
    """`on_letter(number)` is called before a letter is taken, with how many came until then."""

    def __init__(self, on_letter=None, keeps=True):
        self.letters, self.ids, self.bytes = [], Counter(), 0
        self.on_letter, self.keeps = on_letter, keeps

    async def handle_DATA(self, server, session, envelope):
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.ids[letter["Message-ID"]] += 1
        self.bytes += len(envelope.content)
        if self.keeps:
            self.letters.append((envelope.rcpt_tos, letter))
        if self.on_letter:
            self.on_letter(self.ids.total())
        return "250 Taken"


class AnyPort(Controller):
    """On a port that the system chooses."""

    def factory(self):
        return SMTP(self.handler, enable_SMTPUTF8=True, hostname="post.example.org")

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def post_office(settings=None, **options):
    """An open post office; with pytest's `settings` the mails of this process go there."""
    office = PostOffice(**options)
    controller = AnyPort(office, hostname="127.0.0.1", port=0)
    controller.start()
    office.port = controller.port
    if settings is not None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", office.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    try:
        yield office
    finally:
        controller.stop()
