"""Search over all that members write: the words and operators typed, what matches inside the gate, how it is shown."""
