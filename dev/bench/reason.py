"""What a row runs into in the end, and how far from it kmk is: a function of the results for each. Knows no tables."""


def word(words):
    return lambda results: words


def start(way):
    """Start-up is bound by the cores: what they were busy for, shared by all of them."""

    def words(results):
        cpu, first = results.median("cpu", way), results.median("first", way)
        least = cpu / results.facts["cores"]
        return f"the cores: {cpu:.1f} CPU seconds take {least:.1f} s on {results.facts['cores']}; {least / first:.0%} of the time"

    return words


def java(results):
    one = results.median("limit-broker", "cpu")
    return f"the start of JVMs: the image's broker alone takes {one:.1f} CPU seconds" if one else "the start of JVMs"


def pickup(results):
    return "MirrorMaker looks once a second: 0.5 s on average, 1 s at most, before it does anything"


def hop(what):
    def words(results):
        one = results.median("limit-hop", what)
        return f"two hops of {one:.1f} ms each, measured" if one else "two hops"

    return words


def mirrored(size, partitions):
    """MirrorMaker reads, decodes and writes a topic's partitions in one task: one thread, one core."""

    def words(results):
        row = f"mirrored-{size}-{partitions}"
        mirror, every = results.median(f"{row}-mirror-cores", "kmk"), results.median(f"{row}-cores", "kmk")
        if not mirror:
            return ""
        return f"the cores: MirrorMaker keeps {mirror:.1f} busy, all containers {every:.1f} of {results.facts['cores']}"

    return words


def client(verb, size, partitions):
    """On a machine of few cores, broker and client share them; the loopback and the disk's cache could carry more."""

    def words(results):
        row = f"{verb}-{size}-{partitions}"
        rate, mine, broker = results.median(row, "wire"), results.median(f"{row}-cores", "kmk"), results.median(f"{row}-cores", "broker")
        if not mine:
            return ""
        said = f"the cores: broker {broker:.1f} and `kmk` {mine:.1f} of {results.facts['cores']} busy"
        kind = "loopback" if verb == "consume-null" else "disk"
        most = results.median(*(("limit-loopback", "tcp") if kind == "loopback" else ("limit-disk", "cache")))
        return said + (f"; {rate * size / 1e6:,.0f} of {most:,.0f} MB/s of the {kind}" if most else "")

    return words


def processes(count):
    def words(results):
        least = results.median("process", "true")
        return f"{'a process' if count == 1 else f'{count} processes'}: {count * least:.1f} ms" if least else ""

    return words


def status(results):
    docker = results.median("process", "docker")
    return f"one call of `docker` ({docker:.0f} ms), and a record's way through MirrorMaker" if docker else ""
