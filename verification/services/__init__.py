"""What may happen in verification, by subject.

Locks are always taken in this order: the account (its Subject row), the identity (IdentityGuard rows, by hash), the
claims (by id), and last the chain of events. Apps above lock theirs after these: discussions, posts, reports, then
members, ranks and notices. So what records an event of a post locks the chain before the discussion.
"""
