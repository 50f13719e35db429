import pytest

from focusgroups import signals

FACTS = (
    signals.section_completed,
    signals.screened_out,
    signals.room_closed,
    signals.room_canceled,
    signals.money_promised,
)


@pytest.fixture
def heard_alone(monkeypatch):
    """Nobody hears what this app announces, but for receivers that a test connects: apps above have theirs."""
    for fact in FACTS:
        monkeypatch.setattr(fact, "receivers", [])


@pytest.fixture
def announced(heard_alone):
    """What is announced from here on: each fact's name, and the number of its row."""
    heard = []
    for name, row in [
        ("section_completed", "completion"),
        ("room_closed", "room"),
        ("room_canceled", "room"),
        ("money_promised", "room"),
    ]:

        def receive(sender, name=name, row=row, **facts):
            heard.append((name, facts[row].pk))

        getattr(signals, name).connect(receive, weak=False)
    return heard


@pytest.fixture
def private_files(settings, tmp_path):
    """Files of tests go into a folder of their own."""
    private = {**settings.STORAGES["private"], "OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = {**settings.STORAGES, "private": private}
    return tmp_path
