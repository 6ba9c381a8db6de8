# SPDX-License-Identifier: MIT
"""Uploads, downloads, and the links that need no key."""

import base64
import hashlib
import json
import os
import time
import unittest

from contract import API_KEYS, OTHER, SIGNING, WRITES, Contract, form, request, sign, signed_text


class Uploads(Contract):
    def test_one_comes_back_as_it_was_sent(self):
        content = os.urandom(300000)
        answer = self.upload(content, "a/b/données.bin")
        self.assertEqual(answer.status, 200, answer)
        file = answer.json()
        self.assertRegex(file["id"], r"^file_[0-9A-Za-z]{12}$")
        self.assertEqual(file, {"id": file["id"], "name": "données.bin", "size": len(content),
                                "sha256": hashlib.sha256(content).hexdigest()})
        self.assertEqual(self.ask("GET", f"/v1/files/{file['id']}").body, content)

    def test_a_run_finds_it_in_inputs_and_keeps_it(self):
        file = self.upload(b"from an upload").json()["id"]
        for _ in range(2):
            record = self.run_it("print(open('inputs/sub/x.txt').read())",
                                 files=[{"id": file, "path": "sub/x.txt"}])
            self.assertEqual(record["stdout"], "from an upload\n")

    def test_what_is_no_file_is_refused_in_known_words(self):
        head, _ = form(b"x")
        answer = self.ask("POST", "/v1/files", b"--edge--\r\n", headers=head)
        self.assertEqual((answer.status, answer.json()["error"]), (400, "file is required"))
        answer = self.upload(b"x", field="other")
        self.assertEqual((answer.status, answer.json()["field"]), (400, "file"))
        self.assertTrue(answer.json()["error"].startswith("file is required"))
        answer = self.ask("POST", "/v1/files", {"file": "x"})
        self.assertEqual(answer.status, 415)

    def test_names_are_names_only(self):
        rows = {"../../etc/passwd": "passwd", "a\\b.txt": "b.txt", "/abs/name": "name",
                ".hidden": ".hidden", "meta.json": "meta.json"}
        for sent, kept in rows.items():
            with self.subTest(sent):
                self.assertEqual(self.upload(b"x", sent).json()["name"], kept)

    def test_more_than_the_cap_is_refused_while_it_comes(self):
        answer = self.upload(bytes((10 << 20) + 1))
        self.assertEqual((answer.status, answer.json()["code"]), (413, "too_large"), answer)
        self.assertEqual(self.upload(bytes(10 << 20)).status, 200)

    def test_more_than_a_file_has_a_cap_of_its_own(self):
        def with_note(size):
            return (b"--edge\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n"
                    + bytes(size) + b"\r\n" + body)
        headers, body = form(b"hello")
        for size, status in ((1 << 19, 200), (2 << 20, 413), (9 << 20, 413)):
            answer = self.ask("POST", "/v1/files", with_note(size), headers=headers)
            self.assertEqual(answer.status, status, (size, answer))
            chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(with_note(size)), with_note(size))
            answer = self.ask("POST", "/v1/files", chunked,
                              headers={**headers, "Transfer-Encoding": "chunked"})
            self.assertEqual(answer.status, status, (size, answer))
        self.assertEqual((answer.json()["code"], answer.json()["error"]),
                         ("too_large", "the form is over the limit of 1048576 bytes beside its file"))
        self.assertEqual(self.upload(bytes(10 << 20)).status, 200)

    def test_they_are_listed_and_removed(self):
        file = self.upload(b"x", "listed").json()["id"]
        names = [item["file"]["id"] for item in self.ask("GET", "/v1/files").json()["files"]]
        self.assertEqual(names[0], file)
        self.assertEqual(self.ask("DELETE", f"/v1/files/{file}").status, 204)
        for method in ("GET", "DELETE"):
            self.assertEqual(self.ask(method, f"/v1/files/{file}").status, 404)
        answer = self.post({"language": "python", "code": "1", "files": [{"id": file, "path": "x"}]})
        self.assertEqual(answer.error()[:2], (404, "uploaded file not found"))

    def test_pages_of_the_list_meet(self):
        mine = [self.upload(b"x", f"page {n}").json()["id"] for n in range(60)]
        first = self.ask("GET", "/v1/files").json()
        second = self.ask("GET", f"/v1/files?before={first['next']}").json()
        listed = [item["file"]["id"] for item in first["files"] + second["files"]]
        self.assertEqual(listed[:60], mine[::-1])
        self.assertEqual(len(set(listed)), len(listed))

    def test_nobody_else_has_them(self):
        file = self.upload(b"mine").json()["id"]
        for method in ("GET", "DELETE"):
            self.assertEqual(self.ask(method, f"/v1/files/{file}", key=OTHER).status, 404)
        answer = self.post({"language": "python", "code": "1",
                            "files": [{"id": file, "path": "x"}]}, key=OTHER)
        self.assertEqual(answer.error()[:2], (404, "uploaded file not found"))
        self.assertNotIn(file, str(self.ask("GET", "/v1/files", key=OTHER).json()))
        self.assertEqual(self.ask("GET", f"/v1/files/{file}").status, 200)

    def test_an_artifact_is_no_upload(self):
        artifact = self.run_it(WRITES)["artifacts"][0]["id"]
        answer = self.post({"language": "python", "code": "1",
                            "files": [{"id": artifact, "path": "x"}]})
        self.assertEqual(answer.error()[:2], (404, "uploaded file not found"))

    def test_parts_of_it_can_be_asked_for(self):
        file = self.upload(b"0123456789").json()["id"]
        rows = [("bytes=2-4", 206, b"234", "bytes 2-4/10"), ("bytes=-3", 206, b"789", "bytes 7-9/10"),
                ("bytes=8-", 206, b"89", "bytes 8-9/10"), ("bytes=20-30", 416, None, "bytes */10")]
        for asked, status, body, told in rows:
            with self.subTest(asked):
                answer = self.ask("GET", f"/v1/files/{file}", headers={"Range": asked})
                self.assertEqual((answer.status, answer.headers["content-range"]), (status, told))
                self.assertIn(body, (None, answer.body))
        whole = self.ask("GET", f"/v1/files/{file}")
        again = self.ask("GET", f"/v1/files/{file}", headers={"If-None-Match": whole.headers["etag"]})
        self.assertEqual((again.status, again.body), (304, b""))
        for wrong in ("bytes=4-2", "bytes=x", "lines=1-2", "bytes=" + "9" * 50 + "-", "bytes=1-2,4-5"):
            self.assertIn(self.ask("GET", f"/v1/files/{file}", headers={"Range": wrong}).status,
                          (200, 206, 416), wrong)

    def test_it_is_never_shown_as_a_page_of_ours(self):
        file = self.upload(b"<script>alert(1)</script>", "x.html").json()["id"]
        headers = self.ask("GET", f"/v1/files/{file}").headers
        self.assertEqual(headers["x-content-type-options"], "nosniff")
        self.assertTrue(headers["content-disposition"].startswith("attachment"))
        self.assertIn("sandbox", headers["content-security-policy"])


