"""Facts this app announces, inside the transaction that made them true."""

from django.dispatch import Signal

member_verified = Signal()  # member, claim: a license was verified, and the member became a physician
member_revoked = Signal()  # member, claim: a verified license turned out not to be theirs
board_loaded = (
    Signal()
)  # run, state, changed: after commit; (normal number, degree) of licenses new, changed or gone
revocation_undone = Signal()  # claim: it was revoked, and is not any more
vouch_failed = (
    Signal()
)  # member: what vouching for an impostor costs them has changed; in a transaction of its own
registry_loaded = Signal()  # run: after commit, of NPPES or the list of exclusions
