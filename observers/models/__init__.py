from observers.models.choices import FirmBlock
from observers.models.contracts import Contract, Plan, Purpose, Seat, SeatInvitation
from observers.models.figures import Crowd, FigureDay, ImportanceFigure, PeersOnlyShare, VoteFigure
from observers.models.industry import IndustryPost, SeatEarmark, Voice
from observers.models.products import (
    AdverseEvent,
    CompanyQuestion,
    Conflict,
    Declaration,
    Mention,
    Product,
)
from observers.models.reads import Read, ReadDay, Way
from observers.models.searches import Answered, Chart, Export, FirmSearch

__all__ = [
    "AdverseEvent",
    "Answered",
    "Chart",
    "CompanyQuestion",
    "Conflict",
    "Contract",
    "Crowd",
    "Declaration",
    "Export",
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
    "Seat",
    "SeatEarmark",
    "SeatInvitation",
    "Voice",
    "VoteFigure",
    "Way",
]
