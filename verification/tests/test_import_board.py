"""Rosters of state boards: four maps, the plain file, the API, and what an import leaves in the live table."""

import io
import json
import signal
import subprocess
import time
from datetime import UTC, date, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.tests.factories import make_user
from verification import asking
from verification.imports import roster_files as files
from verification.imports.staging import TemporaryTable
from verification.models import ImportRun, LicenseStatus, Reject
from verification.signals import board_loaded
from verification.tests.register_server import register_server
from verification.tests.registry_files import SAMPLES, start
from verification.tests.roster_files import PLAIN, TX, big_texas, csv_file, csv_text, json_file, rows_of

pytestmark = pytest.mark.django_db


def take_in(state: str, path=None, **options) -> str:
    """Run the import of a state from a file, or from its open data; what it wrote."""
    out = io.StringIO()
    call_command("import_board", state, *([str(path)] if path else []), stdout=out, **options)
    return out.getvalue()


def content() -> set[tuple]:
    return set(
        LicenseStatus.objects.values_list(
            "state", "number_key", "degree", "last_name", "status", "expires_on", "discipline"
        )
    )


def keys(state=None) -> set[tuple[str, str]]:
    rows = LicenseStatus.objects.filter(state=state) if state else LicenseStatus.objects.all()
    return set(rows.values_list("number_key", "degree"))


@pytest.fixture
def announced():
    heard = []

    def hear(run, state, changed, **kwargs):
        heard.append((run.state, state, changed))

    board_loaded.connect(hear, weak=False)
    yield heard
    board_loaded.disconnect(hear)


