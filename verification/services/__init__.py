"""What may happen in verification, by subject.

Locks are always taken in this order: the account (its Subject row), the identity (IdentityGuard rows, by hash), the
claims (by id), and last the chain of events.
"""
