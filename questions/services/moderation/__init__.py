"""What moderators may do, by subject: `desk` (who looks at what), `acts`, `undoing`, `appeals`.

Each act is one transaction: the act with its reason, what it changes, an event in the chain that names the post and no
person concerned, and a notice to its author. Locks are taken in the order of verification.services: for what ends a
membership account, identity and claims; the chain; the discussion; the post; the report.
"""
