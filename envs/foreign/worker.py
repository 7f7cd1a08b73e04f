"""The child's side of a foreign runtime: it drives an environment of gymnasium, of old gym, or of a similar form.

This file is run by another interpreter, `python worker.py module:factory` or `python worker.py file.py:factory`, so it
uses the standard library only and the syntax of Python 3.8; NumPy is used where the child has it. The messages of the
wire (see `pathei.envs.foreign`) are made and read here for both sides. Not here: starting and ending children.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import json
import math
import os
import platform
import socket
import struct
import sys
import traceback
from typing import Any, Callable, Mapping, Sequence  # noqa: UP035  # Python 3.8 takes these as types

PROTOCOL = 1
"""The version of the wire that `hello` returns."""
CHANNEL = 3
"""The descriptor on which a child talks to its parent."""
LIMIT = 64 << 20
"""The longest message, in bytes: the header, the JSON and all blobs."""
HEADER = struct.Struct(">I")
"""The length of the JSON, before it."""
ARRAYS = {
    "bool": "?",
    **{"int8": "b", "int16": "h", "int32": "i", "int64": "q"},
    **{"uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q"},
    **{"float16": "e", "float32": "f", "float64": "d"},
}
"""The types of arrays that may be sent, little endian, with their codes in `struct`."""


class WireError(ValueError):
    """A message cannot be sent, or is not one of the wire."""


def pack(message: Mapping[str, Any]) -> bytes:
    """Return a message as bytes: the length of its JSON, the JSON, and its arrays.

    Args:
        message: JSON values, and arrays and numbers of NumPy. NaN and infinity are allowed; keys become strings.

    Raises:
        WireError: it holds a value of another type, or is too long.
    """
    blobs: list[bytes] = []
    plain = {key: _flat(value, blobs) for key, value in message.items()}
    if blobs:
        plain["blobs"] = [len(blob) for blob in blobs]
    text = json.dumps(plain, separators=(",", ":"), allow_nan=False).encode("ascii")
    packed = b"".join([HEADER.pack(len(text)), text, *blobs])
    if len(packed) > LIMIT:
        raise WireError(f"a message of {len(packed)} bytes is longer than {LIMIT}")
    return packed


def receive(read: Callable[[int], bytearray]) -> dict[str, Any]:
    """Read one message.

    Args:
        read: Returns exactly that number of bytes of what comes next, or raises.

    Raises:
        WireError: what came is not a message.
    """
    (length,) = HEADER.unpack(read(HEADER.size))
    if length > LIMIT:
        raise WireError(f"a message of {length} bytes is longer than {LIMIT}")
    raw = read(length)
    try:
        text = raw.decode("utf-8")
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"it is not JSON ({error}): {bytes(raw[:80])!r}") from error
    if not isinstance(message, dict):
        raise WireError(f"it is not a JSON object: {text:.80}")
    lengths = message.pop("blobs", [])
    if not isinstance(lengths, list) or not all(type(one) is int and one >= 0 for one in lengths):
        raise WireError(f"its blobs have no lengths: {lengths!r:.80}")
    if length + sum(lengths) > LIMIT:
        raise WireError(f"a message with blobs of {sum(lengths)} bytes is longer than {LIMIT}")
    blobs = [read(one) for one in lengths]
    if '"$' not in text:
        return message
    try:
        return {key: _filled(value, blobs) for key, value in message.items()}
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WireError(f"an array of it is not as its JSON says ({error})") from error


def _flat(value: Any, blobs: list[bytes]) -> Any:
    """Return a value as JSON, and put the bytes of its arrays aside."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    if isinstance(value, Mapping):
        return {_key(key): _flat(item, blobs) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_flat(item, blobs) for item in value]
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):
        return _flat_array(value, blobs)
    raise WireError(f"a value of the type {type(value).__name__} cannot be sent")


def _key(key: Any) -> str:
    text = str(key)
    return "$" + text if text.startswith("$") else text


