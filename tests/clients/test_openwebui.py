# SPDX-License-Identifier: MIT
"""clients/openwebui/runnel_tool.py as Open WebUI uses it, which itself is not here: what it reads
of the file, and calls. Where pydantic is missing, so much of it stands in as the tool needs."""

import asyncio
import inspect
import json
import re
import sys
import types
import unittest
import urllib.request

from place import KEY, ROOT, Client

PATH = ROOT / "clients" / "openwebui" / "runnel_tool.py"


def stand_in():
    """BaseModel and Field, as far as valves go."""
    module = types.ModuleType("pydantic")

    class BaseModel:
        def __init__(self, **values):
            for name in self.__annotations__:
                setattr(self, name, values.get(name, getattr(type(self), name, None)))

    module.BaseModel = BaseModel
    module.Field = lambda default=None, description="": default
    return module


def load():
    """As Open WebUI does: the text is executed in a module of its own."""
    try:
        import pydantic  # pylint: disable=unused-import
    except ImportError:
        sys.modules["pydantic"] = stand_in()
    module = types.ModuleType("tool_runnel")
    exec(compile(PATH.read_text(encoding="utf-8"), str(PATH), "exec"), module.__dict__)
    return module.Tools()


class File(unittest.TestCase):
    def test_its_head_is_read(self):
        lines = PATH.read_text(encoding="utf-8").split("\n")
        self.assertEqual(lines[0], '"""')
        head = {}
        for line in lines[1:lines.index('"""', 1)]:
            found = re.match(r"^\s*([a-z_]+):\s*(.*)\s*$", line, re.IGNORECASE)
            if found:
                head[found[1].lower()] = found[2]
        self.assertEqual(head["title"], "Runnel")
        self.assertTrue(head["description"] and head["version"])
        self.assertNotIn("requirements", head)

    def test_what_the_model_is_offered_is_typed_and_described(self):
        tools = load()
        offered = [name for name in dir(tools) if callable(getattr(tools, name))
                   and not name.startswith("__") and not inspect.isclass(getattr(tools, name))]
        self.assertEqual(offered, ["list_languages", "run_code"])
        for name in offered:
            method = getattr(tools, name)
            self.assertTrue(inspect.iscoroutinefunction(method))
            described = re.findall(r":param (\w+): ", method.__doc__)
            typed = [parameter.name for parameter in inspect.signature(method).parameters.values()
                     if not parameter.name.startswith("__")]
            self.assertEqual(described, typed)
            self.assertLessEqual(set(typed), set(method.__annotations__))
            self.assertIs(method.__annotations__["return"], str)


class Tool(Client):
    def setUp(self):
        self.tools = load()
        self.tools.valves = self.tools.Valves(url=self.url, api_key=KEY)
        self.events = []

    def run_code(self, *args, **more):
        async def emit(event):
            self.events.append(event)
        text = asyncio.run(self.tools.run_code(*args, __event_emitter__=emit, **more))
        return json.loads(text)

    def test_a_program_and_its_files(self):
        told = self.run_code("python", "print(input())\nopen('outputs/a b.svg', 'w').write('<svg/>')",
                             stdin="hello", __metadata__={"chat_id": "c-1"})
        self.assertEqual((told["verdict"], told["exit_code"], told["stdout"], told["stderr"]),
                         ("succeeded", 0, "hello\n", ""))
        self.assertEqual([file["name"] for file in told["files"]], ["a b.svg"])
        with urllib.request.urlopen(told["files"][0]["url"]) as answer:
            self.assertEqual(answer.read(), b"<svg/>")
        states = [event["data"] for event in self.events if event["type"] == "status"]
        self.assertEqual([state["done"] for state in states], [False, True])
        links = [event["data"]["content"] for event in self.events if event["type"] == "message"]
        self.assertIn(told["files"][0]["url"], links[0])
        self.assertIn("[a b.svg](", links[0])

    def test_what_went_wrong_is_said(self):
        told = self.run_code("python", "import sys; sys.exit('no')")
        self.assertEqual((told["verdict"], told["exit_code"], told["stderr"]), ("failed", 1, "no\n"))
        self.tools.valves.timeout_ms = 300
        told = self.run_code("python", "while True: pass")
        self.assertIn(told["verdict"], ("timeout", "cpu_limit"))
        self.assertTrue(told["hint"])
        self.assertIn("unsupported language", self.run_code("cobol", "x")["error"])
        self.tools.valves.api_key = "wrong"
        self.assertIn("invalid token", self.run_code("python", "1")["error"])
        self.tools.valves.url = "http://127.0.0.1:1"
        self.assertIn("does not answer", self.run_code("python", "1")["error"])

    def test_much_output_is_shortened_in_its_middle(self):
        self.tools.valves.max_chars = 1000
        told = self.run_code("python", "print('a' * 5000 + 'the end')")
        self.assertLess(len(told["stdout"]), 1100)
        self.assertTrue(told["stdout"].startswith("a") and told["stdout"].endswith("the end\n"))

    def test_links_are_those_that_a_browser_can_open(self):
        self.tools.valves.link_url = "https://code.example/"
        self.tools.valves.show_links = False
        told = self.run_code("bash", "echo x > 'outputs/[x](y)'")
        self.assertTrue(told["files"][0]["url"].startswith("https://code.example/v1/files/file_"))
        self.assertFalse([event for event in self.events if event["type"] == "message"])

    def test_a_name_is_no_markup(self):
        self.run_code("bash", "echo x > 'outputs/[x](http:y)'")
        text = next(event["data"]["content"] for event in self.events if event["type"] == "message")
        self.assertIn("\\[x\\]\\(http:y\\)", text)

    def test_without_a_page_it_works_too(self):
        told = json.loads(asyncio.run(self.tools.run_code("bash", "echo $1", args=["one"])))
        self.assertEqual(told["stdout"], "one\n")

    def test_languages(self):
        languages = json.loads(asyncio.run(self.tools.list_languages()))
        self.assertIn("python", [language["language"] for language in languages])


if __name__ == "__main__":
    unittest.main()
