from focusgroups.models.guides import LiveHour, Prompt, PromptOption, Section, Stimulus
from focusgroups.models.outcomes import Code, CodeMark, Quote, RoomExport
from focusgroups.models.people import (
    Acceptance,
    Candidate,
    Completion,
    Participant,
    Reminder,
    ScreenerAnswer,
)
from focusgroups.models.rooms import (
    Agreement,
    Cell,
    Room,
    RoomModerator,
    ScreenerOption,
    ScreenerQuestion,
    Sponsor,
)
from focusgroups.models.words import Answer, Message, Revision

__all__ = [
    "Acceptance",
    "Agreement",
    "Answer",
    "Candidate",
    "Cell",
    "Code",
    "CodeMark",
    "Completion",
    "LiveHour",
    "Message",
    "Participant",
    "Prompt",
    "PromptOption",
    "Quote",
    "Reminder",
    "Revision",
    "Room",
    "RoomExport",
    "RoomModerator",
    "ScreenerAnswer",
    "ScreenerOption",
    "ScreenerQuestion",
    "Section",
    "Sponsor",
    "Stimulus",
]
