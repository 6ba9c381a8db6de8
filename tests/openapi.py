# SPDX-License-Identifier: MIT
"""What a service says of itself at /openapi.json, and whether it keeps to it.

    misfits = Document(json).answer_misfits("GET", "/v1/me", 200, "application/json", body)
    check_answer(port, "GET", "/v1/runs/run_x", 200, headers, body)

Only the part of OpenAPI 3.1 and JSON Schema that Runnel writes is known here; any other
key is an error. An answer may have no member that its schema does not name."""

import datetime
import http.client
import json
import re

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
# What the server refuses before it knows the route, or because it fails.
ANY_ROUTE = {400, 403, 405, 408, 411, 413, 414, 417, 431, 500, 503}
TYPES = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}
KEYWORDS = {"$ref", "type", "description", "properties", "required", "additionalProperties", "items",
            "enum", "minimum", "maximum", "maxLength", "maxItems", "maxProperties", "format",
            "contentMediaType", "anyOf", "allOf"}


def is_of(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def is_time(text):
    try:
        datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        return False
    return True


class Document:
    def __init__(self, tree):
        self.tree = tree

    # --- values ---

    def resolve(self, schema):
        while "$ref" in schema:
            place = self.tree
            assert schema["$ref"].startswith("#/"), schema
            for part in schema["$ref"][2:].split("/"):
                place = place[part]
            schema = place
        return schema

    def misfits(self, schema, value, at="it"):
        """Sentences: what of the value does not fit."""
        schema = self.resolve(schema)
        unknown = schema.keys() - KEYWORDS
        if unknown:
            return [f"the schema of {at} has {sorted(unknown)}"]
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        if types and not any(is_of(value, name) for name in types):
            return [f"{at} is {value!r}"[:200] + f" and no {' or '.join(types)}"]
        found = []
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"{at} is {value!r}, which is none of {schema['enum']}")
        found += self._choices_misfit(schema, value, at)
        if is_of(value, "number"):
            found += self._number_misfits(schema, value, at)
        elif isinstance(value, str):
            found += self._text_misfits(schema, value, at)
        elif isinstance(value, list):
            found += self._list_misfits(schema, value, at)
        elif isinstance(value, dict):
            found += self._object_misfits(schema, value, at)
        return found

    def _choices_misfit(self, schema, value, at):
        found = []
        for part in schema.get("allOf", []):
            found += self.misfits(part, value, at)
        tried = [self.misfits(part, value, at) for part in schema.get("anyOf", [])]
        return found + (tried[0] if tried and all(tried) else [])

    @staticmethod
    def _number_misfits(schema, value, at):
        found = []
        if value < schema.get("minimum", value):
            found.append(f"{at} is {value}, below {schema['minimum']}")
        if value > schema.get("maximum", value):
            found.append(f"{at} is {value}, above {schema['maximum']}")
        return found

    @staticmethod
    def _text_misfits(schema, value, at):
        found = []
        if len(value) > schema.get("maxLength", len(value)):
            found.append(f"{at} is longer than {schema['maxLength']}")
        if "format" in schema and not is_time(value):
            found.append(f"{at} is {value!r} and no {schema['format']}")
        return found

    def _list_misfits(self, schema, value, at):
        found = []
        if len(value) > schema.get("maxItems", len(value)):
            found.append(f"{at} has {len(value)} items")
        for index, item in enumerate(value):
            found += self.misfits(schema.get("items", {}), item, f"{at}[{index}]")
        return found

    def _object_misfits(self, schema, value, at):
        named = schema.get("properties", {})
        others = schema.get("additionalProperties", "properties" not in schema)
        found = [f"{at} has no {name}" for name in schema.get("required", []) if name not in value]
        if len(value) > schema.get("maxProperties", len(value)):
            found.append(f"{at} has {len(value)} members")
        for name, member in value.items():
            if name in named:
                found += self.misfits(named[name], member, f"{at}.{name}")
            elif others is False:
                found.append(f"{at}.{name} is not described")
            elif others is not True:
                found += self.misfits(others, member, f"{at}.{name}")
        return found

    # --- answers ---

    def operation(self, method, path):
        """The one that this request reached, or None."""
        path = path.split("?")[0].rstrip("/")
        method = "get" if method == "HEAD" else method.lower()
        for template, methods in self.tree["paths"].items():
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and method in methods:
                return methods[method]
        return None

    def answer_misfits(self, method, path, status, content_type, body):
        operation = self.operation(method, path)
        error = {"$ref": "#/components/schemas/Error"}
        if operation is None:
            if status < 400:
                return [f"{method} {path} is not described, and was answered with {status}"]
            return self._body_misfits({"application/json": {"schema": error}}, content_type, body)
        answer = operation["responses"].get(str(status))
        if answer is None and status in ANY_ROUTE:
            answer = operation["responses"]["default"]
        if answer is None:
            return [f"{operation['operationId']} does not say that it answers with {status}"]
        if method == "HEAD":
            return []
        return self._body_misfits(answer.get("content"), content_type, body)

    def _body_misfits(self, content, content_type, body):
        kind = (content_type or "").split(";")[0].strip()
        if not content:
            return [f"there is a body: {body[:80]!r}"] if body else []
        if kind not in content:
            # A file has the type of its name.
            if "application/octet-stream" in content:
                return []
            return [f"the body is {kind or 'nothing'}, and not {' or '.join(content)}"]
        if kind == "application/json":
            return self.misfits(content[kind]["schema"], json.loads(body), "the answer")
        if "x-item-schema" not in content[kind]:
            return []
        found = []
        for line in body.decode().split("\n"):
            if line.startswith("data: "):
                found += self.misfits(content[kind]["x-item-schema"], json.loads(line[6:]), "an event")
        return found

    def event_misfits(self, event):
        """Of what came over a WebSocket."""
        name = "Event"
        if event.get("type") == "error":
            event, name = {key: event[key] for key in event if key != "type"}, "Error"
        return self.misfits({"$ref": f"#/components/schemas/{name}"}, event, "an event")


# --- of services that run ---

_known = {}


def document_at(port):
    """As the service there has it: asked for once, since all tests have one program."""
    if "document" not in _known:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/openapi.json")
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
        except (OSError, http.client.HTTPException):
            return None  # it is just ending; the next answer is checked
        finally:
            connection.close()
        _known["document"] = Document(json.loads(body))
    return _known["document"]


def check_answer(port, method, path, status, headers, body):
    """AssertionError when an answer of /v1 is none that the document describes."""
    if not path.startswith("/v1/") or method == "OPTIONS":
        return
    types = [value for name, value in dict(headers).items() if name.lower() == "content-type"]
    document = document_at(port)
    if document:
        found = document.answer_misfits(method, path, status, types[0] if types else None, body)
        assert not found, f"{method} {path[:100]}: " + "; ".join(found[:10])


def check_event(port, event):
    document = document_at(port)
    if document:
        found = document.event_misfits(event)
        assert not found, f"{event}: " + "; ".join(found[:10])
