"""What this machine can do at best, without kmk: the physical limits that the rows run into."""

import os
import socket
import subprocess
import threading
import time

from process import beside, output, run
from results import NotMeasured

BLOCK = 1 << 16
BYTES = 1 << 30  # through the loopback
STARTED = "Kafka Server started"
NAME = "kmk-bench-broker"
PATIENCE = 60  # seconds until it must be started


def measure(bench):
    disk(bench)
    loopback(bench)
    broker(bench)


def broker(bench):
    """The image as it is, alone: one broker with nothing in it, from `docker run` until it says that it is started."""
    began = time.monotonic()
    identity = output("docker", "run", "-d", "--name", NAME, os.environ["KAFKA_IMAGE"])
    try:
        with beside("docker", "logs", "-f", NAME, stdout=subprocess.PIPE, text=True) as log:
            patience = threading.Timer(PATIENCE, log.kill)
            patience.start()
            try:
                is_started = any(STARTED in line for line in log.stdout)
                took = time.monotonic() - began
            finally:
                patience.cancel()
            log.kill()
        if not is_started:
            raise NotMeasured(f"the image's broker did not start within {PATIENCE} s")
        cpu = bench.engine.usage_of(identity).cpu
        bench.add("limit-broker", "seconds", took)
        bench.add("limit-broker", "cpu", cpu)
    finally:
        remove()


def remove():
    """With the volumes that the image asks for; whether or not it is there."""
    subprocess.run(["docker", "rm", "-f", "-v", NAME], capture_output=True, check=False)


def disk(bench):
    """The clients' own records, copied into another file: a broker writes them once too, and leaves the rest to the kernel."""
    size, count = bench.sizes.client_records[0]
    file = bench.records(size, count)
    with open(file + ".copy", "wb") as out:
        took = run("cat", file, into=out).seconds
        began = time.monotonic()
        os.fsync(out.fileno())
        took_all = took + time.monotonic() - began
    bench.add("limit-disk", "cache", os.path.getsize(file) / took / 1e6)
    bench.add("limit-disk", "disk", os.path.getsize(file) / took_all / 1e6)
    os.remove(file + ".copy")


def loopback(bench):
    """Bytes from one thread to another over TCP."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = threading.Thread(target=send, args=(server.getsockname(),))
        began = time.monotonic()
        sender.start()
        receiver, _ = server.accept()
        with receiver:
            buffer = bytearray(BLOCK * 4)
            while receiver.recv_into(buffer):
                pass
        sender.join()
    bench.add("limit-loopback", "tcp", BYTES / (time.monotonic() - began) / 1e6)


def send(address):
    block = bytes(BLOCK)
    with socket.create_connection(address) as sender:
        for _ in range(BYTES // BLOCK):
            sender.sendall(block)


def facts(bench):
    """The machine as the engine sees it, where the work is done; and the versions."""
    info = bench.engine.info
    kcat = next((line for line in output("kcat", "-V").splitlines() if line.startswith("Version")), "")
    image = os.environ["KAFKA_IMAGE"]
    return {
        "cores": info["NCPU"],
        "machine": f"{info['NCPU']} cores, {round(info['MemTotal'] / 2**30)} GiB, {info['OperatingSystem']}, {processor()}",
        "versions": f"{output(bench.program, '--version')}, Kafka {image.rpartition(':')[2]} (`{image}`), "
        f"kcat {kcat.split()[1] if kcat else '?'}, Docker {info['ServerVersion']}, "
        f"compose {output('docker', 'compose', 'version', '--short')}",
        "date": time.strftime("%Y-%m-%d"),
        "rest": bench.sizes.rest,
        "idle": bench.sizes.idle,
        "window": bench.sizes.window,
        "client_records": bench.sizes.client_records,
        "clusters": bench.sizes.clusters,
        "topics": bench.sizes.topics,
        "records": bench.sizes.records,
        "ledger_many": bench.sizes.ledger_many,
    }


def processor():
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return "of an unknown make"
