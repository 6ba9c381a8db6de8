# SPDX-License-Identifier: MIT
"""Does an outcome meet what its row expects?"""

import operator

_OPERATORS = {"<": operator.lt, "<=": operator.le, "==": operator.eq, ">=": operator.ge,
              ">": operator.gt}

# Exit status of `runnel run` by verdict (design: one table); the others are the program's.
_EXIT_STATUS = {
    "internal_error": 126, "cancelled": 130, "queue_timeout": 124, "timeout": 124,
    "idle_timeout": 124, "cpu_limit": 124, "memory_limit": 125, "output_limit": 125,
    "succeeded": 0,
}
_RESULT_FIELDS = ("verdict", "reason", "exit_code", "signal", "stdout", "stderr", "usage",
                  "limits", "limits_hit", "isolation", "language")
_USAGE_FIELDS = ("wall_ms", "cpu_ms", "compile_ms", "memory_peak_bytes", "queued_ms")
# What a program prints when it got where it must not.
_ESCAPED = "ESCAPED"


def complaints(row, outcome, secret, argument=None):
    """Every way in which the outcome differs from what the row expects."""
    if outcome.hung:
        return ["the command line hung and was killed"]
    found = _secrets(outcome, secret)
    if row.raw or (row.terminal and outcome.result is None):
        found += _judge_raw(row, outcome)
    elif row.verdicts == ["refused"]:
        found += _judge_refused(outcome)
    elif outcome.result is None and "refused" in row.verdicts:
        found += _judge_refused(outcome)
    elif outcome.result is None:
        return found + [f"no result; exit status {outcome.exit_status}; "
                        f"stderr: {_short(outcome.stderr.decode('utf-8', 'replace'))}"]
    else:
        found += _judge_result(row, outcome, argument)
    return found + _judge_streams(row, outcome) + _judge_facts(row, outcome)


def _judge_raw(row, outcome):
    if "succeeded" in row.verdicts and outcome.exit_status != 0:
        return [f"exit status {outcome.exit_status}: "
                f"{_short(outcome.stderr.decode('utf-8', 'replace'))}"]
    return []


def _judge_refused(outcome):
    if outcome.result is None and outcome.exit_status not in (0, 126):
        return []
    return [f"the command line was to refuse this; exit status {outcome.exit_status}"]


def _judge_result(row, outcome, argument):
    result = outcome.result
    found = [f"the result lacks '{name}'" for name in _RESULT_FIELDS if name not in result]
    found += [f"the result's usage lacks '{name}'" for name in _USAGE_FIELDS
              if name not in result.get("usage", {})]
    verdict = result["verdict"]
    if verdict not in row.verdicts:
        found.append(f"verdict {verdict} ({result.get('reason')}), expected "
                     f"{' or '.join(row.verdicts)}; stderr: {_short(outcome.text('stderr'))}; "
                     f"stdout: {_short(outcome.text('stdout'))}")
    for key, expected in (("exit_code", row.exit_code), ("signal", row.signal)):
        wanted = expected.replace("{arg}", argument or "") if expected else None
        if wanted is not None and str(result.get(key)) != wanted:
            found.append(f"{key} {result.get(key)}, expected {wanted}")
    return found + _judge_exit_status(outcome)


def _judge_exit_status(outcome):
    result = outcome.result
    if outcome.exit_status is None:  # no command line ran it
        return []
    expected = _EXIT_STATUS.get(result["verdict"])
    if expected is None:
        expected = 128 + result["signal"] if result.get("signal") else result.get("exit_code")
    if outcome.exit_status != expected:
        return [f"exit status {outcome.exit_status} of the command line, expected {expected}"]
    return []


def _judge_streams(row, outcome):
    found = []
    for stream in ("stdout", "stderr", "reason"):
        text = outcome.text(stream) if stream != "reason" else str(outcome.fact("reason"))
        found += [f"{stream} does not match {pattern.pattern}: {_short(text)}"
                  for pattern in row.patterns[stream] if not pattern.search(text)]
    everything = outcome.text("stdout") + "\n" + outcome.text("stderr")
    found += [f"matches {pattern.pattern}, which it never may: {_short(everything)}"
              for pattern in row.patterns["never"] if pattern.search(everything)]
    found += [line for line in everything.splitlines() if _ESCAPED in line][:5]
    found += [f"{stream} is {outcome.text(stream)!r:.300}"
              for stream, (text, times) in row.exact.items() if outcome.text(stream) != text * times]
    return found


def _judge_facts(row, outcome):
    found = []
    for path, comparison, number in row.checks:
        value = outcome.fact(path)
        if not isinstance(value, (int, float)) or not _OPERATORS[comparison](value, number):
            found.append(f"{path} is {value}, expected {comparison} {number}")
    return found


def _secrets(outcome, secret):
    if secret.encode() in outcome.stdout + outcome.stderr:
        return ["ESCAPED: a canary's secret is in the output"]
    return []


def _short(text):
    text = text.strip()
    return repr(text if len(text) <= 300 else text[:140] + " … " + text[-140:])
