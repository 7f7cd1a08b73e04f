"""The client of OpenAI-compatible endpoints, for chats and for sentence vectors: key, address, retries and their log.

The official client sends a request again, with a growing pause or the one that Retry-After names, when the server is
overloaded, times out or breaks the connection. Not here: what is asked (`agents.lm.endpoint`,
`memory.embedders.endpoint`).
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from .errors import ModelError
from .extras import missing

if TYPE_CHECKING:
    import openai

_LOG: Final = logging.getLogger(__name__)
_NO_KEY: Final = "none"
"""What is sent to an endpoint of one's own, which needs no key; the client refuses to send nothing."""
_LONGEST: Final = 300


class EndpointClient(NamedTuple):
    """A client that is ready; nothing has been sent."""

    client: openai.OpenAI
    base_url: str | None
    """The endpoint's address; None for OpenAI's own."""
    error: type[Exception]
    """What the client raises when the endpoint does not answer as it should."""

    def failure(self, what: str, error: Exception) -> ModelError:
        """Return the error that says in one line which endpoint did not answer.

        Args:
            what: The model or the embedder, in the words of a message.
            error: What was raised.
        """
        where = self.base_url or "OpenAI's endpoint"
        why = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
        _LOG.warning("%s at %s did not answer, and is not asked again (%s).", what, where, why)
        return ModelError(f"{what} at {where} did not answer ({why}).")


def make_client(
    base_url: str | None, api_key: str | None, *, timeout: float, retries: int, needed_by: str
) -> EndpointClient:
    """Return a client.

    Args:
        base_url: The endpoint, up to `/v1`; OPENAI_BASE_URL if None, and OpenAI's own without that.
        api_key: The key; OPENAI_API_KEY if None. An endpoint of your own may need none.
        timeout: How long one answer may take, in seconds.
        retries: How often a request is sent again.
        needed_by: What needs the client, as a message begins: `"An endpoint"`.

    Raises:
        MissingDependencyError: the client is not installed.
        ModelError: there is no key, and the endpoint is OpenAI's; or the address is none of HTTP.
    """
    try:
        import openai
    except ImportError as error:
        raise missing(needed_by, error) from error
    address = base_url or os.environ.get("OPENAI_BASE_URL") or None
    if address is not None and not _is_http(address):
        raise ModelError(f"The endpoint {address!r} is no address such as http://127.0.0.1:8000/v1.")
    key = api_key or os.environ.get("OPENAI_API_KEY") or (_NO_KEY if address else None)
    if key is None:
        raise ModelError("There is no key for OpenAI's endpoint: set OPENAI_API_KEY, or OPENAI_BASE_URL.")
    http = openai.DefaultHttpxClient(event_hooks={"request": [_log_retry], "response": [_log_refusal]})
    client = openai.OpenAI(base_url=address, api_key=key, timeout=timeout, max_retries=retries, http_client=http)
    return EndpointClient(client, address, openai.OpenAIError)


def _is_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port or an IPv6 address
        return False


def _log_retry(request: Any) -> None:
    """Log a request that is sent again; the client counts them in a header."""
    count = request.headers.get("x-stainless-retry-count", "0")
    if count != "0":
        _LOG.info("Retry %s of a request to %s.", count, request.url)


def _log_refusal(response: Any) -> None:
    """Log an answer that is an error."""
    if response.status_code >= 400:
        after = response.headers.get("retry-after")
        pause = f", which asks for a pause of {after} s" if after else ""
        _LOG.info("Status %d from %s%s.", response.status_code, response.request.url, pause)