class TestMaps:
    @pytest.mark.parametrize("written", [csv_file, json_file])
    @pytest.mark.parametrize(
        ("state", "row"),
        [
            ("TX", ("P6085", ["MD"], "FERNWICK", "Full / AC - Active", date(2012, 6, 15), date(2028, 2, 28))),
            ("CO", ("59538", ["DO", "MD"], "FERNWICK", "Active", date(2012, 7, 1), date(2028, 4, 30))),
            ("WA", ("60123456", ["MD"], "Fernwick", "ACTIVE", date(2012, 6, 15), date(2028, 2, 28))),
            ("IL", ("47447", ["DO", "MD"], "FERNWICK", "ACTIVE", date(2012, 6, 15), date(2029, 7, 31))),
            ("CA", ("A123456", ["MD"], "Fernwick", "License current", date(2012, 6, 15), date(2028, 2, 28))),
        ],
    )
    def test_a_row_arrives_whole(self, tmp_path, state, row, written):
        rows = rows_of(state, {})
        if written is json_file and state in ("CO", "WA"):
            rows = [{name.lower(): value for name, value in each.items()} for each in rows]

        take_in(state.lower(), written(tmp_path / "roster", rows))

        found = list(LicenseStatus.objects.order_by("degree"))
        number, degrees, last, status, issued, expires = row
        assert [each.degree for each in found] == degrees
        for each in found:
            assert (each.state, each.number_key, each.last_name, each.status) == (state, number, last, status)
            assert (each.issued_on, each.expires_on, each.discipline) == (issued, expires, "")
            assert each.as_of <= date.today()

    @pytest.mark.parametrize(
        ("state", "change", "found"),
        [
            ("TX", {"degree": "D.O."}, {"DO"}),
            ("TX", {"degree": "MBBS"}, {"MD"}),
            ("TX", {"degree": ""}, {"MD", "DO"}),
            ("TX", {"license_type": "Physician in Training Permit"}, set()),
            ("TX", {"license_type": "Physician Assistant"}, set()),
            ("CO", {"licenseType": "Physician"}, {"MD", "DO"}),
            ("CO", {"licenseType": "RN"}, set()),
            ("CO", {"licenseType": "DRTL"}, set()),
            ("WA", {"CredentialType": "Osteopathic Physician And Surgeon License"}, {"DO"}),
            ("WA", {"CredentialType": "PHYSICIAN AND  SURGEON LICENSE"}, {"MD"}),
            ("WA", {"CredentialType": "Physician And Surgeon Residency License"}, set()),
            ("WA", {"CredentialType": "Registered Nurse License"}, set()),
            ("IL", {"suffix": "D.O."}, {"DO"}),
            ("IL", {"suffix": "JR"}, {"MD", "DO"}),
            ("IL", {"license_number": "36047447"}, {"MD", "DO"}),
            ("IL", {"license_number": "336047447"}, set()),
            ("IL", {"license_number": "038000001"}, set()),
            ("IL", {"license_type": "NURSING BOARD"}, set()),
            ("IL", {"description": "PHYSICIAN CONTROLLED SUBSTANCE"}, set()),
        ],
    )
    def test_whose_license_it_is(self, tmp_path, state, change, found):
        other = {
            "TX": "license_number",
            "CO": "licenseNumber",
            "WA": "CredentialNumber",
            "IL": "license_number",
        }
        whole = {"TX": "Z9999", "CO": "0099999", "WA": "MD99999999", "IL": "036999999"}[state]

        take_in(state, csv_file(tmp_path / "roster.csv", rows_of(state, change, {other[state]: whole})))

        mine = {degree for number, degree in keys() if "9999" not in number}
        assert mine == found

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"currently_licensed": "N"}, "Not currently licensed / Full / AC - Active"),
            ({"license_status": "Active", "registration_status": "Active"}, "Active"),
            ({"license_status": "", "registration_status": ""}, ""),
        ],
    )
    def test_what_several_columns_say_stands_side_by_side(self, tmp_path, change, status):
        take_in("tx", csv_file(tmp_path / "roster.csv", rows_of("TX", change)))

        assert LicenseStatus.objects.get().status == status

    @pytest.mark.parametrize(
        ("state", "change", "discipline"),
        [
            ("TX", {"disciplinary_status": "Public reprimand"}, "Public reprimand"),
            ("WA", {"ActionTaken": "Yes"}, "yes, the board has it"),
            ("IL", {"ever_disciplined": "Y"}, "yes, the board has it"),
            ("CO", {"programAction": "Stipulation"}, "Stipulation"),
            ("IL", {"ever_disciplined": "n/a"}, ""),
        ],
    )
    def test_discipline_is_kept_where_there_is_some(self, tmp_path, state, change, discipline):
        take_in(state, csv_file(tmp_path / "roster.csv", rows_of(state, change)))

        assert LicenseStatus.objects.first().discipline == discipline

    def test_years_of_birth_are_nowhere(self, tmp_path):
        take_in("tx", csv_file(tmp_path / "roster.csv", rows_of("TX", {"year_of_birth": "1977"})))

        with connection.cursor() as cursor:
            cursor.execute("SELECT row_to_json(r)::text FROM verification_licensestatus r")
            assert "1977" not in cursor.fetchone()[0]

    @pytest.mark.parametrize(
        ("state", "name", "licenses", "rejected"),
        [
            ("tx", "board_tx_sample.json", 25, 0),
            ("co", "board_co_sample.csv", 8, 0),
            ("wa", "board_wa_sample.csv", 8, 0),
            ("il", "board_il_sample.json", 14, 0),
        ],
    )
    def test_the_samples_load(self, state, name, licenses, rejected):
        out = take_in(state, SAMPLES / name)

        assert f"{licenses} licenses by their words" in out
        assert "0 unknown" in out
        assert f"rejected  {rejected}" in out


