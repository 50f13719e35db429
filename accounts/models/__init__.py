from accounts.models.checks import IdentifierDecision
from accounts.models.leaving import Export
from accounts.models.notices import (
    FanOut,
    Kind,
    Mail,
    Notice,
    NoticeChoice,
    NoticeDay,
    NoticeSettings,
    NoticeThread,
    Way,
)
from accounts.models.people import Handle, Member, Specialty, User, new_physician_key
from accounts.models.pictures import Picture
from accounts.models.ties import Block, Connection, Face, Follow

__all__ = [
    "Block",
    "Connection",
    "Export",
    "Face",
    "FanOut",
    "Follow",
    "Handle",
    "IdentifierDecision",
    "Kind",
    "Mail",
    "Member",
    "Notice",
    "NoticeChoice",
    "NoticeDay",
    "NoticeSettings",
    "NoticeThread",
    "Picture",
    "Specialty",
    "User",
    "Way",
    "new_physician_key",  # a migration names it here
]
