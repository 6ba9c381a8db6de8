# SPDX-License-Identifier: MIT
"""Suspicious words in a source: nothing is said of them, or advice, or a refusal."""

from place import Jobs

DANGEROUS = {"error": "Code contains potentially dangerous operations"}
FORMAT = "print('{}'.format(6*7))"
BAD = "eval('1');" * 6


class Off(Jobs):
    def test_nothing_is_looked_at(self):
        for source in (FORMAT, BAD, "# sudo rm -rf / mkfs"):
            answer = self.place.post({"language": "python", "source_code": source})
            self.assertEqual(answer.status, 200)
            self.assertNotIn("analysis", answer.json())
            self.assertNotIn("analysis", self.place.job(answer.json()["job_id"]))


class Advice(Jobs):
    flags = ("--analysis=advise",)

    def test_it_stands_beside_the_answer_and_refuses_nothing(self):
        answer = self.place.post({"language": "python", "source_code": "import urllib\n" + FORMAT})
        said = answer.json()
        self.assertEqual((answer.status, list(said)[-1]), (200, "analysis"))
        self.assertEqual(said["analysis"], {
            "issues": [{"category": "network", "pattern": "urllib", "match": "urllib",
                        "severity": "medium"},
                       {"category": "command", "pattern": "format", "match": "format",
                        "severity": "high"}],
            "safety_score": 85})
        job = self.place.ended(said["job_id"])
        self.assertEqual((job["analysis"], job["result"]["output"]), (said["analysis"], "42\n"))

    def test_of_an_innocent_source_it_says_so(self):
        answer = self.place.post({"language": "python", "source_code": "print(1)"})
        self.assertEqual(answer.json()["analysis"], {"issues": [], "safety_score": 100})

    def test_of_many_it_names_some(self):
        answer = self.place.post({"language": "python", "source_code": "sudo " * 20000})
        said = answer.json()["analysis"]
        self.assertEqual((len(said["issues"]), said["issues_untold"], said["safety_score"]),
                         (64, 20000 - 64, 0))


class Refusal(Jobs):
    flags = ("--analysis=refuse",)

    def test_in_known_words(self):
        answer = self.place.post({"language": "python", "source_code": FORMAT})
        self.assertEqual((answer.status, answer.json()), (400, DANGEROUS))
        answer = self.place.post({"language": "python", "source_code": BAD})
        said = answer.json()
        self.assertEqual((answer.status, list(said)), (400, ["error", "issues", "safety_score"]))
        self.assertEqual((said["error"], len(said["issues"]), said["safety_score"]),
                         (DANGEROUS["error"], 6, 40))
        self.assertEqual(said["issues"][0], {"category": "filesystem", "pattern": "eval\\s*\\(",
                                             "match": "eval(", "severity": "high"})

    def test_what_is_safe_enough_runs(self):
        job = self.place.run("python", "print(eval('6*7'))")
        self.assertEqual(job["result"]["output"], "42\n")
