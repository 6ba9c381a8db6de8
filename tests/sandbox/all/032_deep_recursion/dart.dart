// SPDX-License-Identifier: MIT
// stderr: Stack Overflow
int deeper(int depth) => deeper(depth + 1) + 1;

void main() {
  print('${deeper(0)} came back');
}
