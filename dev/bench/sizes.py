"""How much is measured: all of it, or the smallest form, which only shows that the bench works. Knows no stacks."""

from dataclasses import dataclass

ROUND_TRIPS = (10, 40, 100, 250)  # ms
RATES = (10, 100)  # mbit/s
PARTITIONS = (1, 6)  # of the topics that throughput is measured with


@dataclass(frozen=True)
class Sizes:
    rounds: int = 5
    # bytes of a record -> records
    client_records: tuple = ((100, 1_000_000), (1000, 200_000))
    # the hand-written stack is judged by what it copies in WINDOW
    mirrored_by_kmk: tuple = ((100, 1_000_000), (1000, 200_000))
    mirrored_by_hand: tuple = ((100, 300_000), (1000, 60_000))
    warm_up: int = 200_000  # records of 100 B before them, not counted
    window: float = 15.0  # seconds of mirroring that are looked at
    gigabyte: int = 1_000_000  # records of 1,000 B until memory is looked at again
    idle: float = 30.0  # seconds in which idle CPU is counted
    rest: float = 60.0  # seconds that both stacks are left alone before that
    settled: float = 20.0  # seconds that a lab is left alone before anything else
    latency_idle: tuple = (200, 20)  # records, and how many a second
    latency_busy: tuple = (10_000, 1000)
    new_topics: int = 20
    new_topic_by_hand: int = 700  # seconds it may take; it looks every 600. 0: is not waited for
    runs: int = 20  # of a command that takes milliseconds
    ledger_records: int = 1_000_000
    ledger_many: tuple = (1_000_000, 10_000_000)
    clusters: tuple = (2, 4, 8)
    topics: tuple = (1, 100, 1000)
    link: bool = True
    records: tuple = (1_000_000, 10_000_000, 100_000_000)


FULL = Sizes()

SMALLEST = Sizes(
    rounds=1,
    client_records=((100, 20_000), (1000, 5_000)),
    mirrored_by_kmk=((100, 20_000), (1000, 5_000)),
    mirrored_by_hand=((100, 20_000), (1000, 5_000)),
    warm_up=1000,
    window=5.0,
    gigabyte=10_000,
    idle=2.0,
    rest=0.0,
    settled=0.0,
    latency_idle=(20, 20),
    latency_busy=(500, 1000),
    new_topics=1,
    new_topic_by_hand=0,
    runs=2,
    ledger_records=10_000,
    ledger_many=(10_000,),
    clusters=(2,),
    topics=(1, 10),
    link=False,
    records=(10_000, 100_000),
)
