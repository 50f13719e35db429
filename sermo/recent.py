"""What a process keeps for a while, within bounds."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any


class Recent:
    """Values by key, the ones used last; `most` of them, or as many as together weigh no more."""

    def __init__(self, most: int, weigh: Callable[[Any], int] = lambda value: 1):
        self.most, self.weigh = most, weigh
        self.values, self.weight, self.lock = OrderedDict(), 0, Lock()

    def get(self, key: Hashable) -> Any | None:
        with self.lock:
            if key not in self.values:
                return None
            self.values.move_to_end(key)
            return self.values[key]

    def put(self, key: Hashable, value: Any) -> None:
        with self.lock:
            if key in self.values:
                self.weight -= self.weigh(self.values.pop(key))
            self.values[key] = value
            self.weight += self.weigh(value)
            while self.weight > self.most:
                self.weight -= self.weigh(self.values.popitem(last=False)[1])

    def clear(self) -> None:
        with self.lock:
            self.values.clear()
            self.weight = 0
