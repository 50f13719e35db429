"""The row under which a firm stands among members."""

from django.db import transaction

from accounts.handles import HOUSE_KEY
from accounts.models import Member
from observers.models import Voice
from rewards.models import Firm


@transaction.atomic
def voice_of(firm: Firm) -> Member:
    """The firm's own row, made by the first who asks, under the name the firm has now.

    It has no log-in and never was a physician, so that it is met, counted, ranked, asked and told nowhere; its handle
    holds a space, which no member's can.
    """
    name = firm.name[: Member._meta.get_field("display_name").max_length]
    voice = Voice.objects.select_related("member").filter(firm=firm).first()
    if voice is None:
        member, _ = Member.objects.get_or_create(
            physician_key=f"{HOUSE_KEY}-{firm.pk}",
            defaults={
                "handle": f"firm {firm.pk}",
                "byline_mode": Member.BylineMode.PUBLIC,
                "display_name": name,
            },
        )
        voice, _ = Voice.objects.get_or_create(firm=firm, defaults={"member": member})
    if voice.member.display_name != name:
        voice.member.display_name = name
        voice.member.save(update_fields=["display_name"])
    return voice.member
