# SPDX-License-Identifier: MIT
"""What a client may be told when something fails: a refusal in our own form, an internal error, or a
connection that is closed with the reason."""
import http.client
import socket

import websocket

BOUND_S = 30
REFUSALS = (500, 503, 507)
CLOSE_DONE = 1000
CLOSE_NO_STATUS = 1005  # a Close that says nothing: as good as none
CLOSE_INTERNAL, CLOSE_LATER = 1011, 1013


def refused(status, answer):
    """An answer that is not what was asked for."""
    if status not in REFUSALS:
        raise AssertionError(f"status {status}: {str(answer)[:200]}")
    error = answer.get("error") if isinstance(answer, dict) else None
    if not error:
        raise AssertionError(f"status {status} without our error form: {str(answer)[:200]}")
    return f"{status} {error.get('code') if isinstance(error, dict) else error}"


def ended(record, output):
    """A run's end: as it should be, or told."""
    verdict = record["verdict"]
    if verdict == "internal_error":
        return f"internal_error: {record.get('reason')}"
    if verdict != "succeeded" or record["stdout"] != output:
        raise AssertionError(f"{verdict} {record.get('reason')} {record['stdout'][:60]!r} "
                             f"{record['stderr'][:200]!r}")
    return None


def closed(error):
    """A WebSocket's end before that of what it was there for."""
    if error.code in (CLOSE_INTERNAL, CLOSE_LATER):
        return f"closed {error.code} {error.reason}"
    if error.code in (None, CLOSE_NO_STATUS):
        raise error
    raise AssertionError(f"closed {error.code} {error.reason}") from error


def is_cut(error):
    return isinstance(error, (ConnectionError, EOFError, http.client.HTTPException, websocket.Closed)) \
        and not isinstance(error, socket.timeout)
