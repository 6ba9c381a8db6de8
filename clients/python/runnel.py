# SPDX-License-Identifier: MIT
"""A client of Runnel's /v1: one file, Python 3.9 or newer, nothing but the standard library.

    runnel = Runnel("http://localhost:8080", key="rk_…")
    run = runnel.run("python", "print(input())", stdin="hello")
    print(run.verdict, run.stdout)

    live = runnel.start("python", "name = input('name? ')\\nprint('hello', name)")
    with live.attach() as session:                  # a WebSocket
        session.input("Ada\\n")
        for event in session:
            print(event.type, event.data)
    print(live.wait().verdict)

What the service refuses is a RunnelError with status, code, field and message. A client
may be used by several threads; a session by one that reads and one that writes.
"""
from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import io
import json
import os
import struct
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

__all__ = ["Artifact", "Event", "Language", "LiveRun", "Run", "Runnel", "RunnelError", "Session",
           "WebhookError", "verify_webhook"]

PIECE = 64 * 1024
RESUMES_MAX = 5  # of a stream that ended without its `end`, one behind the other
RETRY_AFTER_MAX_S = 30
# What these refuse was not begun; of other errors nobody knows.
NOT_BEGUN = ("rate_limited", "queue_full", "shutting_down")


class RunnelError(Exception):
    """An answer that is no success. status is 0 when there was no answer of a service."""

    def __init__(self, status: int, code: str, message: str, name: Optional[str] = None,
                 retry_after: Optional[float] = None) -> None:
        super().__init__(f"{message} ({status} {code}{', ' + name if name else ''})")
        self.status, self.code, self.message = status, code, message
        self.field, self.retry_after = name, retry_after


class WebhookError(ValueError):
    """A request that did not come from this service, or not now."""


def _known(cls: type, record: Mapping[str, Any]) -> Dict[str, Any]:
    """Of a record, what this version knows; a newer service may say more."""
    return {name: record[name] for name in cls.__dataclass_fields__ if name in record}


@dataclass(frozen=True)
class Artifact:
    """A file that a run left, or one that was uploaded."""
    id: str
    name: str
    size: int
    sha256: str
    url: str = ""
    expires_at: str = ""
    content_type: str = "application/octet-stream"


@dataclass(frozen=True)
class Run:
    """A run's record. Until its end, verdict is None."""
    id: str
    status: str
    verdict: Optional[str] = None
    reason: Optional[str] = None
    exit_code: Optional[int] = None
    signal: Optional[int] = None
    stdout: str = ""
    stderr: str = ""
    language: str = ""
    created_at: str = ""
    code_sha256: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    limits_hit: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    artifacts: Tuple[Artifact, ...] = ()
    artifacts_refused: Tuple[Mapping[str, str], ...] = ()
    priority: str = "normal"
    attempt: int = 1              # more where a worker was lost, and it was begun again
    worker: Optional[str] = None  # which carries it out, where there are workers
    record: Mapping[str, Any] = field(default_factory=dict, repr=False)  # all of it, as it came

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Run":
        known = _known(cls, record)
        known["artifacts"] = tuple(Artifact(**_known(Artifact, item))
                                   for item in record.get("artifacts", ()))
        known["artifacts_refused"] = tuple(record.get("artifacts_refused", ()))
        return cls(**{**known, "record": record})

    succeeded = property(lambda self: self.verdict == "succeeded")
    has_ended = property(lambda self: self.verdict is not None)


@dataclass(frozen=True)
class Event:
    """type: state, stdout, stderr, notice, usage, gap or end. n numbers them from 1."""
    n: int
    t: int
    type: str
    data: str = ""   # of stdout, stderr, notice
    state: str = ""  # of state
    attempt: int = 1  # of state: above 1 it begins again, and what was said before is void
    record: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Event":
        return cls(**{"n": 0, "t": 0, **_known(cls, record), "record": record})


@dataclass(frozen=True)
class Language:
    name: str
    title: str
    aliases: Sequence[str] = ()
    installed: bool = True
    version: Optional[str] = None
    source: str = ""
    sample: str = ""
    install: Optional[str] = None


