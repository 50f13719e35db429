"""The record of incidents, with its clock, and the retention table."""
