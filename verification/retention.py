"""What verification forgets."""

from sermo.retention import register
from verification import rules
from verification.services import limits, proofs, retention

register(
    "verification.documents",
    what="Files of documents that prove a license, and of uploads that were cut off",
    kept=f"{rules.DOCUMENT_KEEP_DAYS} days after the decision, longer only while a dispute is open; "
    "what was cut off 1 day",
    why="They proved what they had to. Hash, size and outcome stay.",
    enforce=proofs.purge_documents,
    left=lambda at: proofs.due_documents(at).count() + len(proofs.stray_files()),
)
register(
    "verification.codes",
    what="Codes of proofs, and the numbers and addresses they were sent to",
    kept=f"{rules.DOCUMENT_KEEP_DAYS} days after the decision",
    why="That a proof held, and when, is enough; and of a mailbox a keyed hash, so that it proves one person alone.",
    enforce=proofs.forget_codes,
    left=lambda at: proofs.due_codes(at).count(),
)
register(
    "verification.day_counts",
    what="How often something was done in a day, by hashed network address or account",
    kept="until the second day after",
    why="Limits are counted by the day.",
    enforce=limits.purge,
    left=lambda at: limits.days_over(at).count(),
)
register(
    "verification.retention_runs",
    what="What the rules of this table removed each night",
    kept=f"{retention.RUNS_KEPT_DAYS // 365} years",
    why="What was done for the protection of data is documented so long (45 CFR 164.316(b)(2)).",
    enforce=retention.forget_runs,
    left=lambda at: retention.old_runs(at).count(),
)
