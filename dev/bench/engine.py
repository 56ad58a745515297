"""The Docker engine, asked through its API: what containers use, without a process for each question. Knows no Kafka."""

import http.client
import json
import os
import socket
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import cgroup
from cgroup import MIB, Usage
from process import output
from results import NotMeasured


class Engine:
    def __init__(self):
        host = os.environ.get("DOCKER_HOST") or output(
            "docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"
        )
        self.address = urllib.parse.urlparse(host)
        if self.address.scheme not in ("unix", "tcp", "http"):
            raise NotMeasured(f"the bench does not know how to ask an engine at {host}")
        self.info = self.get("/info")

    def containers(self, project, service=None, status=None):
        """Those that run or are paused; only the ones in a state, such as "paused", where it is given."""
        labels = [f"com.docker.compose.project={project}"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        filters = {"label": labels, **({"status": [status]} if status else {})}
        query = urllib.parse.quote(json.dumps(filters))
        return [container["Id"] for container in self.get(f"/containers/json?filters={query}")]

    def usage(self, project, service=None):
        """Of all these containers together."""
        containers = self.containers(project, service)
        if not containers:
            return Usage()
        with ThreadPoolExecutor(len(containers)) as pool:
            return sum(pool.map(self.usage_of, containers), Usage())

    def usage_of(self, container):
        process = self.get(f"/containers/{container}/json")["State"]["Pid"]
        return cgroup.usage(container, process) or self.told_usage(container)

    def told_usage(self, container):
        """As the engine tells it, which takes up to a second."""
        stats = self.get(f"/containers/{container}/stats?stream=0&one-shot=1")
        memory = stats["memory_stats"].get("stats", {})
        # cgroup v1, and v2
        inactive = memory.get("total_inactive_file", memory.get("inactive_file", 0))
        used = stats["memory_stats"].get("usage", 0) - inactive
        own = memory.get("total_rss", memory.get("anon", 0))
        return Usage(stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, used / MIB, own / MIB)

    def pause(self, container):
        self.ask("POST", f"/containers/{container}/pause")

    def unpause(self, container):
        self.ask("POST", f"/containers/{container}/unpause")

    def get(self, path):
        return json.loads(self.ask("GET", path))

    def ask(self, verb, path):
        try:
            with closing(self.connect()) as connection:
                connection.request(verb, path)
                answer = connection.getresponse()
                body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise NotMeasured(f"the Docker engine does not answer: {error!r}") from error
        if answer.status >= 400:
            raise NotMeasured(f"the Docker engine: {body.decode(errors='replace').strip()}")
        return body

    def connect(self):
        if self.address.scheme != "unix":
            return http.client.HTTPConnection(self.address.hostname, self.address.port or 2375, timeout=60)
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60)
        connection.sock.connect(self.address.path)
        return connection
