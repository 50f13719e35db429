"""Every move that a claim can make: from where, to where, who may make it, and what must be true then.

`services.states.move` knows these and no other. The guard is kept by the service that is named in it, before it moves
the claim; where a guard names two reviewers, that service counts them. A claim begins as a draft. Section
10 of the design is this table but for what `tests/test_states_table.py` lists and says why.
"""

from typing import NamedTuple

from verification.models.claims import HOLDING, UNDECIDED, State

SYSTEM, APPLICANT, REVIEWER, MODERATOR = "system", "applicant", "reviewer", "moderator"
STAFF_LIST = "staff_list"  # `seed_pioneers`, and nobody else

HELD = tuple(state for state in HOLDING if state != State.SUSPENDED)
CONDUCT_ENDS = (*HELD, State.SUSPENDED)  # what moderators may end, and give back; see `services.standing`


class Move(NamedTuple):
    """From each of the states `was` into `to` (or into each of several), for each of the roles `by`."""

    was: tuple[str, ...]
    to: str | tuple[str, ...]
    by: tuple[str, ...]
    guard: str


TABLE = (
    # Who somebody says they are (services.claims)
    Move(
        (State.DRAFT,),
        State.MATCHED,
        (SYSTEM,),
        "E-mail confirmed; one active physician; name accepted; a license there; at least four facts; caps free.",
    ),
    Move(
        (State.DRAFT,),
        State.NEEDS_REVIEW,
        (SYSTEM,),
        "Nobody or several fit, a resident, no license, a conflict, a name merely close, too few facts, tries used up, "
        "questions switched off.",
    ),
    Move(
        (State.DRAFT, State.MATCHED),
        State.LOCKED,
        (SYSTEM,),
        "More identities than an account may claim in its life.",
    ),
    Move((State.DRAFT,), State.VERIFIED, (STAFF_LIST,), "A pioneer, whose documents staff have read."),
    # The questions (services.challenge)
    Move(
        (State.MATCHED,), State.CHALLENGED, (SYSTEM,), "All answers right and in time, in one of two tries."
    ),
    Move((State.MATCHED,), State.NEEDS_REVIEW, (SYSTEM,), "The second try failed, or there can be none."),
    Move((State.MATCHED,), State.NEEDS_REVIEW, (APPLICANT,), "The applicant skips the questions."),
    # The proof (services.automatic, endpoint, vouching; services.decisions)
    Move(
        (State.CHALLENGED,),
        State.PROVEN,
        (SYSTEM,),
        "A code from the registered phone or fax or an institutional address, an entry in the own registry record, "
        "or three vouches.",
    ),
    Move(
        (State.CHALLENGED, State.NEEDS_REVIEW), State.PROVEN, (REVIEWER,), "A proof that a reviewer has read."
    ),
    Move(
        (State.CHALLENGED, State.PROVEN),
        State.NEEDS_REVIEW,
        (REVIEWER,),
        "The reviewer doubts, asks for more or rejects.",
    ),
    Move(
        (State.PROVEN,),
        State.VERIFIED,
        (SYSTEM,),
        "No exclusion, no license known as expired, no holder; in one transaction under the lock of the identity.",
    ),
    Move((State.PROVEN,), State.DISPUTED_RIVAL, (SYSTEM,), "Another claim holds the identity."),
    # Decisions against (services.decisions, claims)
    Move((State.NEEDS_REVIEW,), State.REJECTED, (REVIEWER,), "With a reason; a new claim after 90 days."),
    Move((State.REJECTED,), State.NEEDS_REVIEW, (APPLICANT,), "One appeal, read by another reviewer."),
    Move((State.LOCKED,), State.NEEDS_REVIEW, (REVIEWER,), "Staff unlock the account; documents decide."),
    Move(UNDECIDED, State.WITHDRAWN, (APPLICANT,), "Nothing is decided yet."),
    # Disputes (services.disputes)
    Move((State.VERIFIED,), State.DISPUTED_HOLDER, (SYSTEM,), "A rival proved the same identity."),
    Move(
        (State.DISPUTED_RIVAL,),
        State.VERIFIED,
        (REVIEWER,),
        "Two reviewers of one mind, the holder heard or 14 days over.",
    ),
    Move((State.DISPUTED_RIVAL,), State.REJECTED, (REVIEWER,), "Two reviewers of one mind."),
    Move(
        (State.DISPUTED_HOLDER,),
        State.VERIFIED,
        (REVIEWER,),
        "Two reviewers of one mind, and no other rival.",
    ),
    Move((State.DISPUTED_HOLDER,), State.VERIFIED, (SYSTEM,), "The last rival withdrew."),
    # Licenses that are held (services.license_clock, rechecks)
    Move(
        (State.VERIFIED, State.NEEDS_REVIEW_HELD),
        State.LAPSED,
        (SYSTEM,),
        "60 days past its expiry, or 400 without a look.",
    ),
    Move((State.LAPSED,), State.VERIFIED, (SYSTEM, REVIEWER), "A new row of the board, or a fresh proof."),
    Move(
        (State.VERIFIED, State.LAPSED),
        State.NEEDS_REVIEW_HELD,
        (SYSTEM, REVIEWER),
        "The registry changed, somebody objected, or a voucher failed; it still holds.",
    ),
    Move((State.NEEDS_REVIEW_HELD,), State.VERIFIED, (REVIEWER,), "A reviewer looked."),
    Move(
        HELD,
        State.SUSPENDED,
        (SYSTEM, REVIEWER),
        "The NPI is excluded, the license suspended or revoked, the NPI deactivated.",
    ),
    Move((State.SUSPENDED,), State.VERIFIED, (REVIEWER,), "An appeal, or reinstated."),
    Move(CONDUCT_ENDS, State.REVOKED, (REVIEWER,), "Proven fraud or a lost dispute: two reviewers."),
    Move((State.VERIFIED,), State.RETIRED, (REVIEWER,), "Staff know that the member has retired."),
    # The end of a membership (services.standing; accounts announces who leaves)
    Move(HELD, State.SUSPENDED, (MODERATOR,), "For what somebody did here, until it is given back."),
    Move((State.SUSPENDED,), HELD, (MODERATOR,), "Given back; nothing else was decided since."),
    Move(CONDUCT_ENDS, State.REVOKED, (MODERATOR,), "For what somebody did here, for good."),
    Move((State.REVOKED,), CONDUCT_ENDS, (MODERATOR,), "Given back; nobody holds the license since."),
    Move((State.VERIFIED, State.LAPSED, State.RETIRED), State.LEFT, (APPLICANT,), "The account is closed."),
)


def moves() -> dict[tuple[str, str], tuple[str, ...]]:
    """Who may bring a claim from one state into another."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in TABLE:
        for was in row.was:
            for to in (row.to,) if isinstance(row.to, str) else row.to:
                found[was, to] = tuple(dict.fromkeys((*found.get((was, to), ()), *row.by)))
    return found
