"""The agreement that a new room begins with. Its moderators change it to what their room needs."""

AGREEMENT = """\
What is said in this group stays in this group.

1. You take part under an alias. You do not try to find out who others are, and you do not say who you think they are.
2. You do not copy, photograph or pass on what you read or see here: neither what others write nor the questions, \
pictures and documents that are put before you. You may talk about medicine in general as you always do.
3. You write nothing that could identify a patient, a colleague or an institution.
4. What you write is read by the group and its moderators. You read before you join who pays for the group, or what \
kind of firm does and that it is named at the end, and what those who watch it may read.
5. Reports of the group name aliases and quota cells only, and quote your words only with your consent to each quote. \
A firm that may read what is said while the group runs may also get it as a transcript.
6. You may leave at any time and keep what you have earned. Until the group closes you may take back what you said, \
also after you left or lost your seat, but not while your membership is suspended.
7. What you write is your own opinion. It is no advice on the treatment of a patient, and nobody here expects you to \
prescribe, recommend or buy anything.
"""