class OfKeys(Contract):
    SLOW = "sk_slow_0123456789"
    env = {"API_KEYS": f"{API_KEYS},{SLOW}:slow:1:1"}

    def test_a_download_is_one_request(self):
        file = self.upload(b"x").json()["id"]
        slow = self.upload(b"x", key=self.SLOW).json()["id"]
        # 200 at once are allowed, and 100 more a second.
        answers = [self.ask("GET", f"/v1/files/{slow}", key=self.SLOW) for _ in range(190)]
        self.assertEqual({answer.status for answer in answers}, {200})
        ticket = self.ask("POST", "/v1/tickets").json()["ticket"]
        self.assertEqual(self.ask("GET", f"/v1/files/{file}?ticket={ticket}", key=None,
                                  headers={"Accept": "text/event-stream"}).status, 200)
        for key, sentence in ((None, "missing bearer token"), ("sk_none", "invalid token")):
            refused = self.ask("GET", f"/v1/files/{file}", key=key)
            self.assertEqual((refused.status, refused.json()["error"]), (401, sentence))

    def test_a_last_page_may_be_full(self):
        for _ in range(50):
            self.assertEqual(self.upload(b"x", key=OTHER).status, 200)
        page = self.ask("GET", "/v1/files", key=OTHER).json()
        self.assertEqual((len(page["files"]), page["next"]), (50, None))
        self.upload(b"x", key=OTHER)
        page = self.ask("GET", "/v1/files", key=OTHER).json()
        self.assertEqual(len(page["files"]), 50)
        rest = self.ask("GET", f"/v1/files?before={page['next']}", key=OTHER).json()
        self.assertEqual((len(rest["files"]), rest["next"]), (1, None))


