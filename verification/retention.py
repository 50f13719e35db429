"""What verification forgets."""

from sermo.retention import register
from verification import calling, rules
from verification.services import (
    license_clock,
    limits,
    objections,
    proofs,
    queue,
    retention,
    unmasking,
)

YEARS = f"{rules.RECORD_KEEP_DAYS // 365} years"

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
    "verification.abandoned",
    what="Files of documents, and where codes were sent, of claims that nobody goes on with",
    kept=f"{rules.UNDECIDED_KEEP_DAYS} days after the last step of the applicant or a reviewer, where nothing waits "
    "for a reviewer",
    why="They will prove nothing. Whoever comes back sends their documents once more.",
    enforce=proofs.purge_abandoned,
    left=lambda at: proofs.abandoned_documents(at).count() + proofs.abandoned_codes(at).count(),
)
register(
    "verification.codes",
    what="Codes of proofs, and the numbers and addresses they were sent to",
    kept=f"{rules.DOCUMENT_KEEP_DAYS} days after the decision, and what nobody typed "
    f"{rules.DOCUMENT_KEEP_DAYS} days after it was sent",
    why="That a proof held, and when, is enough. Of a mailbox that proved a license a keyed hash stays, "
    "so that it proves no second one.",
    enforce=proofs.forget_codes,
    left=lambda at: proofs.due_codes(at).count(),
)
register(
    "verification.calls",
    what="Calls and faxes written to files, where no provider makes them",
    kept="1 day",
    why="The code is over.",
    enforce=calling.forget_files,
    left=lambda at: len(calling.old_files(at)),
)
register(
    "verification.objections",
    what="What somebody wrote who said that it was not them",
    kept=f"{rules.DOCUMENT_KEEP_DAYS} days after it was decided",
    why="It holds how to reach them. That somebody objected, and when, stays.",
    enforce=objections.forget_words,
    left=lambda at: objections.words_decided(at).count(),
)
register(
    "verification.license_checks",
    what="Looks at whether a license is in force",
    kept=f"{YEARS}, the newest of each source as long as the claim",
    why="The next look is compared with the last one alone.",
    enforce=license_clock.forget_looks,
    left=lambda at: license_clock.old_looks(at).count(),
)
register(
    "verification.holds",
    what="Which reviewer had a claim open on the desk",
    kept=f"{rules.HOLD_MINUTES} minutes; it goes in the night after",
    why="It keeps two from deciding at once, and nothing else.",
    enforce=queue.forget_holds,
    left=lambda at: queue.holds_over(at).count(),
)
register(
    "verification.unmaskings",
    what="Reasons and file numbers of requests for the name behind a handle",
    kept=f"{YEARS} after the member was told, or after it was refused, was taken back or ran out",
    why="So long one may ask to whom one was disclosed (45 CFR 164.528). Who saw it, when and on what ground stays.",
    enforce=unmasking.forget_words,
    left=lambda at: unmasking.words_of_old(at).count(),
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
    kept=YEARS,
    why="What was done for the protection of data is documented so long (45 CFR 164.316(b)(2)).",
    enforce=retention.forget_runs,
    left=lambda at: retention.old_runs(at).count(),
)
