# SPDX-License-Identifier: MIT
read -r line || echo "end of input"
