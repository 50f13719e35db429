"""A parser that fails, for the tests of the parsing process, which loads no Django."""

import os

from verification.imports.parsing import Parser


class FailingParser(Parser):
    """Raises an error, or ends its process, at the first record."""

    def __init__(self, how):
        self.how = how

    def row(self, number, record, quotes):
        if self.how == "error":
            raise ValueError("no such row")
        os._exit(1)
