"""Breaking the glass: asking for a name, granting it, reading it."""
