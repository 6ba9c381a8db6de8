// SPDX-License-Identifier: MIT
void main() {
  while (true) {}
}
