"""When the telephone of a practice may ring: between 8 and 20 o'clock in every time zone of its state."""

from datetime import datetime
from zoneinfo import ZoneInfo

OPENS, CLOSES = 8, 20
_ZONES = {
    "America/New_York": "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC TN VA VT WV",
    "America/Chicago": "AL AR FL IA IL IN KS KY LA MI MN MO MS ND NE OK SD TN TX WI",
    "America/Denver": "CO ID KS MT ND NE NM OR SD TX UT WY",
    "America/Phoenix": "AZ",
    "America/Los_Angeles": "CA ID NV OR WA",
    "America/Anchorage": "AK",
    "Pacific/Honolulu": "HI",
    "America/Puerto_Rico": "PR VI",
    "Pacific/Guam": "GU MP",
    "Pacific/Pago_Pago": "AS",
}
_MAINLAND = ("America/New_York", "America/Los_Angeles")  # for a state that is none


def may_ring(state: str, now: datetime) -> bool:
    """Whether it is day in the whole of a state; for an unknown one, from coast to coast."""
    return all(OPENS <= now.astimezone(ZoneInfo(zone)).hour < CLOSES for zone in zones_of(state))


def zones_of(state: str) -> tuple[str, ...]:
    """The time zones of a state or territory, as the tz database names them."""
    return tuple(zone for zone, states in _ZONES.items() if state in states.split()) or _MAINLAND