class Runnel:
    """One service, as the holder of one key."""

    def __init__(self, url: str = "http://localhost:8080", key: Optional[str] = None,
                 timeout: float = 180.0, retries: int = 2) -> None:
        """timeout is in seconds without a byte, and must be longer than a run that is waited for,
        with its minute in the queue and half a one for its compiler; retries are of what can be
        sent again without doing it twice."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not an http URL")
        self._parts, self._key = parts, key
        self.timeout, self.retries = timeout, retries

    # --- runs ---

    def run(self, language: str, code: Optional[str] = None, *,
            idempotency_key: Optional[str] = None, **fields: Any) -> Run:
        """Runs it and waits for its end. fields: files, stdin, args, env, entrypoint,
        compile_args, limits, tty, priority, metadata, webhook_url. A member of files is
        {"path", "content"}, with bytes for what is no text, or {"path", "id"}."""
        return Run.of(self._create("", language, code, idempotency_key, fields))

    def start(self, language: str, code: Optional[str] = None, *,
              idempotency_key: Optional[str] = None, **fields: Any) -> "LiveRun":
        """Starts it, and leaves its input open. More fields: columns, rows, on_disconnect
        ("continue": it goes on when nobody is attached), disconnect_grace_ms."""
        record = self._create("?wait=false", language, code, idempotency_key, fields)
        return LiveRun(self, Run.of(record))

    def _create(self, query: str, language: str, code: Optional[str],
                idempotency_key: Optional[str], fields: Mapping[str, Any]) -> Mapping[str, Any]:
        body: Dict[str, Any] = {"language": language, **fields}
        if code is not None:
            body["code"] = code
        if "files" in body:
            body["files"] = [_file_field(item) for item in body["files"]]
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._json("POST", f"/v1/runs{query}", body, headers, again=bool(idempotency_key))

    def get(self, run: str) -> Run:
        return Run.of(self._json("GET", f"/v1/runs/{_quoted(run)}"))

    def list(self, *, language: Optional[str] = None, verdict: Optional[str] = None,
             metadata: Optional[Mapping[str, str]] = None, since: Optional[str] = None,
             until: Optional[str] = None, page: int = 50) -> Iterator[Run]:
        """All runs of the key, newest first, fetched by pages. verdict "none": those that
        have not ended. since and until are times as in 2026-11-21T08:00:00Z."""
        pairs = ",".join(f"{name}:{value}" for name, value in (metadata or {}).items())
        query = {"limit": page, "language": language, "verdict": verdict, "since": since,
                 "until": until, "metadata": pairs or None}
        while True:
            given = {name: value for name, value in query.items() if value is not None}
            answer = self._json("GET", "/v1/runs?" + urllib.parse.urlencode(given))
            yield from map(Run.of, answer["runs"])
            if not answer["next"]:
                return
            query["before"] = answer["next"]

    def cancel(self, run: str) -> Optional[Run]:
        """Ends a run that goes on; one that has ended stays as it is. Its record; None from a
        service that does not know this yet, which forgets one that has ended."""
        record = self._json("DELETE", f"/v1/runs/{_quoted(run)}?only=cancel")
        return Run.of(record) if record else None

    def delete(self, run: str) -> Optional[Run]:
        """Cancels a run that goes on, which is returned; forgets one that has ended, with its
        files: so it is never sent again by itself."""
        record = self._json("DELETE", f"/v1/runs/{_quoted(run)}", again=False)
        return Run.of(record) if record else None

    forget = delete

    def attach(self, run: str, after: int = 0) -> "Session":
        """A WebSocket to it, for input and more, from behind the event of this number."""
        return Session(self, f"/v1/runs/{_quoted(run)}/stream?from={after + 1}")

    def events(self, run: str, after: int = 0) -> Iterator[Event]:
        """What happens in it, from behind the event of this number until its end; a
        connection that is lost meanwhile is made again."""
        lost = 0
        while True:
            pause = 0.0
            try:
                for event in self._events_once(run, after):
                    lost, after = 0, event.n
                    yield event
                    if event.type == "end":
                        return
                reason: Exception = EOFError("the stream ended before the run")
            except RunnelError as error:
                if error.status not in (429, 503):
                    raise
                reason, pause = error, min(error.retry_after or 0.0, RETRY_AFTER_MAX_S)
            except (OSError, http.client.HTTPException) as error:
                reason = error
            lost += 1
            if lost > RESUMES_MAX:
                raise RunnelError(0, "connection_lost", str(reason)) from reason
            time.sleep(max(pause, min(0.2 * 2 ** lost, 5)))

    def _events_once(self, run: str, after: int) -> Iterator[Event]:
        headers = {"Accept": "text/event-stream"}
        if after > 0:
            headers["Last-Event-ID"] = str(after)
        with self._answer("GET", f"/v1/runs/{_quoted(run)}/events", headers) as answer:
            for raw in iter(answer.readline, b""):
                line = raw.rstrip(b"\r\n")
                if line.startswith(b"data: "):  # one line an event
                    yield Event.of(json.loads(line[6:]))

    # --- files, languages ---

    def upload(self, source: Union[str, os.PathLike, bytes, BinaryIO],
               name: Optional[str] = None) -> Artifact:
        """Sends a file (by its path, as bytes, or open for reading) without holding it in
        memory; {"id": its id, "path": …} in `files` of a run gives it to the program."""
        if isinstance(source, (str, os.PathLike)):
            with open(source, "rb") as file:
                return self.upload(file, name or os.path.basename(os.fspath(source)))
        if isinstance(source, bytes):
            source = io.BytesIO(source)
        boundary = "runnel-" + os.urandom(16).hex()
        quoted = (name or "file").translate({34: "%22", 13: "%0D", 10: "%0A"})
        head = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
                f'filename="{quoted}"\r\nContent-Type: application/octet-stream\r\n\r\n').encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        size = _rest_of(source)
        headers.update({"Transfer-Encoding": "chunked"} if size is None else
                       {"Content-Length": str(len(head) + size + len(tail))})
        with self._answer("POST", "/v1/files", headers, _pieces(head, source, tail)) as answer:
            return Artifact(**_known(Artifact, json.loads(answer.read())))

    def download(self, file: Union[Artifact, str],
                 to: Union[None, str, os.PathLike, BinaryIO] = None) -> Optional[bytes]:
        """Of an artifact, or by id: into this path or open file, else returned. A path is
        there whole or not at all. What is known of the content is checked."""
        if isinstance(to, (str, os.PathLike)):
            part = f"{os.fspath(to)}.part"
            try:
                with open(part, "wb") as target:
                    self.download(file, target)
                os.replace(part, to)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(part)
                raise
            return None
        target = io.BytesIO() if to is None else to
        digest = hashlib.sha256()
        with self._open(file) as answer:
            expected = int(answer.headers.get("Content-Length", -1))
            got = 0
            for piece in iter(lambda: answer.read(PIECE), b""):
                got += len(piece)
                digest.update(piece)
                target.write(piece)
        wrong = expected not in (-1, got)
        if wrong or isinstance(file, Artifact) and digest.hexdigest() != file.sha256:
            raise RunnelError(0, "corrupt", "what came is not what was stored")
        return target.getvalue() if to is None else None

    def _open(self, file: Union[Artifact, str]) -> "_Answer":
        """By its link, which needs no scope; by its id when the link is too old."""
        if isinstance(file, str):
            return self._answer("GET", f"/v1/files/{_quoted(file)}")
        if file.url:
            link = urllib.parse.urlsplit(file.url)
            try:  # always of our own service: the key goes nowhere else
                return self._answer("GET", f"/v1/files/{_quoted(file.id)}?{link.query}")
            except RunnelError as error:
                if error.status != 403:
                    raise
        return self._answer("GET", f"/v1/files/{_quoted(file.id)}")

    def delete_file(self, file: Union[Artifact, str]) -> None:
        self._json("DELETE", "/v1/files/" + _quoted(getattr(file, "id", file)))

    def languages(self) -> List[Language]:
        return [Language(**_known(Language, item))
                for item in self._json("GET", "/v1/languages")["languages"]]

    def webhook_secret(self) -> str:
        """What this key's webhooks are signed with; for verify_webhook."""
        return str(self._json("GET", "/v1/me")["webhook_secret"])

    # --- HTTP ---

    def _connection(self) -> http.client.HTTPConnection:
        kind = (http.client.HTTPSConnection if self._parts.scheme == "https"
                else http.client.HTTPConnection)
        assert self._parts.hostname
        return kind(self._parts.hostname, self._parts.port, timeout=self.timeout)

    def _path(self, path: str) -> str:
        return self._parts.path.rstrip("/") + path

    def _headers(self) -> Dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def _answer(self, method: str, path: str, headers: Optional[Mapping[str, str]] = None,
                body: Any = None) -> "_Answer":
        """A success, to be read and closed."""
        connection = self._connection()
        given = {**self._headers(), **(headers or {})}
        try:
            try:
                connection.request(method, self._path(path), body, given,
                                   encode_chunked="Transfer-Encoding" in given)
            except (BrokenPipeError, ConnectionResetError):
                if connection.sock is None:
                    raise
                # It refused in the midst of what we sent, and has said why.
            response = connection.getresponse()
            if response.status >= 400:
                raise _error_of(response.status, response.read(), response.headers)
            return _Answer(connection, response)
        except BaseException:
            connection.close()
            raise

    def _json(self, method: str, path: str, body: Any = None,
              headers: Optional[Mapping[str, str]] = None, again: bool = True) -> Any:
        """again: it may be done twice."""
        data = None if body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if data else {}
        tries, unanswered = 0, False  # unanswered: what was asked for may have been done
        while True:
            try:
                with self._answer(method, path, {**given, **(headers or {})}, data) as answer:
                    text = answer.read()
                    return json.loads(text) if text else None
            except RunnelError as error:
                if error.status == 404 and unanswered and method == "DELETE":
                    return None
                not_begun = error.status == 429 or error.code in NOT_BEGUN
                pause = error.retry_after if again or not_begun else None
                if pause is None or pause > RETRY_AFTER_MAX_S or tries >= self.retries:
                    raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                if tries >= self.retries or not again:
                    raise RunnelError(0, "no_answer", str(error) or repr(error)) from error
                pause, unanswered = 0.2 * 2 ** tries, True
            tries += 1
            time.sleep(pause)