class TestDirtyRows:
    def test_bad_rows_are_listed_and_the_others_load(self, tmp_path):
        changes = [
            {"number": "A1"},
            {"number": ""},
            {"number": "N/A"},
            {"number": "9" * 41},
            {"number": "A2", "last_name": " "},
            {"number": "A3", "degree": "DPM"},
            {"number": "A4", "degree": "M.D."},
            {"number": "A5", "expires": "soon"},
            {"number": "A6", "last_name": "O’Brien\u200b\\x"},
        ]
        path = csv_file(tmp_path / "roster.csv", rows_of("CA", *changes))
        with path.open("a") as more:
            more.write('A7,MD,Short\n\nA8,MD,"Open,Magnus,current,,,\n')

        out = take_in("ca", path)

        assert keys() == {("A1", "MD"), ("A4", "MD"), ("A5", "MD"), ("A6", "MD")}
        assert LicenseStatus.objects.get(number_key="A5").expires_on is None
        assert LicenseStatus.objects.get(number_key="A6").last_name == "O’Brien/x"
        reasons = dict(Reject.objects.values_list("line_no", "reason"))
        assert reasons == {
            3: "no license number",
            4: "no license number",
            5: "license number too long",
            6: "no last name",
            7: "degree is neither MD nor DO",
            11: "wrong number of columns",
            13: "a quotation is never closed",
        }
        assert "1 dates unreadable, left blank" in out

    def test_rows_of_another_state_are_rejected(self, tmp_path):
        rows = [{**PLAIN, "state": "ca"}, {**PLAIN, "state": "NV", "number": "A2"}]

        take_in("ca", csv_file(tmp_path / "roster.csv", rows))

        assert keys() == {("A123456", "MD")}
        assert Reject.objects.get().reason == "of another state"

    def test_years_that_no_license_has_are_no_dates(self, tmp_path):
        changes = [
            {"number": "A1", "expires": "01/01/1900"},
            {"number": "A2", "expires": "9999-12-31"},
            {"number": "A3", "expires": "12/31/2099"},
        ]

        take_in("ca", csv_file(tmp_path / "roster.csv", rows_of("CA", *changes)))

        found = dict(LicenseStatus.objects.values_list("number_key", "expires_on"))
        assert found == {"A1": None, "A2": None, "A3": date(2099, 12, 31)}

    def test_a_roster_is_true_on_a_day_of_the_site_and_on_none_to_come(self, tmp_path, monkeypatch):
        evening = datetime(2026, 11, 23, 2, tzinfo=UTC)  # still the 22nd in New York
        monkeypatch.setattr(timezone, "now", lambda: evening)

        take_in("ca", csv_file(tmp_path / "roster.csv", rows_of("CA", {})))

        assert LicenseStatus.objects.get().as_of == date(2026, 11, 22)

    def test_a_file_loaded_for_a_wrong_state_can_be_loaded_for_the_right_one(self, tmp_path):
        path = csv_file(tmp_path / "roster.csv", rows_of("CA", {}))

        take_in("nv", path)
        take_in("ca", path)

        assert set(LicenseStatus.objects.values_list("state", flat=True)) == {"NV", "CA"}
        assert ImportRun.objects.filter(state="loaded").count() == 2
        with pytest.raises(CommandError, match="already loaded"):
            take_in("ca", path)

    def test_windows_files_are_read(self, tmp_path):
        path = tmp_path / "roster.csv"
        path.write_bytes(
            b"\xef\xbb\xbf"
            + csv_text(rows_of("CA", {})).replace("\n", "\r\n").encode()
            + "A9,MD,Müller,Ida,current,,,\r\n".encode("cp1252")
        )

        assert "1 not UTF-8, read as Windows-1252" in take_in("ca", path)
        assert LicenseStatus.objects.get(number_key="A9").last_name == "Müller"

    def test_words_that_no_table_has_are_shown(self, tmp_path):
        out = take_in("ca", csv_file(tmp_path / "roster.csv", rows_of("CA", {"status": "Blue"})))

        assert "status words nobody has explained to us: Blue (1)" in out

    def test_rejects_of_one_state_outlive_the_import_of_another(self, tmp_path):
        take_in("ca", csv_file(tmp_path / "ca.csv", rows_of("CA", {}, {"number": ""})))
        take_in("ny", csv_file(tmp_path / "ny.csv", rows_of("CA", {"number": "317495"}, {"last_name": ""})))

        assert set(Reject.objects.values_list("run__board", "reason")) == {
            ("CA", "no license number"),
            ("NY", "no last name"),
        }


