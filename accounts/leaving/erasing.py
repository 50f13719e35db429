"""Ending what the site knows of a person."""

from accounts.leaving.ledger import Person, declared


def lock(person: Person) -> None:
    """Take hold of all that decides whether somebody may leave, the highest app first, until the transaction ends."""
    for take in reversed(declared("lock")):
        take(person)


def check_may_leave(person: Person) -> None:
    """Ask every app, the highest first. Raises the RuleBroken of whoever says no."""
    for check in reversed(declared("check_may_leave")):
        check(person)


def erase(person: Person) -> None:
    """Run all erasers, from the highest layer down to the log-in itself. Only inside a transaction."""
    for erasers in reversed(declared("ERASERS")):
        for eraser in erasers:
            eraser(person)
