from functools import partial

from verification.imports.boards import BoardImporter
from verification.imports.command import ImportCommand


class Command(ImportCommand):
    help = (
        "Load a state board's roster: whose license is in force, and until when. TX, CO, WA and IL are fetched from"
        " their open data unless a file of it is named; any other state takes a CSV with the columns number, degree"
        " (MD or DO), last_name, status, and as far as known first_name, issued, expires, discipline, as_of, state."
    )

    def add_file(self, parser):
        parser.add_argument("board", metavar="STATE", help="two letters, such as tx")
        parser.add_argument(
            "file",
            metavar="FILE",
            nargs="?",
            help="FILE.csv, FILE.json, FILE.zip, or - for standard input; without it the state is asked",
        )

    def handle(self, *, board, **options):
        self.importer = partial(BoardImporter, board.upper())
        super().handle(**options)