class TestMerging:
    def test_one_row_for_a_license_with_the_discipline_of_all(self, tmp_path):
        cases = [
            {"programAction": "Stipulation", "licenseExpirationDate": "04/30/2026"},
            {"programAction": "Letter of admonition"},
            {"programAction": ""},
            {"licenseNumber": "1", "programAction": "Revocation"},
        ]

        out = take_in("co", csv_file(tmp_path / "roster.csv", rows_of("CO", *cases)))

        row = LicenseStatus.objects.get(number_key="59538", degree="MD")
        assert row.discipline == "Letter of admonition; Stipulation"
        assert row.expires_on == date(2028, 4, 30)
        assert "merged    2 duplicates" in out
        run = ImportRun.objects.get()
        assert (run.rows_read, run.rows_kept, run.rows_merged) == (4, 2, 2)

    def test_spellings_of_one_number_are_one_license(self, tmp_path):
        numbers = [{"license_number": "P6085"}, {"license_number": "p-6085"}]

        take_in("tx", csv_file(tmp_path / "roster.csv", rows_of("TX", *numbers)))

        assert keys() == {("P6085", "MD")}


class TestReplacing:
    def test_one_state_is_replaced_and_no_other(self, tmp_path):
        take_in("tx", csv_file(tmp_path / "tx.csv", rows_of("TX", {})))
        take_in("wa", csv_file(tmp_path / "wa.csv", rows_of("WA", {})))

        take_in("tx", csv_file(tmp_path / "new.csv", rows_of("TX", {"license_number": "Q1"})))

        assert keys("TX") == {("Q1", "MD")}
        assert keys("WA") == {("60123456", "MD")}

    def test_a_file_by_hand_replaces_the_degree_it_speaks_of(self, tmp_path):
        """California numbers MDs and DOs by two boards, each with a file of its own."""
        take_in("ca", csv_file(tmp_path / "md.csv", rows_of("CA", {}, {"number": "A2"})))
        take_in("ca", csv_file(tmp_path / "do.csv", rows_of("CA", {"number": "20A1", "degree": "DO"})))

        assert keys() == {("A123456", "MD"), ("A2", "MD"), ("20A1", "DO")}

    def test_the_same_file_is_refused(self, tmp_path):
        path = csv_file(tmp_path / "tx.csv", rows_of("TX", {}))
        take_in("tx", path)

        with pytest.raises(CommandError, match="already loaded"):
            take_in("tx", path)

        assert ImportRun.objects.count() == 1

    def test_again_it_changes_nothing(self, tmp_path, announced, django_capture_on_commit_callbacks):
        path = csv_file(tmp_path / "tx.csv", rows_of("TX", {}, {"license_number": "Q1"}))
        take_in("tx", path)
        before = content()

        with django_capture_on_commit_callbacks(execute=True):
            take_in("tx", path, again=True)

        assert content() == before
        assert announced == [("loaded", "TX", [])]
        assert list(ImportRun.objects.order_by("pk").values_list("state", "board")) == [
            ("replaced", "TX"),
            ("loaded", "TX"),
        ]

    def test_what_is_new_changed_or_gone_is_announced_after_commit(
        self, tmp_path, announced, django_capture_on_commit_callbacks
    ):
        numbers = [{"license_number": f"Q{number}"} for number in range(1, 40)]
        with django_capture_on_commit_callbacks(execute=True):
            take_in("tx", csv_file(tmp_path / "one.csv", rows_of("TX", *numbers)))
        assert len(announced[0][2]) == 39
        changed = [*numbers[1:38], {**numbers[38], "license_status": "Suspended"}, {"license_number": "R1"}]

        with django_capture_on_commit_callbacks(execute=True):
            take_in("tx", csv_file(tmp_path / "two.csv", rows_of("TX", *changed)))

        assert announced[1] == ("loaded", "TX", [("Q1", "MD"), ("Q39", "MD"), ("R1", "MD")])

    def test_a_listener_that_fails_does_not_undo_the_import(
        self, tmp_path, django_capture_on_commit_callbacks
    ):
        def fail(**kwargs):
            raise RuntimeError("of the listener")

        board_loaded.connect(fail, weak=False)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                take_in("tx", csv_file(tmp_path / "tx.csv", rows_of("TX", {})))
        finally:
            board_loaded.disconnect(fail)

        assert ImportRun.objects.get().state == "loaded"

    def test_far_fewer_licenses_stop_it(self, tmp_path):
        numbers = [{"license_number": f"Q{number}"} for number in range(1, 101)]
        take_in("tx", csv_file(tmp_path / "one.csv", rows_of("TX", *numbers)))
        fewer = csv_file(tmp_path / "two.csv", rows_of("TX", *numbers[:94]))

        with pytest.raises(CommandError, match=r"6\.0 % fewer"):
            take_in("tx", fewer)

        assert len(keys()) == 100
        take_in("tx", fewer, max_drop=10)
        assert len(keys()) == 94

    def test_other_states_do_not_count_for_that(self, tmp_path):
        take_in(
            "wa",
            csv_file(
                tmp_path / "wa.csv", rows_of("WA", *({"CredentialNumber": f"MD{n + 1}"} for n in range(50)))
            ),
        )

        take_in("tx", csv_file(tmp_path / "tx.csv", rows_of("TX", {})))

        assert keys("TX")

    def test_a_dry_run_changes_nothing(self, tmp_path, announced):
        out = take_in("tx", csv_file(tmp_path / "tx.csv", rows_of("TX", {})), dry_run=True)

        assert "1 licenses by their words: 1 in force" in out
        assert not LicenseStatus.objects.exists()
        assert not ImportRun.objects.exists()
        assert announced == []


