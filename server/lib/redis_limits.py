"""Rate limits that several processes share: counts in Redis."""

import threading
import time
from typing import Any

from limits.storage import RedisStorage
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from server.lib.logs import log
from server.lib.rate_limits import Memory, SlidingOnly

# Seconds that Redis may take, and seconds for which it is left alone when it took longer.
PATIENCE = 0.1
PAUSE = 5.0


class Shared(SlidingOnly):
    """Counts in Redis, and for some seconds in this process when Redis does not answer: no request waits for it."""

    STORAGE_SCHEME = ["handraiser-redis"]  # noqa: RUF012

    def __init__(
        self, uri: str | None = None, wrap_exceptions: bool = False, url: str = "", pause: float = PAUSE
    ) -> None:
        super().__init__(uri, wrap_exceptions)
        options: dict[str, Any] = {
            "socket_timeout": PATIENCE,
            "socket_connect_timeout": PATIENCE,
            # Such a notice would have every request wait for ten seconds.
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        }
        self.redis = RedisStorage(url, key_prefix="handraiser", **options)
        self.memory = Memory()
        self.pause = pause
        self.lock = threading.Lock()
        self.away = False
        self.ask_at = 0.0

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Counts, unless that would be too much."""
        taken: bool = self._ask("acquire_sliding_window_entry", key, limit, expiry, amount)
        return taken

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """The count in the window before and in the present one, each with the seconds for which it still counts."""
        found: tuple[int, float, int, float] = self._ask("get_sliding_window", key, expiry)
        return found

    def _ask(self, what: str, *asked: Any) -> Any:
        if self.away and not self._try_again():
            return getattr(self.memory, what)(*asked)
        try:
            answer = getattr(self.redis, what)(*asked)
        except RedisError as error:
            self._lost(error)
            return getattr(self.memory, what)(*asked)
        if self.away:
            self._found()
        return answer

    def _try_again(self) -> bool:
        """Whether it is time to ask again. One asks; the others go on without Redis until that one knows."""
        with self.lock:
            if time.monotonic() < self.ask_at:
                return False
            self.ask_at = time.monotonic() + self.pause
            return True

    def _lost(self, error: RedisError) -> None:
        with self.lock:
            if not self.away:
                log.warning("redis", problem=type(error).__name__, until="it answers, each process counts for itself")
            self.away, self.ask_at = True, time.monotonic() + self.pause

    def _found(self) -> None:
        with self.lock:
            if self.away:
                log.warning("redis", problem=None)
            self.away = False
