"""Licenses to look up: what members confirmed and a lot or a report has drawn."""
