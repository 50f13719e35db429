"""The provider of development and the demo: it pays at once, nobody, and remembers what it "sent"."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from rewards import business_days
from rewards.models import Payout, PretendTransfer
from rewards.providers.base import PAID, Outcome, Provider, Sent


class Pretend(Provider):
    name = "pretend"

    def is_ready(self) -> bool:
        return settings.DEMO or settings.DEBUG

    def send(self, payout: Payout) -> Outcome:
        PretendTransfer.objects.get_or_create(key=payout.key, defaults={"cents": payout.cents})
        return self.look_up(payout)

    def look_up(self, payout: Payout) -> Outcome | None:
        sent = PretendTransfer.objects.filter(key=payout.key).first()
        if sent is None:
            return None
        return Outcome(PAID, reference_of(sent.key), cents=sent.cents, paid_on=business_days.day_of(sent.at))

    def sent_since(self, moment: datetime) -> Iterable[Sent]:
        for sent in PretendTransfer.objects.filter(at__gte=moment).order_by("at", "pk").iterator():
            yield Sent(sent.key, reference_of(sent.key), sent.cents, PAID, business_days.day_of(sent.at))


def reference_of(key) -> str:
    return f"pretend-{key}"
