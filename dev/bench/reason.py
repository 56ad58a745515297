"""What a row runs into in the end, and how far from it kmk is: a function of the results for each. Knows no tables."""


def word(words):
    return lambda results: words


def start(way):
    """Start-up is bound by the cores: what they were busy for, shared by all of them."""

    def words(results):
        cpu, first, cores = results.median("cpu", way), results.median("first", way), results.facts["cores"]
        least = cpu / cores
        return f"the cores: {cpu:.1f} CPU seconds take {least:.1f} s on {cores}; {first / least:.1f} times that"

    return words


def java(way):
    """Three JVMs have to start; the image's own broker is one that does nothing else."""

    def words(results):
        one, cpu = results.median("limit-broker", "cpu"), results.median("cpu", way)
        said = "the start of three JVMs"
        return f"{said}: the image's broker, alone, takes {one:.1f}; {cpu / one:.1f} times that" if one else said

    return words


def pickup(results):
    above = results.median("pickup", "kmk") - 0.5
    return f"MirrorMaker looks once a second, 0.5 s late on average; {above:.1f} s above that"


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


def client(verb, size, partitions):
    """Broker and client share the cores; the loopback, or the disk's cache, could carry more."""

    def words(results):
        row, cores = f"{verb}-{size}-{partitions}", results.facts["cores"]
        mine, broker = results.median(f"{row}-cores", "kmk"), results.median(f"{row}-cores", "broker")
        if not mine:
            return ""
        said = f"the cores: broker {broker:.1f} and `kmk` {mine:.1f} of {cores} busy ({(broker + mine) / cores:.0%})"
        at = ("limit-loopback", "tcp") if verb == "consume-null" else ("limit-disk", "cache")
        most, megabytes = results.median(*at), results.median(row, "wire") * size / 1e6
        where = "over the loopback" if verb == "consume-null" else "to copy the file"
        return said + (f"; {megabytes:,.0f} of {most:,.0f} MB/s {where}" if most else "")

    return words


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
        f"one call of `docker` ({docker:.0f} ms), and a record's way; {mine / docker:.1f} times the call"
        if docker
        else ""
    )
