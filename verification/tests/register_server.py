"""Registers of others on this machine: the NPPES API and Socrata, with invented records in the documented shapes."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


def nppes_result(npi, **changes):
    """One entry of an answer of the NPPES API, version 2.1. `changes` replace whole parts."""
    return {
        "created_epoch": "1339718400000",
        "enumeration_type": "NPI-1",
        "last_updated_epoch": "1744761600000",
        "number": npi,
        "addresses": [
            {
                "country_code": "US",
                "country_name": "United States",
                "address_purpose": "MAILING",
                "address_type": "DOM",
                "address_1": "PO BOX 1",
                "city": "LANSING",
                "state": "MI",
                "postal_code": "489370001",
                "telephone_number": "517-555-0199",
            },
            {
                "country_code": "US",
                "country_name": "United States",
                "address_purpose": "LOCATION",
                "address_type": "DOM",
                "address_1": "1 INVENTED WAY",
                "city": "LANSING",
                "state": "MI",
                "postal_code": "489370001",
                "telephone_number": "517-555-0100",
                "fax_number": "517-555-0101",
            },
        ],
        "practiceLocations": [],
        "basic": {
            "first_name": "OTTOLINE",
            "last_name": "QUILLFEATHER",
            "middle_name": "J",
            "credential": "M.D.",
            "sole_proprietor": "NO",
            "sex": "F",
            "enumeration_date": "2012-06-15",
            "last_updated": "2025-04-16",
            "status": "A",
            "name_prefix": "--",
            "name_suffix": "--",
        },
        "taxonomies": [
            {
                "code": "207RC0000X",
                "taxonomy_group": "",
                "desc": "Internal Medicine, Cardiovascular Disease",
                "state": "MI",
                "license": "4301977598",
                "primary": True,
            },
            {
                "code": "207R00000X",
                "taxonomy_group": "",
                "desc": "Internal Medicine",
                "state": None,
                "license": None,
                "primary": False,
            },
        ],
        "identifiers": [],
        "endpoints": [],
        "other_names": [],
        **changes,
    }


def nppes_endpoint(address):
    """One entry of the `endpoints` of a record."""
    return {
        "endpointType": "OTHERS",
        "endpointTypeDescription": "Other URL",
        "endpoint": address,
        "affiliation": "N",
        "useDescription": "",
        "contentTypeDescription": "",
        "country_code": "US",
        "country_name": "United States",
        "address_type": "DOM",
        "address_1": "1 INVENTED WAY",
        "city": "LANSING",
        "state": "MI",
        "postal_code": "489370001",
    }


def nppes(*results):
    """A whole answer."""
    return json.dumps({"result_count": len(results), "results": list(results)}).encode()


def nppes_errors(*more):
    """How the API refuses a question: with status 200."""
    said = {"description": "No valid search criteria", "field": "version", "number": "04"}
    return json.dumps({"Errors": [*more, said]}).encode()


def deactivation(npi):
    """The error about an NPI that is no longer in service."""
    return {
        "description": f"CMS deactivated NPI {npi}. The provider can no longer use this NPI. Our public registry"
        " does not display provider information about NPIs that are not in service.",
        "field": "number",
        "number": "15",
    }


def nppes_deactivated(npi):
    return json.dumps({"Errors": [deactivation(npi)]}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        query = {name: each[0] for name, each in parse_qs(urlsplit(self.path).query).items()}
        self.server.asked.append(query)
        self.close_connection = True
        script = self.server.script
        answer = script.pop(0) if len(script) > 1 else script[0] if script else {"status": 404}
        answer = answer(query) if callable(answer) else answer
        answer = {"body": answer} if isinstance(answer, bytes) else answer
        try:
            self._answer(**answer)
        except OSError:
            return

    def _answer(self, status=200, body=b"", headers=None, length=None, every=0.0, wait=0.0):
        """`length` is what the header says; `every` a pause after each byte; `wait` one before the first."""
        if wait and self.server.ends.wait(wait):
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if not every:
            self.wfile.write(body)
            return
        for place in range(len(body)):
            self.wfile.write(body[place : place + 1])
            if self.server.ends.wait(every):
                return

    def log_message(self, *arguments):
        return


@contextmanager
def register_server():
    """A server with a `script`: the answers in their order, the last one for ever; and with what was `asked` of it.

    An answer is a body, a dict for `_answer`, or a function that makes one of the query.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.script, server.asked, server.ends = [], [], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_address[1]}/"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.ends.set()
        server.shutdown()
        server.server_close()
