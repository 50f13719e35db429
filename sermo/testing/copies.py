"""Expressions copied at once: Django copies every part of every query, some thousands of them for a page.

It does so by way of `copy.copy`, which asks each how it would be pickled and then makes it anew as if it were, which
takes a tenth of the time of a test of pages. What is copied stays the same.
"""

from contextlib import contextmanager

from django.db.models.expressions import BaseExpression, F


def copy_of_expression(self):
    new = object.__new__(self.__class__)
    new.__dict__ = self.__getstate__()
    return new


def copy_of_name(self):
    new = object.__new__(self.__class__)
    new.__dict__.update(self.__dict__)
    return new


@contextmanager
def quick_copies():
    """For all queries built from here on."""
    ways = BaseExpression.copy, F.copy
    BaseExpression.copy, F.copy = copy_of_expression, copy_of_name
    try:
        yield
    finally:
        BaseExpression.copy, F.copy = ways
