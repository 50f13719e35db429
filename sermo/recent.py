"""What a process keeps for a while, within bounds."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Any


class Recent:
    """A few values by key, the ones used last."""

    def __init__(self, most: int):
        self.most, self.values, self.lock = most, OrderedDict(), Lock()

    def get(self, key: Hashable) -> Any | None:
        with self.lock:
            if key not in self.values:
                return None
            self.values.move_to_end(key)
            return self.values[key]

    def put(self, key: Hashable, value: Any) -> None:
        with self.lock:
            self.values[key] = value
            self.values.move_to_end(key)
            if len(self.values) > self.most:
                self.values.popitem(last=False)

    def clear(self) -> None:
        with self.lock:
            self.values.clear()
