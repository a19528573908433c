"""A local Keeper vault that speaks Keeper Secrets Manager's protocol, with its real cryptography.

| File | What it does |
|---|---|
| `urls.py` | which operation a request is for |
| `responses.py` | reads the call (`envelope.py`, `payloads.py`), encrypts the answer (`encoder.py`) |
| `models.py` | what a change means and which are refused, on a `snapshot.py` of the vault file (`store.py`) |
| `exceptions.py` | the refusals, with status and code |
| `server.py` | the HTTPS server, with its certificates (`tls.py`), client devices (`clients.py`) and faults |
| `ksm.py` | runs Keeper's `ksm` command line against it |
"""

from uss.sandbox.keeper.server import KeeperServer

__all__ = ["KeeperServer"]
