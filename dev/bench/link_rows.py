"""The tables of lines with relays. They have no goals."""

import reason
from sizes import RATES, ROUND_TRIPS
from table import Row, cell, plain, table


def link(results):
    rows = [
        Row(
            "link-latency",
            "latency of one record, idle, p50, ms",
            ("relay", "none"),
            (),
            1,
            reason.word("one more hop each way"),
        ),
        *(
            Row(
                f"link-mirrored-{size}",
                f"mirrored, {size:,} B, one partition, records/s",
                ("relay", "none"),
                (),
                0,
                reason.word("the cores: the relay needs some of them"),
            )
            for size in (100, 1000)
        ),
        Row(
            "link-memory",
            "memory of the relay after that, without page cache, MiB",
            ("relay",),
            (),
            0,
            reason.word("what was on its way"),
        ),
    ]
    asked = [
        *((f"round trip {rtt} ms", f"link-rtt-{rtt}", "ms", 1) for rtt in ROUND_TRIPS),
        *((f"rate {rate} mbit/s, at 40 ms", f"link-rate-{rate}", "mbit/s", 1) for rate in RATES),
    ]
    truth = plain(
        ["asked for", "measured", ""],
        [[what, cell(results, row, "measured", decimals), unit] for what, row, unit, decimals in asked],
    )
    return "\n\n".join(
        [
            "What a relay that delays nothing (`--link rtt=0ms`) costs, beside the same lab without one:",
            table(results, ["measured", "with a relay", "without"], rows),
            "What `kmk link set` was asked for, and what `kmk link show --load` measures, while 1,000 records of 1,000 B a"
            " second cross the line:",
            truth,
        ]
    )
