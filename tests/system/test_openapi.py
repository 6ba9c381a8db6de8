# SPDX-License-Identifier: MIT
"""/openapi.json is OpenAPI and says what clients of this form look for; /docs is a page made
of the same; and the validator that all other tests use finds what is wrong."""

import copy
import html.parser
import json
import unittest

from service import Service  # it also makes tests/ known
from openapi import Document, document_at
from openapi_form import Form


class Page(html.parser.HTMLParser):
    """Its ids, links and tags, and whether every tag is closed."""

    EMPTY = {"meta", "link"}

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.tags, self.open, self.text = [], [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        self.open += [] if tag in self.EMPTY else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data


class Described(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.addClassCleanup(cls.service.close)

    def get(self, path, **headers):
        status, head, body = self.service.request_raw("GET", path, headers=headers)
        self.assertEqual(status, 200)
        return head, body.decode()

    def tree(self, **headers):
        return json.loads(self.get("/openapi.json", **headers)[1])

    def test_it_is_openapi(self):
        self.assertEqual(Form(Document(self.tree())).complaints(), [])

    def test_clients_find_what_they_know(self):
        tree = self.tree()
        self.assertEqual(tree["info"]["title"], "Code Executor API")
        run, health = tree["paths"]["/v1/runs"]["post"], tree["paths"]["/v1/health"]["get"]
        self.assertEqual((run["operationId"], health["operationId"]), ("execute_code", "health_check"))
        self.assertEqual((run["tags"], health["tags"]), (["Code Execution"], ["System"]))
        self.assertIn({"bearerAuth": []}, run["security"])
        self.assertEqual(health["security"], [])
        self.assertEqual(tree["components"]["securitySchemes"]["bearerAuth"],
                         {"type": "http", "scheme": "bearer"})
        wanted = tree["components"]["schemas"]["RunRequest"]
        self.assertEqual(wanted["required"], ["language"])
        self.assertEqual(wanted["properties"]["code"]["maxLength"], 204800)
        self.assertEqual(wanted["properties"]["limits"]["properties"]["max_artifact_files"]["minimum"], 0)

    def test_the_server_is_what_the_client_calls_it_unless_it_is_configured(self):
        self.assertEqual(self.tree(host="localhost:99")["servers"], [{"url": "http://localhost:99"}])
        with Service(env={"PUBLIC_BASE_URL": "https://run.example.org"}) as service:
            tree = service.request("GET", "/openapi.json")[1]
            self.assertEqual(tree["servers"], [{"url": "https://run.example.org"}])

    def test_none_of_it_needs_a_key(self):
        with Service(env={"API_KEYS": "some-secret-token"}) as service:
            for path in ("/openapi.json", "/docs", "/docs/style.css", "/v1/health", "/v1/models", "/models"):
                self.assertEqual(service.request_raw("GET", path)[0], 200, path)
            self.assertEqual(service.request("GET", "/v1/health")[1], {"status": "ok"})
            self.assertEqual(service.request("GET", "/models")[1], {"object": "list", "data": []})
            self.assertEqual(service.request_raw("GET", "/v1/languages")[0], 401)

    def test_the_page_tells_of_every_operation_and_object(self):
        page, tree = Page(self.get("/docs")[1]), self.tree()
        ids = [one["operationId"] for path in tree["paths"].values() for one in path.values()]
        names = [f"schema-{name}" for name in tree["components"]["schemas"]]
        self.assertEqual(page.open, [])
        self.assertEqual(len(page.ids), len(set(page.ids)))
        self.assertEqual(set(ids + names) - set(page.ids), set())
        for name in tree["components"]["schemas"]["RunRequest"]["properties"]:
            self.assertIn(name, page.text)
        for link in page.links:
            if link.startswith("#"):
                self.assertIn(link[1:], page.ids)
            else:
                self.assertEqual(self.service.request_raw("GET", link)[0], 200, link)

    def test_the_page_has_no_script_and_nothing_from_elsewhere(self):
        head, text = self.get("/docs")
        page = Page(text)
        self.assertEqual({tag for tag, _ in page.tags} & {"script", "style", "img", "iframe", "form"}, set())
        for tag, given in page.tags:
            self.assertEqual([name for name in given if name == "style" or name.startswith("on")], [], tag)
        policy = head["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertNotRegex(text, r"https?://(?!127\.0\.0\.1)")

    def test_what_the_client_calls_us_does_not_become_markup(self):
        status, _, body = self.service.request_raw("GET", "/docs", headers={"Host": "localhost<b>"})
        self.assertTrue(status != 200 or b"<b>" not in body)

    def test_the_style_knows_light_dark_and_narrow(self):
        head, text = self.get("/docs/style.css")
        self.assertEqual(head["Content-Type"], "text/css; charset=utf-8")
        for wanted in ("prefers-color-scheme: dark", "max-width"):
            self.assertIn(wanted, text)


class Validator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Service() as service:
            cls.document = document_at(service.port)
            fields = {"language": "bash", "code": "echo hello > outputs/x; echo hi",
                      "limits": {"timeout_ms": 5000}, "metadata": {"a": "b"}}
            cls.record = service.request("POST", "/v1/runs", fields)[1]

    def misfits(self, record, status=200, method="POST", path="/v1/runs"):
        return self.document.answer_misfits(method, path, status, "application/json; charset=utf-8",
                                            json.dumps(record).encode())

    def test_a_good_answer_fits(self):
        self.assertEqual(self.misfits(self.record), [])

    def test_each_thing_that_is_wrong_is_found(self):
        wrong = {
            "a member too few": lambda record: record.pop("verdict"),
            "a member too many": lambda record: record.update(surprise=1),
            "one inside of another": lambda record: record["usage"].update(surprise=1),
            "a type": lambda record: record.update(exit_code="0"),
            "true is no number": lambda record: record["usage"].update(wall_ms=True),
            "a word": lambda record: record.update(status="done"),
            "a null": lambda record: record.update(language=None),
            "a time": lambda record: record.update(created_at="yesterday"),
            "below zero": lambda record: record["usage"].update(cpu_ms=-1),
            "in an array": lambda record: record["artifacts"][0].pop("sha256"),
            "in an object of texts": lambda record: record["metadata"].update(a=1),
        }
        for name, spoil in wrong.items():
            with self.subTest(name):
                record = copy.deepcopy(self.record)
                spoil(record)
                self.assertEqual(len(self.misfits(record)), 1)

    def test_statuses_and_paths_that_are_not_described_are_found(self):
        error = {"error": "no", "code": "not_found"}
        self.assertEqual(len(self.misfits(error, 409)), 1)
        self.assertEqual(len(self.misfits({}, 200, "GET", "/v1/nothing")), 1)
        self.assertEqual(self.misfits(error, 404, "GET", "/v1/nothing"), [])
        self.assertEqual(self.misfits({"error": "no"}, 431), [])

    def test_documents_that_are_no_openapi_are_found(self):
        def at(tree, *names):
            for name in names:
                tree = tree[name]
            return tree
        run = ("paths", "/v1/runs", "post")
        wrong = {
            "a reference": lambda tree: at(tree, *run, "requestBody", "content", "application/json",
                                           "schema").update({"$ref": "#/components/schemas/None"}),
            "an id": lambda tree: at(tree, *run).update(operationId="health_check"),
            "a tag": lambda tree: at(tree, *run, "tags").append("Others"),
            "a scheme": lambda tree: at(tree, *run, "security").append({"magic": []}),
            "a keyword": lambda tree: at(tree, "components", "schemas", "Run").update(magic=1),
            "a parameter": lambda tree: at(tree, "paths", "/v1/runs/{id}", "get", "parameters").pop(0),
            "no answer": lambda tree: at(tree, *run, "responses", "200").pop("description"),
        }
        for name, spoil in wrong.items():
            with self.subTest(name):
                tree = copy.deepcopy(self.document.tree)
                spoil(tree)
                self.assertNotEqual(Form(Document(tree)).complaints(), [])
