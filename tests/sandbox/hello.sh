# SPDX-License-Identifier: MIT
# The run after each row: an ordinary one.
echo hello
