"""A real PostgreSQL server of the tests' own, where its programs are installed."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa


def _programs() -> Path:
    on_path = shutil.which("pg_ctl")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = Path(on_path).parent if on_path else next((one for one in folders if (one / "pg_ctl").exists()), None)
    if found is None:
        pytest.skip("no PostgreSQL server on this machine")
    return found


@contextmanager
def server() -> Iterator[str]:
    """Run a server in a folder of its own and yield the URL of its empty database, without a driver's name."""
    # Not below pytest's folder: that one belongs to us alone, and PostgreSQL refuses to run as root.
    with tempfile.TemporaryDirectory(prefix="daiyu-postgresql-") as folder:
        yield from _serve(_programs(), Path(folder))


def fresh_database(url: str, name: str, *, template: str = "template0") -> str:
    """Make a database anew on the server of that URL, as a copy of another one, and return its URL."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    engine.dispose()
    return f"{url.rpartition('/')[0]}/{name}"


def _serve(programs: Path, folder: Path) -> Iterator[str]:
    as_postgres = ["runuser", "-u", "postgres", "--"] if getpass.getuser() == "root" else []
    if as_postgres:
        shutil.chown(folder, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"

    def run(*argv: str | Path) -> None:
        done = subprocess.run([*as_postgres, *map(str, argv)], capture_output=True, cwd=folder, check=False)
        assert done.returncode == 0, done.stderr.decode()

    run(programs / "initdb", "-D", data, "-U", "tests", "--auth=trust", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run(programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield f"://tests@127.0.0.1:{port}/postgres"
    finally:
        run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