class TestRefusals:
    def test_a_state_we_do_not_know(self):
        with pytest.raises(CommandError, match="XX is no state"):
            take_in("xx", SAMPLES / "leie_sample.csv")

    def test_a_state_that_is_not_published(self):
        with pytest.raises(CommandError, match="Name a CSV file"):
            call_command("import_board", "ca")

    @pytest.mark.parametrize(
        ("state", "missing"),
        [("ca", "number, degree, last_name, status"), ("tx", "license_number, last_name")],
    )
    def test_a_file_with_other_columns(self, tmp_path, state, missing):
        path = tmp_path / "roster.csv"
        path.write_text("a,b\n1,2\n")

        with pytest.raises(CommandError, match=f"lacks the columns: {missing}"):
            take_in(state, path)

    @pytest.mark.parametrize("state", ["tx", "ca"])
    def test_a_file_without_a_physician(self, tmp_path, state):
        change = {"license_type": "Physician Assistant"} if state == "tx" else {"number": ""}

        with pytest.raises(CommandError, match="no license of a physician"):
            take_in(state, csv_file(tmp_path / "roster.csv", rows_of(state.upper(), change)))

        assert ImportRun.objects.get().state == "failed"

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("[", "ends in the middle"),
            (json.dumps([TX])[:-9], "ends in the middle"),
            ("[1, 2]", "rows are no objects"),
            ("[nonsense]", "ends in the middle"),
            ('{"meta": {}}', "JSON without rows"),
            ('{"data": [[1]]}', "does not say what their columns are"),
            (
                '{"meta": {"view": {"columns": [{"fieldName": "a"}]}}, "data": [[1, 2]]}',
                "does not fit its columns",
            ),
        ],
    )
    def test_json_that_is_no_roster(self, tmp_path, text, why):
        path = tmp_path / "roster.json"
        path.write_text(text)

        with pytest.raises(CommandError, match=why):
            take_in("tx", path)

        assert not LicenseStatus.objects.exists()

    def test_the_plain_columns_do_for_any_state(self, tmp_path):
        take_in("tx", csv_file(tmp_path / "roster.csv", rows_of("CA", {"number": "P1"})))

        assert keys("TX") == {("P1", "MD")}


class TestJson:
    def test_it_is_read_in_small_parts(self, tmp_path, monkeypatch):
        monkeypatch.setattr(files, "BLOCK", 7)
        rows = rows_of(
            "TX", *({"license_number": f"Q{n}", "last_name": 'Ö "x"\n, [y]'} for n in range(1, 20))
        )

        take_in("tx", json_file(tmp_path / "roster.json", rows))

        assert len(keys()) == 19
        assert LicenseStatus.objects.first().last_name == 'Ö "x" , [y]'


