"""Taking one's data along, and leaving: what the site knows of a person, table by table, and what becomes of it.

`ledger` says what there is, `exporting` packs it, `erasing` ends it. Each app declares its own tables in its
`personal.py`: ENTRIES (see ledger.Entry), ERASERS (run in this order when somebody leaves; see `erasing`), `files`
(what goes into an export beside the rows) and, where it has a say, `lock` and `check_may_leave`.
"""
