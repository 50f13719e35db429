"""Why an import does not start or does not take effect."""

from sermo.errors import RuleBroken


class ImportRefused(RuleBroken):
    """The import did not happen and the live registry is unchanged; the message is one clear line."""


class ImportStopped(RuleBroken):
    """Stopped by hand."""

    message = "Stopped. The live registry is unchanged."