class TestTheApi:
    @pytest.fixture
    def socrata(self, settings, monkeypatch):
        with register_server() as server:
            settings.BOARD_URLS = dict.fromkeys(
                ("TX", "CO", "WA", "IL"), f"{server.url}resource/abcd-1234.json"
            )
            monkeypatch.setattr(asking, "PAUSES", (0.0, 0.0))
            monkeypatch.setattr(files, "PAGE", 3)
            yield server

    def pages(self, rows, **answer):
        def page(query):
            offset, limit = int(query["$offset"]), int(query["$limit"])
            return {"body": json.dumps(rows[offset : offset + limit]).encode(), **answer}

        return [page]

    @pytest.mark.parametrize("number", [1, 3, 7])
    def test_it_is_read_page_by_page(self, socrata, number):
        socrata.script = self.pages(rows_of("TX", *({"license_number": f"Q{n + 1}"} for n in range(number))))

        take_in("tx")

        assert len(keys("TX")) == number
        assert [query["$offset"] for query in socrata.asked] == [str(n) for n in range(0, number + 1, 3)]
        assert {query["$order"] for query in socrata.asked} == {":id"}

    def test_no_year_of_birth_is_asked_for(self, socrata):
        for state in ("TX", "WA", "IL"):
            socrata.script = [b"[]"]
            with pytest.raises(CommandError):
                take_in(state)

        assert len(socrata.asked) == 3
        assert all("birth" not in query["$select"] for query in socrata.asked)
        assert "credentialnumber" in socrata.asked[1]["$select"]

    @pytest.mark.parametrize(
        ("state", "wanted"),
        [
            ("CO", "licensetype='DR'"),
            ("WA", "upper(credentialtype) like '%PHYSICIAN AND SURGEON%'"),
            ("IL", "license_type='MEDICAL BOARD'"),
        ],
    )
    def test_only_physicians_are_asked_for(self, socrata, state, wanted):
        rows = rows_of(state, {})
        socrata.script = self.pages([{name.lower(): value for name, value in rows[0].items()}])

        take_in(state)

        assert socrata.asked[0]["$where"] == wanted
        assert keys(state)

    def test_the_day_it_was_true_comes_from_its_header(self, socrata):
        socrata.script = self.pages(
            rows_of("TX", {}), headers={"Last-Modified": "Mon, 02 Mar 2026 08:00:00 GMT"}
        )

        take_in("tx")

        assert LicenseStatus.objects.get().as_of == date(2026, 3, 2)
        assert ImportRun.objects.get().file_date == date(2026, 3, 2)
        assert LicenseStatus.objects.get().source.endswith("/abcd-1234")
        assert len(LicenseStatus.objects.get().source) <= 40

    def test_one_that_changes_meanwhile_is_not_believed(self, socrata):
        rows, days = rows_of("TX", *({"license_number": f"Q{n}"} for n in range(1, 6))), iter((2, 3, 4))

        def page(query):
            offset = int(query["$offset"])
            header = {"Last-Modified": f"Mon, 0{next(days)} Mar 2026 08:00:00 GMT"}
            return {"body": json.dumps(rows[offset : offset + 3]).encode(), "headers": header}

        socrata.script = [page]

        with pytest.raises(CommandError, match="changed while it was read"):
            take_in("tx")
        assert not LicenseStatus.objects.exists()

    def test_a_page_that_fails_is_asked_for_again(self, socrata):
        socrata.script = [{"status": 503}, *self.pages(rows_of("TX", {}))]

        take_in("tx")

        assert keys("TX")

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ({"status": 500}, "cannot be read: status_500"),
            ({"status": 403}, "cannot be read: status_403"),
            (b'{"error": true}', "something other than rows"),
            (b"[1]", "something other than rows"),
            (b"<html>", "cannot be read: no_json"),
        ],
    )
    def test_one_that_fails_leaves_all_as_it_was(self, socrata, tmp_path, answer, why):
        take_in("tx", csv_file(tmp_path / "tx.csv", rows_of("TX", {})))
        socrata.script = [answer]

        with pytest.raises(CommandError, match=why):
            take_in("tx")

        assert keys("TX") == {("P6085", "MD")}

    def test_the_same_rows_again_are_refused(self, socrata):
        socrata.script = self.pages(rows_of("TX", {}))
        take_in("tx")

        with pytest.raises(CommandError, match="already loaded"):
            take_in("tx")

    def test_a_token_is_sent_where_there_is_one(self, socrata, settings, monkeypatch):
        sent = []
        real = asking.ask
        monkeypatch.setattr(
            asking,
            "ask",
            lambda *args, headers, **how: (sent.append(headers), real(*args, headers=headers, **how))[1],
        )
        settings.SOCRATA_APP_TOKEN = "of-a-test"
        socrata.script = self.pages(rows_of("TX", {}))

        take_in("tx")

        assert sent == [{"X-App-Token": "of-a-test"}]