class LiveRun:
    """A run that was started and not waited for."""

    def __init__(self, client: Runnel, run: Run) -> None:
        self._client, self.run, self.id = client, run, run.id

    def events(self, after: int = 0) -> Iterator[Event]:
        return self._client.events(self.id, after)

    def attach(self, after: int = 0) -> "Session":
        return self._client.attach(self.id, after)

    def get(self) -> Run:
        return self._client.get(self.id)

    def cancel(self) -> Optional[Run]:
        return self._client.cancel(self.id)

    def wait(self) -> Run:
        """Until its end: its record."""
        for _ in self.events():
            pass
        return self.get()


class _Answer(contextlib.AbstractContextManager["_Answer"]):
    """A response with its connection, which end together."""

    def __init__(self, connection: http.client.HTTPConnection,
                 response: http.client.HTTPResponse) -> None:
        self._connection, self._response = connection, response
        self.headers, self.read = response.headers, response.read
        self.readline = response.readline

    def __exit__(self, *_: Any) -> None:
        self._response.close()
        self._connection.close()


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _file_field(item: Mapping[str, Any]) -> Mapping[str, Any]:
    content = item.get("content")
    if not isinstance(content, bytes):
        return item
    return {**item, "content": base64.b64encode(content).decode(), "encoding": "base64"}


