"""What a row runs into in the end, and how far from it kmk is: a function of the results for each. Knows no tables."""


def word(words):
    return lambda results: words


def start(way, row="first", side=None):
    """Start-up is bound by the cores: what they were busy for, shared by all of them."""

    def words(results):
        cpu, took, cores = results.median("cpu", way), results.median(row, side or way), results.facts["cores"]
        if not cpu:
            return "the cores: three JVMs have to start"
        least = cpu / cores
        return f"the cores: {cpu:.1f} CPU seconds take {least:.1f} s on {cores}; {took / least:.1f} times that"

    return words


def java(way):
    """Three JVMs have to start; the image's own broker is one that does nothing else."""

    def words(results):
        one, cpu = results.median("limit-broker", "cpu"), results.median("cpu", way)
        said = "the start of three JVMs"
        return f"{said}: the image's broker alone takes {one:.1f}; {cpu / one:.1f} times that" if one else said

    return words


def pickup(row, late, how):
    """MirrorMaker finds a new topic when it looks next."""

    def words(results):
        above = results.median(row, "kmk") - late
        return f"MirrorMaker looks for topics once a second, {late:g} s late {how}; {above:.1f} s more than that"

    return words


def hop(row, what):
    """A record goes into a broker and out of it twice, with MirrorMaker between."""

    def words(results):
        one, mine = results.median("limit-hop", what), results.median(row, "kmk")
        return f"two hops of {one:.1f} ms each; {mine / one / 2:.1f} times that" if one else "two hops"

    return words


def mirrored(size, partitions):
    """MirrorMaker reads, decodes and writes a topic's partitions in one task: one thread, one core."""

    def words(results):
        row, cores = f"mirrored-{size}-{partitions}", results.facts["cores"]
        mirror, every = results.median(f"{row}-mirror-cores", "kmk"), results.median(f"{row}-cores", "kmk")
        if not mirror:
            return ""
        return f"the cores: all containers keep {every:.1f} of {cores} busy ({every / cores:.0%}), MirrorMaker {mirror:.1f}"

    return words


def client(row, size, has_file):
    """Broker and client share the cores; the disk's cache, or the loopback where there is no file, could carry more."""

    def words(results):
        cores = results.facts["cores"]
        mine, broker = results.median(f"{row}-cores", "kmk"), results.median(f"{row}-cores", "broker")
        if not mine:
            return ""
        said = f"the cores: broker {broker:.1f} and `kmk` {mine:.1f} of {cores} busy ({(broker + mine) / cores:.0%})"
        at = ("limit-disk", "cache") if has_file else ("limit-loopback", "tcp")
        most, megabytes = results.median(*at), results.median(row, "kmk") * size / 1e6
        where = "to copy the file" if has_file else "over the loopback"
        return said + (f"; {megabytes:,.0f} of {most:,.0f} MB/s {where}" if most else "")

    return words


def ledger_memory(results):
    """What more records cost: the most of them that were measured against the least."""
    found = {count: results.median(f"ledger-memory-{count}", "verify") for count in results.facts["ledger_many"]}
    counts = [count for count, memory in found.items() if memory is not None]
    if len(counts) < 2:
        return "measured for one count only: its growth is not known"
    least, most = counts[0], counts[-1]
    return f"{most / least:,.0f} times the records take {found[most] / found[least]:.2f} times the memory"


def processes(row, count, unit):
    """Units a second: 1000 where the row has milliseconds."""

    def words(results):
        least = results.median("process", "true")
        if not least:
            return ""
        least *= count / 1000 * unit
        what = "a process" if count == 1 else f"{count} processes"
        return (
            f"{what} that do{'es' if count == 1 else ''} nothing; {results.median(row, 'kmk') / least:.0f} times that"
        )

    return words


def status(results):
    docker, mine = results.median("process", "docker"), results.median("status", "kmk")
    return (
        f"one call of `docker` ({docker:.0f} ms) and one record through the flow; {mine / docker:.1f} times the call"
        if docker
        else ""
    )
