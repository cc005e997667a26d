"""Access tokens and keys: in the keyring of the operating system, never in a file; without one, for this session."""

from __future__ import annotations

import threading
from typing import Any

SERVICE = "llm-workbench"


class Secrets:
    """Secrets by name. Methods raise nothing: a keyring that fails counts as none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session: dict[str, str] = {}

    def get(self, name: str) -> str:
        """The secret; "" where there is none."""
        with self._lock:
            if name in self._session:
                return self._session[name]
        return _from_keyring(name)

    def is_kept(self, name: str) -> bool:
        """Whether the secret is in the keyring."""
        return bool(_from_keyring(name))

    def set(self, name: str, value: str) -> bool:
        """Store a secret, or delete it where it is empty. Returns whether it outlasts this session."""
        with self._lock:
            self._session[name] = value
        return _to_keyring(name, value)


def _keyring() -> Any:
    """The system's keyring. Raises RuntimeError for one that writes to a plain file."""
    import keyring

    backend = keyring.get_keyring()
    if type(backend).__module__.startswith("keyrings.alt"):
        raise RuntimeError("this keyring stores secrets in a file")
    return backend


def _from_keyring(name: str) -> str:
    try:
        return _keyring().get_password(SERVICE, name) or ""
    except Exception:  # noqa: BLE001 - each system's keyring fails in its own way
        return ""


def _to_keyring(name: str, value: str) -> bool:
    try:
        keyring = _keyring()
        if value:
            keyring.set_password(SERVICE, name, value)
        elif keyring.get_password(SERVICE, name):
            keyring.delete_password(SERVICE, name)
        return True
    except Exception:  # noqa: BLE001 - as above
        return False
