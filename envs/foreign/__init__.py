"""Foreign runtimes: environments that cannot share our interpreter run in a process of their own.

The parent starts a child (another Python, or node) with one end of a socket pair as its descriptor 3. Standard input is
empty, and what the child writes to standard output and error is kept for error messages. One message is four bytes, the
length N as a big-endian number; N bytes of UTF-8 JSON, an object; and the bytes of its blobs, whose lengths are under
`"blobs"`. An array is `{"$blob": i, "dtype": "uint8", "shape": [h, w, c]}` in the JSON, and its bytes are blob i,
little endian. NaN and infinity are `{"$float": "nan"}`. No message is longer than 64 MiB.

A request is `{"id": int, "call": str, "args": {...}}`; its reply `{"id": ..., "result": ...}` or `{"id": ..., "error":
{"type": str, "message": str}}`. There is one request at a time. `hello` returns `{"protocol": 1, "name": ...,
"versions": {...}}`; an environment answers `make`, `reset`, `step`, `close`, where it can `snapshot` and `restore`, and
any others. A child exits when descriptor 3 is closed.
"""

from .env import ForeignEnv, TimeLimits, python_command
from .runtime import ForeignRuntime

__all__ = ["ForeignEnv", "ForeignRuntime", "TimeLimits", "python_command"]