@pytest.mark.django_db(transaction=True)
class TestTheCourse:
    def running(self, path):
        """An import that has read the head of a pipe and waits for the rest."""
        process = start("import_board", "tx", "-", stdin=subprocess.PIPE)
        process.stdin.write(path.read_text())
        process.stdin.flush()
        until = time.monotonic() + 30
        while not ImportRun.objects.filter(state="running").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(0.3)
        return process

    def test_killed_it_leaves_the_live_rows(self, tmp_path):
        take_in("tx", csv_file(tmp_path / "tx.csv", rows_of("TX", {})))
        process = self.running(big_texas(tmp_path / "big.csv", 2000))

        process.kill()
        process.wait()

        assert keys() == {("P6085", "MD")}
        deadline = time.monotonic() + 10
        while True:
            try:
                take_in("tx", csv_file(tmp_path / "two.csv", rows_of("TX", {"license_number": "Q1"})))
                break
            except CommandError:  # the killed session still holds its lock
                assert time.monotonic() < deadline
        assert sorted(ImportRun.objects.values_list("state", flat=True)) == ["killed", "loaded", "loaded"]

    def test_stopped_by_hand_it_says_so(self, tmp_path):
        process = self.running(big_texas(tmp_path / "big.csv", 2000))

        process.send_signal(signal.SIGINT)
        said = process.communicate()[0]

        assert process.returncode == 130, said
        assert "live registry is unchanged" in said
        assert ImportRun.objects.get().state == "stopped"
        assert not LicenseStatus.objects.exists()

    def test_two_at_once_are_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr("verification.imports.frame.LOCK_PATIENCE", 0.2)
        process = self.running(big_texas(tmp_path / "big.csv", 10))
        try:
            with pytest.raises(CommandError, match="Another import of a state's roster is running"):
                take_in("wa", csv_file(tmp_path / "wa.csv", rows_of("WA", {})))
        finally:
            process.communicate()

        assert len(keys("TX")) == 10

    def test_after_it_nothing_is_left_beside_the_live_table(self, tmp_path):
        take_in("tx", csv_file(tmp_path / "tx.csv", rows_of("TX", {})))

        with connection.cursor() as cursor:
            cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'verification_licensestatus%'")
            names = {name for (name,) in cursor.fetchall()}
        assert not [name for name in names if "_new" in name or "_old" in name]

    def test_twenty_thousand_rows_take_seconds(self, tmp_path):
        path = big_texas(tmp_path / "big.csv", 20_000)
        started = time.monotonic()

        take_in("tx", path)

        assert LicenseStatus.objects.count() == 20_000
        assert time.monotonic() - started < 20  # a fifth of it alone; others use the machine too


def test_a_temporary_table_is_never_swapped_in():
    with pytest.raises(TypeError):
        TemporaryTable(LicenseStatus).finish()


def test_staff_find_the_run_by_its_state(client, tmp_path):
    from allauth.mfa.models import Authenticator

    user = make_user(is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    take_in("tx", csv_file(tmp_path / "tx.csv", rows_of("TX", {})))
    client.force_login(user)

    assert ">TX<" in client.get("/admin/verification/importrun/").content.decode()
