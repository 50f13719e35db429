"""How fast the pages are, on the production server with much data: `make bench-pages`.

    __main__.py   what is asked for, in order; the table and the files
    stack.py      an own PostgreSQL, Valkey and web server below VAR_DIR/bench/, the data kept from run to run
    settings.py   the site's settings with one address more,
    urls.py       /bench/floor/, an empty page for whoever is signed in, which the site itself does not have
    targets.py    migrates, loads the data (`seed_load`), signs members in, picks addresses, counts queries
    clients.py    eight members who ask for one page after another as fast as they are answered
    clocks.py     processor time of the web server and of the database

Each address is asked for once, which shows what a page costs that nobody read for a while; then pages are asked for
during `--warm-up` seconds, and measured during `--seconds`, in `--rounds` in which the pages take turns, since the
speed of a shared machine changes within minutes. The clients share the machine with the servers, so they do as little
as they can: asyncio, one prepared request for each address, lengths from the header.

The pages: `floor`, an empty one; `list` and `question`; `search`, one to three words of titles; `full`, such searches
alone as fill a page of results at that scale, by which growth is judged.

    rps           answers a second           p50_ms, p99_ms   from sending a request to the end of its answer
    web_cpu_ms    processor time of the web server's processes, for one answer
    db_cpu_ms     the same of the database's processes; both to the tick of the kernel's clock
    first_cpu_ms  the same of both together, when each address was asked for the first time
    queries       the most that one of the addresses took, counted in a request of its own
    bytes         of an answer without its head, on average
    of_floor      answers a second as a share of the floor's in the same round, at the middle of the rounds

    make bench-pages                               medium, the scale of the bars; also VAR_DIR/bench.json
    make bench-pages ARGS="--scale small"          another one
    make bench-pages ARGS="--scales small,large"   how much slower the pages get from one to the other
    make bench-pages ARGS="--fresh"                make the data anew
    make bench-pages ARGS="--pages list,search"    only these
"""
