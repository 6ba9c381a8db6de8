# SPDX-License-Identifier: MIT
"""Is it OpenAPI 3.1? The rules of the specification for all that Runnel writes; what it does
not write is not known here, and is a complaint."""

import re

from openapi import KEYWORDS, METHODS

TYPES = {"string", "object", "array", "boolean", "null", "integer", "number"}
NAME = re.compile(r"[A-Za-z0-9._-]+")
STATUS = re.compile(r"[1-5]\d\d|default")


class Form:
    def __init__(self, document):
        self.document, self.tree, self.found = document, document.tree, []

    def say(self, at, what):
        self.found.append(f"{at}: {what}")

    def keys(self, at, value, required, optional=()):
        """Is it an object with these keys and no others?"""
        if not isinstance(value, dict):
            self.say(at, f"is no object but {value!r}")
            return False
        for name in set(required) - value.keys():
            self.say(at, f"has no {name}")
        for name in value.keys() - set(required) - set(optional):
            self.say(at, f"has {name}")
        return not set(required) - value.keys()

    def text(self, at, value):
        if not isinstance(value, str) or not value.strip():
            self.say(at, f"is no text but {value!r}")

    # --- schemas ---

    def schema(self, at, schema):
        if not self.keys(at, schema, (), KEYWORDS):
            return
        if "$ref" in schema:
            self.reference(at, schema)
            return
        types = schema.get("type", [])
        for name in [types] if isinstance(types, str) else types:
            if name not in TYPES:
                self.say(at, f"there is no type {name}")
        for name in schema.get("required", []):
            if name not in schema.get("properties", {}):
                self.say(at, f"requires {name}, which it does not describe")
        if len(set(map(str, schema.get("enum", [])))) != len(schema.get("enum", [])):
            self.say(at, "has a choice twice")
        if schema.get("minimum", 0) > schema.get("maximum", float("inf")):
            self.say(at, "has no number between its bounds")
        for name, member in schema.get("properties", {}).items():
            self.schema(f"{at}.{name}", member)
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key, True), dict):
                self.schema(f"{at}.{key}", schema[key])
        for key in ("anyOf", "allOf"):
            for index, part in enumerate(schema.get(key, [])):
                self.schema(f"{at}.{key}[{index}]", part)

    def reference(self, at, schema):
        self.keys(at, schema, ("$ref",))
        name = schema["$ref"].removeprefix("#/components/schemas/")
        if name not in self.tree["components"]["schemas"]:
            self.say(at, f"refers to {schema['$ref']}, which is not there")

    # --- paths ---

    def content(self, at, content):
        for kind, media in content.items():
            if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind):
                self.say(at, f"{kind} is no media type")
            if self.keys(f"{at} {kind}", media, ("schema",), ("x-item-schema",)):
                for value in media.values():
                    self.schema(f"{at} {kind}", value)

    def parameter(self, at, parameter):
        if not self.keys(at, parameter, ("name", "in", "required", "schema"), ("description",)):
            return
        if parameter["in"] not in ("path", "query", "header", "cookie"):
            self.say(at, f"is in {parameter['in']}")
        if parameter["in"] == "path" and parameter["required"] is not True:
            self.say(at, "is of the path and not required")
        self.schema(f"{at} {parameter['name']}", parameter["schema"])

    def security(self, at, security):
        for choice in security:
            for name in choice:
                if name not in self.tree["components"]["securitySchemes"]:
                    self.say(at, f"there is no scheme {name}")

    def operation(self, path, method, operation):
        at = f"{method} {path}"
        if not self.keys(at, operation,
                         ("operationId", "summary", "tags", "security", "parameters", "responses"),
                         ("description", "requestBody")):
            return
        for tag in operation["tags"]:
            if tag not in [known["name"] for known in self.tree["tags"]]:
                self.say(at, f"there is no tag {tag}")
        self.security(at, operation["security"])
        parameters = operation["parameters"]
        for parameter in parameters:
            self.parameter(at, parameter)
        named = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
        if sorted(named) != sorted(re.findall(r"\{(\w+)\}", path)):
            self.say(at, f"the path has not the parameters {named}")
        if len({(one["in"], one["name"]) for one in parameters}) != len(parameters):
            self.say(at, "has a parameter twice")
        if "requestBody" in operation:
            body = operation["requestBody"]
            if self.keys(f"{at} body", body, ("required", "content")):
                self.content(f"{at} body", body["content"])
        self.responses(at, operation["responses"])

    def responses(self, at, responses):
        if not any(status[0] in "123" for status in responses):
            self.say(at, "never does what it is for")
        for status, answer in responses.items():
            if not STATUS.fullmatch(status):
                self.say(at, f"{status} is no status")
            if self.keys(f"{at} {status}", answer, ("description",), ("content",)):
                self.text(f"{at} {status}", answer["description"])
                self.content(f"{at} {status}", answer.get("content", {}))

    # --- the whole ---

    def complaints(self):
        tree = self.tree
        if not self.keys("the document", tree,
                         ("openapi", "info", "servers", "tags", "paths", "components"),
                         ("webhooks",)):
            return self.found
        if tree["openapi"] != "3.1.0":
            self.say("openapi", tree["openapi"])
        self.keys("info", tree["info"], ("title", "version"), ("description",))
        for tag in tree["tags"]:
            self.keys("a tag", tag, ("name", "description"))
        for server in tree["servers"]:
            self.keys("a server", server, ("url",))
        for path, methods in tree["paths"].items():
            if not path.startswith("/"):
                self.say(path, "is no path")
            self.keys(path, methods, (), METHODS)
            for method, operation in methods.items():
                self.operation(path, method, operation)
        ids = [one.get("operationId") for path in tree["paths"].values() for one in path.values()]
        for name in {name for name in ids if ids.count(name) > 1}:
            self.say(name, "is the id of two operations")
        self.components(tree["components"])
        return self.found

    def components(self, components):
        self.keys("components", components, ("schemas", "securitySchemes"))
        for name, schema in components["schemas"].items():
            if not NAME.fullmatch(name):
                self.say(name, "is no name")
            self.schema(name, schema)
        text = str(self.tree)
        for name in components["schemas"]:
            if f"'#/components/schemas/{name}'" not in text:
                self.say(name, "is not used")
        for name, scheme in components["securitySchemes"].items():
            wanted = {"http": ("type", "scheme"), "apiKey": ("type", "name", "in")}
            self.keys(name, scheme, wanted.get(scheme.get("type"), ("type",)))