def _flat_array(array: Any, blobs: list[bytes]) -> Any:
    name = array.dtype.name
    if name not in ARRAYS or array.shape == ():
        return _flat(array.tolist(), blobs)
    blobs.append(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return {"$blob": len(blobs) - 1, "dtype": name, "shape": list(array.shape)}


def _filled(value: Any, blobs: Sequence[bytearray]) -> Any:
    """Undo `_flat`."""
    if isinstance(value, list):
        return [_filled(item, blobs) for item in value]
    if not isinstance(value, dict):
        return value
    if "$blob" in value:
        return _array(value["dtype"], value["shape"], blobs[value["$blob"]])
    if "$float" in value:
        return float(value["$float"])
    return {key[1:] if key.startswith("$$") else key: _filled(item, blobs) for key, item in value.items()}


def _array(dtype: str, shape: Sequence[int], blob: bytearray) -> Any:
    """Return an array; nested lists where there is no NumPy."""
    code = ARRAYS[dtype]
    count = 1
    for size in shape:
        if type(size) is not int or size < 0:
            raise ValueError(f"a shape of {shape!r}")
        count *= size
    if count * struct.calcsize("<" + code) != len(blob):
        raise ValueError(f"{len(blob)} bytes for {dtype} of shape {shape!r}")
    try:
        numpy: Any = importlib.import_module("numpy")
    except ImportError:
        return _nested(list(struct.unpack(f"<{count}{code}", blob)), list(shape))
    return numpy.frombuffer(blob, numpy.dtype(dtype).newbyteorder("<")).reshape(shape)


def _nested(flat: list[Any], shape: list[int]) -> Any:
    if len(shape) <= 1:
        return flat if shape else flat[0]
    size = len(flat) // shape[0] if shape[0] else 0
    return [_nested(flat[place * size : (place + 1) * size], shape[1:]) for place in range(shape[0])]


def plain(value: Any) -> Any:
    """Return a value with everything that cannot be sent replaced by the name of its type: `"<module.Class>"`."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    try:
        _flat(value, [])
    except WireError:
        return f"<{type(value).__module__}.{type(value).__qualname__}>"
    return value


def describe_space(space: Any) -> Any:
    """Return a space of gymnasium or gym as JSON: its kind, and what makes another one like it.

    Raises:
        WireError: it is of a kind that has no such form.
    """
    kind = type(space).__name__
    if kind == "Box":
        return {"kind": kind, "low": space.low, "high": space.high, "dtype": space.dtype.name}
    if kind == "Discrete":
        return {"kind": kind, "n": int(space.n), "start": int(getattr(space, "start", 0))}
    if kind == "MultiDiscrete":
        return {"kind": kind, "nvec": [int(n) for n in space.nvec]}
    if kind == "MultiBinary":
        shape = space.n if isinstance(space.n, int) else [int(n) for n in space.n]
        return {"kind": kind, "n": shape}
    if kind in ("Text", "UnicodeText"):
        longest = getattr(space, "max_length", None)
        return {"kind": "Text", "max_length": 1 << 20 if longest is None else int(longest)}
    if kind == "Dict":
        return {"kind": kind, "spaces": {key: describe_space(one) for key, one in space.spaces.items()}}
    if kind == "Tuple":
        return {"kind": kind, "spaces": [describe_space(one) for one in space.spaces]}
    raise WireError(f"a space of the kind {kind} cannot be sent")


class Worker:
    """Answers the calls of the parent, each by the method `do_NAME`; any other call is one to the environment."""

    def __init__(self, target: str) -> None:
        """Remember which factory makes the environment."""
        self.target = target
        self.env: Any = None

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a request asks for and return the reply; what the environment raises is an error in it."""
        number = request.get("id")
        try:
            call, args = request["call"], request.get("args") or {}
            own = getattr(self, "do_" + call, None)
            return {"id": number, "result": (own or self._of_env(call))(**args)}
        except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever it is, the parent reports it
            traceback.print_exc()
            return failed(number, error)

    def _of_env(self, call: str) -> Callable[..., Any]:
        found = None if call.startswith("_") else getattr(self.env, call, None)
        if not callable(found):
            raise AttributeError(f"there is no call {call!r}")
        return found  # type: ignore[no-any-return]

    def do_hello(self, packages: Sequence[str] = ()) -> dict[str, Any]:
        """Say who answers: the protocol, and the versions of Python and of packages that are asked for (or None)."""
        metadata: Any = importlib.import_module("importlib.metadata")
        versions: dict[str, Any] = {"python": platform.python_version()}
        for name in packages:
            try:
                versions[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                versions[name] = None
        return {"protocol": PROTOCOL, "name": self.target, "versions": versions}

    def do_make(self, **arguments: Any) -> dict[str, Any]:
        """Make the environment, in place of one that was made before, and return its spaces.

        What has no spaces, a bare simulator, is driven by calls of its own.
        """
        self.do_close()
        self.env = _load(self.target)(**arguments)
        if not hasattr(self.env, "action_space"):
            return {}
        return {
            "observation_space": describe_space(self.env.observation_space),
            "action_space": describe_space(self.env.action_space),
            "snapshots": callable(getattr(self.env, "snapshot", None)) and callable(getattr(self.env, "restore", None)),
        }

    def do_reset(self, seed: Any = None, options: Any = None) -> dict[str, Any]:
        """Begin an episode; an old environment is seeded first, and its options are left out."""
        if _is_old_gym(self.env):
            if seed is not None:
                self.env.seed(seed)
            observation, info = self.env.reset(), {}
        else:
            observation, info = self.env.reset(seed=seed, options=options)
        return {"observation": observation, "info": plain(info)}

    def do_step(self, action: Any) -> dict[str, Any]:
        """Act; an old environment's `done` becomes `terminated`, or `truncated` where its `TimeLimit` says so."""
        result: tuple[Any, ...] = self.env.step(action)
        if len(result) == 4:
            observation, reward, done, info = result
            cut = bool(info.get("TimeLimit.truncated", False))
            result = (observation, reward, bool(done) and not cut, bool(done) and cut, info)
        observation, reward, terminated, truncated, info = result
        return {
            "observation": observation,
            "reward": float(reward),
            "terminated": bool(terminated),
            "truncated": bool(truncated),
            "info": plain(info),
        }

    def do_snapshot(self) -> Any:
        """Return the environment's state, which must be a value that can be sent."""
        return self.env.snapshot()

    def do_restore(self, snapshot: Any) -> None:
        """Go back to a state."""
        self.env.restore(snapshot)

    def do_close(self) -> None:
        """Close the environment, if there is one."""
        if self.env is not None:
            self.env.close()
            self.env = None


def failed(number: Any, error: BaseException) -> dict[str, Any]:
    """Return the reply that says what a call raised."""
    return {"id": number, "error": {"type": type(error).__name__, "message": str(error)}}


def _is_old_gym(env: Any) -> bool:
    """Whether `reset` takes no seed, as before gym 0.26: by the class, or by the parameters where it is of neither."""
    roots = {base.__module__.partition(".")[0] for base in type(env).__mro__}
    if "gymnasium" in roots:
        return False
    if "gym" in roots:
        version = importlib.import_module("gym").__version__.split(".")
        return (int(version[0]), int(version[1])) < (0, 26)
    return "seed" not in inspect.signature(env.reset).parameters


def _load(target: str) -> Callable[..., Any]:
    """Import the factory that `module:factory` or `file.py:factory` names."""
    place, _, name = target.rpartition(":")
    if place.endswith(".py"):
        spec = importlib.util.spec_from_file_location(os.path.basename(place)[:-3], place)
        if spec is None or spec.loader is None:
            raise ImportError(f"{place} is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(place)
    return getattr(module, name)  # type: ignore[no-any-return]


def _exactly(channel: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = channel.recv_into(view)
        if count == 0:
            raise EOFError
        view = view[count:]
    return data


def serve(worker: Worker, descriptor: int = CHANNEL) -> None:
    """Answer requests until the parent is gone.

    The descriptor is moved out of the way of programs that write to low numbers, and no child inherits it.
    """
    channel = socket.socket(fileno=os.dup(descriptor))
    os.close(descriptor)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            request = receive(lambda size: _exactly(channel, size))
            reply = worker.answer(request)
            try:
                packed = pack(reply)
            except WireError as error:
                packed = pack(failed(request.get("id"), error))
            channel.sendall(packed)


if __name__ == "__main__":
    # What stands in this file's folder is for another Python.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != os.path.dirname(os.path.abspath(__file__))]
    serve(Worker(sys.argv[1]))
    sys.stderr.flush()
    os._exit(0)
