# SPDX-License-Identifier: MIT
"""What keep_runs has ended is gone for all who ask: nothing of it is told from memory either."""

import unittest

from contract import Service, wait_until


class Kept(unittest.TestCase):
    def test_a_run_that_is_not_kept_any_more_is_not_read_any_more(self):
        with Service("--keep-runs=1s") as service:
            record = service.request("POST", "/v1/runs", {"language": "bash", "code": "echo secret"})[1]
            self.assertEqual(record["stdout"], "secret\n")
            path = f"/v1/runs/{record['id']}"

            def statuses():
                return {service.request_raw("GET", path + rest)[0] for rest in ("", "/events?from=1")}
            wait_until("it is gone", lambda: statuses() == {404})


if __name__ == "__main__":
    unittest.main()
