"""An OpenAI-compatible server on 127.0.0.1 for tests: it answers, or does what servers do when they are ill."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pathei.agents.lm.backends import Choice, Conversation, Message
from pathei.agents.lm.endpoint import ChatEndpoint
from pathei.agents.lm.local_model import LocalModel

Trouble = int | float | bytes | str | dict[str, Any]
"""A status code, seconds to wait before an answer, the bytes of a whole body, the answer's text, or the fields of a
chat's message; `"die"` closes."""


class Server:
    """Answers each request with the next of its replies, the last one again and again, and keeps what it was asked."""

    def __init__(self, *replies: Trouble, model: LocalModel | None = None) -> None:
        self.replies, self.asked, self.times = list(replies), list[dict[str, Any]](), list[float]()
        self.model = model
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append(asked)
                server.times.append(time.monotonic())
                reply: Trouble = "hello"
                if server.replies:
                    reply = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
                if reply == "die":
                    self.connection.close()
                    return
                if isinstance(reply, float):
                    time.sleep(reply)
                    reply = "too late"
                self.send(200 if not isinstance(reply, int) else reply, server.body(asked, reply))

            def send(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                if status == 429:
                    self.send_header("Retry-After", "1")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Keep the test's output clean."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def body(self, asked: dict[str, Any], reply: Trouble) -> bytes:
        """Return what is sent."""
        if isinstance(reply, bytes):
            return reply
        if isinstance(reply, int):
            return b'{"error": {"message": "no"}}'
        usage = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
        whole = {"id": "1", "object": "x", "created": 0, "model": asked["model"], "usage": usage}
        if asked.get("echo"):
            return json.dumps({**whole, "choices": self.echo(asked["prompt"])}).encode()
        logs = {"content": [{"token": "x", "logprob": -0.5, "bytes": None, "top_logprobs": []}]}
        message = reply if isinstance(reply, dict) else {"content": reply}
        said = {"text": reply} if "prompt" in asked else {"message": {"role": "assistant", "content": None, **message}}
        choice = {
            "index": 0,
            "finish_reason": "stop",
            **said,
            "logprobs": logs if asked.get("logprobs") is True else None,
        }
        return json.dumps({**whole, "choices": [choice]}).encode()

    def echo(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return the log-probabilities of texts as vLLM does: `Action:` ends each prompt."""
        assert self.model is not None
        found = []
        for index, text in enumerate(texts):
            prompt, option = text.rsplit(" ", 1)
            head, _, _ = prompt.rpartition("\n\nAction:")
            asked = Conversation((Message("user", head),), "Action:")
            [rated] = self.model.rate([Choice(asked, (option,))])
            begin = len(prompt)
            logs = rated.option_logprobs[0]
            offsets = [0, *(begin + min(n, len(option)) for n in range(len(logs)))]
            given = {"text_offset": offsets, "token_logprobs": [None, *logs], "tokens": ["?"] * len(offsets)}
            found.append({"index": index, "text": text, "finish_reason": "length", "logprobs": given})
        return found

    def endpoint(self, **options: Any) -> ChatEndpoint:
        """Return a client of it."""
        return ChatEndpoint("test-model", base_url=self.url, **{"timeout": 10.0, "retries": 3, **options})

    def close(self) -> None:
        """Stop; the port is closed."""
        self.http.shutdown()
        self.http.server_close()
