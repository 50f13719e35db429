from observers.models.choices import FirmBlock
from observers.models.contracts import Contract, Plan, Purpose, Seat, SeatInvitation
from observers.models.figures import (
    BlockFigure,
    Crowd,
    FigureDay,
    ImportanceFigure,
    PeersOnlyShare,
    VoteFigure,
)
from observers.models.industry import IndustryPost, SeatEarmark, Voice
from observers.models.products import (
    AdverseEvent,
    CompanyQuestion,
    CompanyRevision,
    Conflict,
    Declaration,
    Mention,
    Product,
)
from observers.models.reads import Read, ReadDay, Way
from observers.models.rooms import BackRoomNote, RoomRead, RoomWatch
from observers.models.searches import Answered, Chart, Export, ExportedCase, FirmSearch, SearchHit

__all__ = [
    "AdverseEvent",
    "Answered",
    "BackRoomNote",
    "BlockFigure",
    "Chart",
    "CompanyQuestion",
    "CompanyRevision",
    "Conflict",
    "Contract",
    "Crowd",
    "Declaration",
    "Export",
    "ExportedCase",
    "FigureDay",
    "FirmBlock",
    "FirmSearch",
    "ImportanceFigure",
    "IndustryPost",
    "Mention",
    "PeersOnlyShare",
    "Plan",
    "Product",
    "Purpose",
    "Read",
    "ReadDay",
    "RoomRead",
    "RoomWatch",
    "SearchHit",
    "Seat",
    "SeatEarmark",
    "SeatInvitation",
    "Voice",
    "VoteFigure",
    "Way",
]
