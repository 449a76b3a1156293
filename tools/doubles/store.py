"""JSON objects by kind and id, in SQLite: in memory, or in a file that survives a restart and a kill."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_TABLE = """CREATE TABLE IF NOT EXISTS objects (
    position INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, id TEXT, body TEXT, UNIQUE (kind, id))"""


class Store:
    """One writer at a time: whatever happens inside `transaction` happens whole or not at all."""

    def __init__(self, path: Path | None = None) -> None:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(_TABLE)
        self._depth = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keeps other threads out; an exception that leaves the outermost one undoes everything."""
        with self._lock:
            if self._depth == 0:
                self._database.execute("BEGIN")
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._database.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._database.execute("COMMIT")
            finally:
                self._depth -= 1

    def get(self, kind: str, identifier: str) -> Json | None:
        """The object, or None. It is the caller's own copy."""
        with self._lock:
            row = self._database.execute(
                "SELECT body FROM objects WHERE kind = ? AND id = ?", (kind, identifier)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, identifier: str, body: Json) -> None:
        """Adds the object, or replaces it where it stands."""
        with self._lock:
            self._database.execute(
                "INSERT INTO objects (kind, id, body) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                (kind, identifier, json.dumps(body)),
            )

    def delete(self, kind: str, identifier: str) -> None:
        """Forgets the object; one that is not there stays so."""
        with self._lock:
            self._database.execute("DELETE FROM objects WHERE kind = ? AND id = ?", (kind, identifier))

    def all(self, kind: str) -> list[Json]:
        """The objects of the kind, the oldest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT body FROM objects WHERE kind = ? ORDER BY position", (kind,)
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def clear(self, kind: str) -> None:
        """Forgets everything of the kind."""
        with self._lock:
            self._database.execute("DELETE FROM objects WHERE kind = ?", (kind,))

    def close(self) -> None:
        """Leaves a whole file behind."""
        with self._lock:
            self._database.close()
