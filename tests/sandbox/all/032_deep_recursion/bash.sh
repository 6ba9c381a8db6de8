# SPDX-License-Identifier: MIT
# expect: killed_by_signal
# signal: 11
# limits: timeout=30s cpu-time=30s stack=1M
deeper() { deeper; }
deeper
echo "came back"