def _rest_of(file: BinaryIO) -> Optional[int]:
    """Bytes from here to its end; None when nobody can tell."""
    try:
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
        return end - here
    except (OSError, AttributeError):
        return None


def _pieces(head: bytes, file: BinaryIO, tail: bytes) -> Iterator[bytes]:
    yield head
    yield from iter(lambda: file.read(PIECE), b"")
    yield tail


def _error_of(status: int, body: bytes, headers: Mapping[str, str]) -> RunnelError:
    told: Any = None
    with contextlib.suppress(ValueError):
        told = json.loads(body)
    told = told if isinstance(told, dict) else {}
    pause = headers.get("Retry-After", "")
    message = str(told.get("error") or f"the service answered {status}")
    code = str(told.get("code") or http.client.responses.get(status, "error").lower())
    return RunnelError(status, code.replace(" ", "_"), message, told.get("field"),
                       float(pause) if pause.isdigit() else None)


# --- WebSocket (RFC 6455), as far as a client of /v1 needs it ---

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class Session(contextlib.AbstractContextManager["Session"]):
    """A run over a WebSocket: its events, and what is for it. An event of the type
    `error` tells what of that could not be done."""

    def __init__(self, client: Runnel, path: str) -> None:
        self._sending = threading.Lock()
        connection = client._connection()
        key = base64.b64encode(os.urandom(16))
        connection.request("GET", client._path(path), headers={
            **client._headers(), "Connection": "Upgrade", "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key.decode()})
        # As getresponse(), which would close what it takes for an answer without a body.
        self._socket = connection.sock
        response = http.client.HTTPResponse(self._socket, method="GET")
        response.begin()
        if response.status != 101:
            error = _error_of(response.status, response.read(), response.headers)
            connection.close()
            raise error
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
        if response.headers.get("Sec-WebSocket-Accept") != accept:
            connection.close()
            raise RunnelError(0, "bad_handshake", "the other side does not speak WebSocket")
        self._connection, self._response, self._file = connection, response, response.fp

    def input(self, text: str) -> None:
        self._tell(type="input", data=text)

    def eof(self) -> None:
        self._tell(type="eof")

    def signal(self, name: str) -> None:
        """INT, TERM, QUIT, HUP, USR1, USR2, TSTP, CONT or KILL."""
        self._tell(type="signal", signal=name)

    def resize(self, columns: int, rows: int) -> None:
        self._tell(type="resize", columns=columns, rows=rows)

    def cancel(self) -> None:
        self._tell(type="cancel")

    def __iter__(self) -> Iterator[Event]:
        """Until the service closes: after the event `end`."""
        last = None
        for message in iter(self._message, None):
            last = Event.of(json.loads(message))
            yield last
        if last is None or last.type != "end":
            raise RunnelError(0, "connection_lost", "the service closed before the run's end")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._send(_CLOSE, struct.pack(">H", 1000))
        self._response.close()
        self._connection.close()

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _tell(self, **message: Any) -> None:
        self._send(_TEXT, json.dumps(message).encode())

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
        elif size < 65536:
            head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, size)
        mask = os.urandom(4)
        stream = (mask * (size // 4 + 1))[:size]
        masked = int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")
        with self._sending:
            self._socket.sendall(head + mask + masked.to_bytes(size, "big"))

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        if data is None or len(data) < size:
            raise RunnelError(0, "connection_lost", "the connection ended without a Close frame")
        return data

    def _message(self) -> Optional[bytes]:
        """The next one, whole; None after a Close frame."""
        pieces = []
        while True:
            first, second = self._read(2)
            size = second & 0x7f
            if size > 125:
                size = int.from_bytes(self._read(2 if size == 126 else 8), "big")
            payload = self._read(size)
            opcode = first & 15
            if opcode == _CLOSE:
                return None
            if opcode == _PING:
                self._send(_PONG, payload)
            if opcode >= _CLOSE:
                continue
            pieces.append(payload)
            if first & 0x80:
                return b"".join(pieces)


# --- webhooks ---

def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes,
                   tolerance_s: float = 300) -> Run:
    """The run that a webhook tells of; a WebhookError when the request is not this
    service's, or too old or new. The form is that of standardwebhooks.com. `body` are the
    bytes as they came. A webhook may come twice: its Webhook-Id is the run's id."""
    given = {name.lower(): value for name, value in headers.items()}
    try:
        key = base64.b64decode(secret[len("whsec_"):] if secret.startswith("whsec_") else secret)
        told, sent = given["webhook-id"], given["webhook-timestamp"]
        age = abs(time.time() - int(sent))
    except (KeyError, ValueError) as error:
        raise WebhookError(f"no signed webhook: {error}") from error
    digest = hmac.new(key, f"{told}.{sent}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    found = any([hmac.compare_digest(signature.encode(), expected)  # each of them, always
                 for signature in given.get("webhook-signature", "").split()])
    if not found:
        raise WebhookError("the signature is not of this secret")
    if age > tolerance_s:
        raise WebhookError("the webhook is too old, or a clock is wrong")
    return Run.of(json.loads(body))
