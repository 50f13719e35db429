import logging

from django.conf import settings

from sermo.logging import keyless, unnamed


def record(*args):
    return logging.LogRecord("django.request", logging.WARNING, __file__, 1, "%s: %s", args, None)


def test_no_line_says_which_poll_a_request_was_about():
    line = record("Not Found", "/polls/76/vote/")

    assert unnamed(line)
    assert line.getMessage() == "Not Found: /polls/..."


def test_no_line_holds_the_key_of_a_feed():
    line = record("Method Not Allowed (POST)", "GET /news/feed/a-secret_key.atom HTTP/1.1")

    assert unnamed(line)
    assert "GET /news/feed/... HTTP/1.1" in line.getMessage()
    said = keyless(None, "error", {"exception": 'No feed at "/news/feed/a-secret_key.atom".', "status": 500})
    assert said == {"exception": 'No feed at "/news/feed/...".', "status": 500}


def test_no_line_holds_the_link_to_the_money_of_who_left():
    line = record("Unprocessable Entity", "/rewards/left/a-secret_key/?by=check")

    assert unnamed(line)
    assert line.getMessage() == "Unprocessable Entity: /rewards/left/..."


def test_no_line_holds_the_row_that_the_database_refused():
    fault = (
        "Traceback (most recent call last):\n  ...\npsycopg.errors.CheckViolation: new row violates it\n"
        "DETAIL:  Failing row contains (7, Quillfeather,\n4301977598).\n\n"
        "The above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n"
        "django.db.utils.IntegrityError: new row violates it\nDETAIL:  Failing row contains (7, Quillfeather)."
    )

    said = keyless(None, "error", {"exception": fault})["exception"]

    assert "Quillfeather" not in said
    assert "4301977598" not in said
    assert "CheckViolation" in said
    assert said.endswith("django.db.utils.IntegrityError: new row violates it")


def test_other_addresses_stay():
    line = record("Not Found", "/questions/76/")

    assert unnamed(line)
    assert line.getMessage() == "Not Found: /questions/76/"


def test_every_handler_shortens_them():
    assert all("unnamed" in handler["filters"] for handler in settings.LOGGING["handlers"].values())