class Links(Contract):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        head, body = form(b"linked")
        file = request(cls.service.port, "POST", "/v1/files", body, headers=head).json()["id"]
        cls.path = f"/v1/files/{file}"

    def open(self, text=None, path=None, key=None, **more):
        payload, sig = sign(text or signed_text(self.path), more.pop("secret", SIGNING))
        payload, sig = more.pop("payload", payload), more.pop("sig", sig)
        return self.ask("GET", f"{path or self.path}?payload={payload}&sig={sig}", key=key)

    def test_a_good_one_opens_with_and_without_a_key(self):
        self.assertEqual(self.open().body, b"linked")
        self.assertEqual(self.open(key="nonsense").body, b"linked")
        answer = self.open(key=OTHER)
        self.assertEqual((answer.status, answer.body), (200, b"linked"))

    def test_each_wrong_one_has_its_sentence(self):
        now = int(time.time())
        other = "/v1/files/file_AAAAAAAAAAAA"
        payload, sig = sign(signed_text(self.path))
        rows = [
            ("path mismatch", {"path": other}),
            ("path mismatch", {"text": signed_text(other)}),
            ("method mismatch", {"text": signed_text(self.path, method="POST")}),
            ("method mismatch", {"text": signed_text(self.path, method="get")}),
            ("url expired", {"text": signed_text(self.path, now - 5)}),
            ("url expired", {"text": signed_text(self.path, 0)}),
            ("invalid signature", {"secret": "another key"}),
            ("invalid signature", {"secret": ""}),
            ("invalid signature", {"sig": sig[:-1]}), ("invalid signature", {"sig": sig + "0"}),
            ("invalid signature", {"sig": sig.upper()}), ("invalid signature", {"sig": "0" * 64}),
            ("invalid signature", {"sig": ""}),
            ("invalid signature", {"sig": "x" * 3000}), ("invalid signature", {"payload": ""}),
            ("invalid signature", {"payload": payload[:-1]}),
            ("invalid signature", {"payload": payload + "A"}),
            ("invalid signature", {"payload": "!" * 40}), ("invalid signature", {"payload": "A" * 3000}),
        ]
        for sentence, how in rows:
            with self.subTest(f"{sentence} {how}"):
                answer = self.open(**how)
                self.assertEqual(answer.error()[:2], (403, sentence), answer)
        for query in (f"payload={payload}", f"sig={sig}"):
            answer = self.ask("GET", f"{self.path}?{query}", key=None)
            self.assertEqual(answer.error()[:2], (403, "missing signature"))

    def test_each_byte_of_it_counts(self):
        payload, sig = sign(signed_text(self.path))
        for at in range(0, len(payload), 7):
            changed = payload[:at] + ("A" if payload[at] != "A" else "B") + payload[at + 1:]
            self.assertEqual(self.open(payload=changed, sig=sig).status, 403, at)

    def test_signed_nonsense_is_no_500(self):
        """Whoever has the key of a service of this form may have signed other things."""
        for text in (b"", b"x", b"null", b"5", b"[]", b"{}", b"\xff" * 20, b'{"path":5}', b"{" * 300,
                     b'{"path":"%s","exp":"soon","method":"GET"}' % self.path.encode(),
                     b'{"path":"%s","exp":-1,"method":"GET"}' % self.path.encode(),
                     b'{"path":"%s","exp":1e400,"method":"GET"}' % self.path.encode(),
                     b'{"path":"%s","method":"GET"}' % self.path.encode(),
                     b'{"path":"%s","exp":99999999999}' % self.path.encode(), b'{"a":"%s"}' % (b"x" * 5000)):
            with self.subTest(text[:60]):
                self.assertEqual(self.open(text or b" ").status, 403)

    def test_doubled_parameters_open_nothing_that_one_would_not(self):
        payload, sig = sign(signed_text(self.path))
        bad = sign(signed_text(self.path), "another")[1]
        for query in (f"payload={payload}&sig={bad}&sig={bad}", f"payload=x&payload=y&sig={sig}"):
            self.assertEqual(self.ask("GET", f"{self.path}?{query}", key=None).status, 403)

    def test_a_link_opens_nothing_but_its_file(self):
        payload, sig = sign(signed_text("/v1/runs"))
        self.assertEqual(self.ask("GET", f"/v1/runs?payload={payload}&sig={sig}", key=None).status, 401)
        payload, sig = sign(signed_text(self.path))
        answer = self.ask("DELETE", f"{self.path}?payload={payload}&sig={sig}", key=None)
        self.assertEqual(answer.status, 401)
        gone = "/v1/files/file_AAAAAAAAAAAA"
        answer = self.open(signed_text(gone), gone)
        self.assertEqual(answer.error()[:2], (404, "artifact not found"))


class Rotation(Contract):
    env = {"SIGNING_KEY": "new", "PREVIOUS_SIGNING_KEY": "old",
           "PUBLIC_BASE_URL": "https://runnel.example/base"}

    def test_links_of_both_keys_are_good_and_new_ones_are_of_the_new(self):
        artifact = self.run_it(WRITES)["artifacts"][0]
        self.assertTrue(artifact["url"].startswith("https://runnel.example/base/v1/files/"))
        path, query = artifact["url"][len("https://runnel.example/base"):].split("?")
        self.assertIn(f"sig={sign(signed_text_of(query), 'new')[1]}", query)
        for secret, status in (("new", 200), ("old", 200), ("older", 403)):
            payload, sig = sign(signed_text(path), secret)
            answer = self.ask("GET", f"{path}?payload={payload}&sig={sig}", key=None)
            self.assertEqual(answer.status, status, secret)


def signed_text_of(query):
    payload = query.split("payload=")[1].split("&")[0]
    text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    json.loads(text)
    return text


if __name__ == "__main__":
    unittest.main()
