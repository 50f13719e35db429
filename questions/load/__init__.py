"""Large invented data to measure and try the site with: `manage.py seed_load --scale small|medium|large`.

    scale.py        how much of everything, and how it is spread over the discussions
    words.py        texts that look clinical, with as many different words as real ones have
    people.py       the members
    discussions.py  the rows of one discussion, the same ones every time
    copying.py      rows into tables by COPY
    filling.py      all of it in order, in steps that can be stopped and taken up again
    resetting.py    and away with it

A member belongs to the load by a log-in at DOMAIN, to which no mail can go and by which nobody can sign up; everything
else by its member. The rows keep every rule the services keep, and their counters are those `recount` would write.
"""
