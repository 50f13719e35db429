class Trouble(Exception):
    """Why the site cannot start: one line, written for the person who typed the command."""
