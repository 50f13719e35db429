"""What focus groups forget."""

from focusgroups.services import stimuli
from sermo.retention import register

register(
    "focusgroups.files",
    what="Files that belong to no stimulus",
    kept="1 day",
    why="Left by uploads that were cut off.",
    enforce=stimuli.sweep_files,
    left=lambda at: len(stimuli.stray_files()),
)
