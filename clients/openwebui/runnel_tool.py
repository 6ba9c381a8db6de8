"""
SPDX-License-Identifier: MIT
title: Runnel
description: Runs code in a sandbox and returns what it said, and links to the files it made.
author: Runnel
version: 1.0.0
license: MIT
required_open_webui_version: 0.4.0
"""
# In Open WebUI: Workspace, Tools, +, paste this file; then set its valves. It needs nothing
# that Open WebUI does not have. A link to a file holds for ten minutes and needs no key.

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Awaitable, Callable, Dict, List, Optional

from pydantic import BaseModel, Field

Emitter = Optional[Callable[[Dict[str, Any]], Awaitable[None]]]

# What a model should make of a verdict that is not the program's own.
HINTS = {
    "timeout": "It took longer than the time limit.",
    "idle_timeout": "It was silent for too long.",
    "cpu_limit": "It used more processor time than the limit.",
    "memory_limit": "It used more memory than the limit.",
    "output_limit": "It printed more than the limit: print less.",
    "compile_failed": "It does not compile: stderr says why.",
}


class Tools:
    class Valves(BaseModel):
        url: str = Field("http://localhost:8080", description="Where Runnel is, as seen from here")
        link_url: str = Field(
            "", description="Where Runnel is as seen from people's browsers, if that is elsewhere")
        api_key: str = Field("", description="A key of Runnel's with the scope run, if it has keys")
        timeout_ms: int = Field(10000, description="Time limit of a program, at most 10000")
        memory_mb: int = Field(256, description="Memory limit of a program, at most 512")
        max_chars: int = Field(
            16000, description="What a model is shown of each of stdout and stderr")
        show_links: bool = Field(
            True, description="Put links to the program's files below the message")

    def __init__(self) -> None:
        self.valves = self.Valves()
        self.citation = False

    async def run_code(
        self,
        language: str,
        code: str,
        stdin: str = "",
        args: Optional[List[str]] = None,
        __event_emitter__: Emitter = None,
        __metadata__: Optional[Dict[str, Any]] = None,
    ) -> str:
        """
        Run a program in a sandbox without network and get its output. Each call starts anew: no
        file of an earlier one is there. A file that the program writes below the folder
        outputs/ (for example outputs/plot.svg) comes back as a link that the user can open.
        Print everything you want to see.

        :param language: python, javascript, ruby, go, c, cpp, java, rust, php, bash or another one
        :param code: the whole program
        :param stdin: what the program reads from its standard input
        :param args: the program's arguments
        """
        body: Dict[str, Any] = {
            "language": language,
            "code": code,
            "limits": {"timeout_ms": self.valves.timeout_ms, "memory_mb": self.valves.memory_mb},
        }
        if stdin:
            body["stdin"] = stdin
        if args:
            body["args"] = args
        chat = (__metadata__ or {}).get("chat_id")
        if chat:
            body["metadata"] = {"chat": str(chat)}
        await _say(__event_emitter__, f"Running {language}")
        try:
            record = await asyncio.to_thread(_ask, self.valves, "/v1/runs", body)
        except Refused as refused:
            await _say(__event_emitter__, "The program was not run", done=True)
            return json.dumps({"error": str(refused)}, ensure_ascii=False)
        await _say(__event_emitter__, f"The program {_outcome(record)}", done=True)
        files = [_link(self.valves, artifact) for artifact in record.get("artifacts", [])]
        if files and self.valves.show_links and __event_emitter__:
            links = "\n".join(f"- [{_label(file['name'])}]({file['url']})" for file in files)
            await __event_emitter__({"type": "message", "data": {"content": f"\n{links}\n"}})
        return json.dumps(_told(self.valves, record, files), ensure_ascii=False)

    async def list_languages(self) -> str:
        """
        List the programming languages that run_code can run, with their versions.
        """
        try:
            answer = await asyncio.to_thread(_ask, self.valves, "/v1/languages")
        except Refused as refused:
            return json.dumps({"error": str(refused)}, ensure_ascii=False)
        return json.dumps([
            {"language": language["name"], "version": language.get("version")}
            for language in answer["languages"] if language.get("installed", True)])


class Refused(Exception):
    """There is no result, and why."""


# What is a method of Tools is offered to the model, so the rest are functions.


def _told(valves: Any, record: Dict[str, Any], files: List[Dict[str, Any]]) -> Dict[str, Any]:
    told = {
        "verdict": record.get("verdict", record.get("status")),
        "exit_code": record.get("exit_code"),
        "stdout": _short(record.get("stdout", ""), valves.max_chars),
        "stderr": _short(record.get("stderr", ""), valves.max_chars),
        "wall_ms": record.get("usage", {}).get("wall_ms"),
    }
    if told["verdict"] != "succeeded" and record.get("reason"):
        told["reason"] = record["reason"]
    if told["verdict"] in HINTS:
        told["hint"] = HINTS[told["verdict"]]
    if files:
        told["files"] = files
    if record.get("artifacts_refused"):
        told["files_refused"] = record["artifacts_refused"]
    return told


def _short(text: str, most: int) -> str:
    """Its beginning and its end: what went wrong stands there."""
    over = len(text) - most
    if over <= 0:
        return text
    half = most // 2
    return f"{text[:half]}\n… {over} characters left out …\n{text[len(text) - most + half:]}"


def _link(valves: Any, artifact: Dict[str, Any]) -> Dict[str, Any]:
    url = artifact["url"]
    if valves.link_url:
        parts = urllib.parse.urlsplit(url)
        url = f"{valves.link_url.rstrip('/')}{parts.path}?{parts.query}"
    return {"name": artifact["name"], "size": artifact["size"], "url": url}


def _ask(valves: Any, path: str, body: Optional[Dict[str, Any]] = None) -> Any:
    """The service's answer, or its sentence about what is wrong."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(valves.url.rstrip("/") + path, data)
    request.add_header("Content-Type", "application/json")
    if valves.api_key:
        request.add_header("Authorization", f"Bearer {valves.api_key}")
    # The queue, a compiler, and the program.
    patience_s = 120 + valves.timeout_ms / 1000
    try:
        with urllib.request.urlopen(request, timeout=patience_s) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        try:
            told = json.load(error)["error"]
        except (ValueError, KeyError, TypeError):
            told = f"Runnel answered {error.code}"
        raise Refused(told) from error
    except (OSError, ValueError) as error:
        raise Refused(f"Runnel does not answer at {valves.url}: {error}") from error


async def _say(emitter: Emitter, text: str, done: bool = False) -> None:
    if emitter:
        await emitter({"type": "status", "data": {"description": text, "done": done}})


def _outcome(record: Dict[str, Any]) -> str:
    verdict = record.get("verdict", record.get("status"))
    wall_ms = record.get("usage", {}).get("wall_ms")
    took = "" if wall_ms is None else f" after {wall_ms} ms"
    return ("succeeded" if verdict == "succeeded" else f"ended with {verdict}") + took


def _label(name: str) -> str:
    """A name that the program chose, as a link's text and nothing else."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#!|~" else c if c.isprintable() else "?"
                   for c in name)
