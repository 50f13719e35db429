from polls.models.ballots import Ballot, Receipt, Sight, Tally, Ticket
from polls.models.oversight import Concern, Correction
from polls.models.polls import Option, Poll, Sponsor, Trend

__all__ = [
    "Ballot",
    "Concern",
    "Correction",
    "Option",
    "Poll",
    "Receipt",
    "Sight",
    "Sponsor",
    "Tally",
    "Ticket",
    "Trend",
]
