"""Facts this app announces, inside the transaction that made them true."""

from django.dispatch import Signal

# completion, which is final: what it says is earned; is_alone: at a moment of one person, not of a section; is_last: of
# those that became final together and earn something
section_completed = Signal()
screened_out = Signal()  # candidate, how many questions were answered: thanks may be due
room_closed = Signal()  # room
room_canceled = Signal()  # room, before anybody earned anything
seats_sought = Signal()  # room, members: receivers return the numbers of those who may not be asked
earners_sought = Signal()  # room, members: receivers return the numbers of those who are paid nothing now
money_promised = (
    Signal()
)  # room, published: its seats or honoraria grew; receivers reserve the money, or refuse
